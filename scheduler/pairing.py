"""Local search on pairs of resources: the work of two is shared out between them anew, exactly.

`scheduler.pair_loops` says how and holds the compiled loops.
"""

import numpy as np

from scheduler.instance import Instance, Ints
from scheduler.integers import starts
from scheduler.knapsacks import NANO, Items, layout_of
from scheduler.pair_loops import NOWHERE, Desk, State, Table, search
from scheduler.pricing import Floats
from scheduler.solution import fits, left_out, new_money, value

CELLS_MAX = 20_000_000
"""Workloads times units of the largest program."""
UNITS_MAX = 5_000_000
ITEMS_MAX = 2_000_000
"""Units of all resources, and ways to use one workload by workload, up to which tables take little memory."""
NOISE_SHARE = 0.03
"""Noise is drawn up to this share of what a workload costs on average."""
SHAKES_AT_ONCE = 8
SEED = 8152
"""Shaking draws from this fixed seed: the same input gives the same sequence of plans."""


def suits(instance: Instance) -> bool:
    """Whether every option needs one resource, and what there is of them is little enough to be laid out."""
    layout = layout_of(instance)
    alone = len(instance.need_resource) == len(instance.option_site)
    units, items = layout.room.sum(dtype=np.float64), layout.times.sum(dtype=np.float64)
    return bool(alone and units <= UNITS_MAX and items <= ITEMS_MAX)


class Pairs:
    """The search over an instance from a plan on: the best one is ``amount`` (O,), at ``value`` nano-CNY."""

    def __init__(self, instance: Instance, items: Items, amount: Ints, price: Ints) -> None:
        """``price`` (R,) nano-CNY a milli-card; ``items`` those of the instance."""
        self.instance, self.amount, self.value = instance, amount, value(instance, amount)
        layout = layout_of(instance)
        self._tables = _tables(instance, items, layout.unit * price / NANO)
        self._places = np.append(np.unique(layout.resource), len(items.room))
        # what the search cannot move may need a part of a unit
        used = np.minimum(-(-instance.usage(amount) // layout.unit), items.room)
        together = np.concatenate([amount, left_out(instance, amount)])
        self._state = State(together, np.append(used, 0), np.ones(len(used) + 1, dtype=np.bool_))
        self._kept = State(together.copy(), self._state.used.copy(), self._state.stale)
        self._desk = _desk(instance, items)
        self._noise = NOISE_SHARE * new_money(instance, amount) / NANO / max(int(instance.count.sum()), 1)
        self._random = np.random.default_rng(SEED)

    def go_on(self) -> bool:
        """Shake some more; whether there is anything to share out at all."""
        work = (self._tables, self._state, self._desk, self._places, self._random)
        search(*work, self._kept, self._noise, SHAKES_AT_ONCE)
        amount = self._kept.amount[: len(self.amount)].copy()
        if fits(self.instance, amount) and (found := value(self.instance, amount)) < self.value:
            self.amount, self.value = amount, found
        return len(self.amount) > 0


def _tables(instance: Instance, items: Items, price: Floats) -> tuple[Table, Table]:
    """What to search with, and the same with cards at their prices instead of their curves."""
    layout, classes = layout_of(instance), len(instance.count)
    options, resources = len(instance.option_site), len(items.room)
    alone = np.flatnonzero(np.diff(instance.need_start) == 1)
    # of several ways to use one resource the last written stays: the cheapest
    milli = layout.milli[alone] * price[layout.resource[alone]] / layout.unit[layout.resource[alone]]
    alone = alone[np.argsort(-(instance.option_cost[alone] / NANO + milli), kind="stable")]
    option = np.full((classes, resources + 1), NOWHERE)
    option[instance.option_class[alone], layout.resource[alone]] = alone
    option[:, resources] = options + np.arange(classes)
    usable = [np.flatnonzero(column != NOWHERE) for column in option.T]
    start, curve = np.append(items.curve_start, len(items.curve) + 1), np.append(items.curve, 0.0)
    price = np.append(price, 0.0)
    steps = np.arange(len(curve)) - np.repeat(start[:-1], np.diff(start))
    straight = steps * np.repeat(price, np.diff(start))
    table = Table(
        option=option,
        size=np.append(layout.milli // layout.unit[layout.resource], np.zeros(classes, dtype=np.int64)),
        cost=np.append(instance.option_cost, instance.penalty) / NANO,
        price=price,
        # more than any other, so that it is never the side that units are counted on
        room=np.append(items.room, items.room.max(initial=0) + 1),
        curve_start=start,
        curve=curve,
        least=np.minimum.reduceat(curve - straight, start[:-1]),
        class_start=starts(np.array([len(found) for found in usable])),
        classes=np.concatenate(usable),
    )
    return table, table._replace(curve=straight, least=np.zeros(resources + 1))


def _desk(instance: Instance, items: Items) -> Desk:
    classes, units = len(instance.count), int(items.room.max(initial=0)) + 1
    cells = min(int(instance.count.sum()) * units, CELLS_MAX)
    return Desk(
        np.zeros(classes, dtype=np.int64),
        np.zeros(classes),
        np.zeros(units),
        np.zeros(units, dtype=np.int64),
        np.zeros(cells, dtype=np.bool_),
    )
