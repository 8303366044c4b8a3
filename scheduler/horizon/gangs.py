"""Gangs that no single site holds: their members spread over the sites of one city, in the same slots."""

from collections import defaultdict
from collections.abc import Iterator, MutableMapping, Sequence

import numpy as np

from scheduler.horizon.insertion import OUT, SPLIT, Lookup, State, book_part, remove_all
from scheduler.horizon.instance import Instance, Kinds
from scheduler.horizon.supply import Bools, Ints
from scheduler.horizon.types import HorizonProblem

Split = tuple[tuple[int, int], ...]


def split_gangs(
    problem: HorizonProblem, instance: Instance, lookup: Lookup, state: State
) -> dict[int, Split]:
    """Place gangs that are left out and may spread, first come first served; changes ``state``.

    Gangs with a label stay out, since labels speak of one site. The first city and slots with room are taken,
    not the cheapest: gangs are few, and the exact model decides small cases.
    """
    kinds = instance.kinds
    splits: dict[int, Split] = {}
    for j in np.flatnonzero((state.site == OUT) & kinds.spread[instance.kind]).tolist():
        if instance.together[j] < 0 and instance.apart[j] < 0:
            k = int(instance.kind[j])
            if kinds.stay_alternative[k] >= 0 and state.moves[0] >= state.moves[1]:
                continue
            for a, slots, parts in _ways(problem, instance, state, k):
                if _pays(problem, instance, state, j, a, slots, parts):
                    book_split(instance, lookup, state, j, a, slots, parts)
                    splits[j] = parts
                    break
    return splits


def _ways(
    problem: HorizonProblem, instance: Instance, state: State, k: int
) -> Iterator[tuple[int, list[int], Split]]:
    """Alternatives, slots and parts with room for all members."""
    kinds = instance.kinds
    cities: dict[str, list[int]] = defaultdict(list)
    for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
        cities[problem.sites[kinds.site[row]].city].append(row)
    for a in range(kinds.alternative_start[k], kinds.alternative_start[k + 1]):
        for rows in cities.values():
            room = np.array([_room(instance, state, k, a, row) for row in rows])
            for slots in _slots(kinds.preemptible[k], room.sum(axis=0) >= kinds.gang[k], kinds, k, a):
                left, parts = int(kinds.gang[k]), []
                for row, members in zip(rows, room[:, slots].min(axis=1).tolist(), strict=True):
                    if (here := min(left, members)) > 0 and _sends(instance, state, k, row, slots[0]):
                        parts.append((row, here))
                        left -= here
                if not left:
                    yield a, slots, tuple(parts)


def _room(instance: Instance, state: State, k: int, a: int, row: int) -> Ints:
    """(T,) members that a site still holds in each slot of the window."""
    kinds, supply = instance.kinds, instance.supply
    site = int(kinds.site[row])
    room = np.zeros(supply.slots, dtype=np.int64)
    if not kinds.allowed[a, site]:
        return room
    window = slice(int(kinds.earliest[k]), int(kinds.end[k]))
    room[window] = kinds.gang[k]
    for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
        begin = supply.resource(site, int(kinds.need_grade[n])) * supply.slots
        cells = slice(begin, begin + supply.slots)
        free = (supply.usable[cells] - state.used[cells]) // kinds.need_milli[n]
        room = np.minimum(room, free)
    return room


def _slots(preemptible: bool, good: Bools, kinds: Kinds, k: int, a: int) -> Iterator[list[int]]:
    """Slots in which all members might fit: the earliest ones, or every unbroken run."""
    duration = int(kinds.duration[a])
    if preemptible:
        chosen = np.flatnonzero(good)[:duration].tolist()
        if len(chosen) == duration:
            yield chosen
        return
    for start in range(kinds.earliest[k], kinds.end[k] - duration + 1):
        if good[start : start + duration].all():
            yield list(range(start, start + duration))


def _sends(instance: Instance, state: State, k: int, row: int, slot: int) -> bool:
    link = int(instance.kinds.link[row])
    if link < 0:
        return True
    room = instance.link_room[link, slot] - state.link_used[link, slot]
    return bool(room >= instance.kinds.data_gb[k])


def _pays(
    problem: HorizonProblem, instance: Instance, state: State, j: int, a: int, slots: list[int], parts: Split
) -> bool:
    """Whether budget and carbon cap allow it, and it costs no more than leaving it out by a wide margin."""
    kinds, supply = instance.kinds, instance.supply
    k, w = int(instance.kind[j]), problem.workloads[j]
    listed = carbon = worst = 0
    for row, members in parts:
        site = int(kinds.site[row])
        listed += int(kinds.transfer[row])
        worst += int(kinds.transfer[row])
        for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
            resource = supply.resource(site, int(kinds.need_grade[n]))
            milli = int(kinds.need_milli[n]) * members
            listed += milli * int(supply.list_price[resource]) * supply.hours * len(slots)
            for slot in slots:
                cell = resource * supply.slots + slot
                carbon += milli * int(supply.carbon[cell])
                steps = supply.step_price[supply.step_start[cell] : supply.step_start[cell + 1]]
                worst += milli * int(steps.max(initial=0) + supply.running[cell])
    late = max(slots[-1] + 1 - int(kinds.due[k]), 0) * int(kinds.late[k])
    if w.budget_micro_cny is not None and listed > w.budget_micro_cny * 1000:
        return False
    fits = state.carbon[0] + carbon <= state.carbon[1]
    return bool(fits and worst + late + int(kinds.migration[k]) < kinds.penalty[k])


def book_split(
    instance: Instance,
    lookup: Lookup,
    state: State,
    j: int,
    a: int,
    slots: Sequence[int],
    parts: Split,
    sign: int = 1,
) -> None:
    """Place a gang over sites, (row among its kind's sites, members) each; ``sign`` -1 takes it out."""
    kinds, k = instance.kinds, int(instance.kind[j])
    state.alternative[j], state.site[j], state.row[j] = a, SPLIT, -1
    state.slots[j, : len(slots)] = slots
    for row, members in parts:
        book_part(kinds, lookup, state, j, int(kinds.site[row]), members, sign)
        if kinds.link[row] >= 0:
            state.link_used[kinds.link[row], slots[0]] += sign * kinds.data_gb[k]
    if kinds.stay_alternative[k] >= 0:
        state.moves[0] += sign
    if instance.together[j] >= 0:
        state.together_placed[instance.together[j]] += sign
    if sign < 0:
        state.alternative[j], state.site[j] = -1, OUT


def take_out(
    instance: Instance, lookup: Lookup, state: State, splits: MutableMapping[int, Split], jobs: Ints
) -> None:
    """Take workloads out, those that are in, at one site or several; changes ``state`` and ``splits``."""
    for j in jobs[state.site[jobs] == SPLIT].tolist():
        a = int(state.alternative[j])
        slots = state.slots[j, : instance.kinds.duration[a]].tolist()
        book_split(instance, lookup, state, j, a, slots, splits.pop(j), sign=-1)
    remove_all(instance.kinds, lookup, state, jobs)
