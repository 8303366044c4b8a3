"""The tape: the latest trades of all contracts and their candles, kept in memory for the views.

A read model, not state.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.service.candles import LiveCandles
from exchange.service.hot import record_trades
from exchange.service.results import Applied

TAPE_ROW: Final = np.dtype(
    [
        ("trade_id", "<i8"),  # position in the sequence of all trades, from 1
        ("seq", "<i8"),
        ("time_ns", "<i8"),
        ("order_id", "<i8"),  # of the taker; in an auction the buyer's
        ("contra_id", "<i8"),
        ("price", "<i4"),
        ("quantity", "<i4"),
        ("account", "<i4"),  # of order_id
        ("contra_account", "<i4"),
        ("instrument", "<i4"),  # contract index
        ("side", "<u1"),  # of order_id
        ("auction", "<u1"),
        ("pad", "<u2"),
    ]
)


class Tape:
    """A ring of TAPE_ROW; the oldest trade is forgotten when it is full."""

    def __init__(self, capacity: int) -> None:
        self._ring: NDArray[Any] = np.zeros(capacity, TAPE_ROW)
        self._trades = 0
        self.candles = LiveCandles()

    def record(self, applied: Applied) -> None:
        """Add the trades of a frame."""
        before = self._trades
        self._trades = record_trades(applied.events, self._ring, before, applied.time_ns)
        if self._trades > before:
            self.candles.record(applied.events, applied.time_ns)

    def latest(self, wanted: NDArray[np.bool_], limit: int) -> NDArray[Any]:
        """Return at most `limit` rows of `rows()` where `wanted` holds, newest first."""
        return self.rows()[np.flatnonzero(wanted)[-limit:][::-1]] if limit > 0 else self._ring[:0]

    @property
    def trades(self) -> int:
        """How many trades there ever were."""
        return self._trades

    def restore(self, rows: NDArray[Any], trades: int) -> None:
        """Fill an empty tape with the latest rows of another that saw so many trades."""
        kept = rows[-len(self._ring) :]
        self._ring[(kept["trade_id"] - 1) % len(self._ring)] = kept
        self._trades = trades

    def rows(self) -> NDArray[Any]:
        """Return the trades that are kept, oldest first."""
        size = len(self._ring)
        if self._trades <= size:
            return self._ring[: self._trades]
        return np.roll(self._ring, -(self._trades % size))
