"""Where to put one workload while everything else stays: the step that building and improving a plan repeat.

Compiled loops over plain arrays. A workload's score for an option is what the plan's value would rise by: the
marginal price of its cards on each cell's curve, metered power, carbon, transfer, lateness and migration.
While a plan is being built, cards are scored at no less than ``floor``, their price in the relaxation, so
that early ones leave scarce cells to those that need them more.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scheduler.horizon.instance import Instance, Kinds
from scheduler.horizon.pricing import CARBON_SCALE
from scheduler.horizon.running_slots import NEVER, cheapest_slots, cheapest_within
from scheduler.horizon.supply import Ints

OUT = -1
"""In place of a site: left out."""
STAYS = -2
"""In place of a site: goes on where it is."""
SPLIT = -3
"""In place of a site: its members are spread over several sites, which `scheduler.horizon.gangs` knows."""
NO_LIMIT = 1 << 62


class State(NamedTuple):
    """A plan in the making, changed in place: what is used, and where each of J workloads is."""

    used: Ints
    """(N,) milli-cards."""
    link_used: Ints
    """(links, T) GB."""
    carbon: Ints
    """(2,) µg in use, and the cap."""
    moves: Ints
    """(2,) moves of work that could stay, and how many are allowed."""
    together_site: Ints
    """(labels,) the site of those placed."""
    together_placed: Ints
    """(labels,) how many are placed."""
    apart_here: NDArray[np.int16]
    """(labels, S, T) how many run there."""
    alternative: Ints
    """(J,) among all alternatives; -1 where left out."""
    site: Ints
    """(J,) site, or one of the values above."""
    row: Ints
    """(J,) row of the site among the kind's sites."""
    slots: NDArray[np.int32]
    """(J, longest duration) the slots it runs."""


class Lookup(NamedTuple):
    """What the loops look up and never change."""

    usable: Ints
    step_start: Ints
    step_price: Ints
    step_milli: Ints
    running: Ints
    carbon: Ints
    link_room: Ints
    kind: Ints
    together: Ints
    apart: Ints
    slots: int
    grades: int


class Guide(NamedTuple):
    """What cards are scored at while a plan is being built, instead of what they cost.

    ``table`` (N, entries) is a price per milli-card that rises steadily with use; an entry of a cell spans
    ``unit`` (N,) milli-cards, and the last ones lie beyond its capacity. Without entries scores are what
    things cost and capacity is a limit. ``carbon`` is added per gram.
    """

    table: Ints
    unit: Ints
    carbon: int


NO_GUIDE = Guide(np.zeros((0, 0), dtype=np.int64), np.zeros(0, dtype=np.int64), 0)


def lookup_of(instance: Instance) -> Lookup:
    """The instance's arrays for the loops."""
    supply = instance.supply
    return Lookup(
        supply.usable,
        supply.step_start,
        supply.step_price,
        supply.step_milli,
        supply.running,
        supply.carbon,
        instance.link_room,
        instance.kind,
        instance.together,
        instance.apart,
        supply.slots,
        len(supply.grades),
    )


def empty_state(instance: Instance) -> State:
    """Nothing placed."""
    jobs, supply = len(instance.kind), instance.supply
    togethers, aparts = instance.labels
    cap = NO_LIMIT if instance.carbon_cap_ug is None else instance.carbon_cap_ug
    most = NO_LIMIT if instance.moves_max is None else instance.moves_max
    longest = int(instance.kinds.duration.max(initial=1))
    return State(
        used=np.zeros_like(supply.usable),
        link_used=np.zeros_like(instance.link_room),
        carbon=np.array([0, cap]),
        moves=np.array([0, most]),
        together_site=np.zeros(togethers, dtype=np.int64),
        together_placed=np.zeros(togethers, dtype=np.int64),
        apart_here=np.zeros((aparts, len(supply.sites), supply.slots), dtype=np.int16),
        alternative=np.full(jobs, -1),
        site=np.full(jobs, OUT),
        row=np.full(jobs, -1),
        slots=np.zeros((jobs, min(longest, supply.slots)), dtype=np.int32),
    )


def copied(state: State) -> State:
    """The same plan in arrays of its own."""
    return State._make(array.copy() for array in state)


@njit(cache=True)
def sweep(kinds: Kinds, lookup: Lookup, state: State, guide: Guide, order: Ints) -> int:
    """Take each workload of ``order`` out and put it where its score is least; returns how many changed.

    One that is spread over sites is left as it is. Without a guide the plan's value never rises, and whatever
    lay beyond capacity is gone after one sweep over everyone.
    """
    changed = 0
    slots = np.empty(lookup.slots, dtype=np.int64)
    for j in order:
        if state.site[j] == SPLIT:
            continue
        before_a, before_s = state.alternative[j], state.site[j]
        before_first = state.slots[j, 0]
        remove(kinds, lookup, state, j)
        _, a, s, row = best_option(kinds, lookup, state, guide, j, slots)
        if s != OUT:
            put(kinds, lookup, state, j, a, s, row, slots)
        if s != before_s or (s != OUT and (a != before_a or slots[0] != before_first)):
            changed += 1
    return changed


@njit(cache=True)
def best_option(
    kinds: Kinds, lookup: Lookup, state: State, guide: Guide, j: int, slots: Ints
) -> tuple[int, int, int, int]:
    """The option with the least score: score, alternative, site (`OUT`, `STAYS`), row; fills its slots."""
    k = lookup.kind[j]
    best, best_a, best_s, best_row = kinds.penalty[k], -1, OUT, -1
    here = np.empty(lookup.slots, dtype=np.int64)
    if kinds.stay_alternative[k] >= 0:
        score = staying(kinds, lookup, state, guide, j, here)
        if score < best:
            best, best_a, best_s = score, kinds.stay_alternative[k], STAYS
            slots[: kinds.duration[best_a]] = here[: kinds.duration[best_a]]
        if state.moves[0] >= state.moves[1]:
            return best, best_a, best_s, best_row
    for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
        score, a = at_site(kinds, lookup, state, guide, j, row, best, here)
        if score < best:
            best, best_a, best_s, best_row = score, a, kinds.site[row], row
            slots[: kinds.duration[a]] = here[: kinds.duration[a]]
    return best, best_a, best_s, best_row


@njit(cache=True)
def at_site(
    kinds: Kinds, lookup: Lookup, state: State, guide: Guide, j: int, row: int, below: int, slots: Ints
) -> tuple[int, int]:
    """The least score at a site if it is ``below`` a limit, else `NEVER`; its alternative; fills slots."""
    k, s = lookup.kind[j], kinds.site[row]
    fixed = kinds.transfer[row] + kinds.migration[k]
    best, best_a = NEVER, -1
    if fixed >= below or not _may_join(lookup, state, j, s):
        return best, best_a
    begin, end = kinds.earliest[k], kinds.end[k]
    cost = np.empty(lookup.slots, dtype=np.int64)
    first = np.zeros(lookup.slots, dtype=np.int64)
    here = np.empty(lookup.slots, dtype=np.int64)
    carbon = np.empty(lookup.slots, dtype=np.int64)
    _line_limits(kinds, lookup, state, k, row, begin, end, first)
    for a in range(kinds.alternative_start[k], kinds.alternative_start[k + 1]):
        if not kinds.affordable[a, s]:
            continue
        cost[begin:end] = 0
        _close_apart(lookup, state, j, s, begin, end, cost)
        _add_marginal(kinds, lookup, state, guide, a, s, kinds.gang[k], begin, end, cost)
        pauses, due, late = kinds.preemptible[k], kinds.due[k], kinds.late[k]
        score = cheapest_slots(cost, first, begin, end, kinds.duration[a], pauses, due, late, here)
        if score >= NEVER or score + fixed >= min(below, best):
            continue
        if state.carbon[1] < NO_LIMIT:
            carbon[begin:end] = 0
            _add_carbon(kinds, lookup, a, s, kinds.gang[k], begin, end, carbon)
            score = _under_cap(kinds, state, k, a, score, cost, first, carbon, begin, end, here)
            if score >= NEVER or score + fixed >= min(below, best):
                continue
        best, best_a = score + fixed, a
        slots[: kinds.duration[a]] = here[: kinds.duration[a]]
    return best, best_a


@njit(cache=True)
def staying(kinds: Kinds, lookup: Lookup, state: State, guide: Guide, j: int, slots: Ints) -> int:
    """The score of going on as it is; fills its slots."""
    k = lookup.kind[j]
    cost = np.empty(lookup.slots, dtype=np.int64)
    first = np.zeros(lookup.slots, dtype=np.int64)
    a = kinds.stay_alternative[k]
    end = kinds.end[k] if kinds.preemptible[k] else kinds.duration[a]
    cost[:end] = 0
    for part in range(kinds.stay_start[k], kinds.stay_start[k + 1]):
        s = kinds.stay_site[part]
        alone = kinds.stay_start[k + 1] - kinds.stay_start[k] == 1
        if not _may_join(lookup, state, j, s) or (lookup.together[j] >= 0 and not alone):
            return NEVER
        _close_apart(lookup, state, j, s, 0, end, cost)
        _add_marginal(kinds, lookup, state, guide, a, s, kinds.stay_members[part], 0, end, cost)
    score = cheapest_slots(
        cost, first, 0, end, kinds.duration[a], kinds.preemptible[k], kinds.due[k], kinds.late[k], slots
    )
    if score < NEVER and state.carbon[1] < NO_LIMIT:
        carbon = np.zeros(lookup.slots, dtype=np.int64)
        for part in range(kinds.stay_start[k], kinds.stay_start[k + 1]):
            _add_carbon(kinds, lookup, a, kinds.stay_site[part], kinds.stay_members[part], 0, end, carbon)
        return _under_cap(kinds, state, k, a, score, cost, first, carbon, 0, end, slots)
    return score


@njit(cache=True)
def _may_join(lookup: Lookup, state: State, j: int, s: int) -> bool:
    """Whether those it must be together with are there, or nowhere yet."""
    label = lookup.together[j]
    free: bool = label < 0 or state.together_placed[label] == 0 or state.together_site[label] == s
    return free


@njit(cache=True)
def _close_apart(lookup: Lookup, state: State, j: int, s: int, begin: int, end: int, cost: Ints) -> None:
    """Forbid the slots in which one it must be apart from is there."""
    label = lookup.apart[j]
    if label >= 0:
        for t in range(begin, end):
            if state.apart_here[label, s, t]:
                cost[t] = NEVER


@njit(cache=True)
def _line_limits(
    kinds: Kinds, lookup: Lookup, state: State, k: int, row: int, begin: int, end: int, first: Ints
) -> None:
    """Forbid to begin where the line has no room left for its data."""
    link = kinds.link[row]
    for t in range(begin, end if link >= 0 else begin):
        room = lookup.link_room[link, t] - state.link_used[link, t]
        first[t] = NEVER if room < kinds.data_gb[k] else 0


@njit(cache=True)
def _add_marginal(
    kinds: Kinds,
    lookup: Lookup,
    state: State,
    guide: Guide,
    a: int,
    s: int,
    members: int,
    begin: int,
    end: int,
    cost: Ints,
) -> None:
    """Add each slot's score of these cards; `NEVER` where there are not so many."""
    entries = guide.table.shape[1]
    for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
        milli = kinds.need_milli[n] * members
        start = (s * lookup.grades + kinds.need_grade[n]) * lookup.slots
        for t in range(begin, end):
            cell = start + t
            used = state.used[cell]
            if cost[t] >= NEVER or (used if entries == 0 else 0) + milli > lookup.usable[cell]:
                cost[t] = NEVER
                continue
            if entries:
                # the price in the middle of what is added
                entry = min((used + milli // 2) // guide.unit[cell], entries - 1)
                cost[t] += milli * guide.table[cell, entry]
            else:
                cost[t] += curve_cost(lookup, cell, used, milli)
            cost[t] += milli * lookup.running[cell]
            if guide.carbon:
                cost[t] += milli * lookup.carbon[cell] * guide.carbon // CARBON_SCALE


@njit(cache=True)
def curve_cost(lookup: Lookup, cell: int, used: int, milli: int) -> int:
    """What the next ``milli`` cost when so much of a cell is used."""
    left, total = milli, 0
    for step in range(lookup.step_start[cell], lookup.step_start[cell + 1]):
        room = lookup.step_milli[step] - used
        if room <= 0:
            used = -room
            continue
        used = 0
        taken = min(room, left)
        total += taken * lookup.step_price[step]
        left -= taken
        if left == 0:
            break
    return total


@njit(cache=True)
def _add_carbon(
    kinds: Kinds, lookup: Lookup, a: int, s: int, members: int, begin: int, end: int, carbon: Ints
) -> None:
    """Add the µg of each slot of members at a site."""
    for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
        start = (s * lookup.grades + kinds.need_grade[n]) * lookup.slots
        for t in range(begin, end):
            carbon[t] += kinds.need_milli[n] * members * lookup.carbon[start + t]


@njit(cache=True)
def _under_cap(
    kinds: Kinds,
    state: State,
    k: int,
    a: int,
    score: int,
    cost: Ints,
    first: Ints,
    carbon: Ints,
    begin: int,
    end: int,
    slots: Ints,
) -> int:
    """The score of ``slots`` if they keep the cap on carbon, else of the best that do, filled in."""
    left = state.carbon[1] - state.carbon[0]
    if carbon[slots[: kinds.duration[a]]].sum() <= left:
        return score
    pauses, due, late = kinds.preemptible[k], kinds.due[k], kinds.late[k]
    return cheapest_within(cost, first, carbon, left, begin, end, kinds.duration[a], pauses, due, late, slots)


@njit(cache=True)
def put(kinds: Kinds, lookup: Lookup, state: State, j: int, a: int, s: int, row: int, slots: Ints) -> None:
    """Place a workload (that is out) at an option."""
    k = lookup.kind[j]
    state.alternative[j], state.site[j], state.row[j] = a, s, row
    for i in range(kinds.duration[a]):
        state.slots[j, i] = slots[i]
    _book(kinds, lookup, state, j, k, 1)


@njit(cache=True)
def put_all(kinds: Kinds, lookup: Lookup, state: State, jobs: Ints, alternatives: Ints, sites: Ints) -> None:
    """Place workloads (that are out) at sites or `STAYS`, in the slots ``state`` has for them already."""
    for n in range(len(jobs)):
        j = jobs[n]
        k = lookup.kind[j]
        state.alternative[j], state.site[j], state.row[j] = alternatives[n], sites[n], -1
        for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
            if kinds.site[row] == sites[n]:
                state.row[j] = row
        _book(kinds, lookup, state, j, k, 1)


@njit(cache=True)
def remove(kinds: Kinds, lookup: Lookup, state: State, j: int) -> None:
    """Take a workload out, if it is in."""
    if state.site[j] != OUT:
        _book(kinds, lookup, state, j, lookup.kind[j], -1)
        state.alternative[j], state.site[j], state.row[j] = -1, OUT, -1


@njit(cache=True)
def remove_all(kinds: Kinds, lookup: Lookup, state: State, jobs: Ints) -> None:
    """Take workloads out, those that are in."""
    for j in jobs:
        remove(kinds, lookup, state, j)


@njit(cache=True)
def _book(kinds: Kinds, lookup: Lookup, state: State, j: int, k: int, sign: int) -> None:
    """Count a workload in (1) or out (-1)."""
    if state.site[j] == STAYS:
        for part in range(kinds.stay_start[k], kinds.stay_start[k + 1]):
            book_part(kinds, lookup, state, j, kinds.stay_site[part], kinds.stay_members[part], sign)
    else:
        book_part(kinds, lookup, state, j, state.site[j], kinds.gang[k], sign)
        link = kinds.link[state.row[j]]
        if link >= 0:
            state.link_used[link, state.slots[j, 0]] += sign * kinds.data_gb[k]
        if kinds.stay_alternative[k] >= 0:
            state.moves[0] += sign
    label = lookup.together[j]
    if label >= 0:
        state.together_placed[label] += sign


@njit(cache=True)
def book_part(kinds: Kinds, lookup: Lookup, state: State, j: int, s: int, members: int, sign: int) -> None:
    """Count the cards, carbon and labels of a part in or out."""
    a = state.alternative[j]
    for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
        milli = sign * kinds.need_milli[n] * members
        start = (s * lookup.grades + kinds.need_grade[n]) * lookup.slots
        for i in range(kinds.duration[a]):
            cell = start + state.slots[j, i]
            state.used[cell] += milli
            state.carbon[0] += milli * lookup.carbon[cell]
    if lookup.apart[j] >= 0:
        for i in range(kinds.duration[a]):
            state.apart_here[lookup.apart[j], s, state.slots[j, i]] += sign
    if lookup.together[j] >= 0 and sign > 0:
        state.together_site[lookup.together[j]] = s
