"""Why a workload has no site: the first thing that stands in its way, with the figures."""

import numpy as np

from scheduler.instance import Bools, Eligibility, Supply, supply_of
from scheduler.plan import Unplaced, UnplacedReason
from scheduler.types import MILLI, Need, Problem, Workload

SITES_NAMED_MAX = 5


class Explainer:
    """Explains workloads of one problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.eligibility = Eligibility(problem)
        self.supply: Supply = supply_of(problem)
        self.capacity = self.supply.capacity.tolist()

    def explain(self, w: Workload) -> Unplaced:
        """The reason for one workload that has no site."""
        near = self.eligibility.near(w)
        if not near.any():
            return Unplaced(w.id, UnplacedReason.LATENCY, self._nearest(w))
        eligible = near & self.eligibility.resident(w)
        if not eligible.any():
            detail = f"data may not leave its {w.residency}; near enough are {self._names(near)}"
            return Unplaced(w.id, UnplacedReason.RESIDENCY, detail)
        if not any(self._has(site, vector, 1) for site in self._rows(eligible) for vector in w.alternatives):
            detail = f"needs {_or(w)}; not on sale or reserved at {self._names(eligible)}"
            return Unplaced(w.id, UnplacedReason.NO_GRADE, detail)
        return self._for_want_of_room(w, eligible)

    def _for_want_of_room(self, w: Workload, eligible: Bools) -> Unplaced:
        fits = np.zeros_like(eligible)
        for site in self._rows(eligible):
            fits[site] = any(self._has(site, vector, None) for vector in w.alternatives)
        if not fits.any():
            detail = f"needs {_or(w)} at one site; {self._names(eligible)} cannot hold that even empty"
            return Unplaced(w.id, UnplacedReason.TOO_LARGE, detail)
        detail = f"would fit alone at {self._names(fits)}; the capacity does more good with other work"
        return Unplaced(w.id, UnplacedReason.CAPACITY, detail)

    def _has(self, site: int, vector: tuple[Need, ...], least: int | None) -> bool:
        """Whether the empty site has the whole demand, or at least ``least`` milli-cards of each grade."""
        code = self.problem.sites[site].code
        resources = [(self.supply.index.get((code, need.grade)), need.milli_cards) for need in vector]
        return all(r is not None and self.capacity[r] >= (least or milli) for r, milli in resources)

    def _rows(self, sites: Bools) -> list[int]:
        return [int(row) for row in np.flatnonzero(sites)]

    def _names(self, sites: Bools) -> str:
        codes = [self.problem.sites[row].code for row in self._rows(sites)]
        more = len(codes) - SITES_NAMED_MAX
        return ", ".join(codes[:SITES_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")

    def _nearest(self, w: Workload) -> str:
        rtt_ms = self.eligibility.rtt_ms[w.origin]
        if not len(rtt_ms):
            return "there is no site"
        nearest = int(np.argmin(rtt_ms))
        code = self.problem.sites[nearest].code
        return f"{code}, the nearest, is {rtt_ms[nearest]:.1f} ms away; the bound is {w.latency_ms_max:g} ms"


def _or(w: Workload) -> str:
    vectors = (
        " + ".join(f"{need.milli_cards / MILLI:g} {need.grade}" for need in vector)
        for vector in w.alternatives
    )
    return " or ".join(vectors)
