"""Deciding an instance part by part, where its workloads compete for different cards.

Grades that no workload may swap have nothing to do with each other: each such part is bounded by worths
(`scheduler.worths`) and then decided by a MIP among the options that those leave cheap. Two parts are worked
on at a time.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from scheduler.capacity_rows import Needs, base_rows
from scheduler.instance import Bools, Instance, Ints
from scheduler.integers import dot
from scheduler.knapsacks import NANO, items_of, option_losses
from scheduler.lagrangian import class_costs, reduced_costs
from scheduler.pricing import Floats
from scheduler.rounding import completed
from scheduler.solution import Residual, new_money, part_of, value
from scheduler.worths import Worths, climbed, suits

LANES = 2
CLIMB_SHARE = 0.3
"""Of a part's time, what its worths may take: the rest is for the plan."""
OPTIONS_PER_CLASS = (3, 6, 12)
"""Cheapest options a MIP looks at, class by class on average: first few, then more while there is time."""


def decided(
    instance: Instance, shadow: Ints, amount: Ints, deadline: float, gap_target: float
) -> tuple[Worths, Ints] | None:
    """Worths of all classes with their bound, and a plan at least as good as ``amount`` (O,).

    ``shadow`` (R,) are prices of cards to start from. None where the knapsacks would be too large.
    """
    if not suits(instance):
        return None
    reduced = reduced_costs(instance, Needs(instance), base_rows(instance.supply), shadow.tolist())
    worth, amount = class_costs(instance, reduced), amount.copy()
    work = [(part, worth[classes], classes) for part, classes in independent(instance)]

    def lane(share: Sequence[tuple[Residual, Ints, Ints]]) -> int:
        bound = 0
        for number, (part, start, classes) in enumerate(share):
            left = sum(len(other.option) for other, _, _ in share[number:])
            now = time.monotonic()
            until = now + max(deadline - now, 0.0) * len(part.option) / left
            found, best = _decided(part.instance, start, amount[part.option], until, gap_target)
            worth[classes], amount[part.option] = found.worth, best
            bound += found.bound
        return bound

    nowhere = np.diff(instance.option_start) == 0
    with ThreadPoolExecutor(LANES) as pool:
        # parts share no resource, so their bounds add up
        bound = sum(pool.map(lane, _lanes(work)), dot(instance.count[nowhere], worth[nowhere]))
    return Worths(worth, bound), amount


def _lanes(work: list[tuple[Residual, Ints, Ints]]) -> list[list[tuple[Residual, Ints, Ints]]]:
    """The parts shared out, the largest first, each to the lane with least to do."""
    lanes: list[list[tuple[Residual, Ints, Ints]]] = [[] for _ in range(LANES)]
    for task in sorted(work, key=lambda task: -len(task[0].option)):
        min(lanes, key=lambda lane: sum(len(part.option) for part, _, _ in lane)).append(task)
    # small ones first, so that what they leave of the time goes to the large ones
    return [lane[::-1] for lane in lanes]


def independent(instance: Instance) -> list[tuple[Residual, Ints]]:
    """The parts with their classes: no two need the same resource. Classes without options are in none."""
    label = _labels(instance)
    first = instance.need_resource[instance.need_start[:-1]]
    group = np.full(len(instance.count), -1)
    group[instance.option_class] = label[first]
    parts = []
    for name in np.unique(group[group >= 0]).tolist():
        supply, classes = instance.supply, np.flatnonzero(group == name)
        here = label == name
        own = replace(
            supply,
            reserved=np.where(here, supply.reserved, 0),
            step_milli=np.where(here[supply.step_resource], supply.step_milli, 0),
        )
        keep = np.ones(len(instance.option_site), dtype=np.bool_)
        parts.append((part_of(instance, own, classes, instance.count[classes], keep), classes))
    return parts


def _labels(instance: Instance) -> Ints:
    """(R,) the least resource that is connected to each by classes that may use either."""
    label = np.arange(len(instance.supply.reserved))
    group = instance.option_class[instance.need_option]
    while True:
        least = np.full(len(instance.count), len(label))
        np.minimum.at(least, group, label[instance.need_resource])
        lower = label.copy()
        np.minimum.at(lower, instance.need_resource, least[group])
        if (lower == label).all():
            return label
        label = lower


def _decided(
    part: Instance, start: Ints, amount: Ints, until: float, gap_target: float
) -> tuple[Worths, Ints]:
    items, now = items_of(part), time.monotonic()
    worths = climbed(part, items, start, now + CLIMB_SHARE * (until - now))
    losses = option_losses(part, items, worths.worth)
    for number, per_class in enumerate(OPTIONS_PER_CLASS):
        left_s = (until - time.monotonic()) / (len(OPTIONS_PER_CLASS) - number)
        best = value(part, amount)
        if best - worths.bound <= gap_target * new_money(part, amount) or left_s <= 0:
            break
        # much beyond the gap an option is hardly in a better plan
        limit = min(_threshold(losses, per_class * len(part.count)), (best - worths.bound) / NANO)
        amount = _among(part, (losses <= limit) | (amount > 0), amount, left_s)
    return worths, amount


def _threshold(losses: Floats, options: int) -> float:
    return float(np.sort(losses)[min(options, len(losses)) - 1])


def _among(part: Instance, core: Bools, amount: Ints, time_limit_s: float) -> Ints:
    """The best plan found among some options, from ``amount`` (O,) on."""
    other = completed(part, np.zeros_like(amount), time_limit_s, core, amount)
    return amount if other is None else min(amount, other, key=lambda plan: value(part, plan))
