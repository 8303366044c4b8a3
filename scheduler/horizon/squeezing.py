"""Placing what is left out by moving others out of its way: chains of moves that make the plan better.

One workload left out counts ten times its price, so that a handful of large ones can outweigh everything else
that is wrong with a plan. Each goes where rising prices want it, beyond capacity if need be; those in the
overfull cells who mind least then move to where there is room.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

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


class _Journal(NamedTuple):
    """Where those moved by a chain were, so that it can be undone."""

    job: Ints
    alternative: Ints
    site: Ints
    row: Ints
    slots: NDArray[np.int64]


@njit(cache=True)
def squeeze(kinds: Kinds, lookup: Lookup, state: State, guide: Guide, j: int) -> bool:
    """Place a workload that is left out by a chain of moves, or change nothing; the plan's value falls."""
    k = lookup.kind[j]
    if kinds.stay_alternative[k] >= 0 and state.moves[0] >= state.moves[1]:
        return False
    begin, end = kinds.site_start[k], kinds.site_start[k + 1]
    slots = np.empty(lookup.slots, dtype=np.int64)
    scores = np.empty(end - begin, dtype=np.int64)
    for row in range(begin, end):
        scores[row - begin] = at_site(kinds, lookup, state, guide, j, row, NEVER, slots)[0]
    for i in np.argsort(scores)[:TARGETS_TRIED]:
        _, a = at_site(kinds, lookup, state, guide, j, begin + i, NEVER, slots)
        if a >= 0 and _chain(kinds, lookup, state, j, a, begin + i, slots):
            return True
    return False


@njit(cache=True)
def _chain(kinds: Kinds, lookup: Lookup, state: State, j: int, a: int, row: int, slots: Ints) -> bool:
    """Force a workload into an option and bring every cell back within capacity, or undo it all."""
    journal = _Journal(
        np.empty(MOVES_MAX, dtype=np.int64),
        np.empty(MOVES_MAX, dtype=np.int64),
        np.empty(MOVES_MAX, dtype=np.int64),
        np.empty(MOVES_MAX, dtype=np.int64),
        np.empty((MOVES_MAX, state.slots.shape[1]), dtype=np.int64),
    )
    before = spent(lookup, state) + own_cost(kinds, lookup, state, j)
    _note(state, journal, 0, j)
    put(kinds, lookup, state, j, a, kinds.site[row], row, slots)
    after, count = own_cost(kinds, lookup, state, j), 1
    cell = _fullest(lookup, state)
    while cell >= 0 and count < MOVES_MAX:
        other = _who_minds_least(kinds, lookup, state, journal.job[:count], cell)
        if other < 0:
            break
        before += own_cost(kinds, lookup, state, other)
        _note(state, journal, count, other)
        count += 1
        remove(kinds, lookup, state, other)
        _, b, s, there = best_option(kinds, lookup, state, NO_GUIDE, other, slots)
        put(kinds, lookup, state, other, b, s, there, slots)
        after += own_cost(kinds, lookup, state, other)
        cell = _fullest(lookup, state)
    if cell < 0 and spent(lookup, state) + after < before:
        return True
    for n in range(count - 1, -1, -1):
        _undo(kinds, lookup, state, journal, n)
    return False


@njit(cache=True)
def _note(state: State, journal: _Journal, n: int, j: int) -> None:
    journal.job[n], journal.alternative[n] = j, state.alternative[j]
    journal.site[n], journal.row[n] = state.site[j], state.row[j]
    journal.slots[n] = state.slots[j]


@njit(cache=True)
def _undo(kinds: Kinds, lookup: Lookup, state: State, journal: _Journal, n: int) -> None:
    j = journal.job[n]
    remove(kinds, lookup, state, j)
    if journal.site[n] != OUT:
        put(
            kinds,
            lookup,
            state,
            j,
            journal.alternative[n],
            journal.site[n],
            journal.row[n],
            journal.slots[n],
        )


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


@njit(cache=True)
def _fullest(lookup: Lookup, state: State) -> int:
    """The cell furthest beyond its capacity, -1 if none is."""
    worst, where = 0, -1
    for cell in range(len(state.used)):
        if state.used[cell] - lookup.usable[cell] > worst:
            worst, where = state.used[cell] - lookup.usable[cell], cell
    return where


@njit(cache=True)
def _who_minds_least(kinds: Kinds, lookup: Lookup, state: State, moved: Ints, cell: int) -> int:
    """Of those in an overfull cell who could go elsewhere the one whose move costs least per card it frees.

    Nobody moves twice in a chain, and nobody who stays where it runs moves at all. -1 if there is none.
    """
    resource, t = divmod(cell, lookup.slots)
    s, g = divmod(resource, lookup.grades)
    excess = state.used[cell] - lookup.usable[cell]
    slots = np.empty(lookup.slots, dtype=np.int64)
    best, least = -1, np.inf
    for j in range(len(state.site)):
        freed = min(_takes(kinds, lookup, state, j, g, t), excess) if state.site[j] == s else 0
        if freed == 0 or (moved == j).any():
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
    return best


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
