"""From a fractional answer to whole workloads, then better and better ones.

Rounding keeps the whole part of the relaxation, which is nearly all of it, and decides the rest exactly.
Polishing is large neighbourhood search (Shaw 1998): everything at a few sites is taken out and decided anew
together with what is left out, by a MIP; only a strictly better plan is kept.
"""

import time
from collections.abc import Callable

import numpy as np
from ortools.math_opt.python import mathopt

from scheduler.capacity_rows import Needs, base_rows
from scheduler.greedy import filled
from scheduler.instance import Bools, Instance, Ints
from scheduler.linear_model import Floats, build, solve
from scheduler.solution import fits, left_out, residual, value

ROUNDING_S_MAX = 2.0
POLISH_STEP_S_MAX = 1.0
POLISH_SITES = 4
POLISH_SEED = 8152
"""Polishing draws its sites from this fixed seed: same input, same sequence of neighbourhoods."""
POLISH_IDLE_MAX = 200
"""Neighbourhoods in a row without a better plan after which polishing gives up."""


def rounded(instance: Instance, fractional: Floats, deadline: float) -> Ints:
    """Whole workloads near a fractional answer; always within capacity."""
    return finished(instance, _whole_part(instance, fractional), deadline)


def _whole_part(instance: Instance, fractional: Floats) -> Ints:
    whole = np.floor(fractional + 1e-6).astype(np.int64)
    if not fits(instance, whole):
        whole = np.maximum(np.floor(fractional - 1e-6), 0).astype(np.int64)
    if not fits(instance, whole):
        whole = np.zeros_like(whole)
    return whole


def finished(instance: Instance, whole: Ints, deadline: float) -> Ints:
    """``whole`` (O,), which must be within capacity, and the rest placed beside it as well as time allows."""
    rest = residual(instance, whole, left_out(instance, whole))
    start = rest.lifted(whole, filled(rest.instance, np.zeros_like(rest.option)))
    better = completed(instance, whole, min(ROUNDING_S_MAX, deadline - time.monotonic()))
    if better is None or value(instance, better) > value(instance, start):
        return start
    return better


def completed(instance: Instance, fixed: Ints, time_limit_s: float, core: Bools | None = None) -> Ints | None:
    """``fixed`` (O,) and the best way found to place everything else beside it; None if no time was left.

    With a ``core`` (O,) only its options are looked at.
    """
    rest = residual(instance, fixed, left_out(instance, fixed))
    if core is not None:
        rest = rest.narrowed(core)
    if time_limit_s <= 0 or not len(rest.option):
        return None
    rows = base_rows(rest.instance.supply)
    model = build(rest.instance, Needs(rest.instance), rows, integer=True)
    answer = solve(model, rest.instance, rows, mathopt.SolverType.GSCIP, time_limit_s)
    if answer is None:
        return None
    together = rest.lifted(fixed, np.rint(answer.amount).astype(np.int64))
    # a solver's tolerance could let one workload too many through: then the answer is not used
    return together if fits(instance, together) else None


def polished(
    instance: Instance,
    amount: Ints,
    good_enough: int,
    deadline: float,
    core: Bools,
    told: Callable[[Ints], None],
) -> None:
    """Search for better plans until one's value (nano-CNY) is ``good_enough`` or time is up; each is told.

    What is taken out goes to options of the ``core`` (O,) at the sites chosen, or stays: smaller questions,
    more of them in the same time.
    """
    sites = np.unique(instance.option_site)
    random = np.random.default_rng(POLISH_SEED)
    best, idle = value(instance, amount), 0
    while best > good_enough and idle < POLISH_IDLE_MAX and time.monotonic() < deadline:
        chosen = random.choice(sites, min(POLISH_SITES, len(sites)), replace=False)
        here = np.isin(instance.option_site, chosen)
        step_s = min(POLISH_STEP_S_MAX, deadline - time.monotonic())
        candidate = completed(instance, np.where(here, 0, amount), step_s, here & (core | (amount > 0)))
        idle += 1
        if candidate is not None and (found := value(instance, candidate)) < best:
            best, amount, idle = found, candidate, 0
            told(amount)
