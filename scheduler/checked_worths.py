"""What worths prove, for the independent checker: a knapsack for every site and grade, in plain numpy."""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from scheduler.checked_facts import Facts, Ints, Money, Resource

Item = tuple[int, int]
"""Milli-cards of the first need of a way to run a workload there, and nano-CNY gained before the cards."""


def bound_by_worths(facts: Facts, worths: Sequence[int]) -> int:
    """Σ min(penalty, worth) less the most that every site and grade could gain; no plan's value is less.

    Raises ``ValueError`` unless there is one worth a workload.
    """
    rows = np.arange(len(facts.table))
    if len(worths) != len(rows):
        raise ValueError(f"a certificate has {len(worths)} worths for {len(rows)} workloads")
    paid: Money = np.minimum(np.array(worths, dtype=object), facts.penalty(rows))
    items = _items(facts, rows, paid)
    return int(paid.sum()) - sum(_most(facts, resource, found) for resource, found in items.items())


def _items(facts: Facts, rows: Ints, paid: Money) -> dict[Resource, list[Item]]:
    items: dict[Resource, list[Item]] = defaultdict(list)
    open_to, gain = facts.near(rows) & facts.may_go(rows), paid[:, None] - facts.transfer(rows)
    for row, at in zip(*(found.tolist() for found in np.nonzero(open_to & (gain > 0))), strict=True):
        site = facts.problem.sites[at]
        for vector in facts.table.alternatives(row):
            if facts.fits_alone(site.code, vector):
                running = sum(facts.carbon_rate(site.code, n.grade) * n.milli_cards for n in vector)
                left = int(gain[row, at]) - running * int(facts.table.hours[row])
                if left > 0:
                    items[site.code, vector[0].grade].append((vector[0].milli_cards, left))
    return items


def _most(facts: Facts, resource: Resource, items: Sequence[Item]) -> int:
    """The most that whole items in the cards there are gain beyond what the cards cost."""
    unit = math.gcd(*(milli for milli, _ in items))
    room = facts.capacity(resource) // unit
    exact = sum(gain for _, gain in items) < 2**62
    best = np.zeros(room + 1, dtype=np.int64 if exact else object)
    by_size: dict[int, list[int]] = defaultdict(list)
    for milli, gain in items:
        by_size[milli // unit].append(gain)
    for size, gains in by_size.items():
        for gain in sorted(gains, reverse=True)[: room // size]:
            best[size:] = np.maximum(best[size:], best[:-size] + gain)
    cost, lacking = np.zeros(room + 1, dtype=object), np.arange(room + 1) * unit - facts.free(resource)
    for step in facts.priced(resource):
        bought = np.clip(lacking, 0, step.milli_cards)
        cost += bought.astype(object) * (step.price_micro_cny * facts.hours)
        lacking -= bought
    return int((best.astype(object) - cost).max())
