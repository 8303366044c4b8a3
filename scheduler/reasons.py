"""Why a workload has no site: the first thing that stands in its way, with the figures."""

from functools import cached_property

import numpy as np

from scheduler.eligibility import Eligibility
from scheduler.instance import Bools, Ints, supply_of
from scheduler.plan import Unplaced, UnplacedReason
from scheduler.serving import Serving
from scheduler.sums import fen
from scheduler.types import MILLI, Need, Problem
from scheduler.workload_table import RESIDENCIES, WorkloadTable

SITES_NAMED_MAX = 5


class Explainer:
    """Explains workloads of one problem; those that are alike get the same sentence."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.table = WorkloadTable.of(problem.workloads)
        self.eligibility = Eligibility(problem, self.table)
        self.index = supply_of(problem).index
        self.capacity = supply_of(problem).capacity.tolist()
        self.empty = np.zeros(len(self.capacity), dtype=np.int64)
        self.known: dict[object, tuple[UnplacedReason, str]] = {}

    @cached_property
    def serving(self) -> Serving:
        """What serving costs; most plans leave nobody out and never ask."""
        return Serving(self.problem)

    def explain(self, rows: Ints) -> tuple[Unplaced, ...]:
        """The reason for each of these rows of the workload table."""
        return tuple(self._explained(row) for row in rows.tolist())

    def _explained(self, row: int) -> Unplaced:
        table = self.table
        needs = table.need_milli[table.need_start[row] : table.need_start[row + 1]].tobytes()
        alike = (
            table.origin[row],
            table.latency_ms_max[row],
            table.residency[row],
            table.shape[row],
            needs,
            table.priority[row],
            table.data_gb[row],
            table.hours[row],
        )
        if alike not in self.known:
            self.known[alike] = self._reason(row)
        return Unplaced(table.ids[row], *self.known[alike])

    def _reason(self, row: int) -> tuple[UnplacedReason, str]:
        one = np.array([row])
        near = self.eligibility.near(one)[0]
        if not near.any():
            return UnplacedReason.LATENCY, self._nearest(row)
        eligible = near & self.eligibility.resident(one)[0]
        if not eligible.any():
            residency = RESIDENCIES[self.table.residency[row]]
            detail = f"data may not leave its {residency}; near enough are {self._names(near)}"
            return UnplacedReason.RESIDENCY, detail
        vectors = self.table.alternatives(row)
        if not any(self._has(site, vector, 1) for site in self._rows(eligible) for vector in vectors):
            detail = f"needs {_or(vectors)}; not on sale or reserved at {self._names(eligible)}"
            return UnplacedReason.NO_GRADE, detail
        return self._beyond_sale(row, vectors, eligible)

    def _beyond_sale(
        self, row: int, vectors: tuple[tuple[Need, ...], ...], eligible: Bools
    ) -> tuple[UnplacedReason, str]:
        fits = np.zeros_like(eligible)
        for site in self._rows(eligible):
            fits[site] = any(self._has(site, vector, None) for vector in vectors)
        if not fits.any():
            detail = f"needs {_or(vectors)} at one site; {self._names(eligible)} cannot hold that even empty"
            return UnplacedReason.TOO_LARGE, detail
        where = self._names(fits)
        cost = min(
            alone
            for site in self._rows(fits)
            for vector in vectors
            if (alone := self.serving.cost(row, site, vector, self.empty)) is not None
        )
        counts = self.serving.penalty(row, vectors[0], int(self.table.priority[row]))
        if cost >= counts:
            return UnplacedReason.TOO_DEAR, too_dear(where, cost, counts)
        detail = f"would fit alone at {where}; beside the others it costs more than leaving it out"
        return UnplacedReason.CAPACITY, detail

    def _has(self, site: int, vector: tuple[Need, ...], least: int | None) -> bool:
        """Whether the empty site has the whole demand, or at least ``least`` milli-cards of each grade."""
        code = self.problem.sites[site].code
        resources = [(self.index.get((code, need.grade)), need.milli_cards) for need in vector]
        return all(r is not None and self.capacity[r] >= (least or milli) for r, milli in resources)

    def _rows(self, sites: Bools) -> list[int]:
        return [int(row) for row in np.flatnonzero(sites)]

    def _names(self, sites: Bools) -> str:
        codes = [self.problem.sites[row].code for row in self._rows(sites)]
        more = len(codes) - SITES_NAMED_MAX
        return ", ".join(codes[:SITES_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")

    def _nearest(self, row: int) -> str:
        rtt_ms = self.eligibility.rtt_ms[self.table.origin[row]]
        if not len(rtt_ms):
            return "there is no site"
        nearest = int(np.argmin(rtt_ms))
        code, most = self.problem.sites[nearest].code, self.table.latency_ms_max[row]
        return f"{code}, the nearest, is {rtt_ms[nearest]:.1f} ms away; the bound is {most:g} ms"


def too_dear(where: str, cost: int, counts: int) -> str:
    """The sentence for work that costs more (nano-CNY) than leaving it out counts."""
    paid, counted = (f"{fen(money) / 100:,.2f} CNY" for money in (cost, counts))
    return f"would fit alone at {where}, where it costs at least {paid}; leaving it out counts {counted}"


def _or(vectors: tuple[tuple[Need, ...], ...]) -> str:
    written = (
        " + ".join(f"{need.milli_cards / MILLI:g} {need.grade}" for need in vector) for vector in vectors
    )
    return " or ".join(written)
