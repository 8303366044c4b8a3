"""One workload after the other, each where it is cheapest at that moment: exact integers, no look ahead."""

from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np

from scheduler.instance import Instance, Ints, Supply


class Greedy:
    """Places workloads of an instance one by one and never moves one again.

    ``amount`` (O,) holds what has been placed; ``used`` (R,) the milli-cards in use.
    """

    def __init__(self, instance: Instance, amount: Ints | None = None) -> None:
        self.instance = instance
        self.amount = np.zeros_like(instance.option_site) if amount is None else amount.copy()
        self.used = instance.usage(self.amount).tolist()
        self.curve = _Curve(instance.supply)
        need_start = instance.need_start.tolist()
        resource, milli = instance.need_resource.tolist(), instance.need_milli.tolist()
        self.needs = [list(zip(resource[a:b], milli[a:b], strict=True)) for a, b in pairwise(need_start)]
        self.transfer = instance.option_transfer.tolist()
        self.option_start = instance.option_start.tolist()

    def cost(self, option: int) -> int | None:
        """Nano-CNY of one more workload on an option as things stand; None where it does not fit."""
        total: int = self.transfer[option]
        for resource, milli in self.needs[option]:
            used = self.used[resource]
            if used + milli > self.curve.capacity[resource]:
                return None
            total += self.curve.between(resource, used, used + milli)
        return total

    def cheapest(self, group: int) -> int | None:
        """Where one more workload of a class costs least, the first of equals; None if none fits."""
        options = range(self.option_start[group], self.option_start[group + 1])
        costs = ((cost, option) for option in options if (cost := self.cost(option)) is not None)
        best = min(costs, default=None)
        return None if best is None else best[1]

    def put(self, option: int) -> None:
        """Place one workload on an option."""
        self.amount[option] += 1
        for resource, milli in self.needs[option]:
            self.used[resource] += milli

    def run(
        self, groups: Iterable[int], choose: Callable[[int], int | None] | None = None
    ) -> list[int | None]:
        """Place one workload of each class named, in that order; returns the option each got, or None."""
        choose = choose or self.cheapest
        chosen = []
        for group in groups:
            option = choose(group)
            if option is not None:
                self.put(option)
            chosen.append(option)
        return chosen


class _Curve:
    """The price curves as plain lists: what the cards between two levels of use cost."""

    def __init__(self, supply: Supply) -> None:
        self.capacity = supply.capacity.tolist()
        self.reserved = supply.reserved.tolist()
        start = supply.step_start.tolist()
        price, milli = supply.step_price.tolist(), supply.step_milli.tolist()
        self.steps = [list(zip(price[a:b], milli[a:b], strict=True)) for a, b in pairwise(start)]

    def between(self, resource: int, low: int, high: int) -> int:
        """Nano-CNY of the milli-cards from ``low`` to ``high``: reserved ones cost nothing."""
        cost, floor = 0, self.reserved[resource]
        for price, milli in self.steps[resource]:
            if floor >= high:
                break
            cost += price * max(0, min(high, floor + milli) - max(low, floor))
            floor += milli
        return cost


def filled(instance: Instance, amount: Ints) -> Ints:
    """``amount`` with the workloads still left out placed greedily, those whose absence counts most first."""
    greedy = Greedy(instance, amount)
    placed = np.bincount(instance.option_class, weights=amount, minlength=len(instance.count))
    missing = instance.count - placed.astype(np.int64)
    for group in np.argsort(-instance.penalty, kind="stable").tolist():
        for _ in range(int(missing[group])):
            if greedy.run([group]) == [None]:
                break
    return greedy.amount
