"""Time and sales, and the candles of the chart, of one contract."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from sortedcontainers import SortedDict

from exchange.api.feed import FeedCandle, FeedTrade
from exchange.api.formats import parse_price_ticks
from exchange.api.history import Candle, Interval
from exchange.api.market import Trade

TRADES_KEPT: Final = 500
CANDLES_KEPT: Final = 500
INTERVALS: Final[tuple[Interval, ...]] = ("1m", "5m", "1h", "1d")


@dataclass(frozen=True, slots=True)
class Print:
    """One trade; price in ticks, time as the exchange writes it."""

    trade_id: int
    time: str
    price: int
    lots: int
    aggressor: Literal["buy", "sell", "auction"]


class Tape:
    """The latest trades, newest first, each once, at most `TRADES_KEPT`."""

    def __init__(self) -> None:
        self.prints: deque[Print] = deque(maxlen=TRADES_KEPT)

    def load(self, trades: Iterable[Trade]) -> None:
        """Take over a listing of the latest trades; what was heard before stays."""
        known = {one.trade_id: one for one in self.prints}
        known |= {one.trade_id: one for one in map(_print, trades)}
        newest = sorted(known.values(), key=lambda one: one.trade_id, reverse=True)
        self.prints = deque(newest[:TRADES_KEPT], maxlen=TRADES_KEPT)

    def follow(self, trade: FeedTrade) -> None:
        """Take in a trade that is newer than those before; any other is there already."""
        one = _print(trade)
        if not self.prints or one.trade_id > self.prints[0].trade_id:
            self.prints.appendleft(one)


def _print(trade: Trade | FeedTrade) -> Print:
    price = parse_price_ticks(trade.price)
    return Print(int(trade.trade_id), trade.time, price, trade.quantity, trade.aggressor)


@dataclass(frozen=True, slots=True)
class Bar:
    """A candle; prices in ticks."""

    start: str
    open: int
    high: int
    low: int
    close: int
    lots: int


class Chart:
    """The latest candles of one interval, by their start; at most `CANDLES_KEPT`."""

    def __init__(self, interval: Interval = "1m") -> None:
        self.interval: Interval = interval
        self._bars: SortedDict[str, Bar] = SortedDict()

    def load(self, candles: Iterable[Candle]) -> None:
        """Take in candles of the history; a live one of the same start is newer and stays."""
        for candle in candles:
            self._bars.setdefault(candle.start, _bar(candle))
        self._forget()

    def follow(self, candle: FeedCandle) -> None:
        """Take in the candle that moves."""
        if candle.interval == self.interval:
            self._bars[candle.start] = _bar(candle)
            self._forget()

    def bars(self, count: int) -> list[Bar]:
        """The latest candles, oldest first."""
        return list(self._bars.values()[-count:]) if count > 0 else []

    def _forget(self) -> None:
        while len(self._bars) > CANDLES_KEPT:
            self._bars.popitem(0)


def _bar(candle: Candle | FeedCandle) -> Bar:
    price = parse_price_ticks
    return Bar(
        candle.start,
        price(candle.open),
        price(candle.high),
        price(candle.low),
        price(candle.close),
        candle.volume_lots,
    )
