"""Candles as they form: for each contract the latest one of every interval. A read model, not state."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.constants import TRADE
from matching.jit import kernel
from matching.records import Records

INTERVALS_S: Final = (60, 300, 3_600, 86_400)
"""Lengths in seconds. All begin at multiples of themselves in Asia/Shanghai, so a day begins at midnight."""

LIVE_CANDLE: Final = np.dtype(
    [
        ("start", "<i8"),  # seconds since the epoch
        ("volume", "<i8"),  # lots
        ("turnover", "<i8"),  # Σ price × lots, ticks
        ("trades", "<i8"),  # 0: there was none yet
        ("open", "<i4"),  # ticks, as the next three
        ("high", "<i4"),
        ("low", "<i4"),
        ("close", "<i4"),
    ]
)
"""One candle; the value of its trades is `turnover` × the contract's hours, in fen."""

_OFFSET_S: Final = 8 * 3_600
_NS: Final = 1_000_000_000


class LiveCandles:
    """One row of `LIVE_CANDLE` for each contract and interval."""

    def __init__(self) -> None:
        self._rows: NDArray[Any] = np.zeros((64, len(INTERVALS_S)), LIVE_CANDLE)

    def record(self, events: Records, time_ns: int) -> None:
        """Add the trades among `events` (dtype EVENT), which happened at `time_ns`."""
        starts = starts_at(time_ns)
        highest = _fold(events, self._rows, starts)
        if highest >= 0:
            self._grow(2 * (highest + 1))
            _fold(events, self._rows, starts)

    def of(self, contract: int) -> NDArray[Any]:
        """Return a contract's candles (LIVE_CANDLE), one an interval; `trades` 0 where there is none."""
        known = contract < len(self._rows)
        rows: NDArray[Any] = self._rows[contract] if known else np.zeros(len(INTERVALS_S), LIVE_CANDLE)
        return rows

    def rows(self) -> NDArray[Any]:
        """Return all rows, those of a contract together."""
        return self._rows.reshape(-1)

    def restore(self, rows: NDArray[Any]) -> None:
        """Take over the rows of another."""
        self._rows = rows.reshape(-1, len(INTERVALS_S)).copy()

    def _grow(self, contracts: int) -> None:
        grown = np.zeros((contracts, len(INTERVALS_S)), LIVE_CANDLE)
        grown[: len(self._rows)] = self._rows
        self._rows = grown


def starts_at(time_ns: int) -> NDArray[np.int64]:
    """Return where the candles begin that a time belongs to, seconds since the epoch, one an interval."""
    local = time_ns // _NS + _OFFSET_S
    return np.array([local - local % interval - _OFFSET_S for interval in INTERVALS_S], np.int64)


@kernel
def _fold(events: NDArray[Any], rows: NDArray[Any], starts: NDArray[Any]) -> int:
    """Add trades; if a contract is beyond `rows`, add nothing and return the highest, else −1."""
    highest = -1
    for i in range(len(events)):
        if events[i]["kind"] == TRADE:
            highest = max(highest, events[i]["instrument"])
    if highest >= len(rows):
        return highest
    for i in range(len(events)):
        event = events[i]
        if event["kind"] != TRADE:
            continue
        price = event["price"]
        for at in range(len(starts)):
            row = rows[event["instrument"], at]
            if row["trades"] == 0 or row["start"] != starts[at]:
                row["start"], row["trades"] = starts[at], 0
                row["volume"], row["turnover"] = 0, 0
                row["open"], row["high"], row["low"] = price, price, price
            row["high"] = max(row["high"], price)
            row["low"] = min(row["low"], price)
            row["close"] = price
            row["volume"] += event["quantity"]
            row["turnover"] += event["quantity"] * price
            row["trades"] += 1
    return -1
