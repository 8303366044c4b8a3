"""What stands in the way of a workload without a site, in a plan of one slot: its smallest relaxations.

Each of four things is relaxed alone and as little as possible: latency, residency, size, grade. A relaxation
is offered where a site within it has the cards idle beside the plan, so it places the workload without moving
any other. What a constraint costs altogether stands in `scheduler.constraints`.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from nodes.types import Residency
from scheduler.accounting import Books
from scheduler.eligibility import Eligibility
from scheduler.instance import Bools
from scheduler.placed import placed_of
from scheduler.plan import Plan
from scheduler.types import Need, Offer, Problem, Reservation
from scheduler.workload_table import RESIDENCIES, WorkloadTable

LADDER = (Residency.SITE, Residency.CITY, Residency.PROVINCE, Residency.ANY)
"""Residencies from the tightest."""


class Relaxed(StrEnum):
    """What is given up."""

    LATENCY = "latency"
    RESIDENCY = "residency"
    SIZE = "size"
    GRADE = "grade"


class Relaxation(NamedTuple):
    """One way to place a workload that has no site, without moving anything else.

    ``amount`` is how much is given up: ms more of round trip, steps of residency, milli-cards fewer, or 0 for
    another grade. ``site`` is where it would go.
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
        books = Books(problem)
        used = books.used(placed_of(problem, table, plan.placements))
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

    def _free(self, site: int, grade: str) -> int:
        at = self.index.get((self.problem.sites[site].code, grade))
        return int(self.idle[at]) if at is not None else 0

    def _has(self, site: int, vector: Iterable[Need]) -> bool:
        return all(self._free(site, grade) >= milli for grade, milli in vector)

    def _room(self, row: int) -> Bools:
        """(S,) sites with enough idle cards for one of its demand vectors."""
        vectors, sites = self.table.alternatives(row), range(len(self.problem.sites))
        return np.array([any(self._has(site, v) for v in vectors) for site in sites], dtype=np.bool_)

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
        for site in np.flatnonzero(sites).tolist():
            for vector in self.table.alternatives(row):
                share = min(self._free(site, grade) / milli for grade, milli in vector)
                kept = sum(int(milli * share) for _, milli in vector)
                cut = sum(milli for _, milli in vector) - kept
                if kept > 0 and cut > 0 and (best is None or cut < best[0]):
                    best = (cut, site, share)
        if best is not None:
            cut, site, share = best
            yield self._found(row, Relaxed.SIZE, cut, site, f"{100 * share:.1f} % of its cards")

    def _grade(self, row: int, sites: Bools) -> Iterator[Relaxation]:
        """Another single grade, as many cards of it as the first demand vector has of all."""
        first = self.table.alternatives(row)[0]
        milli, asked = sum(need.milli_cards for need in first), {need.grade for need in first}
        for site in np.flatnonzero(sites).tolist():
            for g in self.problem.sites[site].grades:
                if g.grade not in asked and self._free(site, g.grade) >= milli:
                    instead = f"{milli / 1000:g} {g.grade} instead of {' + '.join(sorted(asked))}"
                    yield self._found(row, Relaxed.GRADE, 0, site, instead)
                    return

    def _found(self, row: int, relaxed: Relaxed, amount: float, site: int, detail: str) -> Relaxation:
        return Relaxation(self.table.ids[row], relaxed, amount, self.problem.sites[site].code, detail)
