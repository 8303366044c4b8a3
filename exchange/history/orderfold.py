"""What became of each order: a compiled fold of the kernel's events into one row an order."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.history.rows import ORDER, OrderStatus
from matching.constants import ACCEPTED, AMENDED, CANCELLED, TRADE, TRIGGERED
from matching.jit import kernel
from matching.records import Records

_NONE: Final = -1
_SLOT_BITS: Final = 0xFFFF_FFFF
_OPEN: Final = int(OrderStatus.OPEN)
_FILLED: Final = int(OrderStatus.FILLED)
_CANCELLED: Final = int(OrderStatus.CANCELLED)


@kernel
def _touch(touched: NDArray[Any], count: int, live: NDArray[Any], place: NDArray[Any], order_id: Any) -> Any:
    """Return where the order stands among the touched ones; it may just have become the last, `count`."""
    slot = order_id & _SLOT_BITS
    if place[slot] == _NONE:
        place[slot] = count
        touched[count] = live[slot]
    return place[slot]


@kernel
def _left(row: Any, remaining: Any, status: int) -> None:
    """Enter what is open; with nothing left the order has come to its end."""
    row["open"] = remaining
    if remaining == 0:
        row["status"] = status


@kernel
def _needs(events: NDArray[Any]) -> Any:
    """Return (the highest slot, the most rows) that `events` (dtype EVENT) touch."""
    highest, rows = 0, 0
    for i in range(len(events)):
        event = events[i]
        if not _concerns_orders(event["kind"]):
            continue
        highest = max(highest, event["order_id"] & _SLOT_BITS, event["contra_id"] & _SLOT_BITS)
        rows += 2 if event["kind"] == TRADE else 1
    return highest, rows


@kernel
def _concerns_orders(kind: int) -> bool:
    return kind in (ACCEPTED, TRADE, CANCELLED, AMENDED, TRIGGERED)


@kernel
def fold_orders(
    events: NDArray[Any],
    times: NDArray[Any],
    types: NDArray[Any],
    tifs: NDArray[Any],
    live: NDArray[Any],
    place: NDArray[Any],
    touched: NDArray[Any],
    count: int,
    accepted: int,
) -> Any:
    """Fold `events` (dtype EVENT) and return (touched rows, orders accepted) as they are then.

    `times` (ns), `types` and `tifs` belong to the events. `live` (ORDER) has the latest order of each slot
    as of the last batch, `place` where it stands in `touched` (ORDER) since then, or -1.
    """
    for i in range(len(events)):
        event = events[i]
        kind = event["kind"]
        if not _concerns_orders(kind):
            continue
        if kind == ACCEPTED:
            accepted += 1
            place[event["order_id"] & _SLOT_BITS] = count
            row = touched[count]
            count += 1
            row["number"], row["order_id"] = accepted, event["order_id"]
            row["client_id"] = np.int64(event["client_id"])
            row["account"], row["instrument"] = event["account"], event["instrument"]
            row["side"], row["type"], row["tif"] = event["side"], types[i], tifs[i]
            row["accepted_seq"], row["accepted_ns"] = event["seq"], times[i]
            row["price"] = event["price"]
            row["quantity"], row["open"] = event["quantity"], event["quantity"]
            row["executed"], row["status"], row["reason"] = 0, _OPEN, 0
            row["updated_seq"], row["updated_ns"] = event["seq"], times[i]
            continue
        where = _touch(touched, count, live, place, event["order_id"])
        count = max(count, where + 1)
        row = touched[where]
        row["updated_seq"], row["updated_ns"] = event["seq"], times[i]
        if kind == TRADE:
            row["executed"] += event["quantity"]
            _left(row, event["remaining"], _FILLED)
            where = _touch(touched, count, live, place, event["contra_id"])
            count = max(count, where + 1)
            contra = touched[where]
            contra["updated_seq"], contra["updated_ns"] = event["seq"], times[i]
            contra["executed"] += event["quantity"]
            _left(contra, event["contra_remaining"], _FILLED)
        elif kind == CANCELLED:
            row["reason"] = event["code"]
            _left(row, event["remaining"], _CANCELLED)
        elif kind == AMENDED:
            row["price"], row["open"] = event["price"], event["quantity"]
            row["quantity"] = row["executed"] + event["quantity"]
    return count, accepted


@kernel
def settle_orders(live: NDArray[Any], place: NDArray[Any], touched: NDArray[Any], count: int) -> None:
    """Carry the touched rows over into `live`; in a slot used twice the later one stays."""
    for i in range(count):
        slot = touched[i]["order_id"] & _SLOT_BITS
        live[slot] = touched[i]
        place[slot] = _NONE


class OrderFold:
    """Each slot's latest order, and the orders that changed since `take`.

    Begins where `accepted` orders were accepted, of which `live` (ORDER) are open.
    """

    def __init__(self, accepted: int, live: NDArray[Any]) -> None:
        self.accepted = accepted
        self._before = accepted
        self._live: NDArray[Any] = np.zeros(1 << 12, ORDER)
        self._place = np.full(1 << 12, _NONE, np.int64)
        self._touched: NDArray[Any] = np.zeros(1 << 12, ORDER)
        self._count = 0
        slots = live["order_id"] & _SLOT_BITS
        self._reserve(int(slots.max(initial=0)), 0)
        self._live[slots] = live

    def apply(
        self, events: Records, times: NDArray[np.int64], types: NDArray[Any], tifs: NDArray[Any]
    ) -> None:
        """Fold the events (dtype EVENT) of a frame; per event its time, and the command's type and tif."""
        self._reserve(*_needs(events))
        self._count, self.accepted = fold_orders(
            events, times, types, tifs, self._live, self._place, self._touched, self._count, self.accepted
        )

    def take(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return (new orders, changed older ones), both ORDER, and begin a new batch."""
        settle_orders(self._live, self._place, self._touched, self._count)
        touched = self._touched[: self._count].copy()
        fresh = touched["number"] > self._before
        self._before, self._count = self.accepted, 0
        return touched[fresh], touched[~fresh]

    def _reserve(self, highest: int, rows: int) -> None:
        if highest >= len(self._live):
            self._live = _grown(self._live, highest + 1)
            place = np.full(len(self._live), _NONE, np.int64)
            place[: len(self._place)] = self._place
            self._place = place
        if self._count + rows > len(self._touched):
            self._touched = _grown(self._touched, self._count + rows)


def _grown(rows: NDArray[Any], need: int) -> NDArray[Any]:
    grown = np.zeros(1 << (need - 1).bit_length(), rows.dtype)
    grown[: len(rows)] = rows
    return grown
