"""The last resort for many workloads that all differ: prices from a sample, every workload by those prices.

A couple of thousand classes on the same share of every capacity give prices close to those of the whole. The
bound computed from them over *all* options is certified; the placement follows them with regret: those first
whose second-best way is dearest, each on its cheapest option that still has room.
"""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
from ortools.math_opt.python import mathopt

from scheduler.capacity_rows import Needs, base_rows
from scheduler.greedy import Greedy
from scheduler.instance import Instance, Ints, Supply
from scheduler.lagrangian import lower_bound, reduced_costs
from scheduler.linear_model import build, solve
from scheduler.relaxation import Relaxation, integer_prices
from scheduler.solution import residual

SAMPLE_CLASSES = 2_000
SAMPLE_SEED = 151
SAMPLE_S_MAX = 20.0


def relax_sample(instance: Instance, needs: Needs, deadline: float) -> Relaxation:
    """Prices of a sample and the bound they certify for the whole; its ``amount`` places nothing."""
    started = time.monotonic()
    prices = _sample_prices(instance, min(SAMPLE_S_MAX, deadline - started))
    rows = [row for row in base_rows(instance.supply) if prices[row.resource]]
    used = tuple(int(prices[row.resource]) for row in rows)
    bound = max(lower_bound(instance, needs, rows, used), 0)
    nothing = np.zeros(len(instance.option_site))
    return Relaxation(nothing, tuple(rows), used, bound, prices, time.monotonic() - started)


def placed_by_prices(instance: Instance, needs: Needs, prices: Ints) -> Ints:
    """(O,) whole workloads, each where it is cheapest at ``prices`` (R,) among what has room."""
    reduced = reduced_costs(instance, needs, base_rows(instance.supply), prices.tolist())
    order = np.lexsort((reduced, instance.option_class)).tolist()
    costs, start = reduced.tolist(), instance.option_start.tolist()
    penalty, count = instance.penalty.tolist(), instance.count.tolist()
    ways = [[costs[o] for o in order[a : min(a + 2, b)]] for a, b in pairwise(start)]
    second = [(*way, penalty[group])[1] if way else 0 for group, way in enumerate(ways)]
    regret = [other - way[0] if way else 0 for other, way in zip(second, ways, strict=True)]
    greedy = Greedy(instance)
    for group in sorted(range(len(ways)), key=lambda group: -regret[group]):
        options = order[start[group] : start[group + 1]]
        for _ in range(count[group]):
            option = next((o for o in options if greedy.cost(o) is not None), None)
            if option is None:
                break
            greedy.put(option)
    return greedy.amount


def _sample_prices(instance: Instance, time_limit_s: float) -> Ints:
    """(R,) prices in nano-CNY per milli-card; zeros if time is too short."""
    random = np.random.default_rng(SAMPLE_SEED)
    classes = len(instance.count)
    taken = np.zeros(classes, dtype=np.int64)
    chosen = random.choice(classes, min(SAMPLE_CLASSES, classes), replace=False)
    taken[chosen] = instance.count[chosen]
    weight = instance.penalty.astype(np.float64)
    share = float(weight @ taken) / max(float(weight @ instance.count), 1.0)
    part = residual(instance, np.zeros_like(instance.option_site), taken).instance
    sample = replace(part, supply=_scaled(part.supply, share))
    rows = base_rows(sample.supply)
    model = build(sample, Needs(sample), rows, integer=False)
    answer = solve(model, sample, rows, mathopt.SolverType.GLOP, time_limit_s)
    if answer is None or len(answer.row_price) != len(rows):
        return np.zeros(len(rows), dtype=np.int64)
    return np.array(integer_prices(answer.row_price), dtype=np.int64)


def _scaled(supply: Supply, share: float) -> Supply:
    reserved, milli = (column * share for column in (supply.reserved, supply.step_milli))
    return replace(supply, reserved=reserved.astype(np.int64), step_milli=milli.astype(np.int64))
