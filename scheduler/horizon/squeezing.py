"""Placing what is left out by moving others out of its way: chains of moves that make the plan better.

One workload left out counts ten times its price, so that a handful of large ones can outweigh everything else
that is wrong with a plan. Each goes where rising prices want it, beyond capacity if need be; those in the
overfull cells who mind least then move to where there is room.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit

from scheduler.horizon.insertion import (
    NO_GUIDE,
    OUT,
    Guide,
    Lookup,
    State,
    at_site,
    best_option,
    curve_cost,
    put,
    remove,
)
from scheduler.horizon.instance import Kinds
from scheduler.horizon.running_slots import NEVER
from scheduler.horizon.supply import Ints

TARGETS_TRIED = 6
"""Sites tried for each workload, those that rising prices make cheapest."""
MOVES_MAX = 64
"""Moves of one chain."""
CHUNK = 256
"""Workloads asked what they mind between two looks at the clock."""

OutOfTime = Callable[[], bool]


class _Was(NamedTuple):
    """Where a workload was before a chain moved it."""

    job: int
    alternative: int
    site: int
    row: int
    slots: Ints


def squeeze(kinds: Kinds, lookup: Lookup, state: State, guide: Guide, j: int, out_of_time: OutOfTime) -> bool:
    """Place a workload that is left out by a chain of moves, or change nothing; the plan's value falls.

    Nothing is changed either where it is ``out_of_time`` on the way, which is asked often.
    """
    k = lookup.kind[j]
    if kinds.stay_alternative[k] >= 0 and state.moves[0] >= state.moves[1]:
        return False
    targets = []
    for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
        slots = np.empty(lookup.slots, dtype=np.int64)
        score, a = at_site(kinds, lookup, state, guide, j, row, NEVER, slots)
        if a >= 0:
            targets.append((score, row, a, slots))
    targets.sort(key=lambda target: target[:2])
    tried = (
        _chain(kinds, lookup, state, j, a, row, slots, out_of_time)
        for _, row, a, slots in targets[:TARGETS_TRIED]
    )
    return any(tried)


def _chain(
    kinds: Kinds,
    lookup: Lookup,
    state: State,
    j: int,
    a: int,
    row: int,
    slots: Ints,
    out_of_time: OutOfTime,
) -> bool:
    """Force a workload into an option and bring every cell back within capacity, or undo it all."""
    moved = [_was(state, j)]
    before = spent(lookup, state) + own_cost(kinds, lookup, state, j)
    put(kinds, lookup, state, j, a, kinds.site[row], row, slots)
    after = own_cost(kinds, lookup, state, j)
    while (over := state.used - lookup.usable).max() > 0 and len(moved) < MOVES_MAX:
        jobs = np.array([was.job for was in moved])
        other = _who_minds_least(kinds, lookup, state, jobs, int(over.argmax()), out_of_time)
        if other < 0:
            break
        moved.append(_was(state, other))
        before += own_cost(kinds, lookup, state, other)
        remove(kinds, lookup, state, other)
        option = best_option(kinds, lookup, state, NO_GUIDE, other, slots)
        put(kinds, lookup, state, other, *option[1:], slots)
        after += own_cost(kinds, lookup, state, other)
    if (state.used <= lookup.usable).all() and spent(lookup, state) + after < before:
        return True
    for was in reversed(moved):
        remove(kinds, lookup, state, was.job)
        if was.site != OUT:
            put(kinds, lookup, state, *was)
    return False


def _was(state: State, j: int) -> _Was:
    alternative, site, row = int(state.alternative[j]), int(state.site[j]), int(state.row[j])
    return _Was(j, alternative, site, row, state.slots[j].astype(np.int64))


@njit(cache=True)
def spent(lookup: Lookup, state: State) -> int:
    """What all cards in use cost, in nano-CNY: offers, reservations at what they would fetch, and running."""
    total = 0
    for cell in range(len(state.used)):
        if state.used[cell]:
            total += curve_cost(lookup, cell, 0, state.used[cell])
            total += state.used[cell] * lookup.running[cell]
    return total


@njit(cache=True)
def own_cost(kinds: Kinds, lookup: Lookup, state: State, j: int) -> int:
    """What a workload costs beside its cards: its penalty, or its transfer, migration and lateness."""
    k, s = lookup.kind[j], state.site[j]
    total: int = kinds.penalty[k]
    if s != OUT:
        last = state.slots[j, kinds.duration[state.alternative[j]] - 1]
        total = max(0, last + 1 - kinds.due[k]) * kinds.late[k]
    if s >= 0:
        total += kinds.transfer[state.row[j]] + kinds.migration[k]
    return total


def _who_minds_least(
    kinds: Kinds, lookup: Lookup, state: State, moved: Ints, cell: int, out_of_time: OutOfTime
) -> int:
    """Of those in an overfull cell who could go elsewhere the one whose move costs least per card it frees.

    Nobody moves twice in a chain, and nobody who stays where it runs moves at all. -1 if there is none, or no
    time to find it.
    """
    here = np.flatnonzero(state.site == cell // (lookup.slots * lookup.grades))
    here = here[~np.isin(here, moved)]
    best, least = -1, np.inf
    for begin in range(0, len(here), CHUNK):
        if out_of_time():
            return -1
        j, minds = minds_least(kinds, lookup, state, here[begin : begin + CHUNK], cell)
        if minds < least:
            best, least = j, minds
    return best


@njit(cache=True)
def minds_least(kinds: Kinds, lookup: Lookup, state: State, jobs: Ints, cell: int) -> tuple[int, float]:
    """Who of these, at a cell's site, minds moving least per card it frees, and how much; -1 if none."""
    resource, t = divmod(cell, lookup.slots)
    s, g = divmod(resource, lookup.grades)
    excess = state.used[cell] - lookup.usable[cell]
    slots = np.empty(lookup.slots, dtype=np.int64)
    best, least = -1, np.inf
    for j in jobs:
        freed = min(_takes(kinds, lookup, state, j, g, t), excess)
        if freed == 0:
            continue
        k, a, row = lookup.kind[j], state.alternative[j], state.row[j]
        before = own_cost(kinds, lookup, state, j)
        slots[: kinds.duration[a]] = state.slots[j, : kinds.duration[a]]
        remove(kinds, lookup, state, j)
        here = before + _cards_cost(kinds, lookup, state, k, a, s, slots)
        score, _, there, _ = best_option(kinds, lookup, state, NO_GUIDE, j, np.empty_like(slots))
        put(kinds, lookup, state, j, a, s, row, slots)
        if there != OUT and (score - here) / freed < least:
            best, least = j, (score - here) / freed
    return best, least


@njit(cache=True)
def _takes(kinds: Kinds, lookup: Lookup, state: State, j: int, g: int, t: int) -> int:
    """Milli-cards of a grade that a placed workload takes at its site in a slot."""
    a, total = state.alternative[j], 0
    for i in range(kinds.duration[a]):
        if state.slots[j, i] == t:
            for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
                if kinds.need_grade[n] == g:
                    total += kinds.need_milli[n] * kinds.gang[lookup.kind[j]]
    return total


@njit(cache=True)
def _cards_cost(kinds: Kinds, lookup: Lookup, state: State, k: int, a: int, s: int, slots: Ints) -> int:
    """What a workload's cards at an option would add to `spent`."""
    total = 0
    for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
        milli = kinds.need_milli[n] * kinds.gang[k]
        start = (s * lookup.grades + kinds.need_grade[n]) * lookup.slots
        for i in range(kinds.duration[a]):
            cell = start + slots[i]
            total += curve_cost(lookup, cell, state.used[cell], milli) + milli * lookup.running[cell]
    return total
