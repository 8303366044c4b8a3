"""The cheapest slots that a workload could run in, by trying them."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from scheduler.horizon.types import HorizonWorkload, RunMode

NEVER = 2**61
"""Stands for a slot in which a workload cannot run."""
Ints = NDArray[np.int64]


def cheapest_run(w: HorizonWorkload, duration: int, slots: Ints, first: Ints) -> int:
    """The least cost of a run within the window, lateness included; `NEVER` where there is none.

    ``slots`` (T,) is paid in each slot, ``first`` (T,) in the first one.
    """
    window = slice(w.earliest, w.latest_end)
    if w.mode is RunMode.CONTIGUOUS:
        return _unbroken(w, duration, slots, first)
    if not first[window].any() and not late(w, w.latest_end):
        cheapest = np.sort(slots[window])[:duration]
        return total(cheapest) if len(cheapest) == duration else NEVER
    best = NEVER
    for begin, last in _ends(w, duration):
        between = np.sort(slots[begin + 1 : last])[: max(duration - 2, 0)]
        ends = [slots[begin]] if begin == last else [slots[begin], slots[last]]
        if first[begin] < NEVER and len(between) == duration - len(ends):
            run = total(np.concatenate([between, np.array(ends)]))
            best = min(best, int(first[begin]) + run + late(w, last + 1))
    return best


def late(w: HorizonWorkload, end: int) -> int:
    """Nano-CNY for ending so late."""
    return max(0, end - w.due) * w.lateness_micro_cny * 1000 if w.due is not None else 0


def total(costs: Ints) -> int:
    """The sum, `NEVER` if it has one."""
    return NEVER if (costs >= NEVER).any() else int(sum(costs.tolist()))


def _unbroken(w: HorizonWorkload, duration: int, slots: Ints, first: Ints) -> int:
    starts = np.arange(w.earliest, w.latest_end - duration + 1)
    if not len(starts):
        return NEVER
    never = np.concatenate([[0], np.cumsum(slots >= NEVER)])
    sums = np.concatenate([[0], np.cumsum(np.where(slots >= NEVER, 0, slots))])
    ends = starts + duration
    cost = sums[ends] - sums[starts] + first[starts]
    if w.due is not None:
        cost = cost + np.maximum(ends - w.due, 0) * w.lateness_micro_cny * 1000
    possible = (never[ends] == never[starts]) & (first[starts] < NEVER)
    return int(cost[possible].min(initial=NEVER))


def _ends(w: HorizonWorkload, duration: int) -> list[tuple[int, int]]:
    """Every first and last slot of a run that may pause."""
    window = range(w.earliest, w.latest_end)
    if duration == 1:
        return [(slot, slot) for slot in window]
    return [(a, b) for a, b in combinations(window, 2) if b - a + 1 >= duration]
