"""What every resource would take if workloads paid their worth for a place: one knapsack each. Compiled.

A resource takes whole workloads, at most what it has room for, so that Σ (worth − cost of the option) less
what the cards cost along its price curve is greatest. Exactly: items far from the price at which the resource
is just full are in or out for certain, which the distance between the fractional answer and a whole one tells
(Balas & Zemel 1980), and a dynamic program over cards decides the few others.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from scheduler.instance import Bools, Instance, Ints
from scheduler.pricing import Floats

NANO = 1e9
DUST = 1e-9
"""CNY: less is rounding."""
BISECTIONS = 30
WIDEN = 2.0


class Layout(NamedTuple):
    """How large an instance's knapsacks would be; an option with several needs counts where its first is."""

    resource: Ints
    """(O,) where each option is an item."""
    milli: Ints
    """(O,) milli-cards it takes there."""
    times: Ints
    """(O,) how often it is one: the workloads there are, at most what there is room for."""
    unit: Ints
    """(R,) milli-cards that divide all sizes; 1 where there are no items."""
    room: Ints
    """(R,) units there are; 0 where there are no items."""


class Items(NamedTuple):
    """Every way a workload may use a resource, by resource; cards in units that divide all its sizes."""

    start: Ints
    """(R + 1,) where each resource's items begin."""
    size: Ints
    """(I,) units of cards."""
    group: Ints
    """(I,) class."""
    option: Ints
    """(I,) option of the instance."""
    cost: Floats
    """(I,) CNY of the option, cards apart."""
    room: Ints
    """(R,) units there are."""
    curve_start: Ints
    """(R + 1,) where each resource's price curve begins."""
    curve: Floats
    """CNY of 0, 1, 2, … units of a resource."""


class Bench(NamedTuple):
    """Room to work in, and what the last look at each resource found."""

    profit: Floats
    """(I,) CNY of the items that pay at all, from the front."""
    excess: Floats
    """(I,) the same beyond what their cards are worth."""
    item: Ints
    core: Ints
    taken: Bools
    """(I,) whether the last look took an item."""
    price: Floats
    """(R,) CNY a unit at which a resource is just full."""
    width: Floats
    """(R,) how far from that price items had to be looked at."""


def layout_of(instance: Instance) -> Layout:
    """Where each option is an item, and how often: a few columns, however large the knapsacks would be."""
    capacity, first = instance.supply.capacity, instance.need_start[:-1]
    resource, milli = instance.need_resource[first], instance.need_milli[first]
    times = np.minimum(instance.count[instance.option_class], capacity[resource] // milli)
    unit = np.zeros_like(capacity)
    np.gcd.at(unit, resource, milli)
    room = np.where(unit > 0, capacity // np.maximum(unit, 1), 0)
    return Layout(resource, milli, times, np.maximum(unit, 1), room)


def items_of(instance: Instance) -> Items:
    """The items of an instance, laid out; `scheduler.worths.suits` says whether they are few enough for that.

    What the knapsacks prove holds for every instance, and is sharp where options have one need each.
    """
    resource, milli, times, unit, room = layout_of(instance)
    order = np.lexsort((milli, resource))
    order = np.repeat(order, times[order])
    start = np.searchsorted(resource[order], np.arange(len(room) + 1))
    curves = [_curve(instance, r, int(unit[r]), int(room[r])) for r in range(len(room))]
    return Items(
        start=start,
        size=milli[order] // unit[resource[order]],
        group=instance.option_class[order],
        option=order,
        cost=instance.option_cost[order] / NANO,
        room=room,
        curve_start=np.concatenate([[0], np.cumsum([len(curve) for curve in curves])]).astype(np.int64),
        curve=np.concatenate(curves) if curves else np.zeros(0),
    )


def _curve(instance: Instance, resource: int, unit: int, room: int) -> Floats:
    supply = instance.supply
    lacking = np.maximum(np.arange(room + 1) * unit - supply.reserved[resource], 0)
    cost = np.zeros(room + 1)
    for step in range(*supply.step_start[resource : resource + 2].tolist()):
        bought = np.minimum(lacking, supply.step_milli[step])
        cost += bought * (supply.step_price[step] / NANO)
        lacking -= bought
    return cost


def bench_for(items: Items) -> Bench:
    """An empty bench."""
    count, resources = len(items.size), len(items.room)
    blank = np.zeros(count)
    return Bench(
        blank,
        blank.copy(),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.bool_),
        np.zeros(resources),
        np.full(resources, 0.1),
    )


@njit(cache=True, nogil=True)
def gains(items: Items, bench: Bench, worth: Floats) -> Floats:
    """(R,) the most each resource gains at ``worth`` (C,) CNY; ``bench.taken`` says by which items."""
    gain = np.zeros(len(items.room))
    for r in range(len(items.room)):
        gain[r] = _most(items, bench, worth, r)
    return gain


@njit(cache=True)
def _most(items: Items, bench: Bench, worth: Floats, r: int) -> float:
    n = 0
    for k in range(items.start[r], items.start[r + 1]):
        bench.taken[k] = False
        profit = worth[items.group[k]] - items.cost[k]
        if profit > DUST:
            bench.item[n], bench.profit[n] = k, profit
            n += 1
    if n == 0:
        return 0.0
    _find_price(items, bench, r, n)
    most = _fractional(items, bench, r, n)
    width, value, looked_at = bench.width[r], 0.0, 0
    while True:
        value, looked_at = _pack(items, bench, r, n, width)
        gap = max(most - value, 0.0) + DUST
        if looked_at == n or gap <= width:
            break
        width = WIDEN * width if value == -np.inf else gap
    bench.width[r] = gap
    return value


@njit(cache=True)
def _find_price(items: Items, bench: Bench, r: int, n: int) -> None:
    """Bisect for the price at which the units asked for are those that are worth buying."""
    low, high, price = 0.0, 0.0, bench.price[r]
    for q in range(n):
        high = max(high, bench.profit[q] / items.size[bench.item[q]])
    for _ in range(BISECTIONS):
        asked = 0
        for q in range(n):
            size = items.size[bench.item[q]]
            asked += size if bench.profit[q] > price * size else 0
        first = items.curve_start[r] + asked
        if asked > items.room[r]:
            low = price
        elif asked == 0:
            high = price
        elif items.curve[first] - items.curve[first - 1] > price:
            low = price
        elif asked < items.room[r] and items.curve[first + 1] - items.curve[first] < price:
            high = price
        else:
            break
        price = 0.5 * (low + high)
    bench.price[r] = price


@njit(cache=True)
def _fractional(items: Items, bench: Bench, r: int, n: int) -> float:
    """The most a resource could gain if workloads could be split (at its price, so it is a bound)."""
    price, first = bench.price[r], items.curve_start[r]
    low, high = 0, items.room[r]
    while low < high:
        middle = (low + high) // 2
        if items.curve[first + middle + 1] - items.curve[first + middle] < price:
            low = middle + 1
        else:
            high = middle
    most = price * low - items.curve[first + low]
    for q in range(n):
        bench.excess[q] = bench.profit[q] - price * items.size[bench.item[q]]
        most += max(bench.excess[q], 0.0)
    return float(most)


@njit(cache=True)
def _pack(items: Items, bench: Bench, r: int, n: int, width: float) -> tuple[float, int]:
    """The best set with everything beyond ``width`` in or out for certain; −inf if that is too much."""
    base, sure, open_units, count = 0, 0.0, 0, 0
    for q in range(n):
        k = bench.item[q]
        bench.taken[k] = bench.excess[q] > width
        if bench.taken[k]:
            base += items.size[k]
            sure += bench.profit[q]
        elif bench.excess[q] >= -width:
            bench.core[count] = q
            open_units += items.size[k]
            count += 1
    if base > items.room[r]:
        return -np.inf, count
    best, took = _programme(items, bench, count, min(items.room[r] - base, open_units) + 1)
    at, value, first = 0, -np.inf, items.curve_start[r] + base
    for units in range(len(best)):
        if best[units] - items.curve[first + units] > value:
            at, value = units, best[units] - items.curve[first + units]
    for j in range(count - 1, -1, -1):
        if took[j, at]:
            k = bench.item[bench.core[j]]
            bench.taken[k] = True
            at -= items.size[k]
    return sure + value, count


@njit(cache=True)
def _programme(items: Items, bench: Bench, count: int, length: int) -> tuple[Floats, Bools]:
    """(U,) the most profit of the core in at most so many units, and (count, U) which items made it."""
    best, took = np.zeros(length), np.zeros((count, length), dtype=np.bool_)
    for j in range(count):
        q = bench.core[j]
        size = items.size[bench.item[q]]
        if size < length:
            better = best.copy()
            _layer(best[: length - size], best[size:], bench.profit[q], better[size:], took[j, size:])
            best = better
    return best, took


@njit(cache=True)
def _layer(below: Floats, without: Floats, profit: float, better: Floats, took: Bools) -> None:
    # apart, so that the compiler sees plain rows
    for u in range(len(better)):
        value = below[u] + profit
        took[u] = value > without[u]
        better[u] = value if took[u] else without[u]
