"""The columns of the class model: kinds feed pools, and pools are spread over sites.

What a kind asks for from a slot on is, card for card, the same as what others ask for that may go to the same
sites at the same cost. Such work forms a *pool*: each of its kinds feeds as many cards into it as it runs,
and only the whole pool is spread over sites. Any spread of the pool can be dealt out to its kinds, so nothing
is lost, and there are kinds × slots + pools × sites columns instead of kinds × slots × sites.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scheduler.horizon.instance import Instance
from scheduler.horizon.supply import Bools, Ints

Floats = NDArray[np.float64]


class Feeds(NamedTuple):
    """F columns: milli-cards (of its first need) that a kind runs in a pool."""

    kind: Ints
    slot: Ints
    pool: Ints
    milli: Ints
    """(F,) milli-cards of one workload."""
    share: Ints
    """(F,) slots of a workload's run that this is one of: 1, or the duration where work may pause."""
    cost: Floats
    """(F,) nano-CNY per milli-card for migration and lateness."""


class Spreads(NamedTuple):
    """S columns: milli-cards that a pool has at a site; what they use are entries sorted by column."""

    pool: Ints
    link: Ints
    """(S,) line and slot (``link × T + slot``) whose room the data takes, or -1."""
    gb: Floats
    """(S,) GB per milli-card."""
    cost: Floats
    """(S,) nano-CNY per milli-card for transfer."""
    start: Ints
    """(S + 1,) where each column's entries begin."""
    cell: Ints
    amount: Floats
    """Milli-cards of a cell per milli-card of the pool."""


@dataclass(eq=False)
class _Way:
    """What an alternative of a kind is like, per milli-card of its first need."""

    run: int
    sites: Ints
    grades: Ints
    amounts: Floats
    transfer: Floats
    links: Ints
    gb: float

    def key(self) -> bytes:
        """The same for those who can share pools."""
        parts = (self.sites, self.grades, self.amounts, self.transfer, self.links)
        sizes = np.array([self.run, self.gb, len(self.sites), len(self.grades)], dtype=np.float64)
        return sizes.tobytes() + b"".join(part.tobytes() for part in parts)


@dataclass(eq=False)
class _Collected:
    """Columns in the making, row by row."""

    pools: dict[tuple[bytes, int, bytes], int] = field(default_factory=dict)
    feeds: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    feed_costs: list[float] = field(default_factory=list)
    spreads: list[tuple[int, int, int]] = field(default_factory=list)
    """Pool, link and slot, how many entries."""
    spread_figures: list[tuple[float, float]] = field(default_factory=list)
    """GB and cost."""
    cells: list[Ints] = field(default_factory=list)
    amounts: list[Floats] = field(default_factory=list)


def pooled(instance: Instance) -> tuple[Feeds, Spreads]:
    """Every column of an instance, possible options only."""
    found = _Collected()
    for k in range(len(instance.kinds.size)):
        for a in range(instance.kinds.alternative_start[k], instance.kinds.alternative_start[k + 1]):
            _add_way(instance, k, a, found)
    kind, slot, to, milli, share = np.array(found.feeds, dtype=np.int64).reshape(-1, 5).T
    pool, link, entries = np.array(found.spreads, dtype=np.int64).reshape(-1, 3).T
    gb, cost = np.array(found.spread_figures, dtype=np.float64).reshape(-1, 2).T
    start = np.concatenate([[0], np.cumsum(entries)])
    cell = np.concatenate([np.zeros(0, dtype=np.int64), *found.cells])
    amount = np.concatenate([np.zeros(0), *found.amounts])
    feeds = Feeds(kind, slot, to, milli, share, np.array(found.feed_costs, dtype=np.float64))
    return feeds, Spreads(pool, link, gb, cost, start, cell, amount)


def _add_way(instance: Instance, k: int, a: int, found: _Collected) -> None:
    """Feed what one alternative of a kind can do in each slot into its pool."""
    kinds = instance.kinds
    rows = np.arange(kinds.site_start[k], kinds.site_start[k + 1])
    rows = rows[kinds.allowed[a, kinds.site[rows]]]
    needs = slice(int(kinds.need_start[a]), int(kinds.need_start[a + 1]))
    unit = int(kinds.need_milli[needs][0] * kinds.gang[k])
    pauses, duration = bool(kinds.preemptible[k]), int(kinds.duration[a])
    share = duration if pauses else 1
    moves = kinds.data_gb[k] > 0 and not pauses
    way = _Way(
        run=1 if pauses else duration,
        sites=kinds.site[rows],
        grades=kinds.need_grade[needs],
        amounts=kinds.need_milli[needs] / kinds.need_milli[needs][0],
        transfer=kinds.transfer[rows] / (share * unit),
        links=kinds.link[rows] if moves else np.full(len(rows), -1),
        gb=kinds.data_gb[k] / unit if moves else 0.0,
    )
    key, base = way.key(), int(kinds.migration[k]) / (share * unit)
    for t, possible in _starts(instance, k, a, way):
        name = key, t, possible.tobytes()
        pool = found.pools.get(name)
        if pool is None:
            pool = found.pools[name] = len(found.pools)
            _spread(instance, way, t, possible, pool, found)
        late = max(0, t + way.run - int(kinds.due[k])) * int(kinds.late[k]) if share == 1 else 0
        found.feeds.append((k, t, pool, unit, share))
        found.feed_costs.append(base + late / unit)


def _starts(instance: Instance, k: int, a: int, way: _Way) -> Iterator[tuple[int, Bools]]:
    """Slots that the alternative could begin (or, if it may pause, be) in, and at which of its sites."""
    kinds, supply = instance.kinds, instance.supply
    begin, end = int(kinds.earliest[k]), int(kinds.end[k])
    needs = slice(int(kinds.need_start[a]), int(kinds.need_start[a + 1]))
    least = kinds.need_milli[needs] * (1 if kinds.spread[k] else kinds.gang[k])
    usable = supply.usable.reshape(len(supply.sites), len(supply.grades), supply.slots)
    room = usable[way.sites[:, None], way.grades[None, :], begin:end]
    good: Bools = np.all(room >= least[None, :, None], axis=1)
    count = np.concatenate([np.zeros((len(good), 1), dtype=np.int64), np.cumsum(good, axis=1)], axis=1)
    whole = np.ascontiguousarray((count[:, way.run :] - count[:, : -way.run] == way.run).T)
    lined = np.flatnonzero(way.links >= 0)
    for i, possible in enumerate(whole):
        possible[lined] &= instance.link_room[way.links[lined], begin + i] >= kinds.data_gb[k]
        if possible.any():
            yield begin + i, possible


def _spread(instance: Instance, way: _Way, slot: int, possible: Bools, pool: int, found: _Collected) -> None:
    """A new pool's columns, one for each site."""
    supply = instance.supply
    rows = np.flatnonzero(possible)
    resource = way.sites[rows, None] * len(supply.grades) + way.grades
    cells = (resource * supply.slots + slot)[:, :, None] + np.arange(way.run)
    found.cells.append(cells.reshape(-1))
    found.amounts.append(np.broadcast_to(way.amounts[:, None], cells.shape).reshape(-1))
    entries = len(way.grades) * way.run
    for row in rows.tolist():
        link = int(way.links[row])
        line = link * supply.slots + slot if link >= 0 else -1
        found.spreads.append((pool, line, entries))
        found.spread_figures.append((way.gb, float(way.transfer[row])))
