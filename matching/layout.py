"""The kernel's tables: one row type each, and the core record that knows where they are.

Numbers that name rows are 1-based where 0 means *none* (slots, rungs, holdings), so that zeroed memory is an
empty engine and pages that nobody uses are never touched. A *ladder* is one side of an instrument: buy, sell,
sell stops or buy stops; ladder number = instrument × 4 + side. A *rung* is a price on it: 1 holds the market
orders to sell, 2 the lowest price, and the one after the highest price holds the market orders to buy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.jit import address, row_accessor
from matching.records import EVENT
from matching.spec import EngineLimits

CACHE_LINE: Final = 64
"""Bytes."""

BUY: Final = 0
SELL: Final = 1
STOP_SELL: Final = 2
STOP_BUY: Final = 3

TABLES: Final = (
    "orders",
    "links",
    "levels",
    "words",
    "summaries",
    "ladders",
    "instruments",
    "accounts",
    "holdings",
    "index",
    "free_slots",
    "free_holdings",
    "scratch",
    "events",
)
COUNTERS: Final = (
    "max_instruments",
    "max_accounts",
    "max_orders",
    "max_levels",
    "max_holdings",
    "max_refreshes",
    "rungs",  # rows of one ladder in `levels`
    "words_per_ladder",
    "summaries_per_ladder",
    "index_mask",
    "event_capacity",
    "event_count",
    "seq",  # of the command being applied
    "live_orders",
    "free_slot_count",
    "used_slots",
    "free_holding_count",
    "used_holdings",
    "arrivals",
    "refreshes",
    "trading_day",
    "elected",  # orders in the scratch table that wait for activation
)
CORE: Final = np.dtype([(name, "<i8") for name in TABLES + COUNTERS])

ORDER: Final = np.dtype(
    [
        ("client_id", "<u8"),
        ("next", "<i4"),  # slot behind it in its queue
        ("prev", "<i4"),  # slot ahead of it
        ("price", "<i4"),  # limit price, ticks; 0 without
        ("remaining", "<i4"),  # open lots
        ("visible", "<i4"),  # shown lots
        ("executed", "<i4"),
        ("account", "<i4"),
        ("instrument", "<i4"),
        ("holding", "<i4"),  # row of `holdings`
        ("generation", "<u4"),
        ("display", "<i4"),
        ("trigger", "<i4"),  # of a standing stop, ticks; else 0
        ("side", "u1"),
        ("type", "u1"),
        ("tif", "u1"),
        ("flags", "u1"),
        ("stp", "u1"),
        ("place", "u1"),  # Place; 0 = the slot is free or its order is on its way in
        ("group", "<u2"),
    ]
)
"""One order is one cache line; what matching doesn't need is in ``LINK``."""

LINK: Final = np.dtype(
    [
        ("arrival", "<i8"),
        ("next", "<i4"),  # the account's next open order, in acceptance order
        ("prev", "<i4"),
        ("offset", "<i4"),  # of a standing trailing stop, ticks
        ("expiry_day", "<u2"),
        ("pad", "<u2"),
        ("spare", "<i8"),
    ]
)
LEVEL: Final = np.dtype(
    [
        ("head", "<i4"),
        ("tail", "<i4"),
        ("visible", "<i8"),  # lots
        ("hidden", "<i8"),  # reserve lots
        ("orders", "<i4"),
        ("pad", "<i4"),
    ]
)
WORD: Final = np.dtype([("bits", "<u8")])
LADDER: Final = np.dtype([("best", "<i4"), ("orders", "<i4")])
INSTRUMENT: Final = np.dtype(
    [
        ("margin_long_fen", "<i8"),
        ("margin_short_fen", "<i8"),
        ("multiplier", "<i8"),
        ("price_low", "<i4"),
        ("price_high", "<i4"),
        ("reference_price", "<i4"),
        ("last_price", "<i4"),
        ("max_order_size", "<i4"),
        ("position_limit", "<i4"),
        ("band_ticks", "<i4"),
        ("first_holding", "<i4"),
        ("auction_only", "<i4"),  # orders in the book that leave after the next uncross
        ("trailing", "<i4"),  # standing trailing stops
        ("parked_head", "<i4"),
        ("parked_tail", "<i4"),
        ("hub", "<u2"),
        ("phase", "u1"),
        ("listed", "u1"),
        ("pad", "<i4"),
    ]
)
ACCOUNT: Final = np.dtype(
    [
        ("equity_fen", "<i8"),
        ("offset_fen", "<i8"),
        ("requirement_fen", "<i8"),
        ("max_order_notional_fen", "<i8"),
        ("head", "<i4"),  # slot of the oldest open order
        ("tail", "<i4"),
        ("open_orders", "<i4"),
        ("max_open_orders", "<i4"),
        ("rate_second", "<u4"),
        ("rate_count", "<i4"),
        ("max_orders_per_second", "<i4"),
        ("enabled", "u1"),
        ("known", "u1"),
        ("pad", "<u2"),
    ]
)
HOLDING: Final = np.dtype(
    [
        ("account", "<i4"),
        ("instrument", "<i4"),
        ("position", "<i4"),
        ("open_buy", "<i4"),
        ("open_sell", "<i4"),
        ("next", "<i4"),  # of the same instrument
        ("spare", "<i8"),
    ]
)
NUMBER: Final = np.dtype([("value", "<i4")])


order_at = row_accessor(CORE, "orders", ORDER)
link_at = row_accessor(CORE, "links", LINK)
level_at = row_accessor(CORE, "levels", LEVEL)
word_at = row_accessor(CORE, "words", WORD)
summary_at = row_accessor(CORE, "summaries", WORD)
ladder_at = row_accessor(CORE, "ladders", LADDER)
instrument_at = row_accessor(CORE, "instruments", INSTRUMENT)
account_at = row_accessor(CORE, "accounts", ACCOUNT)
holding_at = row_accessor(CORE, "holdings", HOLDING)
index_at = row_accessor(CORE, "index", NUMBER)
free_slot_at = row_accessor(CORE, "free_slots", NUMBER)
free_holding_at = row_accessor(CORE, "free_holdings", NUMBER)
scratch_at = row_accessor(CORE, "scratch", NUMBER)
event_at = row_accessor(CORE, "events", EVENT)


def reserve(sizes: Mapping[str, tuple[int, np.dtype[Any]]]) -> dict[str, NDArray[Any]]:
    """Return zeroed tables of so many rows, next to one another in one piece of memory, small ones first.

    Each begins on a cache line, so that no row of 64 bytes lies on two; and the system gives large pages to
    one large piece of memory, so that few addresses have to be looked up in page tables.
    """
    memory = np.zeros(
        sum(rows * row.itemsize + CACHE_LINE for rows, row in sizes.values()) + CACHE_LINE, np.uint8
    )
    tables = {}
    first = -memory.ctypes.data % CACHE_LINE
    for name, (rows, row) in sorted(sizes.items(), key=lambda item: item[1][0] * item[1][1].itemsize):
        tables[name] = memory[first : first + rows * row.itemsize].view(row)
        first += -(-rows * row.itemsize // CACHE_LINE) * CACHE_LINE
    return tables


class Store:
    """The tables of one engine and its core record. Memory is zeroed lazily by the system, page by page."""

    def __init__(self, limits: EngineLimits) -> None:
        rungs = limits.max_levels + 4
        words = -(-rungs // 64)
        ladders = limits.max_instruments * 4
        index_size = 1 << max(4, (2 * limits.max_holdings - 1).bit_length())
        sizes: dict[str, tuple[int, np.dtype[Any]]] = {
            "orders": (limits.max_orders + 1, ORDER),
            "links": (limits.max_orders + 1, LINK),
            "levels": (ladders * rungs, LEVEL),
            "words": (ladders * words, WORD),
            "summaries": (ladders * -(-words // 64), WORD),
            "ladders": (ladders, LADDER),
            "instruments": (limits.max_instruments, INSTRUMENT),
            "accounts": (limits.max_accounts, ACCOUNT),
            "holdings": (limits.max_holdings + 1, HOLDING),
            "index": (index_size, NUMBER),
            "free_slots": (limits.max_orders, NUMBER),
            "free_holdings": (limits.max_holdings, NUMBER),
            "scratch": (limits.max_orders + 1, NUMBER),
        }
        self.tables = reserve(sizes)
        self.core = np.zeros(1, CORE)
        for name, table in self.tables.items():
            self.core[name] = address(table)
        for name in ("instruments", "accounts", "orders", "levels", "holdings", "refreshes"):
            self.core[f"max_{name}"] = getattr(limits, f"max_{name}")
        self.core["rungs"], self.core["words_per_ladder"] = rungs, words
        self.core["summaries_per_ladder"], self.core["index_mask"] = -(-words // 64), index_size - 1
        self.reserve_events(1 << 14)

    def reserve_events(self, capacity: int) -> None:
        """Make room for `capacity` events in all, keeping those that are there."""
        events = reserve({"events": (capacity, EVENT)})["events"]
        kept = int(self.core["event_count"][0])
        if kept:
            events[:kept] = self.tables["events"][:kept]
        self.tables["events"] = events
        self.core["events"], self.core["event_capacity"] = address(events), capacity
