"""The scheduler's problems from a world and workloads: one slot where one says everything."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from scheduler.io.supply_rows import OfferRow, ReservationRow
from scheduler.io.workloads import WorkloadRow
from scheduler.io.world import ByHour, World
from scheduler.types import (
    MILLI,
    Need,
    Offer,
    Problem,
    Reservation,
    Site,
    SiteGrade,
    Workload,
    alternatives_of,
)


def why_many_slots(world: World, workloads: Iterable[WorkloadRow]) -> str:
    """Why one slot over the whole span would not say everything; "" where it does."""
    for row in workloads:
        if why := _why_of(row, world.span.hours):
            return f"{row.id} {why}"
    supply: tuple[ReservationRow | OfferRow, ...] = (*world.reservations, *world.offers)
    for item in supply:
        if item.hours != (0, world.span.hours):
            return f"{item.id} does not span the whole span"
    if any(np.ptp(cards) for cards in world.capacity.values()):
        return "capacity changes within the span"
    for code, electricity in world.electricity.items():
        if electricity.metered or electricity.changes:
            return f"electricity at {code} is " + ("metered" if electricity.metered else "given by the hour")
    if world.maintenance:
        return f"there is maintenance at {world.maintenance[0].site}"
    return "a link has a bandwidth limit" if world.gb_per_hour else ""


def _why_of(row: WorkloadRow, hours: int) -> str:
    if row.latest_hour - row.earliest_hour < hours:
        return "has a window of its own"
    if row.hours is not None and row.hours < hours:
        return f"runs {row.hours} of {hours} hours"
    if row.due_hour is not None and row.due_hour < hours:
        return "has a due time"
    if row.gang > 1 and row.gang_scope != "site":
        return "may spread over sites"
    if row.together or row.apart:
        return "is bound to others"
    return "has a budget" if row.budget_micro_cny is not None else ""


def one_slot(world: World, workloads: Sequence[WorkloadRow]) -> Problem:
    """The span as one slot, in which a placed workload holds its cards throughout.

    Power is taken at the mean of its hours.
    """
    vectors = Vectors()
    return Problem(
        workloads=tuple(_workload(row, world.span.hours, vectors) for row in workloads),
        origins=world.origins,
        sites=tuple(_at_mean_power(world)),
        network=world.network,
        reservations=tuple(_reservation(row) for row in world.reservations),
        offers=tuple(_offer(row) for row in world.offers),
        slot_hours=world.span.hours,
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
                    list_price_micro_cny=mean(world.list_price[resource]),
                    power_micro_cny=_power(world, *resource, g),
                    kgco2=g.kgco2,
                )
            )
        yield replace(site, grades=tuple(grades))


def mean(figures: ByHour) -> int:
    """The mean, rounded half up."""
    return int((2 * figures.sum() + len(figures)) // (2 * len(figures)))


def _power(world: World, site: str, grade: str, given: SiteGrade) -> int:
    """Electricity of a card-hour at the span's mean price; as given where the grade's draw is not known."""
    watts = world.watts.get(grade, 0)
    if not watts:
        return given.power_micro_cny
    electricity = world.electricity[site]
    exact = watts * int(electricity.pue_milli[0]) * mean(electricity.micro_cny_per_kwh)
    return (exact + MILLI**2 // 2) // MILLI**2


class Vectors:
    """Demand vectors in which another grade takes fewer cards, not less time; each kind made once."""

    def __init__(self) -> None:
        self._made: dict[object, tuple[tuple[Need, ...], ...]] = {}

    def of(self, row: WorkloadRow, *, whole_gang: bool = True) -> tuple[tuple[Need, ...], ...]:
        """What the members need, all together at one site or each."""
        members = row.gang if whole_gang else 1
        key = (row.demand, row.instead, members)
        if key not in self._made:
            cards = {need.grade: Fraction(need.milli_cards, MILLI) for need in row.demand}
            allowed = {grade: dict(row.instead) for grade in cards}
            self._made[key] = tuple(
                tuple(Need(grade, milli * members) for grade, milli in needs)
                for needs in alternatives_of(cards, allowed)
            )
        return self._made[key]


def _workload(row: WorkloadRow, slot_hours: int, vectors: Vectors) -> Workload:
    return Workload(
        id=row.id,
        origin=row.origin,
        latency_ms_max=row.latency_ms_max,
        alternatives=vectors.of(row),
        residency=row.residency,
        latency_class=row.latency_class,
        priority=row.priority,
        hours=slot_hours if row.hours is None else min(row.hours, slot_hours),
        data_gb=row.data_gb,
    )


def _reservation(row: ReservationRow) -> Reservation:
    return Reservation(row.id, row.site, row.grade, row.milli_cards, row.paid_micro_cny, row.worth_micro_cny)


def _offer(row: OfferRow) -> Offer:
    return Offer(row.id, row.site, row.grade, row.milli_cards, row.price_micro_cny)
