"""Control operations on instruments, phases and accounts (clauses 3.1 to 3.5)."""

from __future__ import annotations

from dataclasses import replace

from matching.records import CancelReason, EventKind, Phase, RejectCode, TimeInForce
from matching.reference.auction import uncross
from matching.reference.cancelling import cancel_all
from matching.reference.market import CALLS, Account, Instrument, Market
from matching.reference.orders import Order
from matching.reference.stops import run_stops
from matching.spec import AccountSpec, InstrumentSpec

REMOVED, LISTED, CHANGED = 0, 1, 2
"""Codes of an INSTRUMENT event."""


def add_instrument(market: Market, index: int, spec: InstrumentSpec) -> RejectCode:
    """Clauses 3.1, 3.2: list an instrument, CLOSED."""
    if not 0 <= index < market.limits.max_instruments:
        return RejectCode.INVALID_INSTRUMENT
    if index in market.instruments:
        return RejectCode.INSTRUMENT_EXISTS
    if fault := spec.fault(market.limits.max_levels):
        return fault
    market.instruments[index] = Instrument(index, spec)
    market.events.instrument(index, spec, LISTED)
    return RejectCode.NONE


def remove_instrument(market: Market, index: int) -> RejectCode:
    """Clause 3.4: cancel its orders, forget its holdings."""
    instrument = market.instruments.get(index)
    if instrument is None:
        return RejectCode.UNKNOWN_INSTRUMENT
    cancel_all(market, instrument.book.in_book_order(), CancelReason.INSTRUMENT_REMOVED)
    market.events.instrument(index, instrument.spec, REMOVED)
    for key in [key for key in market.positions if key[1] == index]:
        del market.positions[key]
    del market.instruments[index]
    return RejectCode.NONE


def change_spec(market: Market, index: int, **terms: int) -> RejectCode:
    """Give an instrument new terms if they are sound; emits nothing."""
    instrument = market.instruments.get(index)
    if instrument is None:
        return RejectCode.UNKNOWN_INSTRUMENT
    spec = replace(instrument.spec, **terms)
    fault: RejectCode = spec.fault(market.limits.max_levels)
    if not fault:
        instrument.spec = spec
    return fault


def rebase(market: Market, index: int, low: int, high: int, reference: int) -> RejectCode:
    """Clause 3.4: new limits and reference price; orders outside are cancelled."""
    if code := change_spec(market, index, price_low=low, price_high=high, reference_price=reference):
        return code
    instrument = market.instruments[index]
    instrument.last_price = 0
    outside = [order for order in instrument.book.in_book_order() if lies_outside(instrument, order)]
    cancel_all(market, outside, CancelReason.PRICE_OUTSIDE_LIMITS)
    market.events.instrument(index, instrument.spec, CHANGED)
    return RejectCode.NONE


def lies_outside(instrument: Instrument, order: Order) -> bool:
    """Clause 3.4: whether the limit price (if it has one) or the trigger isn't within the limits."""
    prices = [price for price in (order.price, order.trigger) if price]
    return not all(instrument.within_limits(price) for price in prices)


def set_margins(market: Market, index: int, long_fen: int, short_fen: int) -> RejectCode:
    """Clause 3.1: new margins per lot; every requirement follows from them (3.36)."""
    return _announced(
        market, index, change_spec(market, index, margin_long_fen=long_fen, margin_short_fen=short_fen)
    )


def set_position_limit(market: Market, index: int, lots: int) -> RejectCode:
    """Clause 3.37: a new limit, which orders are checked against from here on."""
    return _announced(market, index, change_spec(market, index, position_limit=lots))


def _announced(market: Market, index: int, code: RejectCode) -> RejectCode:
    if not code:
        market.events.instrument(index, market.instruments[index].spec, CHANGED)
    return code


def set_phase(market: Market, instrument: Instrument, phase: Phase) -> None:
    """Clause 3.3, (a) to (d)."""
    old = instrument.phase
    if phase == old:
        return
    if phase == Phase.CONTINUOUS or (old in CALLS and phase == Phase.CLOSED):
        uncross(market, instrument)
    instrument.phase = phase
    market.events.phase(instrument.index, phase)
    if phase == Phase.CLOSING_CALL:
        unpark(market, instrument)
    run_stops(market, instrument)


def unpark(market: Market, instrument: Instrument) -> None:
    """Clauses 3.3 (c), 3.13: parked orders enter the book, first come first."""
    for order in list(instrument.book.parked):
        instrument.book.take_out(order)
        market.events.triggered(order)
        market.rest(order)


def end_of_day(market: Market, day: int) -> None:
    """Clause 3.5: what was good for this day only, or until this day, expires."""
    market.trading_day = day
    for instrument in market.instruments.values():
        expired = [order for order in instrument.book.in_book_order() if has_expired(order, day)]
        cancel_all(market, expired, CancelReason.EXPIRED)


def has_expired(order: Order, day: int) -> bool:
    """Clause 3.5: DAY, AT_OPEN, AT_CLOSE, and GTD up to this day."""
    if order.tif == TimeInForce.GTD:
        return order.expiry_day <= day
    return order.tif in (TimeInForce.DAY, TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)


def set_account(market: Market, index: int, spec: AccountSpec) -> RejectCode:
    """Set up an account or its terms anew; orders, positions and the order-rate count stay."""
    if not 0 <= index < market.limits.max_accounts:
        return RejectCode.INVALID_ACCOUNT
    fresh = Account(index, spec, spec.enabled, spec.equity_fen, spec.offset_fen)
    if known := market.accounts.get(index):
        fresh.orders = known.orders
        fresh.rate_second, fresh.rate_count = known.rate_second, known.rate_count
    market.accounts[index] = fresh
    announce_account(market, fresh)
    return RejectCode.NONE


def adjust_equity(market: Market, index: int, delta_fen: int) -> RejectCode:
    """Clause 3.36: add to what clearing last set."""
    account = market.accounts.get(index)
    if account is None:
        return RejectCode.UNKNOWN_ACCOUNT
    account.equity_fen += delta_fen
    announce_account(market, account)
    return RejectCode.NONE


def set_offset(market: Market, index: int, offset_fen: int) -> RejectCode:
    """Clause 3.36: what the portfolio earns against the sum of single margins."""
    account = market.accounts.get(index)
    if account is None:
        return RejectCode.UNKNOWN_ACCOUNT
    account.offset_fen = offset_fen
    announce_account(market, account)
    return RejectCode.NONE


def set_position(market: Market, index: int, instrument: int, lots: int) -> RejectCode:
    """Clause 3.35: set a position without a trade; equity stays."""
    account = market.accounts.get(index)
    if account is None:
        return RejectCode.UNKNOWN_ACCOUNT
    if instrument not in market.instruments:
        return RejectCode.UNKNOWN_INSTRUMENT
    held = (index, instrument) in market.positions
    if not held and len(market.positions) >= market.limits.max_holdings:
        return RejectCode.TOO_MANY_HOLDINGS
    market.positions[index, instrument] = lots
    announce_account(market, account)
    return RejectCode.NONE


def announce_account(market: Market, account: Account) -> None:
    """Emit ACCOUNT with whether it is enabled."""
    market.events.add(EventKind.ACCOUNT, account=account.index, code=int(account.enabled))
