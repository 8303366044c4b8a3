"""The smallest change of one figure that would place a workload, everything else left as planned."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nodes.types import Residency
from scheduler.horizon.insertion import NO_GUIDE, OUT, State, best_option, lookup_of
from scheduler.horizon.instance import Eligibility, Instance, kinds_of
from scheduler.horizon.plan import Relaxation
from scheduler.horizon.running_slots import NEVER
from scheduler.horizon.types import HorizonProblem, HorizonWorkload

KINDS_MAX = 40
"""Relaxations are looked for among so many kinds of workloads, the first ones left out; each takes
milliseconds.
"""
WIDER = (Residency.SITE, Residency.CITY, Residency.PROVINCE, Residency.ANY)


class Relaxer:
    """Tries changes against what a plan leaves free."""

    def __init__(self, problem: HorizonProblem, instance: Instance, state: State) -> None:
        self.problem = problem
        self.instance = instance
        self.state = state
        self.lookup = lookup_of(instance)
        self.rtt_ms = Eligibility(problem).rtt_ms
        self.known: dict[int, Relaxation | None] = {}

    def find(self, j: int) -> Relaxation | None:
        """For a workload (by row) that is left out: the first of window, latency, residency, budget that
        helps.
        """
        k = int(self.instance.kind[j])
        if k not in self.known:
            if len(self.known) >= KINDS_MAX:
                return None
            self.known[k] = self._first_that_helps(j)
        return self.known[k]

    def _first_that_helps(self, j: int) -> Relaxation | None:
        w = self.problem.workloads[j]
        ladders = (self._ends(w), self._starts(w), self._latencies(w), self._residencies(w), self._budget(w))
        for ladder in ladders:
            steps = list(ladder)
            # the widest change first: where that does not help no smaller one does
            if steps and self._fits(j, steps[-1][0]):
                return next(relaxation for changed, relaxation in steps if self._fits(j, changed))
        return None

    def _ends(self, w: HorizonWorkload) -> Iterator[tuple[HorizonWorkload, Relaxation]]:
        for end in range(w.latest_end + 1, self.problem.horizon.slots + 1):
            yield replace(w, latest_end=end), Relaxation("latest_end", str(end))

    def _starts(self, w: HorizonWorkload) -> Iterator[tuple[HorizonWorkload, Relaxation]]:
        for start in range(w.earliest - 1, -1, -1):
            yield replace(w, earliest=start), Relaxation("earliest", str(start))

    def _latencies(self, w: HorizonWorkload) -> Iterator[tuple[HorizonWorkload, Relaxation]]:
        rtts = self.rtt_ms[w.origin]
        for rtt in sorted({float(rtt) for rtt in rtts[np.isfinite(rtts)] if rtt > w.latency_ms_max}):
            yield replace(w, latency_ms_max=rtt), Relaxation("latency_ms_max", f"{rtt:g}")

    def _residencies(self, w: HorizonWorkload) -> Iterator[tuple[HorizonWorkload, Relaxation]]:
        for residency in WIDER[WIDER.index(Residency(w.residency)) + 1 :]:
            yield replace(w, residency=residency), Relaxation("residency", residency)

    def _budget(self, w: HorizonWorkload) -> Iterator[tuple[HorizonWorkload, Relaxation]]:
        if w.budget_micro_cny is not None:
            yield replace(w, budget_micro_cny=None), Relaxation("budget_micro_cny", "none")

    def _fits(self, j: int, changed: HorizonWorkload) -> bool:
        """Whether a changed workload has room in what is left."""
        kinds = kinds_of(self.problem, self.instance.supply, changed)
        kinds = kinds._replace(penalty=np.array([NEVER - 1]))
        lookup = self.lookup._replace(
            kind=np.zeros(1, dtype=np.int64),
            together=self.instance.together[j : j + 1],
            apart=self.instance.apart[j : j + 1],
        )
        slots = np.empty(self.instance.supply.slots, dtype=np.int64)
        return bool(best_option(kinds, lookup, self.state, NO_GUIDE, 0, slots)[2] != OUT)
