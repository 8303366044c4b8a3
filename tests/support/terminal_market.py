"""A terminal's state over a book that a test writes down as the orders in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from exchange.api.checksum import l3_checksum
from exchange.api.feed import FeedCandle, FeedOrders, FeedTrade
from exchange.api.formats import price_text
from exchange.api.market import Contract
from exchange.client import LocalOrders
from exchange.terminal.state.account import OwnFill, Working
from exchange.terminal.state.model import TradingModel
from exchange.terminal.state.ticket import Ticket
from exchange.terminal.words import Language, Say

SYMBOL = "H100.GUIAN.261205"
NOON = "2026-12-04T12:00:00.000000+08:00"
HOURS = 24


class Placed(NamedTuple):
    """An order that stands; its id is its place in the list, from 1 on. Price in ticks."""

    side: str
    price: int
    lots: int
    own: bool


def contract() -> Contract:
    """A day contract in its first session, limits 10.00 to 14.00."""
    return Contract(
        symbol=SYMBOL,
        grade="H100",
        hub="GUIAN",
        kind="day",
        profile="base",
        delivery_start="2026-12-05T00:00:00.000000+08:00",
        delivery_end="2026-12-06T00:00:00.000000+08:00",
        hours=HOURS,
        cards_per_lot=1,
        last_trading_day="2026-12-04",
        tick="0.01",
        price_low="10.00",
        price_high="14.00",
        reference_price="12.00",
        settlement_price=None,
        last_price=None,
        bid=None,
        bid_lots=0,
        ask=None,
        ask_lots=0,
        margin_long_fen=1,
        margin_short_fen=1,
        active=True,
        halted=False,
    )


def book_of(orders: Sequence[Placed]) -> LocalOrders:
    """The book in which they stand, as a reader of the feed has it."""
    rows = {
        side: sorted(
            ((number, one.price, one.lots) for number, one in enumerate(orders, 1) if one.side == side),
            key=lambda row: (-row[1] if side == "buy" else row[1], row[0]),
        )
        for side in ("buy", "sell")
    }
    written = {
        side: [(str(number), price_text(price), lots) for number, price, lots in rows[side]] for side in rows
    }
    book = LocalOrders(SYMBOL)
    checksum = l3_checksum(rows["buy"], rows["sell"])
    book.apply(FeedOrders(1, SYMBOL, written["buy"], written["sell"], checksum))
    return book


def model_of(orders: Sequence[Placed], language: Language = "en") -> TradingModel:
    """A state with one contract, chosen, its book, some trades, candles, fills and lines in the log."""
    model = TradingModel(Say(language), Ticket(), "blue", 0.0)
    model.quotes.load([contract()])
    model.choose(SYMBOL)
    for number in range(30):
        price = price_text(1200 + number * 7 % 11)
        model.follow(FeedTrade(number, str(number + 1), SYMBOL, price, number + 1, "buy", NOON), 0.0)
        start = f"2026-12-04T10:{number:02d}:00.000000+08:00"
        candle = FeedCandle(number, SYMBOL, "1m", start, "12.00", "12.11", "11.95", price, number, 1, 1)
        model.follow(candle, 0.0)
        model.account.fills.appendleft(OwnFill(NOON, SYMBOL, "buy", 1200, 1, 3, "maker", "1"))
        model.log(0.0, "note", f"{number} 合约 and a line that is folded where the pane is narrow")
    for number, one in enumerate(orders, 1):
        if one.own:
            standing = Working(str(number), None, SYMBOL, one.side, one.price, one.lots)  # type: ignore[arg-type]
            model.account.orders[str(number)] = standing
    model.account.positions = {SYMBOL: 12}
    model.account.seq, model.account.margin_fen, model.account.available_fen = 1, 700, 300
    model.follow_book(book_of(orders), 0.0)
    return model
