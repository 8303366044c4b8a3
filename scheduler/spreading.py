"""From what clusters got to whole workloads on options: largest first, then what is over is taken out."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scheduler.clusters import Merged
from scheduler.instance import Instance, Ints
from scheduler.pricing import option_costs

Floats = NDArray[np.float64]


def spread(instance: Instance, clusters: Merged, amount: Floats, prices: Floats) -> Ints:
    """(O,) whole workloads following ``amount`` (merged options,) without exceeding any capacity.

    Within a cluster largest workloads go first, each on its cheapest option at ``prices`` (R,) that the
    cluster still has a share of. A workload that no share holds is left out.
    """
    weight = clusters.instance.penalty.astype(np.float64)[clusters.instance.option_class]
    share = amount * weight * (1 + 1e-9)
    cost = option_costs(
        instance.need_start, instance.need_resource, instance.need_milli, instance.option_cost, prices
    )
    placed = _spread(
        np.argsort(-instance.penalty, kind="stable"),
        instance.count,
        instance.penalty,
        instance.option_start,
        clusters.option,
        cost,
        share,
    )
    _take_out(
        np.argsort(instance.penalty, kind="stable"),
        instance.option_start,
        instance.need_start,
        instance.need_resource,
        instance.need_milli,
        instance.usage(placed) - instance.supply.capacity,
        placed,
    )
    return placed


@njit(cache=True)
def _spread(
    order: Ints,
    count: Ints,
    penalty: Ints,
    option_start: Ints,
    merged_option: Ints,
    cost: Floats,
    share: Floats,
) -> Ints:
    placed = np.zeros(len(cost), np.int64)
    for c in order:
        size = float(penalty[c])
        left = count[c]
        while left > 0:
            best, least = -1, np.inf
            for option in range(option_start[c], option_start[c + 1]):
                if share[merged_option[option]] >= size and cost[option] < least:
                    best, least = option, cost[option]
            if best < 0:
                break
            number = min(left, int(share[merged_option[best]] / size))
            share[merged_option[best]] -= number * size
            placed[best] += number
            left -= number
    return placed


@njit(cache=True)
def _take_out(
    order: Ints,
    option_start: Ints,
    need_start: Ints,
    need_resource: Ints,
    need_milli: Ints,
    excess: Ints,
    placed: Ints,
) -> None:
    """Take the smallest workloads off resources that have an ``excess`` (R,) until none has."""
    over = (excess > 0).sum()
    for c in order:
        if over == 0:
            break
        for option in range(option_start[c], option_start[c + 1]):
            while placed[option] > 0:
                relieves = False
                for n in range(need_start[option], need_start[option + 1]):
                    relieves = relieves or excess[need_resource[n]] > 0
                if not relieves:
                    break
                placed[option] -= 1
                for n in range(need_start[option], need_start[option + 1]):
                    r = need_resource[n]
                    over -= excess[r] > 0
                    excess[r] -= need_milli[n]
                    over += excess[r] > 0
