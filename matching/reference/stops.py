"""Stops: trailing, election and activation (clauses 3.24 to 3.26), and reduce-only orders (clause 3.17)."""

from __future__ import annotations

from collections import deque

from matching.records import CancelReason, OrderFlag, OrderType, Phase, Side
from matching.reference.market import Instrument, Market
from matching.reference.orders import Order
from matching.reference.taking import proceed
from matching.state import Place


def run_stops(market: Market, instrument: Instrument) -> None:
    """Clauses 3.24 and 3.26: elect, then activate one after another, electing again after each."""
    elected: deque[Order] = deque()
    elect(instrument, elected)
    while elected:
        activate(market, elected.popleft())
        elect(instrument, elected)


def elect(instrument: Instrument, elected: deque[Order]) -> None:
    """Clause 3.24: trailing stops follow the last price; stops that it has reached leave for the list."""
    last = instrument.last_price
    if instrument.phase != Phase.CONTINUOUS or not last:
        return
    for side in (Side.SELL, Side.BUY):
        trail(instrument, side)
    for side in (Side.BUY, Side.SELL):
        for order in list(instrument.book.stop_orders(side)):
            if order.trigger <= last if side == Side.BUY else order.trigger >= last:
                instrument.book.take_out(order)
                elected.append(order)


def trail(instrument: Instrument, side: Side) -> None:
    """Clause 3.24: whose trigger changes goes to the tail of the new trigger's queue."""
    for order in list(instrument.book.stop_orders(side)):
        if order.type != OrderType.TRAILING_STOP:
            continue
        trigger = trailed(order, instrument.last_price)
        if trigger != order.trigger:
            instrument.book.take_out(order)
            order.trigger = trigger
            instrument.book.stand(order, Place.STOP)


def trailed(order: Order, last: int) -> int:
    """Clause 3.24: a sell stop's trigger only rises, a buy stop's only falls."""
    if order.side == Side.SELL:
        return max(order.trigger, last - order.offset)
    return min(order.trigger, last + order.offset)


def first_trigger(instrument: Instrument, order: Order) -> int:
    """Clause 3.25: a trailing stop's trigger at acceptance, moved to the nearest limit if outside."""
    distance = -order.offset if order.side == Side.SELL else order.offset
    return min(max(instrument.anchor + distance, instrument.spec.price_low), instrument.spec.price_high)


def activate(market: Market, order: Order) -> None:
    """Clause 3.26: a stop becomes an ordinary order and proceeds in the phase then in force."""
    market.events.triggered(order)
    reduce_only = order.flags & OrderFlag.REDUCE_ONLY
    order.type = OrderType.LIMIT if order.type == OrderType.STOP_LIMIT else OrderType.MARKET
    order.trigger = order.offset = 0
    order.flags &= ~OrderFlag.REDUCE_ONLY
    if reduce_only:
        cut_to_position(market, order)
    if order.remaining:
        proceed(market, order)


def reducible(market: Market, order: Order) -> int:
    """Clause 3.17: the account's position on the other side, lots."""
    position = market.position(order.account, order.instrument)
    return max(0, position if order.side == Side.SELL else -position)


def cut_to_position(market: Market, order: Order) -> None:
    """Clause 3.17: the surplus over what can be reduced is cancelled, and the whole if that is nothing."""
    surplus = order.remaining - min(order.remaining, reducible(market, order))
    if surplus:
        order.lose(surplus)
        market.events.cancelled(order, surplus, CancelReason.REDUCE_ONLY)
    if order.remaining == 0:
        market.end(order)
