"""The search for one slot: from a relaxation to whole workloads, then closing the gap while there is time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from scheduler import exact, pairing, worths
from scheduler.capacity_rows import Needs
from scheduler.ejecting import ejected
from scheduler.greedy import filled
from scheduler.instance import Bools, Instance, Ints
from scheduler.lagrangian import class_costs, reduced_costs
from scheduler.parts import Decision
from scheduler.refining import refine
from scheduler.relaxation import Relaxation, relax
from scheduler.rounding import polished, rounded
from scheduler.solution import new_money, part_of, value
from scheduler.spreading import spread
from scheduler.telling import Look
from scheduler.worths import Worths

RELAXATION_SHARE = 0.5
"""Of the time limit, what the relaxation of clusters may take: the rest is for the plan."""
FIRST_SHARE = 0.15
FIRST_S_MAX = 5.0
"""What the relaxation of fewer classes may take before there is a plan."""
EXACT_SHARE = 0.5
"""Of the time left after rounding, what the exact search may take."""

REFINE_OPTIONS_MIN = 20_000
"""From so many options on the relaxation is solved by refining clusters of classes (`scheduler.refining`)."""

SHARPEN_OPTIONS_MAX = 60_000
"""Up to so many options the gap is closed further after the first plan."""
SHARPEN_SHARE = 0.35
"""Of the time then left, what the bound may take."""
CHEAP_SHARE_OF_GAP = 20
"""An option counts as cheap that costs no more than the gap divided by this beyond the cheapest one."""

EXACT = "exact"
CLASSES = "classes"
REFINED = "refined"


@dataclass(eq=False, slots=True)
class Found:
    """What a search came to: workloads on options (O,), what proves how good that is, and the way there."""

    amount: Ints
    relaxation: Relaxation
    model: str
    why: str
    exact_bound: int = 0
    worths: Worths | None = None
    out_of_time: bool = False

    @property
    def proved(self) -> int:
        """The bound that prices or worths prove (nano-CNY)."""
        return max(self.relaxation.bound, self.worths.bound if self.worths else 0)

    @property
    def bound(self) -> int:
        """No plan's value is below this (nano-CNY)."""
        return max(self.proved, self.exact_bound)

    @property
    def bound_from(self) -> str:
        """What the bound can be recomputed from."""
        return "certificate" if self.bound == self.proved else "exact search"


Hear = Callable[[str, Look, Callable[[], Found]], None]
"""Called with what goes on, a quick look at the best amounts and bound, and a way to have all of it."""


def search(instance: Instance, began: float, deadline: float, gap_target: float, hear: Hear) -> Found:
    """The best plan found until ``deadline`` (`time.monotonic`) or until it is proved within the target."""
    return _Search(instance, began, deadline, gap_target, hear).run()


class _Search:
    """One search; ``found`` is the best so far."""

    def __init__(
        self, instance: Instance, began: float, deadline: float, gap_target: float, hear: Hear
    ) -> None:
        self.instance, self.needs = instance, Needs(instance)
        self.began, self.deadline, self.gap_target = began, deadline, gap_target
        self.hear = hear
        self.refined = len(instance.option_site) >= REFINE_OPTIONS_MIN
        self.found = self._refine() if self.refined else self._relax()

    def run(self) -> Found:
        """Close the gap, by the way that suits the instance."""
        found, more = self.found, len(self.instance.option_site) <= SHARPEN_OPTIONS_MAX
        if self._open() and more:
            self._report("first plan")
        if not self.refined:
            self._search_exactly()
        pairs = pairing.suits(self.instance)
        if self._open() and more and not worths.suits(self.instance):
            self._sharpen()
        if self._open() and more and (pairs or worths.suits(self.instance)):
            # what needs several resources at once is not bettered pair by pair
            self._decide(1.0 if pairs else SHARPEN_SHARE)
        if self._open() and more and not pairs:
            self._polish()
        found.out_of_time = value(self.instance, found.amount) > self._goal() and not self._left_s()
        return found

    def _left_s(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    def _goal(self) -> int:
        found = self.found
        return found.bound + int(self.gap_target * new_money(self.instance, found.amount))

    def _open(self) -> bool:
        return value(self.instance, self.found.amount) > self._goal() and self._left_s() > 0

    def _report(self, stage: str) -> None:
        found = self.found
        self.hear(stage, lambda: (found.amount, found.bound), lambda: found)

    def _why(self, way: str) -> str:
        instance = self.instance
        classes, options = len(instance.count), len(instance.option_site)
        return f"{int(instance.count.sum())} workloads in {classes} classes with {options} options: {way}"

    def _relax(self) -> Found:
        until = self.began + min(FIRST_SHARE * (self.deadline - self.began), FIRST_S_MAX)
        relaxation = relax(self.instance, self.needs, until)
        amount = rounded(self.instance, relaxation.amount, self.deadline)
        way = "an exact search was not needed or not finished"
        if not exact.suits(self.instance):
            way = (
                f"an exact search is only tried up to {exact.EXACT_OPTIONS_MAX} options and moderate figures"
            )
        return Found(amount, relaxation, CLASSES, self._why(f"{way}; relaxed, rounded"))

    def _refine(self) -> Found:
        instance, until = self.instance, self.began + RELAXATION_SHARE * (self.deadline - self.began)
        found = refine(instance, self.needs, until)
        prices = found.relaxation.shadow
        amount = spread(instance, found.merged, found.amount, prices.astype(np.float64))
        amount = ejected(instance, self.needs, filled(instance, amount), prices, self.deadline)
        clusters = len(found.merged.instance.count)
        way = f"relaxed in {clusters} clusters, split where their members disagree"
        return Found(amount, found.relaxation, REFINED, self._why(way))

    def _search_exactly(self) -> None:
        found = self.found
        # as small a one is proved to the last cent, whatever the gap target
        proved = value(self.instance, found.amount) == found.bound
        if proved or not self._left_s() or not exact.suits(self.instance):
            return
        answer = exact.solve_exactly(self.instance, found.amount, EXACT_SHARE * self._left_s())
        if answer is None:
            return
        found.amount = min(found.amount, answer.amount, key=lambda amount: value(self.instance, amount))
        found.exact_bound = answer.bound
        if answer.proved:
            found.model, found.why = EXACT, self._why("few enough to search exactly")
        self._report("exact search")

    def _decide(self, share: float) -> None:
        found, until = self.found, time.monotonic() + share * self._left_s()
        decision = Decision(self.instance, found.relaxation.shadow, found.amount, found.bound)

        def so_far() -> Found:
            return replace(found, amount=decision.amount, worths=decision.worths())

        def look() -> tuple[Ints, int]:
            return decision.amount, decision.bound

        decision.run(until, self.gap_target, lambda: self.hear("pair by pair", look, so_far))
        found.amount, found.worths = decision.amount, decision.worths()
        found.why += ", bounded by a knapsack for every resource" if found.worths else ""
        found.why += ", bettered pair by pair"

    def _sharpen(self) -> None:
        """A better bound by rounded capacity rows, over the cheap options only where they are many.

        The bound holds for all options, since it is evaluated on them all; those left out are the ones that a
        plan much nearer to the bound would hardly take.
        """
        found, whole, part = self.found, self.instance, self.instance
        if self.refined:
            part = part_of(
                whole, whole.supply, np.arange(len(whole.count)), whole.count, self._cheap()
            ).instance
        until = time.monotonic() + SHARPEN_SHARE * self._left_s()
        better = relax(part, Needs(part), until, whole)
        if better.bound > found.relaxation.bound:
            found.relaxation = replace(better, shadow=found.relaxation.shadow)
            found.why += ", sharpened"
            self._report("sharpening")

    def _polish(self) -> None:
        found = self.found

        def told(amount: Ints) -> None:
            found.amount = amount
            self._report("polishing")

        polished(self.instance, found.amount, self._goal(), self.deadline, self._cheap(), told)
        found.why += ", polished"

    def _cheap(self) -> Bools:
        """(O,) options that cost no more than a small share of the gap beyond their class's cheapest way."""
        relaxation = self.found.relaxation
        reduced = reduced_costs(self.instance, self.needs, relaxation.rows, relaxation.prices)
        beyond = reduced - class_costs(self.instance, reduced)[self.instance.option_class]
        gap = value(self.instance, self.found.amount) - relaxation.bound
        cheap: Bools = beyond <= gap // CHEAP_SHARE_OF_GAP
        return cheap
