"""A bound sharper than prices on cards: a worth for every class, and a knapsack for every resource.

Instead of capacity the rule that each workload is placed at most once is priced. At worths π the value of
every plan is at least

    Σ_classes count · min(penalty, π) − Σ_resources max over sets of whole workloads that fit of
        (Σ (π − cost of the option) − what their cards cost)

(Lagrangian duality with the assignment rows relaxed; Fisher, Jaikumar & Van Wassenhove 1986). That closes
the gap that rounding to whole workloads opens in each resource, which prices on cards cannot see. The worths
climb by subgradients with momentum and a level that falls where they stall (Camerini, Fratta & Maffioli
1975).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from scheduler.instance import Instance, Ints
from scheduler.integers import SAFE, dot
from scheduler.knapsacks import NANO, Bench, Items, bench_for, layout_of, taken_worth
from scheduler.pricing import Floats

WORK_MAX = 500_000_000
"""Items times units up to which the exact knapsacks take a second or two."""
UNITS_MAX = 5_000_000
"""Units of all resources up to which their price curves take little memory."""
MOMENTUM = 0.95
LEVEL_START = 5e-5
"""First level: this share of the bound above the best so far is aimed at."""
LEVEL_END = 1e-9
STALL = 25
STEPS_AT_ONCE = 25
WORK_AT_ONCE = 100_000_000
"""At most so many steps, and so many items times units, between two looks at the clock."""


@dataclass(frozen=True, eq=False, slots=True)
class Worths:
    """(C,) nano-CNY that a place is worth to each class, and the bound they prove."""

    worth: Ints
    bound: int


class _Memory(NamedTuple):
    """What the climb remembers."""

    worth: Floats
    best: Floats
    direction: Floats
    figures: Floats
    """Best bound, level, steps without a better bound."""


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
        self._count, self._penalty = instance.count.astype(np.float64), instance.penalty / NANO
        worth = np.minimum(start / NANO, self._penalty)
        self._state = _Memory(worth, worth.copy(), np.zeros_like(worth), np.array([-np.inf, np.inf, 0.0]))
        work = int(np.diff(items.start) @ items.room)
        self._steps = min(STEPS_AT_ONCE, WORK_AT_ONCE // max(work, 1) + 1)

    @property
    def bound(self) -> float:
        """CNY that the best worths prove, but for rounding."""
        return float(self._state.figures[0])

    def worth(self) -> Ints:
        """(C,) the best worths in nano-CNY; `worth_bound` says exactly what they prove."""
        return np.rint(self._state.best * NANO).astype(np.int64)

    def go_on(self) -> bool:
        """Some more steps; False once they are negligible."""
        return _climb(self._items, self._bench, self._count, self._penalty, self._state, self._steps)


@njit(cache=True, nogil=True)
def _climb(items: Items, bench: Bench, count: Floats, penalty: Floats, state: _Memory, steps: int) -> bool:
    """So many steps; False once the level is negligible."""
    for _ in range(steps):
        bound = -taken_worth(items, bench, state.worth) + (state.worth * count).sum()
        best, level, stalled = state.figures
        if best == -np.inf:
            level = LEVEL_START * abs(bound)
        if bound > best:
            stalled = 0.0 if bound > best + 0.1 * level else stalled
            best = bound
            state.best[:] = state.worth
        else:
            stalled += 1
        if stalled > STALL:
            level, stalled = 0.5 * level, 0.0
            state.worth[:] = state.best
            state.direction[:] = 0.0
        else:
            _step(items, bench, count, penalty, state, best + level - bound)
        state.figures[:] = best, level, stalled
        if level <= LEVEL_END * abs(best):
            return False
    return True


@njit(cache=True)
def _step(
    items: Items, bench: Bench, count: Floats, penalty: Floats, state: _Memory, distance: float
) -> None:
    """Move along the smoothed subgradient: places asked for less places given, class by class."""
    lacking = count.copy()
    for k in range(len(items.size)):
        if bench.taken[k]:
            lacking[items.group[k]] -= 1
    for c in range(len(lacking)):
        if lacking[c] > 0 and state.worth[c] >= penalty[c]:
            lacking[c] = 0.0
    state.direction[:] = MOMENTUM * state.direction + (1 - MOMENTUM) * lacking
    length = max((state.direction * state.direction).sum(), 1e-9)
    # far from the best the level is the longest step that makes sense
    step = min(distance / length, state.figures[1])
    state.worth[:] = np.minimum(state.worth + step * state.direction, penalty)


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
