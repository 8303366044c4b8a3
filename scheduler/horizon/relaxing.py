"""The smallest changes that would place a workload that is left out, everything else left as planned."""

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from nodes.types import Residency
from scheduler.horizon.insertion import NO_GUIDE, OUT, State, best_option, lookup_of
from scheduler.horizon.instance import Instance, OneKind
from scheduler.horizon.plan import Relaxation, Relaxed
from scheduler.horizon.supply import RUNNING_FACTOR
from scheduler.horizon.types import Alternative, HorizonProblem, HorizonWorkload, RunMode
from scheduler.instance import PENALTY_FACTOR
from scheduler.types import PRIORITY_MAX

WIDER = (Residency.SITE, Residency.CITY, Residency.PROVINCE, Residency.ANY)
NONE = "none"
"""In place of a value: the constraint is given up."""
SHARES = (*range(95, 0, -5), 4, 3, 2, 1)
"""What of its cards, or of its data, a workload may keep, in percent."""
Steps = Sequence[Relaxation]
"""Changes of one figure, each allowing all that the one before allows."""


_FIGURES: dict[str, Callable[[str], Any]] = {
    "latency_ms_max": float,
    "residency": Residency,
    "mode": RunMode,
    "together": lambda none: "",
    "apart": lambda none: "",
}
"""What a changed field's text stands for; whole numbers but for these."""


def changed(w: HorizonWorkload, relaxation: Relaxation) -> HorizonWorkload:
    """The workload with a figure changed."""
    field, value = relaxation
    if field == "cards":
        return replace(
            w, alternatives=tuple(_with_share(way, int(value.removesuffix("%"))) for way in w.alternatives)
        )
    if field == "slots":
        fewer = w.alternatives[0].slots - int(value)
        ways = (way._replace(slots=max(1, way.slots - fewer)) for way in w.alternatives)
        return replace(w, alternatives=tuple(ways))
    figure: dict[str, Any] = {field: _FIGURES.get(field, int)(value)}
    return replace(w, **figure)


def _with_share(way: Alternative, percent: int) -> Alternative:
    needs = (need._replace(milli_cards=max(1, need.milli_cards * percent // 100)) for need in way.needs)
    return way._replace(needs=tuple(needs))


class Relaxer:
    """Tries changes against what a plan leaves free, until a time."""

    def __init__(self, problem: HorizonProblem, instance: Instance, state: State, until: float) -> None:
        self.problem = problem
        self.instance = instance
        self.state = state
        self.until = until
        self.lookup = lookup_of(instance)
        self.one_kind = OneKind(problem, instance.supply)
        self.slots = np.empty(instance.supply.slots, dtype=np.int64)
        self.running = {item.workload for item in problem.running}
        self.known: dict[tuple[int, int, int], Relaxed] = {}

    def find(self, j: int) -> Relaxed | None:
        """For a workload (by row) that is left out: every single change of a rule that places it, else two
        at once, and with how much less work it would be placed.

        None where the time was over before it was looked for.
        """
        key = (int(self.instance.kind[j]), int(self.instance.together[j]), int(self.instance.apart[j]))
        if key not in self.known:
            if time.monotonic() > self.until:
                return None
            self.known[key] = self._ways(j)
        return self.known[key]

    def _ways(self, j: int) -> Relaxed:
        w = self.problem.workloads[j]
        rules = [steps for steps in self._rules(w) if steps]
        found = self._single(j, w, rules)
        if not found and self._fits(j, w, [steps[-1] for steps in rules]):
            found = self._pair(j, w, rules)
        return (*found, *self._single(j, w, [steps for steps in self._less_work(w) if steps]))

    def _single(self, j: int, w: HorizonWorkload, ladders: Sequence[Steps]) -> Relaxed:
        return tuple((step,) for steps in ladders if (step := self._least(j, w, steps, ())) is not None)

    def _pair(self, j: int, w: HorizonWorkload, ladders: Sequence[Steps]) -> Relaxed:
        """The first two that help together: the least of one beside all of the other, and then of that."""
        for one, other in combinations(ladders, 2):
            if (first := self._least(j, w, one, (other[-1],))) is not None:
                second = self._least(j, w, other, (first,))
                return () if second is None else ((first, second),)
        return ()

    def _least(self, j: int, w: HorizonWorkload, steps: Steps, beside: Steps) -> Relaxation | None:
        """The first step that places it, by bisection: where the widest does not help no smaller one does."""
        if not self._fits(j, w, (*beside, steps[-1])):
            return None
        found = steps[bisect_left(steps, True, key=lambda step: self._fits(j, w, (*beside, step)))]
        if self._fits(j, w, (*beside, found)):
            return found
        # under a cap on carbon a wider step may allow what is cheaper, but not what fits: look one by one
        return next(step for step in steps if self._fits(j, w, (*beside, step)))

    def _rules(self, w: HorizonWorkload) -> tuple[Steps, ...]:
        """What it asks for, asked for less strictly: the smallest change first."""
        slots = self.problem.horizon.slots
        rtts = self.one_kind.eligibility.rtt_ms[w.origin]
        farther = sorted({float(rtt) for rtt in rtts[np.isfinite(rtts)] if rtt > w.latency_ms_max})
        pauses = w.mode is RunMode.CONTIGUOUS and max(way.slots for way in w.alternatives) > 1
        return (
            [Relaxation("latest_end", str(end)) for end in range(w.latest_end + 1, slots + 1)],
            [Relaxation("earliest", str(start)) for start in range(w.earliest - 1, -1, -1)],
            [Relaxation("mode", RunMode.PREEMPTIBLE)] if pauses else [],
            [Relaxation("latency_ms_max", repr(rtt)) for rtt in farther],
            [Relaxation("residency", wider) for wider in WIDER[WIDER.index(Residency(w.residency)) + 1 :]],
            [Relaxation("budget_micro_cny", str(cost)) for cost in self._budgets(w)],
            [Relaxation("priority", str(step)) for step in range(w.priority + 1, PRIORITY_MAX + 1)],
            [Relaxation("together", NONE)] if w.together else [],
            [Relaxation("apart", NONE)] if w.apart else [],
        )

    @staticmethod
    def _less_work(w: HorizonWorkload) -> tuple[Steps, ...]:
        """Less data, fewer cards, less time."""
        shares = [share for share in SHARES if w.data_gb * share // 100 < w.data_gb]
        return (
            [Relaxation("data_gb", str(w.data_gb * share // 100)) for share in shares],
            [Relaxation("cards", f"{share}%") for share in SHARES],
            [Relaxation("slots", str(left)) for left in range(w.alternatives[0].slots - 1, 0, -1)],
        )

    def _budgets(self, w: HorizonWorkload) -> list[int]:
        """What its cards cost at list price with the transfer, wherever it may go: micro-CNY, rounded up."""
        if w.budget_micro_cny is None:
            return []
        supply = self.instance.supply
        price = supply.list_price.reshape(len(supply.sites), -1) * self.problem.horizon.slot_hours
        grade = {name: column for column, name in enumerate(supply.grades)}
        transfer = self.one_kind.eligibility.transfer(w)
        costs: set[int] = set()
        for needs, slots in w.alternatives:
            each = price[:, [grade[n.grade] for n in needs]] @ np.array([n.milli_cards for n in needs])
            costs.update((-(-(each * w.gang_size * slots + transfer) // 1000)).tolist())
        return sorted(cost for cost in costs if cost > w.budget_micro_cny)

    def _fits(self, j: int, w: HorizonWorkload, steps: Steps) -> bool:
        """Whether a workload with these changes has room in what is left, at less than leaving it out."""
        for step in steps:
            w = changed(w, step)
        fields = {step.field for step in steps}
        kinds = self.one_kind.of(w)
        if w.id in self.running and not w.best_effort:
            kinds = kinds._replace(penalty=kinds.penalty * (RUNNING_FACTOR // PENALTY_FACTOR))
        nobody, instance = np.array([-1]), self.instance
        lookup = self.lookup._replace(
            kind=np.zeros(1, dtype=np.int64),
            together=nobody if "together" in fields else instance.together[j : j + 1],
            apart=nobody if "apart" in fields else instance.apart[j : j + 1],
        )
        return bool(best_option(kinds, lookup, self.state, NO_GUIDE, 0, self.slots)[2] != OUT)
