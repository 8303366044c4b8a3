"""The certified lower bound: prices on capacity, exact integers, no solver to be trusted.

For any prices λ ≥ 0 on the resources, the value of every plan is at least

    Σ_classes count · min(penalty, min_options(transfer + Σ λ·need)) − Σ_resources max_u (λ·u − curve(u))

(Lagrangian duality with the capacity rows relaxed; Geoffrion 1974, Fisher 1981). The last term is
λ · reserved + Σ_steps milli · max(0, λ − step price), since the price curve is convex. Good prices come from
the linear relaxation; bad ones only make the bound weak, never wrong.
"""

import numpy as np
from numpy.typing import NDArray

from scheduler.instance import Instance, Ints, Supply


def reduced_costs(instance: Instance, prices: Ints) -> Ints:
    """(O,) nano-CNY of each option when capacity is paid at ``prices`` (R,), nano-CNY per milli-card."""
    cost = instance.option_transfer.copy()
    np.add.at(cost, instance.need_option, prices[instance.need_resource] * instance.need_milli)
    return cost


def class_costs(instance: Instance, prices: Ints) -> Ints:
    """(C,) nano-CNY of each class's cheapest way: an option at ``prices``, or staying out at its penalty."""
    cheapest = instance.penalty.copy()
    np.minimum.at(cheapest, instance.option_class, reduced_costs(instance, prices))
    return cheapest


def supply_worth(supply: Supply, prices: Ints) -> int:
    """What all capacity is worth at ``prices`` above what it costs, in nano-CNY."""
    margin = np.maximum(prices[supply.step_resource] - supply.step_price, 0)
    reserved = _dot(prices, supply.reserved)
    return reserved + _dot(margin, supply.step_milli)


def lower_bound(instance: Instance, prices: Ints) -> int:
    """No plan's value is below this (nano-CNY), whatever the prices ≥ 0; summed in Python integers."""
    return _dot(instance.count, class_costs(instance, prices)) - supply_worth(instance.supply, prices)


def _dot(a: Ints, b: Ints) -> int:
    return sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True))


def integer_prices(prices: NDArray[np.float64]) -> Ints:
    """Prices from a solver as the certificate's integers: nano-CNY per milli-card, negative dust cut off."""
    return np.maximum(np.rint(prices), 0).astype(np.int64)
