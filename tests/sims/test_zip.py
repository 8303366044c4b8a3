"""ZIP traders in a simulated market: what they learn brings prices nearer to equilibrium than chance does."""

from dataclasses import dataclass

import numpy as np
import pytest

from exchange.domain.calendar import NS_PER_SECOND, moment_ns
from exchange.domain.sessions import Sessions
from matching.records import CommandKind, Side
from sims.agents.crowd import Moment
from sims.agents.zip_rule import Zip
from sims.engine.outcome import outcome_of
from sims.engine.simulation import Simulation
from sims.scenario.load import load_scenario


@dataclass(frozen=True)
class Found:
    """What a day of the scenario `learners` came to."""

    mispricing: float
    spread: float
    trades: int
    surplus: float
    most_held: int


def found(kind: str, seed: int) -> Found:
    simulation = Simulation(load_scenario("learners", [f"population.traders.kind={kind}"]), seed)
    simulation.run()
    outcome = outcome_of(simulation)
    traders, metrics = simulation.crowds[0].accounts, outcome.metrics
    return Found(
        metrics["mispricing"],
        metrics["spread"],
        outcome.trades,
        outcome.classes[0].surplus,
        int(np.abs(simulation.board.positions[traders]).max()),
    )


@pytest.mark.parametrize("seed", [2, 3])
def test_traders_that_learn_deal_nearer_to_equilibrium_and_as_often(seed: int) -> None:
    learned, random = found("zip", seed), found("zero-intelligence", seed)
    assert 0 < learned.mispricing < 0.75 * random.mispricing
    assert 0 < learned.spread < 0.5 * random.spread
    assert learned.trades > random.trades
    assert learned.surplus > 0.95 * random.surplus > 0
    assert max(learned.most_held, random.most_held) <= 3 + 1, "one more where a quote is taken while renewed"


@pytest.mark.parametrize(("taker", "learner"), [(Side.SELL, Side.SELL), (Side.BUY, Side.BUY)])
def test_a_deal_draws_in_those_on_the_side_of_whoever_took_the_order_that_stood(
    taker: Side, learner: Side
) -> None:
    overrides = ["population.traders.spread=0", "population.traders.count=8"]
    simulation = Simulation(load_scenario("learners", overrides), 1)
    first_call = moment_ns(simulation.scenario.first_day, Sessions().call)
    simulation.run(first_call + NS_PER_SECOND)
    (crowd,), rows = simulation.crowds, simulation.board.rows
    before = simulation.board.refs["price"][simulation.board.refs["remaining"] > 0]
    assert len(before) == 8 * len(rows) and not (before == rows["worth"][0]).any()
    rows["last"], rows["lots"], rows["taker"] = rows["worth"], 1, taker
    nothing = np.zeros(len(rows))
    now = Moment(1, 0.1, 0, nothing.astype(bool), nothing.astype(np.int32))
    sent = crowd.commands(now, np.random.default_rng(1))
    quoted = sent[sent["kind"] == CommandKind.NEW]
    assert len(quoted) == 4 * len(rows) and set(quoted["side"]) == {learner}


def test_a_market_of_many_learns_as_one_by_itself() -> None:
    limits = np.array([300, 250, 200, 100, 150, 220])
    buys = np.arange(6) < 3
    alone = Zip(limits, buys, np.random.default_rng(4))
    inside = Zip(limits[:, None], buys[:, None], np.random.default_rng(4))
    active = np.array([True, True, False, True, True, True])
    shouts = [
        (True, 180, False),
        (False, 230, False),
        (True, 205, True),
        (False, 190, True),
        (True, 90, False),
    ]
    for side, price, dealt in shouts * 5:
        alone.learn(side, price, dealt, active)
        inside.learn(np.array([side]), np.array([price]), np.array([dealt]), active[:, None])
        assert alone.prices().tolist() == inside.prices()[:, 0].tolist()
    assert (alone.prices()[:3] <= limits[:3]).all() and (alone.prices()[3:] >= limits[3:]).all()


def test_margins_go_with_a_contract_that_trades_on_and_rest_where_nothing_is_heard() -> None:
    traders = Zip(
        np.full((4, 2), 1_000), np.array([[True], [False], [True], [False]]), np.random.default_rng(1)
    )
    before, everybody = traders.prices(), np.ones((4, 2), bool)
    heard = np.array([True, False])
    traders.learn(np.array([True, True]), np.array([990, 990]), np.array([False, False]), everybody, heard)
    after = traders.prices()
    assert (after[:, 1] == before[:, 1]).all() and (after[::2, 0] > before[::2, 0]).all()
    traders.move_to(np.full((4, 2), 1_000), np.array([1, -1]))
    assert (traders.prices()[:, 0] == after[:, 1]).all()
