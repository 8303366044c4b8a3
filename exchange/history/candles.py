"""Candles: the trades of a contract in a stretch of market time, in one row."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.domain.calendar import NS_PER_HOUR, NS_PER_SECOND
from exchange.history.rows import CANDLE
from exchange.service.candles import INTERVALS_S

_OFFSET_S: Final = 8 * NS_PER_HOUR // NS_PER_SECOND


def candles_of(trades: NDArray[Any]) -> NDArray[Any]:
    """Return the candles (CANDLE) of `trades` (TRADE, in order): every contract and interval that has any."""
    return np.concatenate([_candles(trades, interval) for interval in INTERVALS_S])


def _candles(trades: NDArray[Any], interval: int) -> NDArray[Any]:
    local = trades["time_ns"] // NS_PER_SECOND + _OFFSET_S
    starts = local - local % interval - _OFFSET_S
    order = np.lexsort((trades["trade_id"], starts, trades["instrument"]))
    rows, starts = trades[order], starts[order]
    fresh = np.ones(len(rows), np.bool_)
    fresh[1:] = (rows["instrument"][1:] != rows["instrument"][:-1]) | (starts[1:] != starts[:-1])
    first = np.flatnonzero(fresh)
    last = np.append(first[1:], len(rows)) - 1
    made = np.zeros(len(first), CANDLE)
    if not len(first):
        return made
    made["instrument"], made["interval"], made["start"] = rows["instrument"][first], interval, starts[first]
    made["open"], made["close"] = rows["price"][first], rows["price"][last]
    made["high"] = np.maximum.reduceat(rows["price"], first)
    made["low"] = np.minimum.reduceat(rows["price"], first)
    made["volume"] = np.add.reduceat(rows["quantity"], first)
    made["value"] = np.add.reduceat(rows["value"], first)
    made["trades"] = last - first + 1
    return made
