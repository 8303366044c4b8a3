"""AMEND commands (clause 3.20)."""

from __future__ import annotations

from dataclasses import replace

from matching.records import CancelReason, OrderType, Phase, RejectCode
from matching.reference import risk
from matching.reference.entry import (
    POST_ONLY,
    Command,
    closed_phase,
    post_only_fault,
    refresh_fault,
    too_large,
    unknown_account,
)
from matching.reference.market import Instrument, Market
from matching.reference.orders import PRICED, Order
from matching.reference.stops import run_stops
from matching.reference.taking import proceed
from matching.state import Place


def own_order(market: Market, command: Command) -> Order | None:
    """Clauses 3.9, 3.21: the account's own open order; anybody else's is as unknown as a stale id."""
    order = market.orders.get(command.order_id)
    return order if order and order.account == command.account else None


def amend_order(market: Market, command: Command) -> RejectCode:
    """Clause 3.20: change an open order, or return why not."""
    if code := unknown_account(market, command):
        return code
    order = own_order(market, command)
    if order is None:
        return RejectCode.UNKNOWN_ORDER
    instrument = market.instruments[order.instrument]
    if code := not_amendable(market, instrument, command) or terms_fault(instrument, order, command):
        return code
    amended = with_new_terms(order, command)
    if amended.remaining <= 0:
        market.cancel(order, CancelReason.AMENDED_AWAY)
        run_stops(market, instrument)
        return RejectCode.NONE
    moves = loses_place(order, amended)
    code = amended_fault(market, instrument, order, amended, moves)
    if not code:
        carry_out(market, order, amended, moves)
        run_stops(market, instrument)
    return code


def not_amendable(market: Market, instrument: Instrument, command: Command) -> RejectCode:
    """Clause 3.20: account enabled, phase, order rate."""
    account = market.accounts[command.account]
    if not account.enabled:
        return RejectCode.ACCOUNT_DISABLED
    return closed_phase(instrument) or risk.over_rate(account, command.time_ns)


def terms_fault(instrument: Instrument, order: Order, command: Command) -> RejectCode:
    """Clause 3.20: the new quantity, price and trigger by themselves."""
    if command.quantity < 0:
        return RejectCode.INVALID_QUANTITY
    if too_large(instrument, command.quantity):
        return RejectCode.ORDER_TOO_LARGE
    if command.price != 0 and order.type not in PRICED:
        return RejectCode.PRICE_NOT_ALLOWED
    if command.price != 0 and not instrument.within_limits(command.price):
        return RejectCode.PRICE_OUTSIDE_LIMITS
    if command.trigger != 0 and order.type not in (OrderType.STOP, OrderType.STOP_LIMIT):
        return RejectCode.INVALID_COMBINATION
    if command.trigger != 0 and not instrument.within_limits(command.trigger):
        return RejectCode.TRIGGER_OUTSIDE_LIMITS
    return RejectCode.NONE


def with_new_terms(order: Order, command: Command) -> Order:
    """Return the order as it would stand; executed lots count towards the new quantity, 0 keeps a term."""
    amended = replace(
        order,
        remaining=command.quantity - order.executed if command.quantity else order.remaining,
        price=command.price or order.price,
        trigger=command.trigger or order.trigger,
    )
    if loses_place(order, amended):
        amended.show()
    else:
        amended.visible = min(order.visible, amended.remaining)
    return amended


def loses_place(order: Order, amended: Order) -> bool:
    """Clause 3.20: a place is kept if price and trigger are unchanged and the open quantity doesn't rise."""
    same = amended.price == order.price and amended.trigger == order.trigger
    return not same or amended.remaining > order.remaining


def amended_fault(
    market: Market, instrument: Instrument, order: Order, amended: Order, moves: bool
) -> RejectCode:
    """Clause 3.20: post-only again if it loses its place in a continuous book; then risk and refreshes."""
    in_open_book = order.place == Place.BOOK and instrument.phase == Phase.CONTINUOUS
    judged_again = in_open_book and moves and amended.flags & POST_ONLY
    return (
        (post_only_fault(instrument, amended) if judged_again else RejectCode.NONE)
        or risk.over_notional(market, amended)
        or risk.over_position(market, amended, order)
        or risk.over_margin(market, amended, order)
        or refresh_fault(market, amended, order)
    )


def carry_out(market: Market, order: Order, amended: Order, moves: bool) -> None:
    """Clause 3.20: reduce in place, or leave the queue and proceed like a new order."""
    if not moves:
        order.lose(order.remaining - amended.remaining)
        market.events.amended(order)
        if order.place == Place.BOOK:
            market.publish_level(order)
        return
    place = order.place
    leave_queue(market, order, amended)
    if place == Place.PARKED:
        market.instruments[order.instrument].book.stand(order, place)
    else:
        proceed(market, order)


def leave_queue(market: Market, order: Order, amended: Order) -> None:
    """Clause 3.20: emits AMENDED with the new terms, and LEVEL of the book queue left."""
    book = market.instruments[order.instrument].book
    left = book.level_of(order) if order.place == Place.BOOK else None
    book.take_out(order)
    order.price, order.trigger = amended.price, amended.trigger
    order.remaining = amended.remaining
    market.events.amended(order)
    if left is not None:
        market.events.level(order.instrument, order.side, left)
