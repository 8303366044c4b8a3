"""The scheduler's problems from a world and workloads: one slot where one says everything."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from scheduler.io.supply import OfferRow, ReservationRow
from scheduler.io.workloads import Alternatives, WorkloadRow
from scheduler.io.world import ByHour, World
from scheduler.types import Need, Offer, Problem, Reservation, Site, SiteGrade, Workload


def why_many_slots(world: World, workloads: Iterable[WorkloadRow]) -> str:
    """Why one slot over the whole horizon would not say everything; "" where it does."""
    for row in workloads:
        if row.latest_hour - row.earliest_hour < world.horizon.hours:
            return f"{row.id} has a window of its own"
        if row.hours < world.horizon.hours:
            return f"{row.id} runs {row.hours} of {world.horizon.hours} hours"
        if row.together or row.apart:
            return f"{row.id} is bound to others"
        if row.budget_micro_cny is not None:
            return f"{row.id} has a budget"
    supply: tuple[ReservationRow | OfferRow, ...] = (*world.reservations, *world.offers)
    for item in supply:
        if item.hours != (0, world.horizon.hours):
            return f"{item.id} does not span the whole horizon"
    if any(np.ptp(cards) for cards in world.capacity.values()):
        return "capacity changes within the horizon"
    return "a link has a bandwidth limit" if world.gb_per_hour else ""


def one_slot(world: World, workloads: Sequence[WorkloadRow]) -> Problem:
    """The horizon as one slot, in which a placed workload holds its cards throughout.

    Power is taken at the mean of its hours.
    """
    return Problem(
        workloads=tuple(_workload(row, world.horizon.hours) for row in workloads),
        origins=world.origins,
        sites=tuple(_at_mean_power(world)),
        network=world.network,
        reservations=tuple(_reservation(row) for row in world.reservations),
        offers=tuple(_offer(row) for row in world.offers),
        slot_hours=world.horizon.hours,
    )


def _at_mean_power(world: World) -> Iterable[Site]:
    for site in world.sites:
        grades = []
        for g in site.grades:
            resource = (site.code, g.grade)
            grades.append(
                SiteGrade(
                    grade=g.grade,
                    capacity_milli_cards=int(world.capacity[resource][0]),
                    list_price_micro_cny=_mean(world.list_price[resource]),
                    power_micro_cny=_mean(world.power_price[resource]),
                    kgco2=g.kgco2,
                )
            )
        yield replace(site, grades=tuple(grades))


def _mean(figures: ByHour) -> int:
    """The mean, rounded half up."""
    return int((2 * figures.sum() + len(figures)) // (2 * len(figures)))


def _workload(row: WorkloadRow, slot_hours: int) -> Workload:
    return Workload(
        id=row.id,
        origin=row.origin,
        latency_ms_max=row.latency_ms_max,
        alternatives=together(row.alternatives, row.gang),
        residency=row.residency,
        latency_class=row.latency_class,
        priority=row.priority,
        hours=min(row.hours, slot_hours),
        data_gb=row.data_gb,
    )


def together(alternatives: Alternatives, gang: int) -> Alternatives:
    """What all members of a gang need at one site."""
    if gang == 1:
        return alternatives
    return tuple(tuple(Need(grade, milli * gang) for grade, milli in needs) for needs in alternatives)


def _reservation(row: ReservationRow) -> Reservation:
    return Reservation(row.id, row.site, row.grade, row.milli_cards, row.paid_micro_cny, row.worth_micro_cny)


def _offer(row: OfferRow) -> Offer:
    return Offer(row.id, row.site, row.grade, row.milli_cards, row.price_micro_cny)
