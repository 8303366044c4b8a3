"""Commands that a population writes in one wake: columns of preallocated records."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.constants import CANCEL, CANCEL_TAKING, DAY, IOC, NEW
from matching.records import COMMAND, Records
from sims.engine.jit import inlined

BUY: Final = 0
SELL: Final = 1
RESTS: Final = DAY
AT_ONCE: Final = IOC


@inlined
def put_order(
    out: NDArray[Any],
    count: int,
    refs: NDArray[Any],
    ref: int,
    row: int,
    contract: int,
    side: int,
    price: int,
    lots: int,
    tif: int,
    wake: int,
) -> int:
    """Write a limit order of the ref's account into `out` (COMMAND); return the new count.

    The place of the ref is taken until its events free it. Price in ticks.
    """
    place = refs[ref]
    place["order_id"], place["row"], place["price"] = 0, row, price
    place["remaining"], place["side"], place["born"] = lots, side, wake
    command = out[count]
    command["order_id"], command["client_id"] = 0, ref + 1
    command["price"], command["quantity"] = price, lots
    command["account"], command["instrument"] = place["account"], contract
    command["kind"], command["side"], command["tif"] = NEW, side, tif
    command["stp"] = CANCEL_TAKING
    return count + 1


@inlined
def put_cancel(out: NDArray[Any], count: int, refs: NDArray[Any], ref: int) -> int:
    """Write the cancellation of a ref's order, if it is in the book; return the new count."""
    place = refs[ref]
    if place["order_id"] == 0:
        return count
    command = out[count]
    command["order_id"], command["client_id"] = place["order_id"], 0
    command["price"] = command["quantity"] = 0
    command["account"], command["instrument"] = place["account"], 0
    command["kind"], command["side"], command["tif"], command["stp"] = CANCEL, 0, 0, 0
    return count + 1


class Outbox:
    """A growing buffer of commands; columns that no writer sets stay 0."""

    def __init__(self, room: int) -> None:
        self._records: Records = np.zeros(room, COMMAND)

    def room(self, commands: int) -> Records:
        """Return records for at most so many commands; valid until the next call."""
        if commands > len(self._records):
            self._records = np.zeros(2 * commands, COMMAND)
        return self._records[:commands]
