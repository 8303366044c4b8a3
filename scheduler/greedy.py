"""One workload after the other, never moved again: exact integers, no look ahead. Compiled loops.

Two rules for which of the options with room a workload takes: the cheapest at that moment, along the price
curves (`run`), or the first in an order fixed beforehand (`run_ranked`).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scheduler.instance import Instance, Ints
from scheduler.solution import left_out

Floats = NDArray[np.float64]


def run(instance: Instance, groups: Ints, used: Ints) -> Ints:
    """Place one workload of each class in ``groups``, in that order, where it is cheapest at that moment.

    ``used`` (R,) milli-cards in use is brought up to date. Returns each one's option, -1 for no room.
    """
    supply = instance.supply
    curve = (supply.reserved, supply.step_start, supply.step_price, supply.step_milli)
    chosen: Ints = _cheapest_in_turn(groups, *_columns(instance), supply.capacity, *curve, used)
    return chosen


def run_ranked(instance: Instance, groups: Ints, rank: Floats, ranking: Ints, column: Ints) -> Ints:
    """The same from empty sites, each at the option with room that ranks lowest; inf is never taken.

    ``rank`` holds rankings as rows; ``ranking`` (n,) says which one a workload follows, ``column`` (O,) where
    in it an option stands.
    """
    used = np.zeros(len(instance.supply.reserved), dtype=np.int64)
    columns = _columns(instance)
    chosen: Ints = _first_in_turn(groups, *columns, instance.supply.capacity, rank, ranking, column, used)
    return chosen


def filled(instance: Instance, amount: Ints) -> Ints:
    """``amount`` (O,) and what it leaves out placed greedily, those whose absence counts most first."""
    order = np.argsort(-instance.penalty, kind="stable")
    groups = np.repeat(order, left_out(instance, amount)[order])
    chosen = run(instance, groups, instance.usage(amount))
    return amount + np.bincount(chosen[chosen >= 0], minlength=len(amount))


def _columns(instance: Instance) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    return (
        instance.option_start,
        instance.option_cost,
        instance.need_start,
        instance.need_resource,
        instance.need_milli,
    )


@njit(cache=True)
def _has_room(
    option: int, need_start: Ints, need_resource: Ints, need_milli: Ints, capacity: Ints, used: Ints
) -> bool:
    for n in range(need_start[option], need_start[option + 1]):
        if used[need_resource[n]] + need_milli[n] > capacity[need_resource[n]]:
            return False
    return True


@njit(cache=True)
def _take(option: int, need_start: Ints, need_resource: Ints, need_milli: Ints, used: Ints) -> None:
    for n in range(need_start[option], need_start[option + 1]):
        used[need_resource[n]] += need_milli[n]


@njit(cache=True)
def _between(
    floor: int, first: int, last: int, step_price: Ints, step_milli: Ints, low: int, high: int
) -> int:
    """Nano-CNY of the milli-cards from ``low`` to ``high``; the steps first … last − 1 begin at ``floor``."""
    cost = 0
    for step in range(first, last):
        if floor >= high:
            break
        cost += step_price[step] * max(0, min(high, floor + step_milli[step]) - max(low, floor))
        floor += step_milli[step]
    return cost


@njit(cache=True)
def _cheapest_in_turn(
    groups: Ints,
    option_start: Ints,
    option_cost: Ints,
    need_start: Ints,
    need_resource: Ints,
    need_milli: Ints,
    capacity: Ints,
    reserved: Ints,
    step_start: Ints,
    step_price: Ints,
    step_milli: Ints,
    used: Ints,
) -> Ints:
    chosen = np.full(len(groups), -1, np.int64)
    for i in range(len(groups)):
        best, least = -1, 0
        for option in range(option_start[groups[i]], option_start[groups[i] + 1]):
            if not _has_room(option, need_start, need_resource, need_milli, capacity, used):
                continue
            cost = option_cost[option]
            for n in range(need_start[option], need_start[option + 1]):
                r = need_resource[n]
                cost += _between(
                    reserved[r],
                    step_start[r],
                    step_start[r + 1],
                    step_price,
                    step_milli,
                    used[r],
                    used[r] + need_milli[n],
                )
            if best < 0 or cost < least:
                best, least = option, cost
        if best >= 0:
            chosen[i] = best
            _take(best, need_start, need_resource, need_milli, used)
    return chosen


@njit(cache=True)
def _first_in_turn(
    groups: Ints,
    option_start: Ints,
    option_cost: Ints,
    need_start: Ints,
    need_resource: Ints,
    need_milli: Ints,
    capacity: Ints,
    rank: Floats,
    ranking: Ints,
    column: Ints,
    used: Ints,
) -> Ints:
    chosen = np.full(len(groups), -1, np.int64)
    for i in range(len(groups)):
        best, least = -1, np.inf
        for option in range(option_start[groups[i]], option_start[groups[i] + 1]):
            here = rank[ranking[i], column[option]]
            if here < least and _has_room(option, need_start, need_resource, need_milli, capacity, used):
                best, least = option, here
        if best >= 0:
            chosen[i] = best
            _take(best, need_start, need_resource, need_milli, used)
    return chosen
