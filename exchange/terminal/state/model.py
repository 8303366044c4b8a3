"""Everything that the terminal shows, folded from what the exchange says; says which panes changed.

Whoever paints looks at the state when the screen is due, however many messages came since: thousands of book
updates cost one painting. Fills, orders and alerts are taken in one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from exchange.api.defaults import MarginCall
from exchange.api.feed import (
    FeedAccount,
    FeedCandle,
    FeedHeartbeat,
    FeedIndicative,
    FeedStatus,
    FeedTop,
    FeedTrade,
    FillNews,
)
from exchange.api.formats import price_text
from exchange.api.history import Interval
from exchange.api.requests import NewOrder
from exchange.client import LocalOrders, OrderState
from exchange.client import Ticket as OrderTicket
from exchange.terminal.state.account import Account, Working
from exchange.terminal.state.alerts import Alerts, Kind
from exchange.terminal.state.connection import Connection, State
from exchange.terminal.state.quotes import Quote, Quotes
from exchange.terminal.state.tape import Chart, Tape
from exchange.terminal.state.ticket import Ticket
from exchange.terminal.words import Say


class Part(StrEnum):
    """What a pane shows; a pane is painted anew when its part changed."""

    BARS = "bars"
    MARKETS = "markets"
    LADDER = "ladder"
    TAPE = "tape"
    CHART = "chart"
    ORDERS = "orders"
    FILLS = "fills"
    POSITIONS = "positions"
    ALERTS = "alerts"


EVERYTHING: Final = frozenset(Part)


@dataclass(slots=True)
class Outgoing:
    """An own order whose outcome isn't known: under way for the first time, or its answer was lost."""

    order: NewOrder
    unknown: bool
    certain: str
    """What is certain, in a sentence."""


class TradingModel:
    """See the module. `now_s` is monotonic and comes from the caller."""

    def __init__(self, say: Say, ticket: Ticket, member: str, now_s: float) -> None:
        self.say = say
        self.ticket = ticket
        self.member = member
        """Whose account it is; empty where one only looks."""
        self.quotes = Quotes()
        self.account = Account()
        self.alerts = Alerts()
        self.connection = Connection(now_s)
        self.symbol: str | None = None
        """The chosen contract."""
        self.book: LocalOrders | None = None
        """Its book, kept and checked by `exchange.client`."""
        self.tape, self.chart = Tape(), Chart()
        self.indicative: FeedIndicative | None = None
        self.outgoing: dict[str, Outgoing] = {}
        """By client order id."""
        self.phase = self.trading_day = ""
        self.changed: set[Part] = set(EVERYTHING)
        self.heard = 0
        """Messages of the exchange that were taken in."""
        self._market_time: datetime | None = None
        self._market_time_s = now_s
        self._speed = 1.0

    @property
    def quote(self) -> Quote | None:
        """The chosen contract as it is quoted."""
        return self.quotes.by_symbol.get(self.symbol or "")

    @property
    def how_it_stands(self) -> str:
        """The state of the connection, where it isn't live, in a sentence."""
        return self.say(f"is_{self.connection.state.name.lower()}", self.connection.why)

    def take_changed(self) -> set[Part]:
        """What changed since this was asked last."""
        changed, self.changed = self.changed, set()
        return changed

    def market_time(self, now_s: float) -> str:
        """The exchange's time ("2026-12-04T10:00:00"), carried on at its speed while live."""
        if self._market_time is None:
            return ""
        passed_s = now_s - self._market_time_s if self.connection.state is State.LIVE else 0.0
        return (self._market_time + timedelta(seconds=passed_s * self._speed)).isoformat()[:19]

    def set_clock(self, market_time: str, now_s: float, speed: float | None = None) -> None:
        """Take in the exchange's time, and how fast it runs (0: by hand) where that is told."""
        self._market_time, self._market_time_s = datetime.fromisoformat(market_time), now_s
        self._speed = self._speed if speed is None else speed
        self.changed.add(Part.BARS)

    def choose(self, symbol: str) -> None:
        """Turn to another contract; its book and trades come later."""
        self.symbol, self.book, self.indicative = symbol, None, None
        self.tape, self.chart = Tape(), Chart(self.chart.interval)
        quote = self.quote
        if quote is not None:
            self.ticket.centre(quote, None)
        self.changed |= EVERYTHING

    def show_interval(self, interval: Interval) -> None:
        """Turn the chart to candles of another length, which come later."""
        self.chart = Chart(interval)
        self.changed.add(Part.CHART)

    def follow(self, message: object, now_s: float) -> None:
        """Take in a message of the market's or the contract's stream."""
        self._hear(now_s)
        if isinstance(message, FeedTop):
            self._follow_top(message, now_s)
        elif isinstance(message, FeedTrade):
            if message.symbol == self.symbol:
                self.tape.follow(message)
                self.changed.add(Part.TAPE)
        elif isinstance(message, FeedCandle):
            if message.symbol == self.symbol:
                self.chart.follow(message)
                self.changed.add(Part.CHART)
        elif isinstance(message, FeedIndicative):
            if message.symbol == self.symbol:
                self.indicative = message if message.in_call else None
                self.changed.add(Part.LADDER)
        elif isinstance(message, FeedHeartbeat):
            self.set_clock(message.market_time, now_s)
        elif isinstance(message, FeedStatus):
            self.phase, self.trading_day = message.phase, message.trading_day
            self.set_clock(message.market_time, now_s)
            self.changed.add(Part.LADDER)

    def follow_book(self, book: LocalOrders | None, now_s: float) -> None:
        """The chosen contract's book changed, or is the one to look at from now on."""
        self._hear(now_s)
        first, self.book = self.book is None, book
        if first and book is not None and self.quote is not None:
            self.ticket.centre(self.quote, book)
        self.changed.add(Part.LADDER)

    def follow_account(self, message: FeedAccount, positions: dict[str, int], now_s: float) -> None:
        """Take in news of the account; every fill is told in the log."""
        self._hear(now_s)
        for fill in self.account.follow(message, positions, self.market_time(now_s)):
            self._tell_fill(fill, now_s)
        for order in message.orders:
            self.outgoing.pop(order.client_order_id or "", None)
        self.changed |= {Part.BARS, Part.LADDER, Part.ORDERS, Part.FILLS, Part.POSITIONS}

    def set_calls(self, calls: list[MarginCall], now_s: float) -> None:
        """Take in the margin calls that aren't met; a new one, or a larger one, is told."""
        before = sum(call.amount_fen for call in self.account.calls)
        owed = sum(call.amount_fen for call in calls)
        self.account.calls = calls
        if owed > before:
            due = next((call.due_at for call in calls if call.due_at), None)
            until = self.say("due_at", due[:16].replace("T", " ")) if due else self.say("due_next_day")
            text = self.say("margin_called", f"{owed / 100:,.2f}", until)
            self.log(now_s, "margin", text, grave=True, ring=True)
        elif before and not owed:
            self.log(now_s, "margin", self.say("margin_met"))
        self.changed.add(Part.BARS)

    def sent(self, order: NewOrder) -> None:
        """An order is under way; it has a client order id."""
        self.outgoing[order.client_order_id or ""] = Outgoing(order, False, self.say("under_way"))
        self.changed |= {Part.LADDER, Part.ORDERS}

    def outcome(self, ticket: OrderTicket, now_s: float) -> None:
        """Take in what is known of an order that was sent."""
        name = ticket.client_order_id
        before = self.outgoing.pop(name, None)
        if ticket.state in (OrderState.SENT, OrderState.UNKNOWN):
            unknown = ticket.state is OrderState.UNKNOWN
            self.outgoing[name] = Outgoing(ticket.order, unknown, ticket.certain)
            if unknown and (before is None or not before.unknown):
                self.log(now_s, "order", ticket.certain, grave=True, ring=True)
        elif before is None:  # told already
            return
        elif ticket.state in (OrderState.REFUSED, OrderState.NOT_TAKEN):
            why = f" ({ticket.refusal})" if ticket.state is OrderState.NOT_TAKEN and ticket.refusal else ""
            self.log(
                now_s,
                "order",
                f"{self.order_text(ticket.order)}: {ticket.certain}{why}",
                grave=True,
                ring=True,
            )
        elif before.unknown:
            self.log(now_s, "order", self.say("resolved", ticket.certain))
        elif ticket.state is OrderState.CANCELLED and ticket.reason:
            self.log(now_s, "order", f"{self.order_text(ticket.order)}: {ticket.certain}")
        self.changed |= {Part.LADDER, Part.ORDERS}

    def look(self, down: str | None, now_s: float) -> None:
        """Take in whether there is a connection, some times a second."""
        if self.connection.looked(down, now_s):
            self._turned(now_s)
        self.changed.add(Part.BARS)

    def refuse(self, code: str, message: str, now_s: float) -> None:
        """The exchange refused for good."""
        if self.connection.refused(code, message, now_s):
            self._turned(now_s)

    def log(self, now_s: float, kind: Kind, text: str, *, grave: bool = False, ring: bool = False) -> None:
        """Tell the user something."""
        self.alerts.say(self.market_time(now_s), kind, text, grave=grave, ring=ring)
        self.changed.add(Part.ALERTS)

    def order_text(self, order: NewOrder) -> str:
        """An order in words."""
        price = order.price or self.say("at_market")
        return f"{self.say(order.side)} {order.quantity} {order.symbol} @ {price}"

    def mine_at(self, price: int) -> list[Working]:
        """Own orders at a price of the chosen contract."""
        return [one for one in self.account.mine(self.symbol or "") if one.price == price]

    def _hear(self, now_s: float) -> None:
        self.heard += 1
        if self.connection.heard(now_s):
            self._turned(now_s)

    def _follow_top(self, top: FeedTop, now_s: float) -> None:
        lasts = self.quotes.follow(top)
        if lasts is None:
            return
        self.changed.add(Part.MARKETS)
        if top.symbol == self.symbol:
            self.changed.add(Part.LADDER)
        if lasts[0] != lasts[1]:
            if top.symbol in self.account.positions:
                self.changed |= {Part.POSITIONS, Part.BARS}
            for level in self.alerts.crossed(top.symbol, *lasts):
                text = self.say("crossed", top.symbol, price_text(level), top.last)
                self.log(now_s, "price", text, ring=True)

    def _tell_fill(self, fill: FillNews, now_s: float) -> None:
        side = self.say("bought" if fill.side == "buy" else "sold")
        left = self.say("left_open", fill.open_quantity) if fill.open_quantity else self.say("all_done")
        self.log(now_s, "fill", f"{side} {fill.quantity} {fill.symbol} @ {fill.price}, {left}", ring=True)

    def _turned(self, now_s: float) -> None:
        connection = self.connection
        if connection.state is State.LIVE:
            self.log(now_s, "connection", self.say("is_live"))
        else:
            self.log(now_s, "connection", self.how_it_stands, grave=True, ring=True)
        self.changed |= EVERYTHING
