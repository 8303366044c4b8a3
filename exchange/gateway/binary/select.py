"""Compiled passes of the binary gateway: what a client may send, and which events concern whom."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.api.binary import MAKER
from exchange.service.slab import Slab
from matching.constants import TRADE
from matching.jit import kernel
from matching.records import COMMAND, EVENT, CommandKind, Records

NOBODY: Final = -1
_FIRST: Final = int(CommandKind.NEW)
_LAST: Final = int(CommandKind.MASS_CANCEL)
_MAKER: Final = int(MAKER)


@kernel
def leading_commands(records: NDArray[Any]) -> int:
    """Return how many records (dtype COMMAND) from the first on are commands that members may send."""
    for i in range(len(records)):
        kind = records[i]["kind"]
        if kind < _FIRST or kind > _LAST:
            return i
    return len(records)


@kernel
def _share_out(
    events: NDArray[Any], slots: NDArray[Any], after_seq: int, places: NDArray[Any], target: NDArray[Any]
) -> None:
    """Write each slot's events to `target`, those of a slot together; `places` becomes where each ends."""
    places[:] = 0
    for i in range(len(events)):
        event = events[i]
        if event["seq"] <= after_seq:
            continue
        if event["account"] >= 0 and slots[event["account"]] >= 0:
            places[slots[event["account"]]] += 1
        if event["kind"] == TRADE and slots[event["contra_account"]] >= 0:
            places[slots[event["contra_account"]]] += 1
    begin = 0
    for slot in range(len(places)):
        count = places[slot]
        places[slot] = begin
        begin += count
    for i in range(len(events)):
        event = events[i]
        if event["seq"] <= after_seq:
            continue
        trade = event["kind"] == TRADE
        if event["account"] >= 0 and slots[event["account"]] >= 0:
            slot = slots[event["account"]]
            place = places[slot]
            places[slot] = place + 1
            target[place] = event
            row = target[place]
            if trade:
                row["contra_id"] = 0
                row["contra_remaining"] = 0
                row["contra_account"] = NOBODY
        if trade and slots[event["contra_account"]] >= 0:
            slot = slots[event["contra_account"]]
            place = places[slot]
            places[slot] = place + 1
            target[place] = event
            row = target[place]
            row["order_id"] = event["contra_id"]
            row["contra_id"] = 0
            row["client_id"] = 0
            row["remaining"] = event["contra_remaining"]
            row["contra_remaining"] = 0
            row["account"] = event["contra_account"]
            row["contra_account"] = NOBODY
            row["side"] = 1 - event["side"]
            row["flags"] = event["flags"] | _MAKER


def events_by_slot(
    events: Records, slots: NDArray[np.int32], count: int, room: Slab, after_seq: int = -1
) -> list[Records]:
    """Return, for each of `count` slots, the events (dtype EVENT) after `after_seq` that concern it.

    They are written to `room`; `slots` names each account's slot, NOBODY for none. A TRADE comes to both
    sides, each from its own point of view and without the other's order, account and open lots; the resting
    side's carries the flag MAKER.
    """
    ends = np.empty(count, np.int64)
    _share_out(events, slots, after_seq, ends, room.offer(2 * len(events)))
    places = ends.tolist()
    target = room.take(places[-1])
    return [target[begin:end] for begin, end in pairwise((0, *places))]


def warm_up() -> None:
    """Compile everything here."""
    leading_commands(np.zeros(1, COMMAND))
    events_by_slot(np.zeros(1, EVENT), np.zeros(1, np.int32), 1, Slab(EVENT))
