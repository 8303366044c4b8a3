"""What one more card would be worth: prices of capacity, each as low as it can be on its own.

The relaxation's prices prove the bound, and a solver may leave them too high where nothing holds them up: a
card that nobody wants is free of charge at any price. With one price lowered until a class would rather use
that resource, the bound is the same or better (`scheduler.lagrangian`), so one more card that costs nothing
saves at most this price, beyond the plan's gap. Shadow prices are one-sided derivatives of the relaxation's
value (Gal 1986, shadow prices and degeneracy in linear programming).
"""

import numpy as np
from numba import njit

from scheduler.instance import Instance, Ints
from scheduler.pricing import Floats, priced


def shadow_prices(instance: Instance, price: Ints) -> Ints:
    """(R,) nano-CNY per milli-card that is worth at most, given prices (R,) that prove a good bound."""
    if not len(instance.option_site):
        return np.zeros_like(price)
    charged = price.astype(np.float64)
    at, cost = priced(instance, charged)
    lowered = _lowered(
        instance.option_start,
        cost,
        at.cost,
        instance.need_start,
        instance.need_resource,
        instance.need_milli,
        charged,
    )
    found: Ints = np.ceil(lowered).astype(np.int64)
    return found


@njit(cache=True)
def _lowered(
    option_start: Ints,
    cost: Floats,
    cheapest: Floats,
    need_start: Ints,
    need_resource: Ints,
    need_milli: Ints,
    price: Floats,
) -> Floats:
    """Each price less the least by which an option that pays it is dearer than its class's cheapest way."""
    fall = price.copy()
    for c in range(len(cheapest)):
        for option in range(option_start[c], option_start[c + 1]):
            dearer = max(cost[option] - cheapest[c], 0.0)
            for n in range(need_start[option], need_start[option + 1]):
                resource = need_resource[n]
                fall[resource] = min(fall[resource], dearer / need_milli[n])
    return price - fall
