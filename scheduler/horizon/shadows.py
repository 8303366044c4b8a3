"""What one more card would be worth in a slot: prices of cells, each as low as it can be on its own.

As `scheduler.shadows` for many slots: a price is lowered until a kind would rather run through that cell than
do what it does now, which leaves the bound the same or better. So one more card that costs nothing saves, in
that slot alone, at most this price beyond the plan's gap.
"""

import numpy as np
from numba import njit

from scheduler.horizon.instance import Instance, Kinds
from scheduler.horizon.pricing import (
    Charges,
    Prices,
    add_costs,
    add_staying_costs,
    charges_of,
    first_slot_costs,
    priced,
)
from scheduler.horizon.running_slots import NEVER
from scheduler.horizon.supply import Ints


def shadow_prices(instance: Instance, prices: Prices) -> Ints:
    """(N,) nano-CNY per milli-card for the slot that is worth at most, at prices that prove a good bound."""
    cheapest = priced(instance, prices).cheapest
    fall = prices.capacity.copy()
    _fall(instance.kinds, charges_of(instance, prices), cheapest, fall)
    found: Ints = prices.capacity - fall
    return found


@njit(cache=True)
def _fall(kinds: Kinds, charges: Charges, cheapest: Ints, fall: Ints) -> None:
    """Cut ``fall`` (N,) to what leaves every way through a cell no cheaper than the kind's cheapest."""
    cost = np.empty(charges.slots, dtype=np.int64)
    first = np.zeros(charges.slots, dtype=np.int64)
    through = np.empty(charges.slots, dtype=np.int64)
    for k in range(len(cheapest)):
        begin, end, gang = kinds.earliest[k], kinds.end[k], kinds.gang[k]
        least = 1 if kinds.spread[k] else gang
        for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
            site = kinds.site[row]
            first_slot_costs(kinds, k, row, charges, first)
            for a in range(kinds.alternative_start[k], kinds.alternative_start[k + 1]):
                if not kinds.allowed[a, site]:
                    continue
                cost[begin:end] = 0
                add_costs(kinds, a, site, gang, least, begin, end, charges, cost)
                _least_through(kinds, k, a, cost, first, begin, end, through)
                beyond = kinds.transfer[row] + kinds.migration[k] - cheapest[k]
                _cut(kinds, a, site, gang, begin, end, charges, through, beyond, fall)
        if kinds.stay_alternative[k] >= 0:
            _fall_of_staying(kinds, k, charges, cheapest[k], fall)


@njit(cache=True)
def _fall_of_staying(kinds: Kinds, k: int, charges: Charges, cheapest: int, fall: Ints) -> None:
    """The same for going on as it is."""
    a = kinds.stay_alternative[k]
    cost = np.zeros(charges.slots, dtype=np.int64)
    through = np.empty(charges.slots, dtype=np.int64)
    end = add_staying_costs(kinds, k, charges, cost)
    _least_through(kinds, k, a, cost, np.zeros_like(cost), 0, end, through)
    for part in range(kinds.stay_start[k], kinds.stay_start[k + 1]):
        members = kinds.stay_members[part]
        _cut(kinds, a, kinds.stay_site[part], members, 0, end, charges, through, -cheapest, fall)


@njit(cache=True)
def _cut(
    kinds: Kinds,
    a: int,
    site: int,
    members: int,
    begin: int,
    end: int,
    charges: Charges,
    through: Ints,
    beyond: int,
    fall: Ints,
) -> None:
    """Cut ``fall`` where a run through a slot is dearer than the cheapest way by ``through`` + ``beyond``."""
    for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
        milli = kinds.need_milli[n] * members
        cell = (site * charges.grades + kinds.need_grade[n]) * charges.slots
        for t in range(begin, end):
            if through[t] < NEVER:
                fall[cell + t] = min(fall[cell + t], max(through[t] + beyond, 0) // milli)


@njit(cache=True)
def _least_through(
    kinds: Kinds, k: int, a: int, cost: Ints, first: Ints, begin: int, end: int, through: Ints
) -> None:
    """The least cost of a run within ``begin … end`` that has slot t, for each t; `NEVER` where none has.

    Of work that may pause what it pays in its first slot and for being late is left out, which only makes
    this less.
    """
    through[begin:end] = NEVER
    duration = kinds.duration[a]
    if duration > end - begin:
        return
    if kinds.preemptible[k]:
        ranked = np.sort(cost[begin:end])
        if ranked[duration - 1] >= NEVER:
            return
        total, dearest = ranked[:duration].sum(), ranked[duration - 1]
        for t in range(begin, end):
            if cost[t] < NEVER:
                through[t] = total + max(cost[t] - dearest, 0)
        return
    _least_unbroken(cost, first, begin, end, duration, kinds.due[k], kinds.late[k], through)


@njit(cache=True)
def _least_unbroken(
    cost: Ints, first: Ints, begin: int, end: int, duration: int, due: int, late: int, through: Ints
) -> None:
    """The same for work that runs at a stretch: the least of the runs that begin in the ``duration`` slots up
    to t, those that may still be the least kept in a queue.
    """
    run, waiting = np.empty(end - begin, dtype=np.int64), np.empty(end - begin, dtype=np.int64)
    sums, closed = np.zeros(end - begin + 1, dtype=np.int64), np.zeros(end - begin + 1, dtype=np.int64)
    for t in range(begin, end):
        never = cost[t] >= NEVER
        sums[t - begin + 1] = sums[t - begin] + (0 if never else cost[t])
        closed[t - begin + 1] = closed[t - begin] + never
    head = tail = 0
    for t in range(begin, end):
        start, stop = t - begin, t - begin + duration
        run[start] = NEVER
        if t + duration <= end and closed[stop] == closed[start]:
            paid = first[t] + max(0, t + duration - due) * late
            run[start] = min(sums[stop] - sums[start] + paid, NEVER)
        while tail > head and run[waiting[tail - 1]] >= run[start]:
            tail -= 1
        waiting[tail] = start
        tail += 1
        if waiting[head] <= start - duration:
            head += 1
        through[t] = run[waiting[head]]
