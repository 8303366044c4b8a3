"""The certified lower bound: prices on capacity rows, exact integers, no solver to be trusted.

For any prices μ ≥ 0 on rows Σ coefficient·x − y_beyond ≤ limit (`scheduler.capacity_rows`), the value of
every plan is at least

    Σ_classes count · min(penalty, min_options(transfer + Σ μ·coefficient))
      − Σ_rows μ·limit − Σ_steps milli · max(0, Σ μ of the rows it relaxes − step price)

(Lagrangian duality with the rows relaxed; Geoffrion 1974, Fisher 1981). Good prices come from the linear
relaxation; bad ones only make the bound weak, never wrong.
"""

from collections.abc import Sequence

import numpy as np

from scheduler.capacity_rows import Needs, Row, coefficients, limit, steps_beyond
from scheduler.instance import Instance, Ints
from scheduler.integers import dot


def reduced_costs(instance: Instance, needs: Needs, rows: Sequence[Row], prices: Sequence[int]) -> Ints:
    """(O,) nano-CNY of each option when every row's use is charged at its price."""
    cost = instance.option_cost.copy()
    for row, price in zip(rows, prices, strict=True):
        if price:
            options, milli = needs.of(row.resource)
            # an option needs a resource once, so plain indexing adds everything
            cost[options] += price * coefficients(instance.supply, row, milli)
    return cost


def class_costs(instance: Instance, reduced: Ints) -> Ints:
    """(C,) nano-CNY of each class's cheapest way: an option, or staying out at its penalty."""
    cheapest = instance.penalty.copy()
    has = np.diff(instance.option_start) > 0
    if has.any():
        least = np.minimum.reduceat(reduced, instance.option_start[:-1][has])
        cheapest[has] = np.minimum(cheapest[has], least)
    return cheapest


def capacity_worth(instance: Instance, rows: Sequence[Row], prices: Sequence[int]) -> int:
    """What all capacity is worth at these prices above what it costs, in nano-CNY."""
    supply = instance.supply
    charged = np.zeros_like(supply.step_price)
    worth = 0
    for row, price in zip(rows, prices, strict=True):
        worth += price * limit(supply, row)
        charged[steps_beyond(supply, row)] += price
    return worth + dot(np.maximum(charged - supply.step_price, 0), supply.step_milli)


def lower_bound(instance: Instance, needs: Needs, rows: Sequence[Row], prices: Sequence[int]) -> int:
    """No plan's value is below this (nano-CNY), whatever the prices ≥ 0; summed in Python integers."""
    cheapest = class_costs(instance, reduced_costs(instance, needs, rows, prices))
    return dot(instance.count, cheapest) - capacity_worth(instance, rows, prices)
