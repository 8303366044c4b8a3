"""Providers' cards perish: what isn't sold when a contract trades for the last time earns nothing."""

from __future__ import annotations

import pytest
from sim_markets import scenario

from sims.engine.outcome import outcome_of
from sims.engine.simulation import Simulation

PROVIDERS = {"kind": "provider", "name": "providers", "count": 4}
BUYERS = {"kind": "enterprise", "name": "enterprises", "count": 13, "demand": 3_000}


@pytest.mark.parametrize(("premium", "running"), [(200, 3_000), (1_500, 6_000)])
def test_asks_come_down_until_everybody_who_pays_the_cost_is_served(premium: int, running: int) -> None:
    """In the morning providers ask 3 % more than cards cost elsewhere, which few or none of these pay."""
    asks: list[list[int]] = []

    def watch(run: Simulation) -> None:
        if run.continuous:
            asks.append(run.board.rows["ask"].tolist())

    people = [PROVIDERS | {"running": running}, BUYERS | {"premium": premium}]
    simulation = Simulation(scenario(people, wake_seconds=900, days_ahead=1), 1, watch=watch)
    simulation.run()
    needs = outcome_of(simulation).needs
    assert sum(need.bought for need in needs) == sum(need.needed for need in needs) > 0
    assert all(0 < late < early for early, late in zip(asks[0], asks[-1], strict=True)), "cards are left"


def test_where_the_markup_would_go_beyond_the_days_limit_the_ask_stands_at_the_limit() -> None:
    seen: list[bool] = []

    def watch(run: Simulation) -> None:
        rows = run.board.rows
        if run.continuous and not seen:
            seen.extend((rows["ask"] == rows["high"]).tolist())

    Simulation(scenario([PROVIDERS | {"markup": 500}], limit={"daily": 100}), 1, watch=watch).run()
    assert seen and all(seen)
