"""What providers tell the exchange in a simulation: what they post, and what they deliver."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exchange.domain.calendar import epoch_day
from exchange.domain.contracts import PeriodKind
from exchange.domain.hours import HOURS_PER_DAY, hour_start_ns
from exchange.domain.messages import MeterReadings, Reading
from exchange.domain.primary import PostCapacity
from sims.engine.world import BASIS

if TYPE_CHECKING:
    from sims.engine.simulation import Simulation


def delivering_accounts(simulation: Simulation) -> set[int]:
    """Return the accounts that deliver what they sold."""
    providers = {int(account) for crowd in simulation.providers() for account in crowd.accounts}
    return providers - simulation.world.dead


def serving(simulation: Simulation, day: int) -> NDArray[np.int64]:
    """Return the share of its cards that each account serves in each hour of a delivery day (days since
    1970-01-01), whatever its hub lost, basis points, shape (accounts, 24); 0 for who delivers nothing.
    """
    shares = np.zeros((len(simulation.market.core.state.cash), HOURS_PER_DAY), np.int64)
    for crowd in simulation.providers():
        shares[crowd.accounts] = simulation.outages[crowd.name].serving(day)
    shares[list(simulation.world.dead)] = 0
    return shares


def post_capacity(simulation: Simulation) -> None:
    """Let providers post their cards for the delivery days that have come up since the last posting."""
    market = simulation.market
    state = market.core.state
    active = [state.contracts[index].period for index in state.active_contracts().tolist()]
    days = [period.first for period in active if period.kind is PeriodKind.DAY]
    first = max(min(days), simulation.posted_until + timedelta(days=1)) if days else date.max
    if not days or first > max(days):
        return
    for crowd in simulation.providers():
        for member, good in np.argwhere(crowd.capacity > 0).tolist():
            account = int(crowd.accounts[member])
            if account not in simulation.world.dead:
                cards = int(crowd.capacity[member, good] * simulation.world.cards_per_lot[good])
                here = simulation.world.goods[good]
                post = PostCapacity(
                    account=account,
                    grade=here.grade,
                    hub=here.hub,
                    cards=cards,
                    first_day=first,
                    last_day=max(days),
                )
                market.done(post)
    simulation.posted_until = max(days)


def meter(simulation: Simulation) -> None:
    """Send the readings of the delivery day that is finished next.

    Providers deliver everything but what their hub lost and what their own outages took; whoever else was
    left short delivers nothing.
    """
    state, world = simulation.market.core.state, simulation.world
    if state.day.delivered_day is None:
        return
    day = state.day.delivered_day + timedelta(days=1)
    rows = state.reservations.rows
    delivering = delivering_accounts(simulation)
    shares = serving(simulation, epoch_day(day)).tolist()
    readings: dict[int, list[Reading]] = defaultdict(list)
    for at in np.flatnonzero(rows["day"] == epoch_day(day)).tolist():
        provider = int(rows["provider"][at])
        contract = state.contracts[int(rows["contract"][at])]
        if provider not in delivering:
            continue
        left = BASIS - int(world.lost_basis_points[world.hubs.index(contract.hub)])
        cards = int(rows["lots"][at]) * contract.cards_per_lot * left
        for hour in contract.delivery:
            served = cards * shares[provider][hour % HOURS_PER_DAY] // BASIS**2
            readings[provider].append(Reading(at + 1, hour_start_ns(hour), served))
    for provider, theirs in readings.items():
        simulation.market.done(MeterReadings(account=provider, readings=tuple(theirs)))
