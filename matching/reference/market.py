"""The whole state of the reference engine, and the steps that every rule is made of: rest, cancel, end."""

from __future__ import annotations

from dataclasses import dataclass, field

from sortedcontainers import SortedDict

from matching.records import CancelReason, Phase
from matching.reference.book import Book
from matching.reference.events import EventLog
from matching.reference.orders import Order
from matching.reference.slots import Slots
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec
from matching.state import Place

CALLS = (Phase.OPENING_CALL, Phase.VOLATILITY_CALL, Phase.CLOSING_CALL)
"""Phases in which orders are collected and nothing trades (clause 3.2)."""


@dataclass(slots=True)
class Instrument:
    """One listed instrument (clause 3.1)."""

    index: int
    spec: InstrumentSpec
    phase: Phase = Phase.CLOSED
    last_price: int = 0
    """Price of the latest trade since it was listed or re-based; 0 if there is none."""
    book: Book = field(default_factory=Book)

    @property
    def anchor(self) -> int:
        """The last price, or the reference price if there is none (clauses 3.23, 3.25, 3.31)."""
        return self.last_price or self.spec.reference_price

    def within_limits(self, price: int) -> bool:
        """Whether a price is one of the day (clause 3.1)."""
        return self.spec.price_low <= price <= self.spec.price_high


@dataclass(slots=True)
class Account:
    """One account that is set up, with its open orders in acceptance order (clause 3.8)."""

    index: int
    spec: AccountSpec
    enabled: bool
    equity_fen: int
    offset_fen: int
    rate_second: int = 0
    rate_count: int = 0
    orders: dict[int, Order] = field(default_factory=dict)


class Market:
    """Instruments, accounts, positions and open orders."""

    def __init__(self, limits: EngineLimits) -> None:
        self.limits = limits
        self.events = EventLog()
        self.instruments: SortedDict[int, Instrument] = SortedDict()
        self.accounts: SortedDict[int, Account] = SortedDict()
        self.positions: SortedDict[tuple[int, int], int] = SortedDict()
        """The position of every holding (clause 3.35), by account and instrument."""
        self.orders: dict[int, Order] = {}
        """Every open order by id; an id that isn't here is unknown (clause 3.9)."""
        self.slots = Slots(limits.max_orders)
        self.arrivals = 0
        self.trading_day = 0

    def position(self, account: int, instrument: int) -> int:
        """Return a position in lots, long positive; 0 without a holding."""
        return int(self.positions.get((account, instrument), 0))

    def refreshes(self) -> int:
        """Return the reserve slices of all open icebergs together (clause 3.15)."""
        return sum(order.refreshes for order in self.orders.values() if order.display)

    def open_order(self, order: Order) -> None:
        """Make an accepted order open: it takes a slot (clause 3.9) and begins a holding (clause 3.35)."""
        self.arrivals += 1
        order.arrival = self.arrivals
        order.order_id = self.slots.take()
        self.orders[order.order_id] = order
        self.accounts[order.account].orders[order.order_id] = order
        self.positions.setdefault((order.account, order.instrument), 0)

    def end(self, order: Order) -> None:
        """An order has ended: take it out of its place and free its slot (clause 3.9)."""
        if order.place is not None:
            self.instruments[order.instrument].book.take_out(order)
        del self.orders[order.order_id]
        del self.accounts[order.account].orders[order.order_id]
        self.slots.give_back(order.order_id)

    def rest(self, order: Order) -> None:
        """Join the book at the tail of the queue; emits LEVEL (clause 3.14)."""
        self.instruments[order.instrument].book.stand(order, Place.BOOK)
        self.publish_level(order)

    def publish_level(self, order: Order) -> None:
        """Emit the LEVEL of an order that stands in the book or has just left it (clause 3.10)."""
        level = self.instruments[order.instrument].book.level_of(order)
        self.events.level(order.instrument, order.side, level)

    def cancel(self, order: Order, reason: CancelReason) -> None:
        """Cancel all open lots; emits CANCELLED, and LEVEL if it stood in the book (clauses 3.10, 3.21)."""
        was_displayed = order.place == Place.BOOK
        self.cancel_quietly(order, reason)
        if was_displayed:
            self.publish_level(order)

    def cancel_quietly(self, order: Order, reason: CancelReason) -> None:
        """Cancel all open lots of an order whose level is published later or not at all; emits CANCELLED."""
        lots = order.remaining
        order.remaining = 0
        self.events.cancelled(order, lots, reason)
        self.end(order)
