"""Best-effort work gives way to work that found no room, where that helps; compiled.

Who waits goes where it would be cheapest if there were no best-effort work. There best-effort work is taken
out, largest first, until it fits; where it never does, everything is put back as it was.
"""

import numpy as np
from numba import njit

from scheduler.horizon.insertion import (
    NO_GUIDE,
    NO_LIMIT,
    OUT,
    STAYS,
    Lookup,
    State,
    at_site,
    best_option,
    put,
    remove,
)
from scheduler.horizon.instance import Kinds
from scheduler.horizon.supply import Bools, Ints


@njit(cache=True)
def remove_all(kinds: Kinds, lookup: Lookup, state: State, jobs: Ints) -> None:
    """Take workloads out, those that are in."""
    for j in jobs:
        remove(kinds, lookup, state, j)


@njit(cache=True)
def make_room(
    kinds: Kinds, lookup: Lookup, state: State, firm: State, waiting: Ints, yielding: Ints
) -> Bools:
    """Place those ``waiting`` (rows, in this order) that find room when others yield; changes both states.

    ``yielding`` are rows of best-effort work that may be taken out, in this order; ``firm`` is the plan
    without any of them. Returns which of them were taken out and are still out.
    """
    taken = np.zeros(len(yielding), dtype=np.bool_)
    slots = np.empty(lookup.slots, dtype=np.int64)
    for j in waiting:
        _, a, s, row = best_option(kinds, lookup, state, NO_GUIDE, j, slots)
        if s == OUT:
            _, a, s, row = best_option(kinds, lookup, firm, NO_GUIDE, j, slots)
            if s < 0:
                continue
            a = _evict(kinds, lookup, state, j, a, s, row, slots, yielding, taken)
            if a < 0:
                continue
        put(kinds, lookup, state, j, a, s, row, slots)
        put(kinds, lookup, firm, j, a, s, row, slots)
    return taken


@njit(cache=True)
def _evict(
    kinds: Kinds,
    lookup: Lookup,
    state: State,
    j: int,
    a: int,
    s: int,
    row: int,
    slots: Ints,
    yielding: Ints,
    taken: Bools,
) -> int:
    """Take out what is in the way at a site until a workload fits there: its alternative, -1 if it never
    does; fills its slots.
    """
    wanted = np.zeros(lookup.slots, dtype=np.bool_)
    for i in range(kinds.duration[a]):
        wanted[slots[i]] = True
    sites, rows = np.empty(len(yielding), dtype=np.int64), np.empty(len(yielding), dtype=np.int64)
    alternatives, found = np.empty(len(yielding), dtype=np.int64), 0
    for n in range(len(yielding)):
        other = yielding[n]
        if not _in_the_way(kinds, lookup, state, j, a, s, wanted, other):
            continue
        rows[found], sites[found], alternatives[found] = n, state.site[other], state.alternative[other]
        found += 1
        taken[n] = True
        remove(kinds, lookup, state, other)
        _, fitting = at_site(kinds, lookup, state, NO_GUIDE, j, row, kinds.penalty[lookup.kind[j]], slots)
        if fitting >= 0:
            return fitting
    for i in range(found):
        taken[rows[i]] = False
        _put_back(kinds, lookup, state, yielding[rows[i]], alternatives[i], sites[i])
    return -1


@njit(cache=True)
def _in_the_way(
    kinds: Kinds, lookup: Lookup, state: State, j: int, a: int, s: int, wanted: Bools, other: int
) -> bool:
    """Whether taking ``other`` out frees, at a site in the slots wanted, what a workload needs."""
    k, site = lookup.kind[other], state.site[other]
    here = site == s
    if site == STAYS:
        for part in range(kinds.stay_start[k], kinds.stay_start[k + 1]):
            here = here or kinds.stay_site[part] == s
    if not here:
        return False
    b = state.alternative[other]
    met = False
    for i in range(kinds.duration[b]):
        met = met or wanted[state.slots[other, i]]
    if not met:
        return False
    if kinds.data_gb[lookup.kind[j]] > 0 or state.carbon[1] < NO_LIMIT or lookup.apart[j] >= 0:
        return True
    for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
        for m in range(kinds.need_start[b], kinds.need_start[b + 1]):
            if kinds.need_grade[n] == kinds.need_grade[m]:
                return True
    return False


@njit(cache=True)
def _put_back(kinds: Kinds, lookup: Lookup, state: State, j: int, a: int, s: int) -> None:
    """Place a workload again where it was: its slots are still noted."""
    k, row = lookup.kind[j], -1
    for n in range(kinds.site_start[k], kinds.site_start[k + 1]):
        if kinds.site[n] == s:
            row = n
    put(kinds, lookup, state, j, a, s, row, state.slots[j])
