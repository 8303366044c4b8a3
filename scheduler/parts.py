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
from scheduler.worths import Climb, Worths, suits, worth_bound

LANES = 2
TURN_S = 0.05
GAIN_SHARE = 0.005
"""A search has found something once what is left of its part's gap fell by this share."""


def decided(
    instance: Instance, shadow: Ints, amount: Ints, deadline: float, gap_target: float
) -> tuple[Worths, Ints] | None:
    """Worths of all classes with their bound, and a plan at least as good as ``amount`` (O,).

    ``shadow`` (R,) are prices of cards to start from. None where the knapsacks would be too large.
    """
    if not suits(instance):
        return None
    reduced = reduced_costs(instance, Needs(instance), base_rows(instance.supply), shadow.tolist())
    worth, amount = class_costs(instance, reduced), amount.copy()
    parts = [_Part(part, classes, worth, amount, shadow) for part, classes in independent(instance)]
    _take_turns(parts, deadline, gap_target * new_money(instance, amount) / NANO)
    nowhere = np.diff(instance.option_start) == 0
    bound = dot(instance.count[nowhere], worth[nowhere])
    for part in parts:
        # parts share no resource, so their bounds add up
        worth[part.classes], amount[part.option] = part.climb.worth(), part.pairs.amount
        bound += worth_bound(part.pairs.instance, part.items, worth[part.classes])
    return Worths(worth, bound), amount


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
    go_on: Callable[[], bool]
    """Search for a moment; False if nothing more will be found."""
    gap: float = np.inf
    """CNY, when it last found something."""
    idle_s: float = 0.0

    def turn(self, until: float) -> bool:
        """Search until then; False if nothing more will be found."""
        started = now = time.monotonic()
        more = True
        while more and now < until:
            more, now = self.go_on(), time.monotonic()
        self.idle_s += now - started
        if self.part.gap < self.gap * (1 - GAIN_SHARE):
            self.gap, self.idle_s = self.part.gap, 0.0
        return more


def _take_turns(parts: list[_Part], deadline: float, gap_goal: float) -> None:
    """Let all searches work until ``deadline``, or until the gaps together are ``gap_goal`` CNY."""
    waiting = [_Search(part, part.climb.go_on) for part in parts]
    waiting += [_Search(part, part.pairs.go_on) for part in parts]
    lock = Lock()

    def next_one() -> _Search | None:
        with lock:
            if not waiting or time.monotonic() >= deadline or sum(p.gap for p in parts) <= gap_goal:
                return None
            found = min(waiting, key=lambda search: search.idle_s)
            waiting.remove(found)
            return found

    def lane() -> None:
        while (search := next_one()) is not None:
            if search.turn(min(deadline, time.monotonic() + TURN_S)):
                waiting.append(search)

    with ThreadPoolExecutor(LANES) as pool:
        for future in [pool.submit(lane) for _ in range(LANES)]:
            future.result()


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
