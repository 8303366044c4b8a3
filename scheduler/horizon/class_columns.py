"""The columns of the class model: what one workload of a kind can do, possible options only."""

from typing import NamedTuple

import numpy as np
from numba import njit

from scheduler.horizon.instance import Instance, Kinds
from scheduler.horizon.supply import Bools, Ints


class Columns(NamedTuple):
    """P columns, each a kind doing something at a site: from a slot on, or (pre-emptible) in a slot.

    Cells, slots of a kind and lines that a column needs are entries sorted by column.
    """

    kind: Ints
    """(P,) kind."""
    share: Ints
    """(P,) slots of the whole run that a column stands for one of: 1, or the duration where work may pause.
    """
    cost: Ints
    """(P,) nano-CNY, over a share of a workload."""
    slot: Ints
    """(P,) first slot."""
    link: Ints
    """(P,) line whose room the data takes, or -1."""
    carbon: Ints
    """(P,) µg."""
    start: Ints
    """(P + 1,) where each column's entries begin."""
    cell: Ints
    milli: Ints


def columns_of(instance: Instance) -> Columns:
    """Every column of an instance."""
    supply, kinds = instance.supply, instance.kinds
    figures = _Figures(
        supply.usable, supply.running, supply.carbon, instance.link_room, supply.slots, len(supply.grades)
    )
    empty = np.zeros(0, dtype=np.int64)
    blank = Columns(empty, empty, empty, empty, empty, empty, empty, empty, empty)
    columns, entries = _fill(kinds, figures, blank, False)
    sizes = (*[columns] * 6, columns + 1, entries, entries)
    made = Columns._make(np.zeros(size, dtype=np.int64) for size in sizes)
    _fill(kinds, figures, made, True)
    return made


def entry_count(instance: Instance) -> int:
    """At most how many entries the columns have."""
    kinds = instance.kinds
    run = np.maximum.reduceat(kinds.duration, kinds.alternative_start[:-1]) if len(kinds.size) else kinds.size
    sites = np.diff(kinds.site_start) * np.diff(kinds.alternative_start)
    return int((sites * (kinds.end - kinds.earliest) * np.where(kinds.preemptible, 1, run)).sum())


class _Figures(NamedTuple):
    """What the loop looks up."""

    usable: Ints
    running: Ints
    carbon: Ints
    link_room: Ints
    slots: int
    grades: int


@njit(cache=True)
def _fill(kinds: Kinds, figures: _Figures, out: Columns, write: bool) -> tuple[int, int]:
    """Count columns and entries, or write them."""
    column, entry = 0, 0
    good = np.empty(figures.slots, dtype=np.bool_)
    for k in range(len(kinds.size)):
        least = 1 if kinds.spread[k] else kinds.gang[k]
        for a in range(kinds.alternative_start[k], kinds.alternative_start[k + 1]):
            run = 1 if kinds.preemptible[k] else kinds.duration[a]
            needs = kinds.need_start[a + 1] - kinds.need_start[a]
            for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
                s = kinds.site[row]
                if not kinds.allowed[a, s]:
                    continue
                _mark_good(kinds, figures, k, a, s, least, good)
                for t in range(kinds.earliest[k], kinds.end[k] - run + 1):
                    link = -1 if kinds.preemptible[k] else kinds.link[row]
                    blocked = link >= 0 and figures.link_room[link, t] < kinds.data_gb[k]
                    if blocked or not good[t : t + run].all():
                        continue
                    if write:
                        out.start[column] = entry
                        _write(kinds, figures, out, column, entry, k, a, row, t, run, link)
                    column += 1
                    entry += needs * run
    if write:
        out.start[column] = entry
    return column, entry


@njit(cache=True)
def _mark_good(
    kinds: Kinds,
    figures: _Figures,
    k: int,
    a: int,
    s: int,
    least: int,
    good: Bools,
) -> None:
    good[:] = True
    for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
        cell = (s * figures.grades + kinds.need_grade[n]) * figures.slots
        for t in range(kinds.earliest[k], kinds.end[k]):
            if figures.usable[cell + t] < kinds.need_milli[n] * least:
                good[t] = False


@njit(cache=True)
def _write(
    kinds: Kinds,
    figures: _Figures,
    out: Columns,
    column: int,
    entry: int,
    k: int,
    a: int,
    row: int,
    t: int,
    run: int,
    link: int,
) -> None:
    share = kinds.duration[a] if kinds.preemptible[k] else 1
    out.kind[column], out.share[column], out.slot[column], out.link[column] = k, share, t, link
    # work that may pause pays what it pays once in equal shares, lateness aside
    cost = (kinds.transfer[row] + kinds.migration[k]) // share
    if share == 1:
        cost += max(0, t + run - kinds.due[k]) * kinds.late[k]
    carbon = 0
    for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
        milli = kinds.need_milli[n] * kinds.gang[k]
        cell = (kinds.site[row] * figures.grades + kinds.need_grade[n]) * figures.slots + t
        for i in range(run):
            out.cell[entry], out.milli[entry] = cell + i, milli
            cost += milli * figures.running[cell + i]
            carbon += milli * figures.carbon[cell + i]
            entry += 1
    out.cost[column], out.carbon[column] = cost, carbon
