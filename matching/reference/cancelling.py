"""Cancelling by request: one order, many, or everything (clauses 3.21, 3.27, 3.28)."""

from __future__ import annotations

from matching.records import (
    ANY_GROUP,
    ANY_HUB,
    ANY_INSTRUMENT,
    CancelReason,
    EventKind,
    Phase,
    RejectCode,
    Side,
)
from matching.reference.amending import own_order
from matching.reference.entry import Command, unknown_account
from matching.reference.market import Market
from matching.reference.orders import Order


def cancel_order(market: Market, command: Command) -> RejectCode:
    """Clause 3.21."""
    if code := unknown_account(market, command):
        return code
    order = own_order(market, command)
    if order is None:
        return RejectCode.UNKNOWN_ORDER
    market.cancel(order, CancelReason.REQUESTED)
    return RejectCode.NONE


def mass_cancel(market: Market, command: Command) -> RejectCode:
    """Clause 3.27: the account's orders that pass every filter, in acceptance order."""
    if code := unknown_account(market, command):
        return code
    if command.instrument != ANY_INSTRUMENT and command.instrument not in market.instruments:
        return RejectCode.UNKNOWN_INSTRUMENT
    if command.side not in list(Side):
        return RejectCode.INVALID_SIDE
    orders = market.accounts[command.account].orders.values()
    chosen = [order for order in orders if passes(market, order, command)]
    cancel_all(market, chosen, CancelReason.MASS_CANCEL)
    report_mass_cancel(market, command.account, command.instrument, len(chosen))
    return RejectCode.NONE


def passes(market: Market, order: Order, command: Command) -> bool:
    """Clause 3.27: the four filters of a mass cancel."""
    hub = market.instruments[order.instrument].spec.hub
    return (
        command.instrument in (ANY_INSTRUMENT, order.instrument)
        and command.hub in (ANY_HUB, hub)
        and command.side in (Side.ANY, order.side)
        and command.group in (ANY_GROUP, order.group)
    )


def cancel_all(market: Market, orders: list[Order], reason: CancelReason) -> None:
    """Cancel orders in the order given."""
    for order in orders:
        market.cancel(order, reason)


def report_mass_cancel(market: Market, account: int, instrument: int, count: int) -> None:
    """Clause 3.27: emits MASS_CANCELLED with the number of orders."""
    market.events.add(EventKind.MASS_CANCELLED, account=account, instrument=instrument, quantity=count)


def kill_account(market: Market, index: int) -> RejectCode:
    """Clause 3.28: disable an account and cancel its orders."""
    account = market.accounts.get(index)
    if account is None:
        return RejectCode.UNKNOWN_ACCOUNT
    account.enabled = False
    market.events.add(EventKind.ACCOUNT, account=index, code=0)
    orders = list(account.orders.values())
    cancel_all(market, orders, CancelReason.KILL_SWITCH)
    report_mass_cancel(market, index, ANY_INSTRUMENT, len(orders))
    return RejectCode.NONE


def kill_market(market: Market, *, cancel_orders: bool) -> None:
    """Clause 3.28: halt every open instrument; then, if asked, cancel every order."""
    for instrument in market.instruments.values():
        if instrument.phase not in (Phase.CLOSED, Phase.HALTED):
            instrument.phase = Phase.HALTED
            market.events.phase(instrument.index, instrument.phase)
    if cancel_orders:
        for instrument in market.instruments.values():
            cancel_all(market, instrument.book.in_book_order(), CancelReason.KILL_SWITCH)
