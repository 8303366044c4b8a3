"""When shocks begin and end: whatever the wakes are, and also if a run goes on under another scenario."""

from datetime import time
from typing import Any

import pytest
from sim_markets import FLOW, scenario

from exchange.domain.calendar import moment_ns
from sims.engine.simulation import Simulation

DARK = {"kind": "hub-outage", "name": "dark", "hub": "GUIAN", "at": "10:10:00", "until": "12:00:00"}


def market(*shocks: dict[str, Any]) -> Simulation:
    """A day of random flow that wakes every half hour."""
    return Simulation(scenario([FLOW], shock=shocks), 1)


def until(simulation: Simulation, hour: int, minute: int) -> int:
    """Run to a time of the first day; return how many contracts stand still then."""
    simulation.run(moment_ns(simulation.scenario.first_day, time(hour, minute)))
    return int((simulation.board.rows["halted"] != 0).sum())


def test_a_shock_after_the_last_wake_happens_before_trading_ends() -> None:
    simulation = market(DARK | {"at": "14:57:00", "until": "14:58:00", "lost": 700})
    assert until(simulation, 14, 56) == 0 and simulation.world.lost_basis_points.tolist() == [0, 0]
    simulation.run()
    assert simulation.world.lost_basis_points.tolist() == [700, 0]
    assert not simulation.market.core.state.contract_table.rows["halted"].any()


@pytest.mark.parametrize("shocks", [[], [DARK | {"name": "another", "at": "13:00:00", "until": "13:30:00"}]])
def test_what_has_begun_ends_although_the_scenario_that_goes_on_does_not_name_it(
    shocks: list[dict[str, Any]],
) -> None:
    simulation = market(DARK)
    assert until(simulation, 11, 0) == 2
    simulation.change(scenario([FLOW], shock=shocks))
    assert until(simulation, 11, 40) == 2 and until(simulation, 12, 10) == 0
    assert (until(simulation, 13, 10) > 0) == bool(shocks)
    assert until(simulation, 13, 50) == 0


def test_what_has_begun_ends_when_the_scenario_that_goes_on_says() -> None:
    simulation = market(DARK)
    assert until(simulation, 11, 0) == 2
    simulation.change(scenario([FLOW], shock=[DARK | {"until": "13:00:00"}]))
    assert until(simulation, 12, 40) == 2 and until(simulation, 13, 10) == 0


def test_a_shock_that_was_due_and_waits_for_a_wake_happens_after_a_change_and_one_to_come_does_not() -> None:
    later = DARK | {"name": "later", "hub": "SHANGHAI-EDGE", "at": "11:00:00"}
    simulation = market(DARK, later)
    assert until(simulation, 10, 20) == 0
    simulation.change(scenario([FLOW], shock=[DARK]))
    assert until(simulation, 10, 40) == 2
    assert until(simulation, 11, 40) == 2, "the other hub trades on"
