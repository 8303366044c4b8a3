"""The call auction: price, uncross and what is left over (clauses 3.29 to 3.34)."""

from __future__ import annotations

from dataclasses import dataclass

from matching.api import Indicative, InvariantViolation
from matching.records import CancelReason, EventFlag, EventKind, OrderType, Side, TimeInForce
from matching.reference.book import Queue
from matching.reference.market import Instrument, Market
from matching.reference.orders import UNPRICED_IN_BOOK, Order
from matching.reference.risk import settle_trade
from matching.reference.taking import end_or_refresh
from matching.state import Place

SIDES = (Side.BUY, Side.SELL)
NOTHING = Indicative(price=0, quantity=0, surplus=0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A price and the lots that would be bought and sold at it (clause 3.31)."""

    price: int
    demand: int
    supply: int

    @property
    def executable(self) -> int:
        """Lots that would trade."""
        return min(self.demand, self.supply)

    @property
    def surplus(self) -> int:
        """Buy surplus in lots."""
        return self.demand - self.supply


def auction_result(instrument: Instrument) -> Indicative:
    """Clause 3.31: the auction price, its executable lots and buy surplus; zeros if nothing would trade."""
    candidates = [candidate_at(instrument, price) for price in candidate_prices(instrument)]
    most = max(candidate.executable for candidate in candidates)
    if most == 0:
        return NOTHING
    candidates = [candidate for candidate in candidates if candidate.executable == most]
    least = min(abs(candidate.surplus) for candidate in candidates)
    candidates = [candidate for candidate in candidates if abs(candidate.surplus) == least]
    chosen = by_pressure(candidates, instrument.anchor)
    return Indicative(price=chosen.price, quantity=chosen.executable, surplus=chosen.surplus)


def candidate_prices(instrument: Instrument) -> set[int]:
    """Clause 3.31: the limit prices of orders in the book, and the auction's reference."""
    levels = (level.price for side in SIDES for level in instrument.book.priced[side])
    return {instrument.anchor, *levels}


def candidate_at(instrument: Instrument, price: int) -> Candidate:
    """Clauses 3.30, 3.31: demand and supply at a price, with all open lots, market orders included."""
    demand = sum(
        order.remaining
        for order in instrument.book.displayed_orders(Side.BUY)
        if order.type in UNPRICED_IN_BOOK or order.price >= price
    )
    supply = sum(
        order.remaining
        for order in instrument.book.displayed_orders(Side.SELL)
        if order.type in UNPRICED_IN_BOOK or order.price <= price
    )
    return Candidate(price, demand, supply)


def by_pressure(candidates: list[Candidate], reference: int) -> Candidate:
    """Clause 3.31: market pressure decides, then the reference, then the higher price."""
    if all(candidate.surplus > 0 for candidate in candidates):
        return max(candidates, key=lambda candidate: candidate.price)
    if all(candidate.surplus < 0 for candidate in candidates):
        return min(candidates, key=lambda candidate: candidate.price)
    return min(candidates, key=lambda candidate: (abs(candidate.price - reference), -candidate.price))


def uncross(market: Market, instrument: Instrument) -> None:
    """Clauses 3.32 and 3.33: emits AUCTION, trades at the auction price, then treats what is left."""
    result = auction_result(instrument)
    market.events.auction(EventKind.AUCTION, instrument.index, result.price, result.quantity, result.surplus)
    trade_out(market, instrument, result)
    for side in SIDES:
        for order in list(instrument.book.market[side]):
            release_market_order(market, order, result.price)
    for order in instrument.book.in_book_order():
        if order.place == Place.BOOK and order.tif in (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE):
            market.cancel(order, CancelReason.AUCTION_ENDED)


def trade_out(market: Market, instrument: Instrument, result: Indicative) -> None:
    """Clause 3.32: best queue against best queue until the executable lots are traded, with the LEVELs."""
    left = result.quantity
    while left:
        levels = [(side, require(instrument.book.best_level(side))) for side in SIDES]
        (_, buys), (_, sells) = levels
        left -= cross_heads(market, buys, sells, result.price)
        emptied = [(side, level) for side, level in levels if not level]
        last = [(side, level) for side, level in levels if level and not left]
        for side, level in emptied + last:
            market.events.level(instrument.index, side, level)


def require(level: Queue | None) -> Queue:
    """Return the level, which must exist while executable lots are left (clause 3.31)."""
    if level is None:
        raise InvariantViolation("clause 3.31: executable lots are left, but nobody to trade them")
    return level


def cross_heads(market: Market, buys: Queue, sells: Queue, price: int) -> int:
    """Clause 3.32: one trade between the heads of two queues; returns its lots."""
    buy, sell = buys.head, sells.head
    lots = min(buy.visible, sell.visible)
    settle_trade(market, buy, sell, price, lots)
    market.events.trade(buy, sell, price, lots, EventFlag.UNCROSS)
    end_or_refresh(market, buy, buys, lots)  # clause 3.34: the buyer's slot is freed first
    end_or_refresh(market, sell, sells, lots)
    return lots


def release_market_order(market: Market, order: Order, price: int) -> None:
    """Clause 3.33: MARKET is cancelled; market-to-limit becomes LIMIT at the auction price."""
    if order.type == OrderType.MARKET or not price:
        market.cancel(order, CancelReason.UNFILLED)
        return
    book = market.instruments[order.instrument].book
    left = book.level_of(order)
    book.take_out(order)
    market.events.level(order.instrument, order.side, left)
    order.type, order.price = OrderType.LIMIT, price
    market.rest(order)
