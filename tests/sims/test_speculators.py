"""Arbitrageurs trade the way that they say: cheap is bought and dear is sold."""

from datetime import time

from sim_markets import EVERYBODY, scenario

from exchange.domain.calendar import moment_ns
from sims.engine.simulation import Simulation


def test_arbitrageurs_pay_less_of_what_goods_usually_cost_than_they_take() -> None:
    crowds = [of | {"count": 20} if of["name"] == "arbitrage" else of for of in EVERYBODY]
    simulation = Simulation(scenario(crowds, wake_seconds=300, days_ahead=3), 1)
    simulation.run(moment_ns(simulation.scenario.first_day, time(10, 30)))  # before any closes a position
    (crowd,) = (crowd for crowd in simulation.crowds if crowd.name == "arbitrage")
    bought_fen, bought, sold_fen, sold = simulation.board.flows[crowd.accounts].sum(axis=0).T
    usual = simulation.world.reference
    assert bought.sum() > 0 < sold.sum()
    assert bought_fen.sum() / (bought @ usual) < sold_fen.sum() / (sold @ usual)
