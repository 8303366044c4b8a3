"""Whether a workload fits alone on empty sites, where and when; compiled, since many may be left out."""

import numpy as np
from numba import njit

from scheduler.horizon.instance import Kinds
from scheduler.horizon.supply import Ints

HAS = 1
"""The site has every grade in some slot."""
FITS = 2
"""It holds the workload long enough in some slots of the horizon."""
IN_WINDOW = 4
"""It does within the workload's window."""
SENDABLE = 8
"""And a line takes the data in a slot that it could begin in."""


@njit(cache=True)
def ways_of(kinds: Kinds, usable: Ints, link_room: Ints, city: Ints, k: int) -> Ints:
    """(alternatives, sites) of a kind: which of the flags above hold.

    ``usable`` (S, G, T) is in milli-cards, ``link_room`` (links, T) in GB, ``city`` (S,) tells cities apart.
    """
    first, last = kinds.alternative_start[k], kinds.alternative_start[k + 1]
    begin, end = kinds.site_start[k], kinds.site_start[k + 1]
    flags = np.zeros((last - first, end - begin), dtype=np.int64)
    for a in range(first, last):
        members, has = _members(kinds, usable, k, a)
        for i in range(end - begin):
            good = _good(kinds, members, city, k, i)
            found = HAS if has[i] else 0
            if _first_start(kinds, k, a, good, 0, usable.shape[2]) >= 0:
                found |= FITS
            start = _first_start(kinds, k, a, good, kinds.earliest[k], kinds.end[k])
            if start >= 0:
                found |= IN_WINDOW
            link = kinds.link[begin + i]
            while start >= 0 and link >= 0 and link_room[link, start] < kinds.data_gb[k]:
                start = _first_start(kinds, k, a, good, start + 1, kinds.end[k])
            if start >= 0:
                found |= SENDABLE
            flags[a - first, i] = found
    return flags


@njit(cache=True)
def _members(kinds: Kinds, usable: Ints, k: int, a: int) -> tuple[Ints, Ints]:
    """(sites, T) members that each empty site holds, and (sites,) whether it ever has every grade."""
    begin, end = kinds.site_start[k], kinds.site_start[k + 1]
    slots = usable.shape[2]
    members = np.zeros((end - begin, slots), dtype=np.int64)
    has = np.zeros(end - begin, dtype=np.int64)
    for i in range(end - begin):
        s = kinds.site[begin + i]
        for t in range(slots):
            room, there = np.int64(1) << 62, 1
            for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
                milli = usable[s, kinds.need_grade[n], t]
                room = min(room, milli // kinds.need_milli[n])
                there = there if milli > 0 else 0
            members[i, t] = room
            has[i] |= there
    return members, has


@njit(cache=True)
def _good(kinds: Kinds, members: Ints, city: Ints, k: int, i: int) -> Ints:
    """(T + 1,) how many slots before each hold all members at a site, or in its city if they may spread."""
    begin = kinds.site_start[k]
    slots = members.shape[1]
    count = np.zeros(slots + 1, dtype=np.int64)
    here = city[kinds.site[begin + i]]
    for t in range(slots):
        together = members[i, t]
        for mate in range(len(members) if kinds.spread[k] else 0):
            if mate != i and city[kinds.site[begin + mate]] == here:
                together += members[mate, t]
        good = members[i, t] >= 1 and together >= kinds.gang[k]
        count[t + 1] = count[t] + (1 if good else 0)
    return count


@njit(cache=True)
def _first_start(kinds: Kinds, k: int, a: int, count: Ints, begin: int, end: int) -> int:
    """The first slot from which the whole workload can run within ``begin … end``; -1 if there is none."""
    duration = kinds.duration[a]
    if kinds.preemptible[k]:
        for t in range(begin, end):
            if count[t + 1] > count[t]:
                return t if count[end] - count[t] >= duration else -1
        return -1
    for t in range(begin, end - duration + 1):
        if count[t + duration] - count[t] == duration:
            return t
    return -1
