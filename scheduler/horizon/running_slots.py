"""When to run: the cheapest slots of a window at one site. Compiled; shared by pricing and by insertion."""

import numpy as np
from numba import njit

from scheduler.horizon.supply import Ints

NEVER = 1 << 61
"""Stands for a slot, or a whole option, that is impossible."""


@njit(cache=True)
def cheapest_slots(
    cost: Ints,
    first: Ints,
    earliest: int,
    end: int,
    duration: int,
    preemptible: bool,
    due: int,
    late: int,
    slots: Ints,
) -> int:
    """The least cost of a run of ``duration`` slots within ``earliest … end``; `NEVER` if there is none.

    ``cost`` (T,) is paid in each slot it runs, ``first`` (T,) in its first one; `NEVER` in either forbids.
    ``late`` is paid for each slot after ``due`` in which it has not ended. ``slots`` takes the answer.
    """
    if duration > end - earliest:
        return NEVER
    if not preemptible:
        return _unbroken(cost, first, earliest, end, duration, due, late, slots)
    plain = due >= end
    for t in range(earliest, end):
        if first[t] != 0:
            plain = False
            break
    if plain:
        return _smallest(cost, earliest, end, duration, slots)
    return _paused(cost, first, earliest, end, duration, due, late, slots)


@njit(cache=True)
def cheapest_within(
    cost: Ints,
    first: Ints,
    carbon: Ints,
    left: int,
    earliest: int,
    end: int,
    duration: int,
    preemptible: bool,
    due: int,
    late: int,
    slots: Ints,
) -> int:
    """`cheapest_slots` of the runs that emit no more than ``left``, by ``carbon`` (T,) in each slot.

    Of runs that may pause only the one of least carbon is looked at.
    """
    if preemptible:
        emitted = np.where(cost < NEVER, carbon, NEVER)
        if cheapest_slots(emitted, first, earliest, end, duration, True, end, 0, slots) > left:
            return NEVER
        total: int = max(0, slots[duration - 1] + 1 - due) * late
        for t in slots[:duration]:
            total += cost[t]
        return total
    begins = first.copy()
    emits = carbon[earliest : min(earliest + duration, end)].sum()
    for t in range(earliest, end - duration + 1):
        if emits > left:
            begins[t] = NEVER
        if t + duration < end:
            emits += carbon[t + duration] - carbon[t]
    return cheapest_slots(cost, begins, earliest, end, duration, False, due, late, slots)


@njit(cache=True)
def _unbroken(
    cost: Ints, first: Ints, earliest: int, end: int, duration: int, due: int, late: int, slots: Ints
) -> int:
    best, where = NEVER, -1
    total, blocked = 0, 0
    for t in range(earliest, end):
        if cost[t] >= NEVER:
            blocked += 1
        else:
            total += cost[t]
        gone = t - duration
        if gone >= earliest:
            if cost[gone] >= NEVER:
                blocked -= 1
            else:
                total -= cost[gone]
        start = gone + 1
        if start < earliest or blocked or first[start] >= NEVER:
            continue
        here = total + first[start] + (max(0, t + 1 - due) * late)
        if here < best:
            best, where = here, start
    for n in range(duration if best < NEVER else 0):
        slots[n] = where + n
    return best


@njit(cache=True)
def _smallest(cost: Ints, earliest: int, end: int, duration: int, slots: Ints) -> int:
    """The ``duration`` cheapest slots, ascending; early ones first among equals."""
    chosen = np.zeros(end - earliest, dtype=np.bool_)
    total = 0
    for _ in range(duration):
        best, where = NEVER, -1
        for t in range(earliest, end):
            if not chosen[t - earliest] and cost[t] < best:
                best, where = cost[t], t
        if where < 0:
            return NEVER
        chosen[where - earliest] = True
        total += best
    n = 0
    for t in range(earliest, end):
        if chosen[t - earliest]:
            slots[n] = t
            n += 1
    return total


@njit(cache=True)
def _paused(
    cost: Ints, first: Ints, earliest: int, end: int, duration: int, due: int, late: int, slots: Ints
) -> int:
    """Every first and last slot, with the cheapest in between."""
    best, best_begin, best_last = NEVER, -1, -1
    inner = max(duration - 2, 0)
    smallest = np.empty(inner, dtype=np.int64)
    for begin in range(earliest, end - duration + 1):
        if first[begin] >= NEVER or cost[begin] >= NEVER:
            continue
        head = first[begin] + cost[begin]
        if duration == 1:
            here = head + max(0, begin + 1 - due) * late
            if here < best:
                best, best_begin, best_last = here, begin, begin
            continue
        held, total = 0, 0
        for last in range(begin + 1, end):
            if held == inner and cost[last] < NEVER:
                here = head + total + cost[last] + max(0, last + 1 - due) * late
                if here < best:
                    best, best_begin, best_last = here, begin, last
            # from now on this slot may be one in between
            if inner and cost[last] < NEVER:
                held, total = _keep_smallest(smallest, held, total, cost[last])
    if best < NEVER:
        slots[0], slots[duration - 1] = best_begin, best_last
        if inner:
            _smallest(cost, best_begin + 1, best_last, inner, slots[1:])
    return best


@njit(cache=True)
def _keep_smallest(smallest: Ints, held: int, total: int, cost: int) -> tuple[int, int]:
    """Keep ``cost`` among the smallest so far if it belongs there; how many are held then, and their sum."""
    if held < len(smallest):
        smallest[held] = cost
        return held + 1, total + cost
    largest = 0
    for n in range(1, held):
        if smallest[n] > smallest[largest]:
            largest = n
    if cost < smallest[largest]:
        total += cost - smallest[largest]
        smallest[largest] = cost
    return held, total
