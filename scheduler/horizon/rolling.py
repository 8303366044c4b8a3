"""The rolling horizon: a slot passes, and what is left is planned anew with whatever has changed.

`advance` says what a slot's passing leaves; `scheduler.horizon.planning.plan_horizon` plans it. Running work
goes on where it is unless moving gains more than its migration costs, and ``moves_max`` bounds how many move.
What a failure asks for at once is in `scheduler.horizon.failover`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from scheduler.horizon.plan import HorizonPlacement
from scheduler.horizon.types import (
    Alternative,
    HorizonProblem,
    HorizonSite,
    HorizonWorkload,
    Link,
    Maintenance,
    PerSlot,
    RunMode,
    Running,
    SlotOffer,
    SlotReservation,
)

Ranged = TypeVar("Ranged", SlotReservation, SlotOffer, Maintenance)


@dataclass(frozen=True, slots=True)
class Passed:
    """What a slot's passing leaves: the problem from the next slot on, and who ended or can no longer run."""

    problem: HorizonProblem
    finished: tuple[str, ...]
    expired: tuple[str, ...]


def advance(
    problem: HorizonProblem, placed: Sequence[HorizonPlacement], migration_micro_cny: int = 0
) -> Passed:
    """Let one slot pass under a plan: what ran in slot 0 is running now with less left to do.

    The horizon is one slot shorter, and windows, deadlines, offers and everything else per slot come one slot
    nearer; what comes into view at its end is for the caller to add, as are arrivals, prices and failures.
    Work that has begun keeps the alternative it runs; if it may pause it also keeps its site as home. What
    begins now gets ``migration_micro_cny``. Work that can no longer be done in time is expired. Raises
    ``ValueError`` for a horizon of one slot.
    """
    if problem.horizon.slots < 2:
        raise ValueError("the horizon has only one slot: there is nothing left to plan")
    clock = _Clock(problem, placed, migration_micro_cny)
    return clock.passed()


class _Clock:
    """One slot's passing."""

    def __init__(self, problem: HorizonProblem, placed: Sequence[HorizonPlacement], migration: int) -> None:
        self.problem = problem
        self.placed = {placement.workload: placement for placement in placed}
        self.running = {item.workload: item for item in problem.running}
        self.migration = migration

    def passed(self) -> Passed:
        workloads, running = [], []
        finished, expired = [], []
        for w in self.problem.workloads:
            begun = self._begun(w)
            later = self._left(w, begun)
            if later is None:
                finished.append(w.id)
            elif later.latest_end < min(a.slots for a in later.alternatives):
                expired.append(w.id)
            else:
                workloads.append(later)
                if begun is not None:
                    running.append(begun)
        problem = self.problem
        horizon = problem.horizon
        start = horizon.start + timedelta(hours=horizon.slot_hours)
        later_problem = replace(
            problem,
            horizon=replace(horizon, start=start, slots=horizon.slots - 1),
            workloads=tuple(workloads),
            sites=tuple(_later_site(site) for site in problem.sites),
            reservations=tuple(_sooner(problem.reservations)),
            offers=tuple(_sooner(problem.offers)),
            maintenance=tuple(_sooner(problem.maintenance)),
            links=tuple(_later_link(link) for link in problem.links),
            running=tuple(running),
        )
        return Passed(later_problem, tuple(finished), tuple(expired))

    def _begun(self, w: HorizonWorkload) -> Running | None:
        """Where a workload is from now on at home: it ran in slot 0, or ran before and pauses."""
        placement, before = self.placed.get(w.id), self.running.get(w.id)
        if placement is not None and placement.slots[0] == 0:
            cost = before.migration_micro_cny if before else self.migration
            return Running(w.id, 0, placement.parts, cost)
        if before is not None and w.mode == RunMode.PREEMPTIBLE:
            return replace(before, alternative=0)
        return None

    def _left(self, w: HorizonWorkload, begun: Running | None) -> HorizonWorkload | None:
        """What is left of a workload; None if it has ended. Begun work keeps only the alternative it runs."""
        placement = self.placed.get(w.id)
        alternatives = w.alternatives
        if begun is not None:
            ran = placement is not None and placement.slots[0] == 0
            chosen = placement.alternative if placement and ran else self.running[w.id].alternative
            needs, slots = alternatives[chosen]
            if ran and slots == 1:
                return None
            alternatives = (Alternative(needs, slots - 1 if ran else slots),)
        return replace(
            w,
            alternatives=alternatives,
            earliest=max(w.earliest - 1, 0),
            latest_end=w.latest_end - 1,
            due=None if w.due is None else max(w.due - 1, 0),
        )


def _later(figure: PerSlot) -> PerSlot:
    return figure[1:] if isinstance(figure, tuple) else figure


def _later_site(site: HorizonSite) -> HorizonSite:
    grades = tuple(replace(g, capacity_milli_cards=_later(g.capacity_milli_cards)) for g in site.grades)
    return replace(
        site,
        grades=grades,
        power_micro_cny_per_kwh=_later(site.power_micro_cny_per_kwh),
        pue_milli=_later(site.pue_milli),
        carbon_g_per_kwh=_later(site.carbon_g_per_kwh),
    )


def _later_link(link: Link) -> Link:
    return replace(link, gb_per_slot=_later(link.gb_per_slot))


def _sooner(rows: Iterable[Ranged]) -> Iterable[Ranged]:
    """Each range one slot sooner; what is over is gone."""
    return (replace(row, first=max(row.first - 1, 0), end=row.end - 1) for row in rows if row.end > 1)
