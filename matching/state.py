"""The canonical state: what two engines that behave alike must agree on, in arrays free of memory layout.

``snapshot()`` returns these arrays by name, ``restore()`` takes them back, and ``hash_state`` is their
digest. The kernel and the reference engine produce the same bytes for the same state.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import numpy as np
from blake3 import blake3

from matching.records import Records


class Place(IntEnum):
    """Where an open order stands (clause 3.6)."""

    BOOK = 1
    STOP = 2
    PARKED = 3


ORDER_STATE: Final = np.dtype(
    [
        ("order_id", "<i8"),  # generation × 2^32 + slot
        ("client_id", "<u8"),  # as given
        ("arrival", "<i8"),  # 1 for the first order that the engine ever accepted, 2 for the second …
        ("price", "<i4"),  # limit price, ticks; 0 if the order has none
        ("trigger", "<i4"),  # trigger price, ticks; 0 unless it stands among the stops
        ("offset", "<i4"),  # trailing offset, ticks; 0 unless it is a standing trailing stop
        ("remaining", "<i4"),  # open lots, reserve included
        (
            "visible",
            "<i4",
        ),  # shown lots (of a stop or a parked order: that it would show); remaining if no iceberg
        ("executed", "<i4"),  # lots traded since acceptance
        ("display", "<i4"),  # lots shown at a time; 0 if not an iceberg
        ("account", "<i4"),
        ("instrument", "<i4"),
        ("expiry_day", "<u2"),  # GTD only, else 0
        ("group", "<u2"),
        ("side", "<u1"),
        ("type", "<u1"),  # as it stands now: an activated stop is MARKET or LIMIT
        ("tif", "<u1"),
        ("flags", "<u1"),
        ("stp", "<u1"),
        ("place", "<u1"),
        ("pad", "<u2"),  # 0
    ]
)
"""One open order (L3 row)."""

INSTRUMENT_STATE: Final = np.dtype(
    [
        ("margin_long_fen", "<i8"),
        ("margin_short_fen", "<i8"),
        ("instrument", "<i4"),
        ("price_low", "<i4"),
        ("price_high", "<i4"),
        ("reference_price", "<i4"),
        ("last_price", "<i4"),  # 0 if there is none
        ("multiplier", "<i4"),
        ("max_order_size", "<i4"),
        ("position_limit", "<i4"),
        ("band_ticks", "<i4"),
        ("hub", "<u2"),
        ("phase", "<u1"),
        ("pad", "<u1"),  # 0
    ]
)
"""One listed instrument."""

ACCOUNT_STATE: Final = np.dtype(
    [
        ("equity_fen", "<i8"),
        ("offset_fen", "<i8"),
        ("requirement_fen", "<i8"),  # clause 3.36
        ("max_order_notional_fen", "<i8"),
        ("account", "<i4"),
        ("max_open_orders", "<i4"),
        ("max_orders_per_second", "<i4"),
        ("open_orders", "<i4"),
        ("rate_second", "<i8"),  # the second of the latest counted command; 0 at first
        ("rate_count", "<i4"),  # commands counted in it, refused ones included
        ("enabled", "<u1"),
        ("pad", "<u1", (3,)),  # 0
    ]
)
"""One account that has been set up."""

HOLDING_STATE: Final = np.dtype(
    [
        ("account", "<i4"),
        ("instrument", "<i4"),
        ("position", "<i4"),  # lots, long positive
        ("open_buy", "<i4"),  # lots
        ("open_sell", "<i4"),  # lots
    ]
)
"""One pair of account and instrument (clause 3.35)."""

ENGINE_STATE: Final = np.dtype(
    [
        ("trading_day", "<i8"),  # the last ended trading day; 0 before the first
        ("arrivals", "<i8"),  # orders accepted so far
        ("refreshes", "<i8"),  # Σ ⌈quantity ÷ display⌉ − 1 (clause 3.15)
        ("used_slots", "<i8"),  # highest slot ever used
    ]
)
"""The engine's own counters; one row."""

LEVEL_VIEW: Final = np.dtype([("price", "<i4"), ("quantity", "<i4"), ("orders", "<i4")])
"""One displayed level (L2 row): ticks (0 = market orders in a call), shown lots, number of orders."""

POSITION_VIEW: Final = np.dtype([("account", "<i4"), ("position", "<i4")])
"""One account's position in an instrument, lots."""

SNAPSHOT_DTYPES: Final[Mapping[str, np.dtype[np.void] | np.dtype[np.uint32] | np.dtype[np.int32]]] = {
    "engine": ENGINE_STATE,  # one row
    "instruments": INSTRUMENT_STATE,  # listed ones, ascending index
    "accounts": ACCOUNT_STATE,  # ascending index
    "holdings": HOLDING_STATE,  # ascending (account, instrument)
    "orders": ORDER_STATE,  # ascending instrument, each in book order (clause 3.8)
    "generations": np.dtype("<u4"),  # of slots 1 … used_slots
    "free_slots": np.dtype("<i4"),  # slots that were used and are free; the next one to be used is last
}
"""The arrays of a snapshot, in the order in which they are hashed."""


def hash_state(snapshot: Mapping[str, Records]) -> bytes:
    """Return the 32-byte BLAKE3 digest of a snapshot: for each array its name, its length and its bytes."""
    digest = blake3()
    for name, dtype in SNAPSHOT_DTYPES.items():
        rows = np.ascontiguousarray(snapshot[name], dtype=dtype)
        digest.update(f"{name}:{len(rows)};".encode())
        digest.update(rows.tobytes())
    return digest.digest()
