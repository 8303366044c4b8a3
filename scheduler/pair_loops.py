"""Local search on pairs of resources: the work of two is shared out between them anew, exactly. Compiled.

For two resources that is a knapsack over the units of one: what it doesn't take the other must, so one
dynamic program over the first one's units decides both, price curves included. With prices μ of a unit,
work that would lose more by changing sides than the pair loses altogether stays where it is, which leaves a
few workloads to decide. Pairs are looked at until none can be bettered; then a few resources are shaken
(their work is shared out at costs blurred by noise, by turns with cards at μ instead of their curves), the
pairs around them are bettered again, and what is worse is taken back (iterated local search; Lourenço,
Martin & Stützle 2003). Leaving work out is one more resource.

Where work needs more units here than there, depending on its class, the other side's use follows the best
path of the program only; then the answer is still a plan, perhaps not the best of the pair.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from scheduler.instance import Bools, Ints
from scheduler.pricing import Floats

GAIN_MIN = 1e-7
"""CNY: less is rounding."""
SHAKEN_LEAST, SHAKEN_MOST = 2, 6
"""Resources shaken at once."""
NOWHERE = -1


class Table(NamedTuple):
    """What the search reads. The last resource stands for leaving work out, and its options come last."""

    option: Ints
    """(C, R + 1) of a class at a resource; `NOWHERE` where it has none that needs that resource alone."""
    size: Ints
    """(O + C,) units of cards."""
    cost: Floats
    """(O + C,) CNY of the option, cards apart."""
    price: Floats
    """(R + 1,) CNY a unit: any, but good ones leave less to decide."""
    room: Ints
    """(R + 1,) units."""
    curve_start: Ints
    curve: Floats
    """CNY of 0, 1, 2, … units of a resource."""
    least: Floats
    """(R + 1,) CNY: the least of a curve less its units at the price."""
    class_start: Ints
    """(R + 2,) where the classes that may use a resource begin in the next."""
    classes: Ints


class State(NamedTuple):
    """What the search changes."""

    amount: Ints
    """(O + C,) workloads."""
    used: Ints
    """(R + 1,) units."""
    stale: Bools
    """(R + 1,) whether a resource changed since all its pairs were looked at."""


class Desk(NamedTuple):
    """Room to work in."""

    group: Ints
    """Classes to decide, and what they cost more on the first side than on the second."""
    more: Floats
    best: Floats
    """CNY of so many units used on the first side; on the second those of the next."""
    other: Ints
    took: Bools
    """Which workload made it, workload by workload: so many units each as the pair at hand has to decide."""


@njit(cache=True, nogil=True)
def search(
    tables: tuple[Table, Table],
    s: State,
    desk: Desk,
    places: Ints,
    random: np.random.Generator,
    kept: State,
    noise: float,
    times: int,
) -> None:
    """Better what is stale, then shake so many times; ``kept`` is the best state."""
    _settle(tables[0], s, desk, places, random)
    least = _cost(tables[0], s, places)
    _keep(s, kept)
    for _ in range(times):
        _shuffle(places, random)
        blur = noise * random.random() ** 2
        count = SHAKEN_LEAST + int(random.random() * (SHAKEN_MOST + 1 - SHAKEN_LEAST))
        table = tables[int(2 * random.random())]
        for i in range(min(count, len(places))):
            for j in range(i):
                _share(table, s, desk, places[i], places[j], blur, random)
        _settle(tables[0], s, desk, places, random)
        cost = _cost(tables[0], s, places)
        if cost <= least:
            least = cost
            _keep(s, kept)
        else:
            _keep(kept, s)


@njit(cache=True, nogil=True)
def _shuffle(places: Ints, random: np.random.Generator) -> None:
    for last in range(len(places) - 1, 0, -1):
        other = int(random.random() * (last + 1))
        places[last], places[other] = places[other], places[last]


@njit(cache=True, nogil=True)
def _cost(t: Table, s: State, places: Ints) -> float:
    cost = (s.amount * t.cost).sum()
    for r in places:
        cost += t.curve[t.curve_start[r] + s.used[r]]
    return float(cost)


@njit(cache=True, nogil=True)
def _keep(state: State, copy: State) -> None:
    copy.amount[:] = state.amount
    copy.used[:] = state.used


@njit(cache=True, nogil=True)
def _settle(t: Table, s: State, desk: Desk, places: Ints, random: np.random.Generator) -> None:
    """Better pairs until none of them can be."""
    while s.stale[places].any():
        _shuffle(places, random)
        for a in places:
            if s.stale[a]:
                s.stale[a] = False
                for b in places:
                    if b != a:
                        _share(t, s, desk, a, b, 0.0, random)


@njit(cache=True, nogil=True)
def _share(t: Table, s: State, desk: Desk, a: int, b: int, noise: float, random: np.random.Generator) -> None:
    """Share out the work of two resources anew, at costs blurred by ``noise`` CNY."""
    if t.room[b] < t.room[a]:
        a, b = b, a
    now = t.curve[t.curve_start[a] + s.used[a]] + t.curve[t.curve_start[b] + s.used[b]]
    gap = now - t.price[a] * s.used[a] - t.price[b] * s.used[b] - t.least[a] - t.least[b]
    count = 0
    for k in range(t.class_start[a], t.class_start[a + 1]):
        c = t.classes[k]
        here, there = t.option[c, a], t.option[c, b]
        if there == NOWHERE or s.amount[here] + s.amount[there] == 0:
            continue
        desk.group[count], desk.more[count] = c, t.cost[here] - t.cost[there]
        if noise > 0.0:
            desk.more[count] += noise * (2 * random.random() - 1)
        beyond = _beyond(t, a, b, here, there, desk.more[count])
        gap += s.amount[here] * beyond if beyond > 0.0 else -s.amount[there] * beyond
        count += 1
    if gap > GAIN_MIN:
        _decide(t, s, desk, a, b, count, gap)


@njit(cache=True, nogil=True)
def _beyond(t: Table, a: int, b: int, here: int, there: int, more: float) -> float:
    """CNY that a workload costs more at a than at b, cards at their prices."""
    beyond: float = more + t.price[a] * t.size[here] - t.price[b] * t.size[there]
    return beyond


@njit(cache=True, nogil=True)
def _decide(t: Table, s: State, desk: Desk, a: int, b: int, count: int, gap: float) -> None:
    """What `_share` does, once the pair is known to lose ``gap`` against the best one could hope for."""
    open_, now, units, copies, used, used_there = 0, 0.0, 0, 0, s.used[a], s.used[b]
    for q in range(count):
        c, more = desk.group[q], desk.more[q]
        here, there = t.option[c, a], t.option[c, b]
        if abs(_beyond(t, a, b, here, there, more)) <= gap:
            desk.group[open_], desk.more[open_] = c, more
            open_ += 1
            now += s.amount[here] * more
            used -= s.amount[here] * t.size[here]
            used_there += s.amount[here] * t.size[there]
            copies += s.amount[here] + s.amount[there]
            units += (s.amount[here] + s.amount[there]) * t.size[here]
    length = min(t.room[a] - used, units) + 1
    if copies * length > len(desk.took):
        return
    top = _programme(t, s, desk, a, b, open_, length, used_there)
    at, least = -1, t.curve[t.curve_start[a] + s.used[a]] + t.curve[t.curve_start[b] + s.used[b]]
    least += now - GAIN_MIN
    for u in range(top + 1):
        beside = desk.other[u]
        if desk.best[u] < np.inf and beside <= t.room[b]:
            cost = desk.best[u] + t.price[b] * (used_there - beside)
            cost += t.curve[t.curve_start[a] + used + u] + t.curve[t.curve_start[b] + beside]
            if cost < least:
                at, least = u, cost
    if at >= 0:
        s.used[a], s.used[b] = used + at, desk.other[at]
        s.stale[a] = s.stale[b] = True
        _take(t, s, desk, a, b, open_, length, at, copies)


@njit(cache=True, nogil=True)
def _programme(
    t: Table, s: State, desk: Desk, a: int, b: int, count: int, length: int, used_there: int
) -> int:
    """The best of every number of units at a, all else at b; returns the most units there are."""
    best, other, row, top = desk.best, desk.other, 0, 0
    best[:length] = np.inf
    best[0], other[0] = 0.0, used_there
    for q in range(count):
        here, there = t.option[desk.group[q], a], t.option[desk.group[q], b]
        size, beside = t.size[here], t.size[there]
        more = desk.more[q] - t.price[b] * beside
        for _ in range(s.amount[here] + s.amount[there]):
            took = desk.took[row : row + length]
            row += length
            top = min(length - 1, top + size)
            took[: min(size, length)] = False
            for u in range(top, size - 1, -1):
                with_it = best[u - size] + more
                took[u] = with_it < best[u]
                if took[u]:
                    best[u], other[u] = with_it, other[u - size] - beside
    return top


@njit(cache=True, nogil=True)
def _take(
    t: Table, s: State, desk: Desk, a: int, b: int, count: int, length: int, at: int, copies: int
) -> None:
    """Put the work where the program has it with ``at`` units at a."""
    row = copies
    for q in range(count - 1, -1, -1):
        here, there = t.option[desk.group[q], a], t.option[desk.group[q], b]
        together, first = s.amount[here] + s.amount[there], 0
        for _ in range(together):
            row -= 1
            if desk.took[row * length + at]:
                first += 1
                at -= t.size[here]
        s.amount[here], s.amount[there] = first, together - first
