"""A plan in arrays: what it comes to, and its placements by name."""

from collections.abc import Mapping

import numpy as np

from scheduler.horizon.insertion import OUT, SPLIT, STAYS, State
from scheduler.horizon.instance import Instance
from scheduler.horizon.plan import HorizonPlacement
from scheduler.horizon.supply import Ints, Supply
from scheduler.horizon.types import HorizonProblem, Part

Splits = Mapping[int, tuple[tuple[int, int], ...]]
"""Of each gang that is split over sites: (row among the kind's sites, members)."""


def value(instance: Instance, state: State, splits: Splits) -> int:
    """What a plan comes to in nano-CNY, penalties included: exact."""
    supply, kinds, kind = instance.supply, instance.kinds, instance.kind
    out, stays, split = state.site == OUT, state.site == STAYS, state.site == SPLIT
    moved = ~(out | stays)
    total = _dot(taken_of(supply, state.used), supply.step_price) + _dot(state.used, supply.running)
    total += _sum(kinds.penalty[kind[out]]) + _sum(kinds.migration[kind[moved]])
    total += _sum(kinds.transfer[state.row[moved & ~split]])
    total += sum(int(kinds.transfer[row]) for parts in splits.values() for row, _ in parts)
    placed = np.flatnonzero(~out)
    last = kinds.duration[state.alternative[placed]] - 1
    overdue = np.maximum(state.slots[placed, last] + 1 - kinds.due[kind[placed]], 0)
    return total + _dot(overdue.astype(np.int64), kinds.late[kind[placed]])


def taken_of(supply: Supply, used: Ints) -> Ints:
    """(K,) milli-cards of each step that this use (N,) takes, cheapest first."""
    cell = np.repeat(np.arange(len(supply.usable)), np.diff(supply.step_start))
    before = np.concatenate([[0], np.cumsum(supply.step_milli)])
    offset = before[:-1] - before[supply.step_start[cell]]
    served: Ints = np.minimum(np.maximum(used[cell] - offset, 0), supply.step_milli)
    return served


def _dot(a: Ints, b: Ints) -> int:
    total: int = sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True))
    return total


def _sum(values: Ints) -> int:
    total: int = sum(values.tolist())
    return total


def placements(
    problem: HorizonProblem, instance: Instance, state: State, splits: Splits
) -> tuple[HorizonPlacement, ...]:
    """The plan by name, in order of the workloads."""
    kinds, running = instance.kinds, {item.workload: item for item in problem.running}
    codes = instance.supply.sites
    found = []
    sites, alternatives = state.site.tolist(), state.alternative.tolist()
    kind = instance.kind.tolist()
    base, durations = kinds.alternative_start.tolist(), kinds.duration.tolist()
    for j, w in enumerate(problem.workloads):
        site, a = sites[j], alternatives[j]
        if site == OUT:
            continue
        if site == STAYS:
            parts = running[w.id].parts
        elif site == SPLIT:
            parts = tuple(Part(codes[kinds.site[row]], members) for row, members in splits[j])
        else:
            parts = (Part(codes[site], w.gang_size),)
        slots = tuple(state.slots[j, : durations[a]].tolist())
        found.append(HorizonPlacement(w.id, a - base[kind[j]], slots, parts))
    return tuple(found)
