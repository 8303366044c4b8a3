"""Best-effort work gives way to work that found no room, where that helps.

Who waits goes where it would be cheapest if there were no best-effort work at all. Of that, whatever is then
in the way there is taken out, largest first; the rest stays exactly as it was.
"""

import math

import numpy as np
from numba import njit

from scheduler.horizon.in_time import in_time
from scheduler.horizon.insertion import (
    NO_GUIDE,
    OUT,
    STAYS,
    Lookup,
    State,
    copied,
    put,
    remove,
    remove_all,
    sweep,
)
from scheduler.horizon.instance import Kinds
from scheduler.horizon.supply import Bools, Ints

CLEARED = 256
"""Workloads whose way is cleared between two looks at the clock: each may look at all who yield."""


def make_room(
    kinds: Kinds, lookup: Lookup, state: State, waiting: Ints, yielding: Ints, deadline: float = math.inf
) -> Ints:
    """Place those ``waiting`` (rows, in this order) that find room when others yield; changes ``state``.

    ``yielding`` are rows of placed best-effort work that may be taken out, in this order. Returns those that
    were. Carbon under a cap and moves where they are bounded are not taken from anyone. Raises `TimeIsUp`
    where that is not done by the ``deadline`` (monotonic seconds).
    """
    firm = copied(state)
    remove_all(kinds, lookup, firm, yielding)
    firm.carbon[0], firm.moves[0] = state.carbon[0], state.moves[0]
    for part in in_time(waiting, deadline):
        sweep(kinds, lookup, firm, NO_GUIDE, part)
    taken = np.zeros(len(yielding), dtype=np.bool_)
    for part in in_time(waiting, deadline, CLEARED):
        clear_way(kinds, lookup, state, firm, part, yielding, taken)
    return yielding[taken]


@njit(cache=True)
def clear_way(
    kinds: Kinds, lookup: Lookup, state: State, firm: State, waiting: Ints, yielding: Ints, taken: Bools
) -> None:
    """Place those ``waiting`` as ``firm`` has them; take out, in order, those of ``yielding`` who clash."""
    slots = np.empty(lookup.slots, dtype=np.int64)
    here = np.empty(firm.apart_here.shape[1], dtype=np.bool_)
    for j in waiting:
        if firm.site[j] == OUT:
            continue
        slots[: firm.slots.shape[1]] = firm.slots[j]
        put(kinds, lookup, state, j, firm.alternative[j], firm.site[j], firm.row[j], slots)
        here[:] = False
        _mark_sites(kinds, lookup, state, j, here)
        labelled = lookup.together[j] >= 0 or lookup.apart[j] >= 0 or kinds.data_gb[lookup.kind[j]] > 0
        for n in range(len(yielding)):
            s = state.site[yielding[n]]
            if taken[n] or (s >= 0 and not here[s] and not labelled):
                continue
            if _clash(kinds, lookup, state, j, yielding[n], here):
                taken[n] = True
                remove(kinds, lookup, state, yielding[n])
            if not labelled and not _in_overfull(kinds, lookup, state, j, here):
                break


@njit(cache=True)
def _mark_sites(kinds: Kinds, lookup: Lookup, state: State, j: int, here: Bools) -> None:
    k, s = lookup.kind[j], state.site[j]
    if s >= 0:
        here[s] = True
    elif s == STAYS:
        for part in range(kinds.stay_start[k], kinds.stay_start[k + 1]):
            here[kinds.stay_site[part]] = True


@njit(cache=True)
def _clash(kinds: Kinds, lookup: Lookup, state: State, j: int, other: int, here: Bools) -> bool:
    """Whether another workload's label, line or cards leave no room for one at the sites marked ``here``."""
    k, s = lookup.kind[other], state.site[other]
    first, last = kinds.stay_start[k], kinds.stay_start[k + 1] if s == STAYS else kinds.stay_start[k]
    met, full = s >= 0 and here[s], s >= 0 and here[s] and _overfull(kinds, lookup, state, other, s)
    for part in range(first, last):
        site = kinds.stay_site[part]
        met = met or here[site]
        full = full or (here[site] and _overfull(kinds, lookup, state, other, site))
    if not met:
        return bool(lookup.together[j] >= 0 and lookup.together[j] == lookup.together[other])
    if _line_full(kinds, lookup, state, j, other):
        return True
    apart = lookup.apart[j] >= 0 and lookup.apart[j] == lookup.apart[other]
    return bool((full or apart) and _in_common(kinds, state, j, other))


@njit(cache=True)
def _line_full(kinds: Kinds, lookup: Lookup, state: State, j: int, other: int) -> bool:
    """Whether two workloads' data travel over the same line in the same slot, and it does not take both."""
    if state.row[j] < 0 or state.row[other] < 0 or state.slots[j, 0] != state.slots[other, 0]:
        return False
    link, slot = kinds.link[state.row[j]], state.slots[j, 0]
    if link < 0 or link != kinds.link[state.row[other]]:
        return False
    return bool(state.link_used[link, slot] > lookup.link_room[link, slot])


@njit(cache=True)
def _in_common(kinds: Kinds, state: State, j: int, other: int) -> bool:
    """Whether two workloads run in a common slot."""
    for i in range(kinds.duration[state.alternative[j]]):
        for n in range(kinds.duration[state.alternative[other]]):
            if state.slots[j, i] == state.slots[other, n]:
                return True
    return False


@njit(cache=True)
def _in_overfull(kinds: Kinds, lookup: Lookup, state: State, j: int, here: Bools) -> bool:
    """Whether any cell of a workload, at the sites marked ``here``, is beyond its capacity."""
    full = False
    for s in range(len(here)):
        full = full or (here[s] and _overfull(kinds, lookup, state, j, s))
    return full


@njit(cache=True)
def _overfull(kinds: Kinds, lookup: Lookup, state: State, j: int, s: int) -> bool:
    """Whether a workload is in a cell of a site that is beyond its capacity."""
    a = state.alternative[j]
    for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
        start = (s * lookup.grades + kinds.need_grade[n]) * lookup.slots
        for i in range(kinds.duration[a]):
            cell = start + state.slots[j, i]
            if state.used[cell] > lookup.usable[cell]:
                return True
    return False
