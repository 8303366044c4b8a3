"""Meters of a simulation: what providers deliver of the reservations that are due."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from exchange.domain.calendar import NS_PER_HOUR, day_start_ns, epoch_day
from exchange.domain.messages import MeterReadings, Reading
from sims.engine.world import BASIS

if TYPE_CHECKING:
    from sims.engine.simulation import Simulation

HOURS = 24


def delivering_accounts(simulation: Simulation) -> set[int]:
    """Return the accounts that deliver what they sold."""
    providers = {int(account) for crowd in simulation.providers() for account in crowd.accounts}
    return providers - simulation.world.dead


def meter(simulation: Simulation) -> None:
    """Send the readings of the delivery day that is finished next.

    Providers deliver everything but what their hub lost; whoever else was left short delivers nothing.
    """
    state, world = simulation.market.core.state, simulation.world
    if state.day.delivered_day is None:
        return
    day = state.day.delivered_day + timedelta(days=1)
    rows = state.reservations.rows
    delivering = delivering_accounts(simulation)
    readings: dict[int, list[Reading]] = defaultdict(list)
    for at in np.flatnonzero(rows["day"] == epoch_day(day)).tolist():
        provider = int(rows["provider"][at])
        contract = state.contracts[int(rows["contract"][at])]
        if provider not in delivering:
            continue
        serving = BASIS - int(world.lost_basis_points[world.hubs.index(contract.hub)])
        cards = int(rows["lots"][at]) * contract.cards_per_lot * serving // BASIS
        begin = day_start_ns(day)
        readings[provider] += [Reading(at + 1, begin + hour * NS_PER_HOUR, cards) for hour in range(HOURS)]
    for provider, theirs in readings.items():
        simulation.market.done(MeterReadings(account=provider, readings=tuple(theirs)))
