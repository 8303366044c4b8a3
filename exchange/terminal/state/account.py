"""The account: own orders, fills, positions and money, folded from snapshots and news.

A snapshot is read while news come in. What came meanwhile is held, and what is newer than the snapshot is
told again on top of it; what comes later and is in it already changes nothing. So nothing is lost and nothing
counts twice, in whichever order the two connections deliver.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from exchange.api.defaults import MarginCall
from exchange.api.feed import FeedAccount, FillNews, OrderNews
from exchange.api.formats import parse_price_ticks
from exchange.api.money import Balances, Position
from exchange.api.trading import Fill, Fills, Order, Orders
from exchange.client.changes import OrderChange, changes
from exchange.terminal.state.quotes import Quote, ticks

FILLS_SHOWN: Final = 1_000

Side = Literal["buy", "sell"]


@dataclass(slots=True)
class Working:
    """An own order that stands, as the exchange told it. Price in ticks (None: it has none), lots."""

    order_id: str
    client_order_id: str | None
    symbol: str
    side: Side
    price: int | None
    open_lots: int


@dataclass(frozen=True, slots=True)
class OwnFill:
    """A fill of an own order; price in ticks."""

    time: str
    symbol: str
    side: Side
    price: int
    lots: int
    fee_fen: int
    liquidity: str
    order_id: str


@dataclass(slots=True)
class Traded:
    """What was traded in one contract since the last settlement."""

    lots: int = 0
    """Bought less sold."""
    value: int = 0
    """Σ lots × price in ticks, bought less sold; × hours of the contract it is fen."""
    fee_fen: int = 0


class Account:
    """See the module."""

    def __init__(self) -> None:
        self.orders: dict[str, Working] = {}
        """By order id."""
        self.fills: deque[OwnFill] = deque(maxlen=FILLS_SHOWN)
        """Newest first."""
        self.fills_told: int = 0
        """Fills that came as news, each counted once."""
        self.traded: dict[str, Traded] = {}
        self.traded_complete = True
        """False if the day has more fills than a snapshot tells, so that its profit isn't known."""
        self.positions: dict[str, int] = {}
        self.cash_fen = self.margin_fen = self.available_fen = 0
        self.seq = -1
        """What money and positions are as of; -1: nothing is known."""
        self.calls: list[MarginCall] = []
        self._orders_seq = self._fills_seq = -1
        """What the latest snapshots are as of."""
        self._held: list[tuple[FeedAccount, str]] | None = None

    @property
    def equity_fen(self) -> int:
        """What margin is covered by: cash, marks and pledges, as the exchange counts them (clause 5.2)."""
        return self.margin_fen + self.available_fen

    def expect_snapshot(self) -> None:
        """Hold news from now on, to be told again on top of the snapshot that is being read."""
        self._held = []

    def load(self, orders: Orders, fills: Fills, settled_day: str | None, *, all_fills: bool = True) -> None:
        """Take over snapshots of open orders and of the latest fills. `settled_day` is the last day that was
        settled: the fills of later days make up the day's profit. `all_fills`: the snapshot has all of these.
        """
        self._orders_seq, self._fills_seq = orders.as_of_seq, fills.as_of_seq
        self.orders = {one.order_id: _working(one) for one in orders.orders}
        self.fills.clear()
        self.traded, self.traded_complete = {}, all_fills
        for fill in reversed(fills.fills):
            self._fill(_own_fill(fill), counts=settled_day is None or fill.time[:10] > settled_day)
        held, self._held = self._held or [], None
        for message, time in held:
            self._take(message, time)

    def load_money(self, balances: Balances, positions: Iterable[Position], as_of_seq: int) -> None:
        """Take over cash and positions, unless news have told newer ones."""
        if min(balances.as_of_seq, as_of_seq) > self.seq:
            self.cash_fen, self.margin_fen = balances.cash_fen, balances.margin_fen
            self.available_fen, self.seq = balances.available_fen, balances.as_of_seq
            self.positions = {one.symbol: one.quantity for one in positions}

    def follow(self, message: FeedAccount, positions: dict[str, int], time: str) -> list[FillNews]:
        """Take in news of the account's channel, with the positions that these amount to, at a market time;
        returns the fills.
        """
        if self._held is not None:
            self._held.append((message, time))
        self._take(message, time)
        self.fills_told += len(message.fills)
        if message.seq >= self.seq:
            self.positions = dict(positions)
            self.cash_fen, self.margin_fen = message.cash_fen, message.margin_fen
            self.available_fen, self.seq = message.available_fen, message.seq
        return message.fills

    def profit_fen(self, symbol: str, quote: Quote) -> int:
        """The day's profit in a contract, fees paid: what was held at the last settlement is counted from its
        price, what was traded since from the price of the trade, both to the mark.
        """
        traded = self.traded.get(symbol) or Traded()
        carried = self.positions.get(symbol, 0) - traded.lots
        moved = carried * (quote.mark - quote.reference) + traded.lots * quote.mark - traded.value
        return moved * quote.contract.hours - traded.fee_fen

    def mine(self, symbol: str) -> list[Working]:
        """The orders that stand in a contract."""
        return [one for one in self.orders.values() if one.symbol == symbol]

    def _take(self, message: FeedAccount, time: str) -> None:
        for change in changes(message):
            if change.seq > self._orders_seq:
                self._follow_standing(change)
        for fill in message.fills:
            if fill.seq > self._fills_seq:
                self._fill(_own_fill(fill, time), counts=True)

    def _follow_standing(self, change: OrderChange) -> None:
        """What a command does to an order that stands; what a cancel or a trade leaves of it stands on."""
        if not change.open_quantity:
            self.orders.pop(change.order_id, None)
            return
        if change.news:
            self.orders[change.order_id] = _told(change.news[-1])
        known = self.orders.get(change.order_id)
        if known is not None:
            known.open_lots = change.open_quantity
            if known.price is None and change.fills:
                # what is left of a market-to-limit order stands where it traded
                known.price = ticks(change.fills[-1].price)

    def _fill(self, fill: OwnFill, *, counts: bool) -> None:
        self.fills.appendleft(fill)
        if counts:
            traded = self.traded.setdefault(fill.symbol, Traded())
            lots = fill.lots if fill.side == "buy" else -fill.lots
            traded.lots += lots
            traded.value += lots * fill.price
            traded.fee_fen += fill.fee_fen


def _told(news: OrderNews) -> Working:
    price = ticks(news.price) or None
    return Working(news.order_id, news.client_order_id, news.symbol, news.side, price, news.open_quantity)


def _working(order: Order) -> Working:
    price = ticks(order.price or order.trigger_price)
    return Working(
        order.order_id, order.client_order_id, order.symbol, order.side, price, order.open_quantity
    )


def _own_fill(fill: Fill | FillNews, time: str | None = None) -> OwnFill:
    return OwnFill(
        time=fill.time if isinstance(fill, Fill) else time or "",
        symbol=fill.symbol,
        side=fill.side,
        price=parse_price_ticks(fill.price),
        lots=fill.quantity,
        fee_fen=fill.fee_fen,
        liquidity=fill.liquidity,
        order_id=fill.order_id,
    )
