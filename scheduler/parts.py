"""Deciding an instance part by part, where its workloads compete for different cards.

Grades that no workload may swap have nothing to do with each other: each such part is bounded by worths
(`scheduler.worths`) and its plan bettered pair by pair (`scheduler.pairing`). All these searches take turns
on two threads, those first that found something most lately.
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
from scheduler.worths import Climb, Worths, worth_bound

LANES = 2
TURN_S = 0.05
GAIN_SHARE = 0.005
"""A search has found something once it closed this share of its part's gap."""


class Decision:
    """The searches of all parts of an instance, and the best they have found.

    ``shadow`` (R,) are prices of cards in nano-CNY a milli-card to start from, ``amount`` (O,) is a plan;
    `scheduler.worths.suits` says for which instances this is.
    """

    def __init__(self, instance: Instance, shadow: Ints, amount: Ints) -> None:
        reduced = reduced_costs(instance, Needs(instance), base_rows(instance.supply), shadow.tolist())
        self._instance, self._amount = instance, amount
        self._worth = class_costs(instance, reduced)
        parts = independent(instance)
        self._parts = [_Part(part, classes, self._worth, amount, shadow) for part, classes in parts]
        nowhere = np.diff(instance.option_start) == 0
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
        """Nano-CNY that the best worths prove, but for rounding: quick, to watch the search by."""
        bounds = [min(part.climb.bound * NANO, part.pairs.value) for part in self._parts]
        return max(0, self._outside + int(sum(bounds))) if np.isfinite(bounds).all() else 0

    def worths(self) -> Worths:
        """The best worths, and exactly what they prove."""
        worth, bound = self._worth.copy(), self._outside
        for part in self._parts:
            # while the search goes on these may be half of one step and half of the next: a bound, too
            found = part.climb.worth()
            worth[part.classes] = found
            # parts share no resource, so their bounds add up
            bound += worth_bound(part.pairs.instance, part.items, found)
        return Worths(worth, bound)

    def run(self, deadline: float, gap_target: float, hear: Callable[[], None]) -> None:
        """Search until ``deadline`` or a gap of this share of the money; ``hear`` is called after turns."""
        goal = gap_target * new_money(self._instance, self._amount) / NANO
        turns = _Turns(self._parts, deadline, goal)
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

    def __init__(self, part: Residual, classes: Ints, worth: Ints, amount: Ints, shadow: Ints) -> None:
        self.option, self.classes = part.option, classes
        self.items = items_of(part.instance)
        self.climb = Climb(part.instance, self.items, worth[classes])
        self.pairs = Pairs(part.instance, self.items, amount[part.option], shadow)

    @property
    def gap(self) -> float:
        """CNY between value and bound."""
        return self.pairs.value / NANO - self.climb.bound


@dataclass(eq=False, slots=True)
class _Search:
    """One search of a part, and for how long it has found nothing."""

    part: _Part
    kind: Climb | Pairs
    best: float = np.inf
    """CNY: value or minus the bound, when it last found something."""
    idle_s: float = 0.0

    def turn(self, until: float) -> bool:
        """Search until then; False if nothing more will be found."""
        started = now = time.monotonic()
        more = True
        while more and now < until:
            more, now = self.kind.go_on(), time.monotonic()
        self.idle_s += now - started
        best = self.kind.value / NANO if isinstance(self.kind, Pairs) else -self.kind.bound
        if best < self.best - GAIN_SHARE * self.part.gap:
            self.best, self.idle_s = best, 0.0
        return more


class _Turns:
    """Who searches next: whoever found something most lately."""

    def __init__(self, parts: list[_Part], deadline: float, goal: float) -> None:
        self._parts, self._deadline, self._goal = parts, deadline, goal
        self._waiting = [_Search(part, kind) for part in parts for kind in (part.climb, part.pairs)]
        self._lock = Lock()

    def take(self) -> bool:
        """One search's turn; False once there is nobody left to wait for, no time, or no gap."""
        with self._lock:
            over = time.monotonic() >= self._deadline or sum(part.gap for part in self._parts) <= self._goal
            if over or not self._waiting:
                return False
            search = min(self._waiting, key=lambda search: search.idle_s)
            self._waiting.remove(search)
        if search.turn(min(self._deadline, time.monotonic() + TURN_S)):
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
