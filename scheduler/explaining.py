"""What stands in the way of a workload without a site, in a plan of one slot: its smallest relaxations.

Each of five things is relaxed alone and as little as possible: latency, residency, size, grade, priority. A
relaxation is offered where a site within it has the cards idle beside the plan, for less than leaving the
work out counts, so it places the workload without moving any other. What a constraint costs altogether stands
in `scheduler.constraints`.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from nodes.types import Residency
from scheduler.eligibility import Eligibility
from scheduler.instance import Bools
from scheduler.placed import placed_of
from scheduler.plan import Plan
from scheduler.serving import Serving
from scheduler.types import PRIORITY_MAX, Need, Offer, Problem, Reservation
from scheduler.workload_table import RESIDENCIES, WorkloadTable

LADDER = (Residency.SITE, Residency.CITY, Residency.PROVINCE, Residency.ANY)
"""Residencies from the tightest."""


Vector = Sequence[Need]


class Relaxed(StrEnum):
    """What is given up."""

    LATENCY = "latency"
    RESIDENCY = "residency"
    SIZE = "size"
    GRADE = "grade"
    PRIORITY = "priority"


class Relaxation(NamedTuple):
    """One way to place a workload that has no site, without moving anything else.

    ``amount`` is how much is given up: ms more of round trip, steps of residency, milli-cards fewer, steps of
    priority, or 0 for another grade. ``site`` is where it would go.
    """

    workload: str
    relaxed: Relaxed
    amount: float
    site: str
    detail: str


def relaxations(problem: Problem, plan: Plan) -> tuple[Relaxation, ...]:
    """The smallest relaxation of each kind for each workload left out, if there is one."""
    return tuple(item for _, found in relaxed_by_workload(problem, plan) for item in found)


def relaxed_by_workload(problem: Problem, plan: Plan) -> Iterator[tuple[str, tuple[Relaxation, ...]]]:
    """Each workload left out with its relaxations, looked for when it is its turn."""
    if not plan.unplaced:
        return
    table = WorkloadTable.of(problem.workloads)
    rows = {name: row for row, name in enumerate(table.ids)}
    beside = _Beside(problem, table, plan)
    for item in plan.unplaced:
        yield item.workload, tuple(beside.relaxations(rows[item.workload]))


class _Beside:
    """What is idle beside a plan."""

    def __init__(self, problem: Problem, table: WorkloadTable, plan: Plan) -> None:
        self.problem = problem
        self.table = table
        self.eligibility = Eligibility(problem, table)
        self.serving = Serving(problem)
        books = self.serving.books
        used = self.used = books.used(placed_of(problem, table, plan.placements))
        self.index = books.index
        there = np.zeros_like(used)
        supply: tuple[Reservation | Offer, ...] = (*problem.reservations, *problem.offers)
        for item in supply:
            there[books.index[item.site, item.grade]] += item.milli_cards
        self.idle = there - used

    def relaxations(self, row: int) -> Iterator[Relaxation]:
        """At most one of each kind."""
        one = np.array([row])
        near, resident = self.eligibility.near(one)[0], self.eligibility.resident(one)[0]
        room = self._room(row)
        yield from self._latency(row, resident & room)
        yield from self._residency(row, near & room)
        yield from self._size(row, near & resident)
        yield from self._grade(row, near & resident)
        yield from self._priority(row, near & resident)

    def _free(self, site: int, grade: str) -> int:
        at = self.index.get((self.problem.sites[site].code, grade))
        return int(self.idle[at]) if at is not None else 0

    def _served(self, row: int, site: int, vector: Vector, asked: Vector, priority: int) -> bool:
        """Whether idle cards serve a vector for less than leaving out one that asks for ``asked`` counts."""
        cost = self.serving.cost(row, site, vector, self.used)
        return cost is not None and cost < self.serving.penalty(row, asked, priority)

    def _room(self, row: int, priority: int | None = None) -> Bools:
        """(S,) sites that would serve one of its demand vectors, at its own priority or another."""
        vectors, sites = self.table.alternatives(row), range(len(self.problem.sites))
        own = int(self.table.priority[row]) if priority is None else priority
        found = [any(self._served(row, site, v, vectors[0], own) for v in vectors) for site in sites]
        return np.array(found, dtype=np.bool_)

    def _latency(self, row: int, sites: Bools) -> Iterator[Relaxation]:
        rtt_ms = self.eligibility.rtt_ms[self.table.origin[row]]
        most = float(self.table.latency_ms_max[row])
        beyond = np.flatnonzero(sites & np.isfinite(rtt_ms) & (rtt_ms > most))
        if len(beyond):
            site = int(beyond[np.argmin(rtt_ms[beyond])])
            detail = f"{rtt_ms[site]:.1f} ms instead of {most:g} ms"
            yield self._found(row, Relaxed.LATENCY, float(rtt_ms[site]) - most, site, detail)

    def _residency(self, row: int, sites: Bools) -> Iterator[Relaxation]:
        now = RESIDENCIES[self.table.residency[row]]
        for steps, wider in enumerate(LADDER[LADDER.index(now) + 1 :], start=1):
            allowed = self.eligibility.allowed[RESIDENCIES.index(wider), self.table.origin[row]]
            for site in np.flatnonzero(sites & allowed).tolist():
                yield self._found(row, Relaxed.RESIDENCY, steps, site, f"data in its {wider}, not its {now}")
                return

    def _size(self, row: int, sites: Bools) -> Iterator[Relaxation]:
        """The demand vector that needs the least cutting, every grade in proportion."""
        best: tuple[int, int, float] | None = None
        priority = int(self.table.priority[row])
        for site in np.flatnonzero(sites).tolist():
            for vector in self.table.alternatives(row):
                share = min(self._free(site, grade) / milli for grade, milli in vector)
                less = tuple(Need(grade, int(milli * share)) for grade, milli in vector)
                kept = sum(milli for _, milli in less)
                cut = sum(milli for _, milli in vector) - kept
                better = kept > 0 and cut > 0 and (best is None or cut < best[0])
                if better and self._served(row, site, less, less, priority):
                    best = (cut, site, share)
        if best is not None:
            cut, site, share = best
            yield self._found(row, Relaxed.SIZE, cut, site, f"{100 * share:.1f} % of its cards")

    def _grade(self, row: int, sites: Bools) -> Iterator[Relaxation]:
        """Another single grade, as many cards of it as the first demand vector has of all."""
        first = self.table.alternatives(row)[0]
        milli, asked = sum(need.milli_cards for need in first), {need.grade for need in first}
        priority = int(self.table.priority[row])
        for site in np.flatnonzero(sites).tolist():
            for g in self.problem.sites[site].grades:
                instead = (Need(g.grade, milli),)
                if g.grade not in asked and self._served(row, site, instead, instead, priority):
                    detail = f"{milli / 1000:g} {g.grade} instead of {' + '.join(sorted(asked))}"
                    yield self._found(row, Relaxed.GRADE, 0, site, detail)
                    return

    def _priority(self, row: int, sites: Bools) -> Iterator[Relaxation]:
        """The least priority at which leaving it out counts more than serving it costs."""
        now = int(self.table.priority[row])
        for priority in range(now + 1, PRIORITY_MAX + 1):
            for site in np.flatnonzero(sites & self._room(row, priority)).tolist():
                detail = f"{priority} instead of {now}"
                yield self._found(row, Relaxed.PRIORITY, priority - now, site, detail)
                return

    def _found(self, row: int, relaxed: Relaxed, amount: float, site: int, detail: str) -> Relaxation:
        return Relaxation(self.table.ids[row], relaxed, amount, self.problem.sites[site].code, detail)
