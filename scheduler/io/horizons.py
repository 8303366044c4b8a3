"""The many-slot problem of a world and workloads: slots of whole hours from the plan's start."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from scheduler.horizon.types import (
    GB_MAX,
    Alternative,
    CarbonRule,
    GangScope,
    GradeSlots,
    Horizon,
    HorizonProblem,
    HorizonSite,
    HorizonWorkload,
    Link,
    Maintenance,
    PerSlot,
    RunMode,
    SlotOffer,
    SlotReservation,
)
from scheduler.io.problems import Vectors, mean
from scheduler.io.supply_rows import Hours
from scheduler.io.workloads import WorkloadRow
from scheduler.io.world import ByHour, World
from scheduler.types import Need, Site


def many_slots(
    world: World,
    workloads: Sequence[WorkloadRow],
    slot_hours: int = 1,
    carbon: CarbonRule | None = None,
) -> HorizonProblem:
    """The span cut into slots; raises ``ValueError`` where they do not divide it.

    A window loses the slots it only partly covers, a duration is rounded up to slots. Capacity of a slot is
    the least of its hours, its electricity their mean; maintenance takes every slot it touches. A list price
    is the mean over the span, since it only serves penalties, budgets and comparisons.
    """
    slots, rest = divmod(world.span.hours, slot_hours)
    if rest:
        raise ValueError(f"slots of {slot_hours} h do not divide {world.span.hours} h")
    cut = _Cut(slots, slot_hours)
    ways = _Ways(slot_hours)
    return HorizonProblem(
        horizon=Horizon(world.span.start, slots, slot_hours),
        workloads=tuple(_workload(row, cut, ways) for row in workloads),
        origins=world.origins,
        sites=tuple(_site(world, site, cut) for site in world.sites),
        network=world.network,
        reservations=tuple(_reservations(world, cut)),
        offers=tuple(_offers(world, cut)),
        maintenance=tuple(_maintenance(world, cut)),
        links=tuple(_links(world, cut)),
        carbon=carbon or CarbonRule(),
        best_effort_yields=True,
    )


class _Cut:
    """Hours as slots."""

    def __init__(self, slots: int, slot_hours: int) -> None:
        self.slots = slots
        self.slot_hours = slot_hours

    def within(self, hours: Hours) -> tuple[int, int]:
        """The slots that lie wholly in these hours."""
        first = -(-hours.start // self.slot_hours)
        return first, max(first, hours.end // self.slot_hours)

    def touched(self, hours: Hours) -> tuple[int, int]:
        """The slots that have any of these hours."""
        return hours.start // self.slot_hours, -(-hours.end // self.slot_hours)

    def sum(self, figures: ByHour) -> PerSlot:
        return _short(figures.reshape(self.slots, self.slot_hours).sum(axis=1).tolist())

    def least(self, figures: ByHour) -> PerSlot:
        return _short(figures.reshape(self.slots, self.slot_hours).min(axis=1).tolist())

    def mean(self, figures: ByHour) -> PerSlot:
        sums = figures.reshape(self.slots, self.slot_hours).sum(axis=1)
        return _short((-(-sums // self.slot_hours)).tolist())


def _short(figures: list[int]) -> PerSlot:
    return figures[0] if len(set(figures)) == 1 else tuple(figures)


class _Ways:
    """The ways to do a workload: another grade takes less time for a job, fewer cards for a service."""

    def __init__(self, slot_hours: int) -> None:
        self.slot_hours = slot_hours
        self.vectors = Vectors()
        self.made: dict[tuple[object, ...], tuple[Alternative, ...]] = {}

    def of(self, row: WorkloadRow, window: int) -> tuple[Alternative, ...]:
        key = (row.demand, row.instead, row.hours, window)
        if key not in self.made:
            self.made[key] = tuple(self._ways(row, window))
        return self.made[key]

    def _ways(self, row: WorkloadRow, window: int) -> Iterator[Alternative]:
        if row.hours is None:
            for needs in self.vectors.of(row, whole_gang=False):
                yield Alternative(needs, window)
            return
        yield Alternative(row.demand, -(-row.hours // self.slot_hours))
        for grade, speed in row.instead:
            slots = -int(-row.hours // (Fraction(speed) * self.slot_hours))
            yield Alternative((Need(grade, row.demand[0].milli_cards),), slots)


def _workload(row: WorkloadRow, cut: _Cut, ways: _Ways) -> HorizonWorkload:
    earliest, latest_end = cut.within(Hours(row.earliest_hour, row.latest_hour))
    return HorizonWorkload(
        id=row.id,
        origin=row.origin,
        latency_ms_max=row.latency_ms_max,
        alternatives=ways.of(row, latest_end - earliest),
        earliest=earliest,
        latest_end=latest_end,
        mode=RunMode.PREEMPTIBLE if row.preemptible else RunMode.CONTIGUOUS,
        due=None if row.due_hour is None else min(cut.slots, row.due_hour // cut.slot_hours),
        lateness_micro_cny=row.lateness_micro_cny * cut.slot_hours,
        priority=row.priority,
        best_effort=row.best_effort,
        gang_size=row.gang,
        gang_scope=GangScope(row.gang_scope),
        together=row.together,
        apart=row.apart,
        residency=row.residency,
        data_gb=row.data_gb,
        budget_micro_cny=row.budget_micro_cny,
        latency_class=row.latency_class,
        chance_milli=row.chance_milli,
    )


def _site(world: World, site: Site, cut: _Cut) -> HorizonSite:
    electricity = world.electricity[site.code]
    return HorizonSite(
        code=site.code,
        city=site.city,
        province=site.province,
        region=site.region,
        kind=site.kind,
        grades=tuple(
            GradeSlots(
                grade=g.grade,
                capacity_milli_cards=cut.least(world.capacity[site.code, g.grade]),
                list_price_micro_cny=mean(world.list_price[site.code, g.grade]),
                watts=world.watts.get(g.grade, 0),
            )
            for g in site.grades
        ),
        power_micro_cny_per_kwh=cut.mean(electricity.micro_cny_per_kwh),
        pue_milli=cut.mean(electricity.pue_milli),
        carbon_g_per_kwh=cut.mean(electricity.carbon_g_per_kwh),
        power_metered=electricity.metered,
    )


def _reservations(world: World, cut: _Cut) -> Iterator[SlotReservation]:
    for row in world.reservations:
        first, end = cut.within(row.hours)
        if first < end:
            prices = (row.paid_micro_cny, row.worth_micro_cny)
            yield SlotReservation(row.id, row.site, row.grade, first, end, row.milli_cards, *prices)


def _offers(world: World, cut: _Cut) -> Iterator[SlotOffer]:
    for row in world.offers:
        first, end = cut.within(row.hours)
        if first < end:
            yield SlotOffer(row.id, row.site, row.grade, first, end, row.milli_cards, row.price_micro_cny)


def _maintenance(world: World, cut: _Cut) -> Iterator[Maintenance]:
    for row in world.maintenance:
        first, end = cut.touched(row.hours)
        if first < end:
            yield Maintenance(row.site, first, end, row.grade, row.milli_cards)


def _links(world: World, cut: _Cut) -> Iterator[Link]:
    """Lines with a limit; the price of the others is the network's."""
    transfer = world.network.transfer_micro_cny_per_gb
    for (origin, site), gb in world.gb_per_hour.items():
        price = 0
        if transfer is not None:
            price = int(transfer[world.network.origins.index(origin), world.network.sites.index(site)])
        yield Link(origin, site, cut.sum(np.minimum(gb, GB_MAX // cut.slot_hours)), price)
