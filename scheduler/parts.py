"""Deciding an instance part by part, where its workloads compete for different cards.

Grades that no workload may swap have nothing to do with each other: each such part's plan is bettered pair by
pair (`scheduler.pairing`) and, where its knapsacks are not too large, bounded by worths (`scheduler.worths`).
All these searches take turns on two threads, those first that found something most lately.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np

from scheduler.capacity_rows import Needs, base_rows
from scheduler.instance import Instance, Ints
from scheduler.integers import dot
from scheduler.knapsacks import NANO, items_of
from scheduler.lagrangian import class_costs, reduced_costs
from scheduler.pairing import Pairs
from scheduler.solution import Residual, new_money, part_of
from scheduler.worths import Climb, Worths, suits, worth_bound

LANES = 2
TURN_S = 0.05
GAIN_SHARE = 0.005
"""A search has found something once it closed this share of the whole gap."""


class Decision:
    """The searches of all parts of an instance, and the best they have found.

    ``shadow`` (R,) are prices of cards in nano-CNY a milli-card to start from, ``amount`` (O,) is a plan and
    ``bound`` its bound. `scheduler.pairing.suits` says for which instances this is; worths are sought where
    `scheduler.worths.suits` the instance.
    """

    def __init__(self, instance: Instance, shadow: Ints, amount: Ints, bound: int) -> None:
        reduced = reduced_costs(instance, Needs(instance), base_rows(instance.supply), shadow.tolist())
        self._instance, self._amount, self._bound = instance, amount, bound
        self._worth = class_costs(instance, reduced)
        worth = self._worth if suits(instance) else None
        parts = independent(instance)
        self._parts = [_Part(part, classes, amount, shadow, worth) for part, classes in parts]
        nowhere = np.diff(instance.option_start) == 0
        # work without an option costs its penalty, whatever is decided
        self._outside = dot(instance.count[nowhere], self._worth[nowhere])

    @property
    def amount(self) -> Ints:
        """(O,) the best plan."""
        amount = self._amount.copy()
        for part in self._parts:
            amount[part.option] = part.pairs.amount
        return amount

    @property
    def bound(self) -> int:
        """Nano-CNY that is proved, but for rounding: quick, to watch the search by."""
        bounds = [min(part.bound * NANO, part.pairs.value) for part in self._parts]
        together = self._outside + int(sum(bounds)) if np.isfinite(bounds).all() else 0
        return max(self._bound, together)

    @property
    def gap(self) -> int:
        """Nano-CNY between the best plan and its bound."""
        return self._outside + sum(part.pairs.value for part in self._parts) - self.bound

    def worths(self) -> Worths | None:
        """The best worths, and exactly what they prove; None where none are sought."""
        worth, bound = self._worth.copy(), self._outside
        for part in self._parts:
            if part.climb is None:
                return None
            # while the search goes on these may be half of one step and half of the next: a bound, too
            found = part.climb.worth()
            worth[part.classes] = found
            # parts share no resource, so their bounds add up
            bound += worth_bound(part.pairs.instance, part.items, found)
        return Worths(worth, bound)

    def run(self, deadline: float, gap_target: float, hear: Callable[[], None]) -> None:
        """Search until ``deadline`` or a gap of this share of the money; ``hear`` is called after turns."""
        goal = int(gap_target * new_money(self._instance, self._amount))
        waiting = [search for part in self._parts for search in part.searches()]
        turns = _Turns(waiting, deadline, goal, lambda: self.gap)
        telling = Lock()

        def lane() -> None:
            while turns.take():
                # who finds the other one telling goes on
                if telling.acquire(blocking=False):
                    try:
                        hear()
                    finally:
                        telling.release()

        with ThreadPoolExecutor(LANES) as pool:
            for future in [pool.submit(lane) for _ in range(LANES)]:
                future.result()


class _Part:
    """A part with the two searches that close in on its optimum."""

    def __init__(self, part: Residual, classes: Ints, amount: Ints, shadow: Ints, worth: Ints | None) -> None:
        self.option, self.classes = part.option, classes
        self.items = items_of(part.instance)
        self.climb = None if worth is None else Climb(part.instance, self.items, worth[classes])
        self.pairs = Pairs(part.instance, self.items, amount[part.option], shadow)

    @property
    def bound(self) -> float:
        """CNY that its worths prove, −∞ so far if they don't."""
        return self.climb.bound if self.climb else -np.inf

    def searches(self) -> list["_Search"]:
        """Each of its searches."""
        return [_Search(kind) for kind in (self.climb, self.pairs) if kind is not None]


@dataclass(eq=False, slots=True)
class _Search:
    """One search of a part, and for how long it has found nothing."""

    kind: Climb | Pairs
    best: float = np.inf
    """Nano-CNY: value or minus the bound, when it last found something."""
    idle_s: float = 0.0

    def turn(self, until: float, gap: int) -> bool:
        """Search until then; False if nothing more will be found."""
        started = now = time.monotonic()
        more = True
        while more and now < until:
            more, now = self.kind.go_on(), time.monotonic()
        self.idle_s += now - started
        best = self.kind.value if isinstance(self.kind, Pairs) else -self.kind.bound * NANO
        if best < self.best - GAIN_SHARE * gap:
            self.best, self.idle_s = best, 0.0
        return more


class _Turns:
    """Who searches next: whoever found something most lately."""

    def __init__(self, waiting: list[_Search], deadline: float, goal: int, gap: Callable[[], int]) -> None:
        self._waiting, self._deadline, self._goal, self._gap = waiting, deadline, goal, gap
        self._lock = Lock()

    def take(self) -> bool:
        """One search's turn; False once there is nobody left to wait for, no time, or no gap."""
        with self._lock:
            gap = self._gap()
            if not self._waiting or time.monotonic() >= self._deadline or gap <= self._goal:
                return False
            search = min(self._waiting, key=lambda search: search.idle_s)
            self._waiting.remove(search)
        if search.turn(min(self._deadline, time.monotonic() + TURN_S), gap):
            with self._lock:
                self._waiting.append(search)
        return True


def independent(instance: Instance) -> list[tuple[Residual, Ints]]:
    """The parts with their classes: no two need the same resource. Classes without options are in none."""
    label = _labels(instance)
    first = instance.need_resource[instance.need_start[:-1]]
    group = np.full(len(instance.count), -1)
    group[instance.option_class] = label[first]
    parts = []
    for name in np.unique(group[group >= 0]).tolist():
        supply, classes = instance.supply, np.flatnonzero(group == name)
        here = label == name
        own = replace(
            supply,
            reserved=np.where(here, supply.reserved, 0),
            step_milli=np.where(here[supply.step_resource], supply.step_milli, 0),
        )
        keep = np.ones(len(instance.option_site), dtype=np.bool_)
        parts.append((part_of(instance, own, classes, instance.count[classes], keep), classes))
    return parts


def _labels(instance: Instance) -> Ints:
    """(R,) the least resource that is connected to each by classes that may use either."""
    label = np.arange(len(instance.supply.reserved))
    group = instance.option_class[instance.need_option]
    while True:
        least = np.full(len(instance.count), len(label))
        np.minimum.at(least, group, label[instance.need_resource])
        lower = label.copy()
        np.minimum.at(lower, instance.need_resource, least[group])
        if (lower == label).all():
            return label
        label = lower
