"""The front door: one problem over many slots in, one plan with its proof out."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from scheduler.horizon import class_model, exact
from scheduler.horizon.assembly import assembled
from scheduler.horizon.building import Builder, marginal_prices
from scheduler.horizon.dual_ascent import Ascent, ascend
from scheduler.horizon.gangs import Split, split_gangs
from scheduler.horizon.in_time import TimeIsUp
from scheduler.horizon.insertion import OUT, State
from scheduler.horizon.instance import Instance, compile_instance
from scheduler.horizon.plan import HorizonPlan
from scheduler.horizon.preempting import make_way
from scheduler.horizon.pricing import no_prices, priced
from scheduler.horizon.solution import value
from scheduler.horizon.types import HorizonProblem
from scheduler.horizon.validation import checked
from scheduler.horizon.warming import compile_horizon_loops
from scheduler.plan import Progress, Timings
from scheduler.types import InvariantViolation

GAP_TARGET = 1e-4
"""The search ends once the plan is proved this close to the best, as a share of the money it influences."""
DUAL_SHARE = 0.45
"""Of the time limit, what prices may take: the rest is for the plan."""
CLASSES_SHARE = 0.7
"""Of what is left of that, what the class model may take before ascent has to do."""
DUAL_ROUNDS = 150

EXACT_SHARE = 0.7
"""Of the time left after building, what the exact search may take."""
SHARPEN_SHARE = 0.3
"""Of the time left after building, what sharpening the prices may take."""
SHARPEN_STEP = 0.02
RULE_SHARE = 0.1
"""Of the time limit, what bringing the last plan to keep the rule of pre-emption may take beyond it."""
RELAXING_S = 5.0
"""How long it is looked for what would place the work left out, beyond the time limit."""
TELLING_SHARE = 0.1
"""Of the time so far, what naming plans on the way may take."""
SHAKES_STALLED = 5
"""Shakes in a row without a better plan after which the search ends."""

EXACT = "exact"
CLASSES = "classes"
COLUMNS = "columns"

OnProgress = Callable[[Progress], None]
OnPlan = Callable[[HorizonPlan], None]


def plan_horizon(
    problem: HorizonProblem,
    time_limit_s: float = 30.0,
    gap_target: float = GAP_TARGET,
    on_progress: OnProgress | None = None,
    on_plan: OnPlan | None = None,
) -> HorizonPlan:
    """Decide where and when every workload runs, at the least cost; see `HorizonPlan` for what comes back.

    ``on_progress`` is called whenever the plan or its bound has become better, ``on_plan`` with better plans
    as often as naming one costs little time, both from the same thread. The search ends at the gap target or
    at the time limit, whichever comes first; the gap stated holds either way. Compiling loops, where this has
    never been done, comes before the clock starts. Raises `InvalidProblem` naming each row and field that is
    wrong, ``ValueError`` for a time limit ≤ 0.
    """
    if not time_limit_s > 0:
        raise ValueError(f"the time limit must be above 0 s, not {time_limit_s}")
    compile_horizon_loops()
    started = time.monotonic()
    instance = compile_instance(checked(problem))
    built = time.monotonic()
    search = _Search(problem, instance, built, built + time_limit_s, gap_target, on_progress, on_plan)
    search.run()
    solved = time.monotonic()
    plan = search.plan()
    return replace(plan, timings=Timings(built - started, solved - built, time.monotonic() - started))


@dataclass(eq=False, slots=True)
class _Best:
    """The best plan so far."""

    state: State
    splits: Mapping[int, Split]
    value: int


@dataclass(eq=False)
class _Search:
    """One search: an incumbent that only gets better, and prices that prove how good it is."""

    problem: HorizonProblem
    instance: Instance
    began: float
    deadline: float
    gap_target: float
    on_progress: OnProgress | None
    on_plan: OnPlan | None = None
    telling_s: float = 0.0
    model: str = COLUMNS
    exact_bound: int = 0
    weighed: int | None = None
    """The least value of a plan before best-effort work gave way by rule."""
    proved: bool = False
    sharpened: bool = False
    ascent: Ascent = field(init=False)
    best: _Best = field(init=False)

    def run(self) -> None:
        """Place in order of arrival, find prices, build by them."""
        builder = Builder(self.instance)
        self.ascent = Ascent(no_prices(self.instance), 0)
        order = np.arange(len(self.instance.kind))
        self._offer(builder, builder.in_order(order), "in order of arrival")
        if self._good_enough():
            return
        self._find_prices()
        if not self._good_enough():
            self._offer(builder, builder.guided(self.ascent.prices, self.deadline), "built by prices")
        if not self._good_enough() and exact.suits(self.instance):
            self._search_exactly(builder)
        if not self.proved:
            self._shake(builder)

    def _find_prices(self) -> None:
        """By the class model where workloads are alike, else (or where that takes too long) by ascent."""
        until = self.began + DUAL_SHARE * (self.deadline - self.began)
        if class_model.suits(self.instance):
            left_s = CLASSES_SHARE * (until - time.monotonic())
            prices = class_model.class_prices(self.instance, left_s)
            if prices is not None:
                self.model = CLASSES
                self._take(Ascent(prices, priced(self.instance, prices).bound))
                return
        start = replace(no_prices(self.instance), capacity=marginal_prices(self.instance, self.best.state))
        self._take(ascend(self.instance, start, DUAL_ROUNDS, max(until, time.monotonic())))

    def _take(self, ascent: Ascent) -> None:
        if ascent.bound > self.ascent.bound:
            self.ascent = ascent
            self._report("prices")

    def _shake(self, builder: Builder) -> None:
        """Shake the plan until that no longer helps, and sharpen the prices once on the way."""
        draw, stalled = np.random.default_rng(0), 0
        while stalled < SHAKES_STALLED and not self._good_enough() and time.monotonic() < self.deadline:
            if stalled == 0 and self.model == COLUMNS and not self.sharpened:
                self.sharpened = True
                until = time.monotonic() + SHARPEN_SHARE * (self.deadline - time.monotonic())
                self._take(ascend(self.instance, self.ascent.prices, DUAL_ROUNDS, until, SHARPEN_STEP))
            before = self.best.value
            other = builder.shaken(self.best.state, self.ascent.prices, draw, self.deadline)
            self._offer(builder, other, "shaken", self.best.splits)
            stalled = stalled + 1 if self.best.value == before else 0

    def _search_exactly(self, builder: Builder) -> None:
        left_s = EXACT_SHARE * (self.deadline - time.monotonic())
        answer = exact.solve_exactly(self.problem, self.instance, self.best.state, self.best.value, left_s)
        if answer is None:
            return
        self.exact_bound = answer.bound
        worth = value(self.instance, answer.state, answer.splits)
        if answer.proved and worth != answer.bound:
            raise InvariantViolation(f"the exact model says {answer.bound}, its plan is worth {worth}")
        # the model knows the rule of pre-emption but for a few kinds of places
        state, splits = make_way(self.problem, self.instance, builder.lookup, answer.state, answer.splits)
        kept = value(self.instance, state, splits)
        self.weighed = worth if self.weighed is None else min(self.weighed, worth)
        if kept < self.best.value:
            self.best = _Best(state, splits, kept)
        self.proved = answer.proved and self.best.value == worth
        self._report("exact search")

    @property
    def ruled_by(self) -> float:
        """Until when a plan may be brought to keep the rule of pre-emption, monotonic seconds."""
        return self.deadline + RULE_SHARE * (self.deadline - self.began)

    @property
    def bound(self) -> int:
        """The better of the certificate's bound and the exact search's."""
        return max(self.ascent.bound, self.exact_bound)

    def _offer(
        self, builder: Builder, state: State | None, stage: str, split: Mapping[int, Split] | None = None
    ) -> None:
        """Take a plan if there is one and it is the best so far; gangs left out may still be split."""
        if state is None:
            return
        found = split_gangs(self.problem, self.instance, builder.lookup, state) | dict(split or {})
        weighed = value(self.instance, state, found)
        self.weighed = weighed if self.weighed is None else min(self.weighed, weighed)
        # one plan there must be, however long it takes
        until = self.ruled_by if hasattr(self, "best") else math.inf
        try:
            state, splits = make_way(self.problem, self.instance, builder.lookup, state, found, until)
        except TimeIsUp:
            return
        worth = value(self.instance, state, splits)
        if not hasattr(self, "best") or worth < self.best.value:
            self.best = _Best(state, splits, worth)
            # the plan first: whoever sees an incumbent reported has it
            self._tell()
            self._report(stage)

    def _tell(self) -> None:
        """Name the best plan so far, unless naming plans has taken too much of the time already."""
        now = time.monotonic()
        if self.on_plan is None or self.telling_s > TELLING_SHARE * (now - self.began):
            return
        self.on_plan(self.plan(0.0))
        self.telling_s += time.monotonic() - now

    def _money(self) -> int:
        out = self.best.state.site == OUT
        penalties: int = sum(self.instance.kinds.penalty[self.instance.kind[out]].tolist())
        return self.best.value - penalties

    def _good_enough(self) -> bool:
        return self.best.value - self.bound <= self.gap_target * self._money()

    def _report(self, stage: str) -> None:
        if self.on_progress is not None:
            gap, money = self.best.value - self.bound, self._money()
            share = gap / money if money else float(gap > 0)
            elapsed_s = time.monotonic() - self.began
            self.on_progress(Progress(elapsed_s, stage, self.best.value, self.bound, share))

    def plan(self, relaxing_s: float = RELAXING_S) -> HorizonPlan:
        """The best plan by name, with its figures and proof."""
        return assembled(
            self.problem,
            self.instance,
            self.best.state,
            self.best.splits,
            self.ascent,
            exact_bound=self.exact_bound,
            weighed=self.weighed,
            model=EXACT if self.proved else self.model,
            why=self._why(),
            out_of_time=time.monotonic() > self.deadline,
            relaxing_s=relaxing_s,
        )

    def _why(self) -> str:
        kinds = len(self.instance.kinds.size)
        size = f"{len(self.instance.kind)} workloads of {kinds} kinds in {self.instance.supply.slots} slots"
        if self.proved:
            return f"{size}: few enough to search exactly"
        if self.model == CLASSES:
            return f"{size}: alike enough for a linear program over kinds; its prices built the plan"
        return f"{size}: prices on every site, grade and slot by ascent; they built the plan"
