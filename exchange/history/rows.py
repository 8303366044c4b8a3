"""Rows of the read models as they leave the fold, column for column as SQLite keeps them.

Prices are ticks, quantities lots, money fen, times nanoseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

TRADE: Final = np.dtype(
    [
        ("trade_id", "<i8"),  # position in the sequence of all trades, from 1
        ("seq", "<i8"),
        ("time_ns", "<i8"),
        ("instrument", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("value", "<i8"),  # fen: price × lots × hours
        ("side", "<i8"),  # of order_id
        ("auction", "<i8"),  # 1 for a trade of a call auction
        ("order_id", "<i8"),  # of the taker; in an auction the buyer's
        ("account", "<i8"),
        ("fee", "<i8"),  # that `account` paid
        ("contra_id", "<i8"),
        ("contra_account", "<i8"),
        ("contra_fee", "<i8"),
    ]
)
"""One trade."""

ORDER: Final = np.dtype(
    [
        ("number", "<i8"),  # position in the sequence of all accepted orders, from 1
        ("order_id", "<i8"),
        ("client_id", "<i8"),  # the 64 bits of the client's unsigned id
        ("account", "<i8"),
        ("instrument", "<i8"),
        ("side", "<i8"),
        ("type", "<i8"),
        ("tif", "<i8"),
        ("accepted_seq", "<i8"),
        ("accepted_ns", "<i8"),
        ("price", "<i8"),  # limit; 0 without one
        ("quantity", "<i8"),  # total as ordered or last amended
        ("open", "<i8"),
        ("executed", "<i8"),
        ("status", "<i8"),  # OrderStatus
        ("reason", "<i8"),  # CancelReason of what was cancelled last; 0 if nothing was
        ("updated_seq", "<i8"),
        ("updated_ns", "<i8"),
    ]
)
"""One order as it is now."""

ORDER_FIXED: Final = 10
"""How many columns of ORDER never change once the order is accepted; they come first."""

ENTRY: Final = np.dtype(
    [
        ("entry", "<i8"),  # position in the ledger, from 1
        ("seq", "<i8"),
        ("day", "<i8"),  # calendar day in Asia/Shanghai, days since 1970-01-01
        ("account", "<i8"),
        ("kind", "<i8"),  # LedgerKind
        ("instrument", "<i8"),  # -1 without one
        ("amount", "<i8"),
        ("cash", "<i8"),  # Σ amount of the account up to and with this entry
    ]
)
"""One movement of money on one account."""

CANDLE: Final = np.dtype(
    [
        ("instrument", "<i8"),
        ("interval", "<i8"),  # seconds
        ("start", "<i8"),  # seconds since the epoch
        ("open", "<i8"),
        ("high", "<i8"),
        ("low", "<i8"),
        ("close", "<i8"),
        ("volume", "<i8"),
        ("value", "<i8"),
        ("trades", "<i8"),
    ]
)
"""The trades of one contract in one interval, those of a batch or all of them."""


HEALTH: Final = np.dtype(
    [
        ("seq", "<i8"),  # the last command of the state that was measured
        ("time_ns", "<i8"),
        ("hub", "<i8"),  # number of the hub, -1 for all together
        ("component", "<i8"),  # health.scores.Component
        ("numerator", "<i8"),
        ("denominator", "<i8"),
        ("score", "<i8"),  # hundredths, 0 … 10,000
    ]
)
"""One component of the market health index at one moment."""


class OrderStatus(IntEnum):
    """What became of an order; the numbers are stable."""

    OPEN = 0
    FILLED = 1
    CANCELLED = 2


@dataclass(frozen=True, slots=True)
class Batch:
    """What some frames add: new trades, orders and entries, and orders of before as they are now."""

    trades: NDArray[Any]
    """dtype TRADE, ascending."""
    accepted: NDArray[Any]
    """dtype ORDER, ascending."""
    changed: NDArray[Any]
    """dtype ORDER: orders of earlier batches."""
    entries: NDArray[Any]
    """dtype ENTRY, ascending."""
    health: NDArray[Any]
    """dtype HEALTH, ascending."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Where the tables end: the highest number of each, and the orders that are open (ORDER)."""

    trades: int
    orders: int
    entries: int
    live: NDArray[Any]
