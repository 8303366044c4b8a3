"""When shocks begin and end, whatever the wakes are and also if a run goes on under another scenario; and
what each kind changes, where, and which way.
"""

from collections.abc import Sequence
from datetime import time
from typing import Any

import numpy as np
import pytest
from sim_markets import FLOW, scenario

from exchange.domain.calendar import moment_ns
from sims.engine.simulation import Simulation

DARK = {"kind": "hub-outage", "name": "dark", "hub": "GUIAN", "at": "10:10:00", "until": "12:00:00"}


def market(
    *shocks: dict[str, Any], population: Sequence[dict[str, Any]] = (FLOW,), **keys: Any
) -> Simulation:
    """A day of random flow, unless told, that wakes every half hour."""
    return Simulation(scenario(list(population), shock=shocks, **keys), 1)


GOODS = [{"grades": ["H100", "L20"], "hubs": ["GUIAN", "SHANGHAI-EDGE"]}]
WORLD = ("power_factor", "subsidy", "worth", "outside", "far", "demand", "lost_basis_points")
"""What of the world shocks move: each as an array."""
PROVIDERS = [
    {"kind": "provider", "name": "whole", "count": 1, "hubs": ["GUIAN"]},
    {"kind": "provider", "name": "mixed", "count": 3, "capacity": 5_000},
]


def moved(simulation: Simulation) -> dict[str, list[float]]:
    """What the world is; money as a multiple of reference prices."""
    world = simulation.world
    usual = world.reference
    found = {name: np.atleast_1d(getattr(world, name)).astype(float) for name in WORLD}
    return {
        name: (of / usual if name in ("worth", "outside", "subsidy") else of).round(9).tolist()
        for name, of in found.items()
    }


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


EVENT = {"name": "it", "at": "10:10:00"}
USUAL: dict[str, list[float]] = {
    "power_factor": [1] * 4,
    "subsidy": [0] * 4,
    "worth": [1] * 4,
    "outside": [1] * 4,
    "far": [0, 0],
    "demand": [1],
    "lost_basis_points": [0, 0],
}
"""By good: H100 at both hubs, then L20; or by hub."""


@pytest.mark.parametrize(
    ("shock", "changes", "stays"),
    [
        (
            {"kind": "hub-outage", "hub": "SHANGHAI-EDGE", "lost": 3_000, "until": "12:00:00"},
            {"lost_basis_points": [0, 3_000]},
            {"lost_basis_points": [0, 3_000]},
        ),
        ({"kind": "cable-cut", "hubs": ["GUIAN"], "until": "12:00:00"}, {"far": [1, 0]}, {}),
        (
            {"kind": "demand-surge", "factor": 1.5, "worth": 1.2},
            {"demand": [1.5], "worth": [1.2] * 4, "outside": [1.2] * 4},
            None,
        ),
        (
            {"kind": "power-price", "hubs": ["GUIAN"], "factor": 2.0, "worth": 1.1},
            {"power_factor": [2, 1, 2, 1], "worth": [1.1, 1, 1.1, 1]},
            None,
        ),
        ({"kind": "subsidy", "hubs": ["GUIAN"], "share": 1_000}, {"subsidy": [0.1, 0, 0.1, 0]}, None),
        (
            {"kind": "new-generation", "grade": "L20", "worth": 0.7},
            {"worth": [1, 1, 0.7, 0.7], "outside": [1, 1, 0.7, 0.7]},
            None,
        ),
    ],
)
def test_a_shock_changes_what_it_says_at_its_time_and_nothing_else(
    shock: dict[str, Any], changes: dict[str, list[float]], stays: dict[str, list[float]] | None
) -> None:
    simulation = market(EVENT | shock, goods=GOODS, volatility=0, days=2)
    assert until(simulation, 10, 9) == 0 and moved(simulation) == USUAL
    still = until(simulation, 10, 40)
    assert moved(simulation) == USUAL | changes
    halted = {simulation.world.goods[row["good"]].hub for row in simulation.board.rows if row["halted"]}
    assert halted == ({shock["hub"]} if shock["kind"] == "hub-outage" else set()) and (still > 0) == bool(
        halted
    )
    assert until(simulation, 12, 40) == 0
    assert moved(simulation) == USUAL | (changes if stays is None else stays)
    simulation.run()
    assert moved(simulation) == USUAL | (changes if stays is None else stays), "also the day after"


@pytest.mark.parametrize(("side", "at_limit"), [("buy", "high"), ("sell", "low")])
def test_a_fat_finger_takes_its_side_of_its_good_to_the_day_s_limit(side: str, at_limit: str) -> None:
    slip = {"kind": "fat-finger", "grade": "L20", "hub": "GUIAN", "side": side, "lots": 100_000}
    simulation = market(EVENT | slip, goods=GOODS)
    (account,) = simulation.fat_fingers
    until(simulation, 10, 9)
    assert not simulation.board.positions[account].any()
    until(simulation, 10, 40)
    held, rows = simulation.board.positions[account], simulation.board.rows
    assert {str(simulation.world.goods[good]) for good in rows["good"][held != 0]} == {"L20.GUIAN"}
    assert np.sign(held.sum()) == (1 if side == "buy" else -1)
    best = rows["bid" if side == "buy" else "ask"][held != 0]
    assert (best == rows[at_limit][held != 0]).all(), "what is left of it stands there"


def test_the_largest_provider_of_the_named_population_vanishes() -> None:
    gone = {"kind": "provider-default", "population": "mixed"}
    simulation = market(EVENT | gone, population=PROVIDERS, goods=GOODS)
    state, (_, mixed) = simulation.market.core.state, simulation.providers()
    until(simulation, 10, 9)
    assert not simulation.world.dead
    until(simulation, 12, 0)
    largest = int(mixed.accounts[int(np.argmax(mixed.capacity @ simulation.world.cards_per_lot))])
    assert simulation.world.dead == {largest} and state.free_cash(largest) == 0
    others = {int(account) for crowd in simulation.crowds for account in crowd.accounts} - {largest}
    open_orders = simulation.board.refs["account"][simulation.board.refs["remaining"] > 0]
    assert set(open_orders.tolist()) == others
