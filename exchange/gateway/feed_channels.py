"""What each public channel says of a contract: as it is now, and what a frame changed.

A message is made once, whoever reads it. Nothing is made of channels that nobody follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

import msgspec
import numpy as np

from exchange.api import feed as wire
from exchange.api.checksum import CHECKED_ROWS, of_sides
from exchange.api.formats import price_text, time_text
from exchange.gateway.feed_orders import order_changes
from exchange.service.candles import INTERVALS_S
from exchange.service.exchange import Exchange
from exchange.service.market import BOOK_ORDER
from exchange.service.results import Applied, columns
from matching.records import EVENT, EventFlag, EventKind, Records, Side
from matching.state import LEVEL_VIEW

CANDLE_CHANNELS: Final[dict[wire.Channel, int]] = {
    "candles_1m": 60,
    "candles_5m": 300,
    "candles_1h": 3_600,
    "candles_1d": 86_400,
}
CONTRACT_CHANNELS: Final[tuple[wire.Channel, ...]] = (
    "trades",
    "l1",
    "l2",
    "l3",
    "indicative",
    *CANDLE_CHANNELS,
)
"""Channels of contracts, in the order in which one frame's messages are sent."""

_INTERVALS: Final[dict[wire.Channel, Literal["1m", "5m", "1h", "1d"]]] = {
    "candles_1m": "1m",
    "candles_5m": "5m",
    "candles_1h": "1h",
    "candles_1d": "1d",
}
_NS: Final = 1_000_000_000
_TRADED: Final = columns(EVENT, "seq", "instrument", "price", "quantity", "side", "flags")
_LEVELS: Final = columns(EVENT, "side", "price", "quantity", "remaining")
_ENCODER: Final = msgspec.json.Encoder()

Topic = tuple[str, str]
"""A channel and a symbol."""
Told = tuple[Topic, bytes]
"""A message of a topic, as JSON."""


class PublicChannels:
    """Makes the messages. `follows(channel, symbol)` says whether anybody wants them."""

    def __init__(self, exchange: Exchange, follows: Callable[[str, str], bool]) -> None:
        self._exchange = exchange
        self._market = exchange.market
        self._follows = follows
        self._latest: dict[Topic, Any] = {}
        """What was said last: of L1 and indicative the message without its seq, of L3 the orders."""

    def forget(self, topic: Topic) -> None:
        """Nobody follows a topic of one contract any more."""
        self._latest.pop(topic, None)

    def now(self, channel: str, symbol: str, contract: int) -> bytes | None:
        """Return what a channel shows now, for a reader that begins; None: nothing yet."""
        seq = self._exchange.views.seq
        if channel == "l1":
            return _text(self._top(seq, symbol, contract))
        if channel == "l2":
            return _text(self._book(seq, symbol, contract))
        if channel == "l3":
            return _text(self._orders(seq, symbol, contract))
        if channel == "indicative":
            return _text(self._indicative(seq, symbol, contract))
        if channel in CANDLE_CHANNELS:
            candle = self._candle(seq, channel, symbol, contract)
            return None if candle is None else _text(candle)
        return None

    def changes(self, applied: Applied) -> Iterator[Told]:
        """Yield what a frame changed, in the order in which it is sent."""
        events = applied.events
        if not len(events):
            return
        trades = events[events["kind"] == EventKind.TRADE]
        if len(trades):
            yield from self._trades(trades, applied)
        levels = events[(events["kind"] == EventKind.LEVEL) & (events["price"] > 0)]
        seq, traded = applied.last_seq, set(trades["instrument"].tolist())
        for contract in dict.fromkeys(events["instrument"].tolist()):
            if contract < 0:
                continue
            symbol = self._exchange.views.symbol(contract)
            if self._follows("l1", symbol):
                yield from self._if_new("l1", symbol, self._top(seq, symbol, contract))
            if self._follows("l2", symbol):
                yield from self._levels(seq, symbol, contract, levels)
            if self._follows("l3", symbol):
                yield from self._order_changes(seq, symbol, contract)
            if self._follows("indicative", symbol):
                yield from self._if_new("indicative", symbol, self._indicative(seq, symbol, contract))
            if contract in traded:
                yield from self._candles(seq, symbol, contract)

    # -- trades and candles

    def _trades(self, trades: Records, applied: Applied) -> Iterator[Told]:
        first = self._market.trades - len(trades) + 1
        symbol_of = self._exchange.views.symbol
        wanted = {
            contract: symbol
            for contract in set(trades["instrument"].tolist())
            if self._follows("trades", symbol := symbol_of(contract))
        }
        if not wanted:
            return
        time = time_text(applied.time_ns)
        rows = trades.view(_TRADED).tolist()
        for trade_id, (seq, contract, price, quantity, side, flags) in enumerate(rows, first):
            if contract not in wanted:
                continue
            trade = wire.FeedTrade(
                seq=seq,
                trade_id=str(trade_id),
                symbol=wanted[contract],
                price=price_text(price),
                quantity=quantity,
                aggressor="auction" if flags & EventFlag.UNCROSS else "sell" if side else "buy",
                time=time,
            )
            yield ("trades", wanted[contract]), _text(trade)

    def _candles(self, seq: int, symbol: str, contract: int) -> Iterator[Told]:
        for channel in CANDLE_CHANNELS:
            if self._follows(channel, symbol):
                candle = self._candle(seq, channel, symbol, contract)
                if candle is not None:
                    yield (channel, symbol), _text(candle)

    def _candle(self, seq: int, channel: wire.Channel, symbol: str, contract: int) -> wire.FeedCandle | None:
        row = self._market.candles(contract)[INTERVALS_S.index(CANDLE_CHANNELS[channel])]
        if not row["trades"]:
            return None
        return wire.FeedCandle(
            seq=seq,
            symbol=symbol,
            interval=_INTERVALS[channel],
            start=time_text(int(row["start"]) * _NS),
            open=price_text(int(row["open"])),
            high=price_text(int(row["high"])),
            low=price_text(int(row["low"])),
            close=price_text(int(row["close"])),
            volume_lots=int(row["volume"]),
            value_fen=int(row["turnover"]) * self._market.hours(contract),
            trades=int(row["trades"]),
        )

    # -- L1, indicatives

    def _if_new(
        self, channel: str, symbol: str, message: wire.FeedTop | wire.FeedIndicative
    ) -> Iterator[Told]:
        """Yield a message that says something else than the last one of its topic."""
        said = msgspec.structs.replace(message, seq=0)
        if self._latest.get((channel, symbol)) != said:
            self._latest[channel, symbol] = said
            yield (channel, symbol), _text(message)

    def _top(self, seq: int, symbol: str, contract: int) -> wire.FeedTop:
        top = self._market.top(contract)
        if top is None:
            return wire.FeedTop(seq, symbol, None, None, None)
        bid = (price_text(top.bid_price), top.bid_quantity) if top.bid_price else None
        ask = (price_text(top.ask_price), top.ask_quantity) if top.ask_price else None
        return wire.FeedTop(seq, symbol, bid, ask, price_text(top.last_price) if top.last_price else None)

    def _indicative(self, seq: int, symbol: str, contract: int) -> wire.FeedIndicative:
        found = self._market.indicative(contract)
        if found is None:
            return wire.FeedIndicative(seq, symbol, False, None, 0, 0)
        price = price_text(found.price) if found.price else None
        return wire.FeedIndicative(seq, symbol, True, price, found.quantity, found.surplus)

    # -- books

    def _book(self, seq: int, symbol: str, contract: int) -> wire.FeedBook:
        bids, asks = (self._market.levels(contract, side, 0) for side in (Side.BUY, Side.SELL))
        return wire.FeedBook(seq, symbol, _level_rows(bids), _level_rows(asks), _l2_checksum(bids, asks))

    def _levels(self, seq: int, symbol: str, contract: int, levels: Records) -> Iterator[Told]:
        rows = levels[levels["instrument"] == contract]
        if not len(rows):
            return
        sides: tuple[dict[int, wire.LevelRow], dict[int, wire.LevelRow]] = ({}, {})
        for side, price, quantity, orders in rows.view(_LEVELS).tolist():
            sides[side][price] = (price_text(price), quantity, orders)  # the last one counts
        bids, asks = (self._market.levels(contract, side, CHECKED_ROWS) for side in (Side.BUY, Side.SELL))
        delta = wire.FeedDelta(
            seq, symbol, list(sides[0].values()), list(sides[1].values()), _l2_checksum(bids, asks)
        )
        yield ("l2", symbol), _text(delta)

    def _orders(self, seq: int, symbol: str, contract: int) -> wire.FeedOrders:
        bids, asks = self._market.orders(contract)
        if self._follows("l3", symbol) and ("l3", symbol) not in self._latest:
            self._latest["l3", symbol] = bids, asks
        return wire.FeedOrders(
            seq, symbol, _order_rows(bids.tolist()), _order_rows(asks.tolist()), _l3_checksum(bids, asks)
        )

    def _order_changes(self, seq: int, symbol: str, contract: int) -> Iterator[Told]:
        held = self._latest.get(("l3", symbol))
        orders = self._latest["l3", symbol] = self._market.orders(contract)
        if held is None:  # followed with all contracts before it was listed: it began empty
            nothing = np.zeros(0, BOOK_ORDER)
            held = nothing, nothing
        changed = [order_changes(old, new) for old, new in zip(held, orders, strict=True)]
        if any(changed):
            bids, asks = (_order_rows(rows) for rows in changed)
            delta = wire.FeedOrdersDelta(seq, symbol, bids, asks, _l3_checksum(*orders))
            yield ("l3", symbol), _text(delta)


def _text(message: wire.FeedMessage) -> bytes:
    return _ENCODER.encode(message)


def _level_rows(levels: Records) -> list[wire.LevelRow]:
    return [(price_text(price), quantity, orders) for price, quantity, orders in levels.tolist()]


def _order_rows(orders: list[tuple[int, int, int]]) -> list[wire.OrderRow]:
    return [(str(order_id), price_text(price), quantity) for order_id, price, quantity in orders]


def _l2_checksum(bids: Records, asks: Records) -> int:
    return of_sides(bids[:CHECKED_ROWS].tobytes(), asks[:CHECKED_ROWS].tobytes(), LEVEL_VIEW.itemsize)


def _l3_checksum(bids: Records, asks: Records) -> int:
    return of_sides(bids[:CHECKED_ROWS].tobytes(), asks[:CHECKED_ROWS].tobytes(), BOOK_ORDER.itemsize)
