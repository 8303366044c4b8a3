"""What changed between two states of one side of a book, order by order."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Final

import numpy as np

from matching.records import Records

Row = tuple[int, int, int]
"""Order id, price in ticks, lots shown."""

_PRICE: Final = itemgetter(1)


def order_changes(old: Records, new: Records) -> list[Row]:
    """Return the rows that turn one side (BOOK_ORDER, the next to trade first) into another.

    To be taken in turn: quantity 0 removes; an order that is there keeps its place; any other goes to the end
    of its price's queue. Only the part of the side that differs is looked at row by row.
    """
    begin, old_end, new_end = _differing(old, new)
    before, after = old[begin:old_end].tolist(), new[begin:new_end].tolist()
    queues = {price: list(rows) for price, rows in groupby(after, _PRICE)}
    removed: list[Row] = []
    placed: list[Row] = []
    for price, rows in groupby(before, _PRICE):
        gone, changed = _queue_changes(list(rows), queues.pop(price, []))
        removed += gone
        placed += changed
    for queue in queues.values():
        placed += queue
    return removed + placed


def _queue_changes(old: list[Row], new: list[Row]) -> tuple[list[Row], list[Row]]:
    """Return the removals and the changes of one price's queue. What lost its priority is removed and comes
    again.
    """
    places = {row[0]: place for place, row in enumerate(old)}
    kept: set[int] = set()
    changed: list[Row] = []
    last = -1
    for at, row in enumerate(new):
        place = places.get(row[0], -1)
        if place <= last:  # it is new, or moved behind one that it stood before: so is all behind it
            changed += new[at:]
            break
        last = place
        kept.add(row[0])
        if old[place] != row:
            changed.append(row)
    return [(order, price, 0) for order, price, _ in old if order not in kept], changed


def _differing(old: Records, new: Records) -> tuple[int, int, int]:
    """Return where the part that differs begins, and where it ends in each. It holds whole queues at its end:
    an order that moved back may stand before others that didn't change.
    """
    shorter = min(len(old), len(new))
    unequal = np.flatnonzero(old[:shorter] != new[:shorter])
    begin = int(unequal[0]) if len(unequal) else shorter
    tail = shorter - begin
    unequal = np.flatnonzero(old[len(old) - tail :][::-1] != new[len(new) - tail :][::-1])
    equal = int(unequal[0]) if len(unequal) else tail
    old_end, new_end = len(old) - equal, len(new) - equal
    prices = {int(rows[end - 1]["price"]) for rows, end in ((old, old_end), (new, new_end)) if end > begin}
    while old_end < len(old) and int(old[old_end]["price"]) in prices:
        old_end, new_end = old_end + 1, new_end + 1
    return begin, old_end, new_end
