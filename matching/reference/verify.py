"""Every invariant of the state, each with the clause that it follows from."""

from __future__ import annotations

from collections.abc import Iterator

from matching.api import InvariantViolation
from matching.records import OrderFlag, OrderType, Phase, Side
from matching.reference.market import Instrument, Market
from matching.reference.orders import PRICED, UNPRICED_IN_BOOK, Order
from matching.state import Place


def check_market(market: Market) -> None:
    """Raise ``InvariantViolation`` naming the first invariant that is broken."""
    for fault in faults(market):
        raise InvariantViolation(fault)


def faults(market: Market) -> Iterator[str]:
    """Yield what is broken, in words."""
    yield from bound_faults(market)
    for instrument in market.instruments.values():
        yield from book_faults(instrument)
        for order in instrument.book.in_book_order():
            yield from order_faults(market, instrument, order)
    yield from membership_faults(market)
    market.slots.check(set(market.orders))


def bound_faults(market: Market) -> Iterator[str]:
    """The configured limits hold."""
    limits = market.limits
    if len(market.orders) > limits.max_orders or len(market.slots.generations) > limits.max_orders:
        yield "clause 3.9: more slots in use than max_orders"
    if len(market.positions) > limits.max_holdings:
        yield "clause 3.35: more holdings than max_holdings"
    if market.refreshes() > limits.max_refreshes:
        yield "clause 3.15: more reserve slices than max_refreshes"
    if any(not 0 <= index < limits.max_instruments for index in market.instruments):
        yield "an instrument index is beyond max_instruments"
    if any(not 0 <= index < limits.max_accounts for index in market.accounts):
        yield "an account index is beyond max_accounts"


def book_faults(instrument: Instrument) -> Iterator[str]:
    """The terms are sound, and in CONTINUOUS the book isn't crossed (clauses 3.1, 3.3)."""
    spec, book = instrument.spec, instrument.book
    if not spec.price_low <= spec.reference_price <= spec.price_high:
        yield f"clause 3.1: reference price of instrument {instrument.index} outside its limits"
    if instrument.phase != Phase.CONTINUOUS:
        return
    if book.market[Side.BUY] or book.market[Side.SELL]:
        yield f"clause 3.3: market orders stand in the continuous book of {instrument.index}"
    bid, ask = book.best_price(Side.BUY), book.best_price(Side.SELL)
    if bid and ask and bid >= ask:
        yield f"clause 3.3: the continuous book of {instrument.index} is crossed"


def order_faults(market: Market, instrument: Instrument, order: Order) -> Iterator[str]:
    """One order is open, complete, priced as its type says, and shows what it should."""
    name = f"order {order.order_id}"
    if market.orders.get(order.order_id) is not order or order.instrument != instrument.index:
        yield f"clause 3.9: {name} stands in a book but isn't open there"
    if order.remaining < 1 or order.executed < 0:
        yield f"clause 3.14: {name} has no open lots"
    if not shows_rightly(order):
        yield f"clause 3.15: {name} shows {order.visible} of {order.remaining} lots"
    if (order.type in PRICED) != (order.price != 0):
        yield f"clause 3.11: the price of {name} doesn't go with its type"
    if order.is_stop != (order.place == Place.STOP) or order.is_stop != (order.trigger != 0):
        yield f"clause 3.6: {name} isn't in the place of its type"
    if any(price and not instrument.within_limits(price) for price in (order.price, order.trigger)):
        yield f"clause 3.4: {name} lies outside the limits"
    if order.flags & OrderFlag.REDUCE_ONLY and not order.is_stop:
        yield f"clause 3.17: {name} carries a reduce-only flag"
    if (order.type == OrderType.TRAILING_STOP) != (order.offset != 0):
        yield f"clause 3.25: {name} has an offset that doesn't go with its type"
    if order.type in UNPRICED_IN_BOOK and order.place == Place.BOOK and order.display:
        yield f"clause 3.12: {name} is an unpriced iceberg"


def shows_rightly(order: Order) -> bool:
    """Clause 3.15: an iceberg shows at most its display quantity, any other order everything."""
    if order.display:
        return 1 <= order.visible <= min(order.display, order.remaining)
    return order.visible == order.remaining


def membership_faults(market: Market) -> Iterator[str]:
    """Every open order stands once, belongs to its account in acceptance order, and has a holding."""
    standing = [order for each in market.instruments.values() for order in each.book.in_book_order()]
    if len(standing) != len(market.orders):
        yield "clause 3.6: an open order stands in no place or in two"
    listed = [order for account in market.accounts.values() for order in account.orders.values()]
    if {order.order_id for order in listed} != set(market.orders):
        yield "clause 3.8: the accounts' orders aren't the open orders"
    for account in market.accounts.values():
        arrivals = [order.arrival for order in account.orders.values()]
        if arrivals != sorted(set(arrivals)) or any(arrival > market.arrivals for arrival in arrivals):
            yield f"clause 3.8: the orders of account {account.index} aren't in acceptance order"
    for order in standing:
        if (order.account, order.instrument) not in market.positions:
            yield f"clause 3.35: order {order.order_id} has no holding"
    for account_index, instrument_index in market.positions:
        if account_index not in market.accounts or instrument_index not in market.instruments:
            yield "clause 3.35: a holding of nobody or of nothing"
