"""Local search on whole workloads: put a misfit where it is cheaper, moving others out of its way. Compiled.

With prices μ a plan's value is Σ workloads (transfer + Σ μ·cards) + Σ resources (what the cards in use cost
− μ·cards in use), up to a constant, for any μ. The first sum is small where everyone sits at the cheapest
option, the second where no priced card is idle. A move takes one workload to a cheaper option and shifts
those that mind least off the cards it lacks, to options with room; it is kept only if the value falls.
"""

import time
from typing import NamedTuple

import numpy as np
from numba import njit

from scheduler.capacity_rows import Needs
from scheduler.instance import Instance, Ints
from scheduler.pricing import Floats, option_costs
from scheduler.solution import left_out

PASSES_MAX = 6
BLOCK = 64
"""Misfits tried between two looks at the clock."""
TARGETS_TRIED = 6
"""Cheaper options tried for each misfit."""
SHIFTS_MAX = 4096
"""Shifts one move may take."""
GAIN_MIN = 1.0
"""Nano-CNY: less is rounding."""


class _Fixed(NamedTuple):
    """What the search reads: the instance's columns, the price curves, and the costs at the prices."""

    option_start: Ints
    option_class: Ints
    need_start: Ints
    need_resource: Ints
    need_milli: Ints
    penalty: Ints
    cost: Floats
    """(O,) nano-CNY of an option at the prices."""
    price: Floats
    capacity: Ints
    reserved: Ints
    step_start: Ints
    step_price: Ints
    step_milli: Ints
    resource_start: Ints
    """(R + 1,) where a resource's needs begin in the next two."""
    resource_option: Ints
    resource_milli: Ints


class _State(NamedTuple):
    """What the search changes."""

    amount: Ints
    """(O,) workloads."""
    out: Ints
    """(C,) workloads left out."""
    used: Ints
    """(R,) milli-cards in use."""
    shifts: Ints
    """(`SHIFTS_MAX`, 3) from option, to option, how many: what the move at hand has shifted."""


def ejected(instance: Instance, needs: Needs, amount: Ints, prices: Ints, deadline: float) -> Ints:
    """A plan at least as good as ``amount`` (O,), which must be within capacity; stops at ``deadline``."""
    fixed = _fixed(instance, needs, prices.astype(np.float64))
    shifts = np.zeros((SHIFTS_MAX, 3), dtype=np.int64)
    state = _State(amount.copy(), left_out(instance, amount), instance.usage(amount), shifts)
    for _ in range(PASSES_MAX):
        misfits, better = _misfits(instance, fixed, state), 0
        for first in range(0, len(misfits), BLOCK):
            if time.monotonic() > deadline:
                return state.amount
            better += _improve(fixed, state, misfits[first : first + BLOCK])
        if not better:
            break
    return state.amount


def _fixed(instance: Instance, needs: Needs, price: Floats) -> _Fixed:
    supply = instance.supply
    columns = (instance.need_start, instance.need_resource, instance.need_milli)
    return _Fixed(
        option_start=instance.option_start,
        option_class=instance.option_class,
        need_start=instance.need_start,
        need_resource=instance.need_resource,
        need_milli=instance.need_milli,
        penalty=instance.penalty,
        cost=option_costs(*columns, instance.option_cost, price),
        price=price,
        capacity=supply.capacity,
        reserved=supply.reserved,
        step_start=supply.step_start,
        step_price=supply.step_price,
        step_milli=supply.step_milli,
        resource_start=needs.start,
        resource_option=needs.option,
        resource_milli=needs.milli,
    )


def _misfits(instance: Instance, fixed: _Fixed, state: _State) -> Ints:
    """(m, 2) class and option (−1: out) of workloads that are not at their cheapest, worst first."""
    least = instance.penalty.astype(np.float64)
    has = np.diff(instance.option_start) > 0
    if has.any():
        cheapest = np.minimum.reduceat(fixed.cost, instance.option_start[:-1][has])
        least[has] = np.minimum(least[has], cheapest)
    placed = np.flatnonzero(state.amount > 0)
    group = fixed.option_class[placed]
    excess = fixed.cost[placed] - least[group]
    missing = np.flatnonzero((state.out > 0) & (least < instance.penalty))
    regret = np.concatenate([instance.penalty[missing] - least[missing], excess[excess > 0]])
    classes = np.concatenate([missing, group[excess > 0]])
    options = np.concatenate([np.full(len(missing), -1), placed[excess > 0]])
    worst: Ints = np.stack([classes, options], axis=1)[np.argsort(-regret, kind="stable")]
    return worst


@njit(cache=True)
def _use(fixed: _Fixed, state: _State, option: int, number: int) -> None:
    for n in range(fixed.need_start[option], fixed.need_start[option + 1]):
        state.used[fixed.need_resource[n]] += number * fixed.need_milli[n]


@njit(cache=True)
def _room(fixed: _Fixed, state: _State, option: int, most: int) -> int:
    """How many more workloads an option has room for, at most ``most``."""
    for n in range(fixed.need_start[option], fixed.need_start[option + 1]):
        r = fixed.need_resource[n]
        most = min(most, (fixed.capacity[r] - state.used[r]) // fixed.need_milli[n])
    return max(most, 0)


@njit(cache=True)
def _idle_loss(fixed: _Fixed, state: _State) -> float:
    """Σ resources (cost of the cards in use − μ · cards in use)."""
    loss = 0.0
    for r in range(len(state.used)):
        loss -= fixed.price[r] * state.used[r]
        lacking = state.used[r] - fixed.reserved[r]
        for step in range(fixed.step_start[r], fixed.step_start[r + 1]):
            if lacking <= 0:
                break
            taken = min(lacking, fixed.step_milli[step])
            loss += float(fixed.step_price[step]) * taken
            lacking -= taken
    return loss


@njit(cache=True)
def _touches(fixed: _Fixed, option: int, resource: int) -> bool:
    for n in range(fixed.need_start[option], fixed.need_start[option + 1]):
        if fixed.need_resource[n] == resource:
            return True
    return False


@njit(cache=True)
def _elsewhere(fixed: _Fixed, state: _State, option: int, resource: int) -> int:
    """The cheapest option of the same class with room that leaves a resource alone; −1 if there is none."""
    best, group = -1, fixed.option_class[option]
    for other in range(fixed.option_start[group], fixed.option_start[group + 1]):
        if best >= 0 and fixed.cost[other] >= fixed.cost[best]:
            continue
        if not _touches(fixed, other, resource) and _room(fixed, state, other, 1) > 0:
            best = other
    return best


@njit(cache=True)
def _who_minds_least(fixed: _Fixed, state: _State, resource: int, group: int) -> Ints:
    """Needs of a resource whose workloads could go elsewhere, from the cheapest to move per card."""
    first, last = fixed.resource_start[resource], fixed.resource_start[resource + 1]
    found, mind = np.empty(last - first, np.int64), np.empty(last - first)
    count = 0
    for k in range(first, last):
        option = fixed.resource_option[k]
        if state.amount[option] == 0 or fixed.option_class[option] == group:
            continue
        other = _elsewhere(fixed, state, option, resource)
        if other >= 0:
            found[count] = k
            mind[count] = (fixed.cost[other] - fixed.cost[option]) / fixed.resource_milli[k]
            count += 1
    return found[:count][np.argsort(mind[:count], kind="mergesort")]


@njit(cache=True)
def _make_room(
    fixed: _Fixed, state: _State, resource: int, lacking: int, group: int, budget: float, shifted: int
) -> tuple[int, float]:
    """Shift others off a resource; returns how many shifts are noted (−1: not possible) and their cost."""
    cost = 0.0
    for k in _who_minds_least(fixed, state, resource, group):
        option = fixed.resource_option[k]
        while lacking > 0 and state.amount[option] > 0:
            other = _elsewhere(fixed, state, option, resource)
            if other < 0 or shifted == SHIFTS_MAX:
                break
            number = min(state.amount[option], -(-lacking // fixed.resource_milli[k]))
            number = _room(fixed, state, other, number)
            _shift(fixed, state, option, other, number)
            state.shifts[shifted] = option, other, number
            shifted += 1
            cost += number * (fixed.cost[other] - fixed.cost[option])
            lacking -= number * fixed.resource_milli[k]
        if lacking <= 0 or cost >= budget or shifted == SHIFTS_MAX:
            break
    if lacking > 0:
        _undo(fixed, state, shifted)
        return -1, cost
    return shifted, cost


@njit(cache=True)
def _shift(fixed: _Fixed, state: _State, option: int, other: int, number: int) -> None:
    _use(fixed, state, option, -number)
    _use(fixed, state, other, number)
    state.amount[option] -= number
    state.amount[other] += number


@njit(cache=True)
def _undo(fixed: _Fixed, state: _State, shifted: int) -> None:
    for i in range(shifted - 1, -1, -1):
        option, other, number = state.shifts[i]
        _shift(fixed, state, other, option, number)


@njit(cache=True)
def _move(fixed: _Fixed, state: _State, group: int, source: int, target: int, gain: float) -> bool:
    """Take one workload from ``source`` (−1: out) to ``target``, shifting others; undone unless it pays."""
    loss = _idle_loss(fixed, state)
    if source >= 0:
        _use(fixed, state, source, -1)
    shifted, cost = 0, 0.0
    for n in range(fixed.need_start[target], fixed.need_start[target + 1]):
        r = fixed.need_resource[n]
        lacking = state.used[r] + fixed.need_milli[n] - fixed.capacity[r]
        if lacking > 0:
            shifted, more = _make_room(fixed, state, r, lacking, group, gain - cost, shifted)
            cost += more
            if shifted < 0:
                break
    # room made for one need may have been taken again while making room for the next
    if shifted >= 0 and _room(fixed, state, target, 1) > 0:
        _use(fixed, state, target, 1)
        if cost - gain + _idle_loss(fixed, state) - loss < -GAIN_MIN:
            return True
        _use(fixed, state, target, -1)
    if shifted > 0:
        _undo(fixed, state, shifted)
    if source >= 0:
        _use(fixed, state, source, 1)
    return False


@njit(cache=True)
def _improve(fixed: _Fixed, state: _State, misfits: Ints) -> int:
    """Try to better each misfit (m, 2) once; returns how many it bettered."""
    bettered = 0
    for m in range(len(misfits)):
        group, source = misfits[m]
        if (state.out[group] if source < 0 else state.amount[source]) == 0:
            continue
        now = float(fixed.penalty[group]) if source < 0 else fixed.cost[source]
        first, last = fixed.option_start[group], fixed.option_start[group + 1]
        order = np.argsort(fixed.cost[first:last], kind="mergesort")
        for target in first + order[:TARGETS_TRIED]:
            if fixed.cost[target] >= now:
                break
            if _move(fixed, state, group, source, target, now - fixed.cost[target]):
                state.amount[target] += 1
                if source < 0:
                    state.out[group] -= 1
                else:
                    state.amount[source] -= 1
                bettered += 1
                break
    return bettered
