"""Every class at given prices on capacity: its cheapest way and how far the next one is. Compiled loops."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scheduler.instance import Instance, Ints

Floats = NDArray[np.float64]
OUT = -1
"""In place of an option: the class stays out."""


class Priced(NamedTuple):
    """At some prices, per class of an instance."""

    best: Ints
    """(C,) cheapest option, or `OUT`."""
    cost: Floats
    """(C,) nano-CNY of it."""
    margin: Floats
    """(C,) nano-CNY to the next way (staying out is one); inf if there is none."""


@njit(cache=True)
def option_costs(
    need_start: Ints, need_resource: Ints, need_milli: Ints, transfer: Ints, price: Floats
) -> Floats:
    """(O,) nano-CNY of each option when cards are charged at ``price`` (R,)."""
    cost = transfer.astype(np.float64)
    for option in range(len(cost)):
        for n in range(need_start[option], need_start[option + 1]):
            cost[option] += price[need_resource[n]] * need_milli[n]
    return cost


@njit(cache=True)
def _two_best(option_start: Ints, cost: Floats, penalty: Ints) -> tuple[Ints, Floats, Floats]:
    classes = len(penalty)
    best = np.full(classes, -1, np.int64)
    least, margin = np.empty(classes), np.empty(classes)
    for c in range(classes):
        first, second = float(penalty[c]), np.inf
        for option in range(option_start[c], option_start[c + 1]):
            if cost[option] < first:
                first, second, best[c] = cost[option], first, option
            elif cost[option] < second:
                second = cost[option]
        least[c], margin[c] = first, second - first
    return best, least, margin


def priced(instance: Instance, price: Floats) -> tuple[Priced, Floats]:
    """Every class at ``price`` (R,) nano-CNY per milli-card, and (O,) the cost of each option."""
    cost = option_costs(
        instance.need_start, instance.need_resource, instance.need_milli, instance.option_cost, price
    )
    return Priced(*_two_best(instance.option_start, cost, instance.penalty)), cost
