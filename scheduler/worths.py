"""A bound sharper than prices on cards: a worth for every class, and a knapsack for every resource.

Instead of capacity the rule that each workload is placed at most once is priced. At worths π the value of
every plan is at least

    Σ_classes count · min(penalty, π) − Σ_resources max over sets of whole workloads that fit of
        (Σ (π − cost of the option) − what their cards cost)

(Lagrangian duality with the assignment rows relaxed; Fisher, Jaikumar & Van Wassenhove 1986). That closes
the gap that rounding to whole workloads opens in each resource, which prices on cards cannot see. The worths
climb by a bundle method (`scheduler.bundles`).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from scheduler import bundles
from scheduler.instance import Instance, Ints
from scheduler.integers import SAFE, dot
from scheduler.knapsacks import NANO, Items, bench_for, layout_of

WORK_MAX = 500_000_000
"""Items times units up to which the exact knapsacks take a second or two."""
UNITS_MAX = 5_000_000
"""Units of all resources up to which their price curves take little memory."""


@dataclass(frozen=True, eq=False, slots=True)
class Worths:
    """(C,) nano-CNY that a place is worth to each class, and the bound they prove."""

    worth: Ints
    bound: int


def suits(instance: Instance) -> bool:
    """Whether the knapsacks are small enough to be laid out, and their figures exact in 64 bits."""
    layout, supply = layout_of(instance), instance.supply
    times, resources = layout.times.astype(np.float64), len(layout.room)
    work = (times * layout.room[layout.resource]).sum()
    gain = np.bincount(layout.resource, times * instance.penalty[instance.option_class], resources)
    price = supply.step_price.astype(np.float64)
    paid = np.bincount(supply.step_resource, price * supply.step_milli, resources)
    small = 0 < work <= WORK_MAX and layout.room.sum(dtype=np.float64) <= UNITS_MAX
    return bool(small and (gain + paid).max() < SAFE)


class Climb:
    """The search for good worths of an instance from ``start`` (C,) nano-CNY on."""

    def __init__(self, instance: Instance, items: Items, start: Ints) -> None:
        self._items, self._bench = items, bench_for(items)
        self._cuts, self._course = bundles.course_for(
            instance.count, instance.penalty / NANO, start / NANO, items
        )

    @property
    def bound(self) -> float:
        """CNY that the best worths prove, but for rounding; −∞ before the first step."""
        return float(self._course.figures[0])

    def worth(self) -> Ints:
        """(C,) the best worths in nano-CNY; `worth_bound` says exactly what they prove."""
        return np.rint(self._course.centre * NANO).astype(np.int64)

    def go_on(self) -> bool:
        """One more step; False once they promise nothing."""
        return bool(bundles.step(self._items, self._bench, self._cuts, self._course))


def worth_bound(instance: Instance, items: Items, worth: Ints) -> int:
    """No plan's value is below this (nano-CNY), whatever the worths: exact integers, plain knapsacks."""
    paid = np.minimum(worth, instance.penalty)
    supply, profit = instance.supply, paid[items.group] - instance.option_cost[items.option]
    total = dot(instance.count, paid)
    for r, room in enumerate(items.room.tolist()):
        here = slice(items.start[r], items.start[r + 1])
        good = profit[here] > 0
        if not good.any():
            continue
        size = items.size[here][good]
        unit = int(instance.need_milli[instance.need_start[items.option[here][good][0]]] // size[0])
        first, after = supply.step_start[r : r + 2]
        steps = (supply.step_price[first:after], supply.step_milli[first:after])
        total -= _exactly(size, profit[here][good], room, unit, int(supply.reserved[r]), *steps)
    return total


@njit(cache=True)
def _exactly(size: Ints, profit: Ints, room: int, unit: int, free: int, price: Ints, milli: Ints) -> int:
    best = np.zeros(room + 1, dtype=np.int64)
    for k in range(len(size)):
        for units in range(room, size[k] - 1, -1):
            best[units] = max(best[units], best[units - size[k]] + profit[k])
    most = 0
    for units in range(room + 1):
        lacking, cost = units * unit - free, 0
        for step in range(len(price)):
            if lacking > 0:
                cost += min(lacking, milli[step]) * price[step]
                lacking -= milli[step]
        most = max(most, best[units] - cost)
    return most
