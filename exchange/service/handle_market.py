"""Handlers of rules, contracts and the phases of a trading day (chapters 4 and 5)."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np

from exchange.clearing.fees import FeeRates
from exchange.domain.calendar import epoch_day
from exchange.domain.contracts import Contract, Symbol, last_trading_day, parse_symbol
from exchange.domain.messages import (
    Halt,
    KillMarket,
    ListContracts,
    Listing,
    Product,
    SetPhase,
    SetRules,
)
from exchange.domain.money import BASIS_POINT
from exchange.domain.phases import MarketPhase
from exchange.domain.rejects import RejectCode
from exchange.service.margins import first_margined_day, lot_risk
from exchange.service.state import DONE, Outcome, Stamp, State, refused
from matching.api import InvariantViolation
from matching.records import EventKind, Phase, Records
from matching.spec import InstrumentSpec

_KERNEL_PHASE = {
    MarketPhase.PRE_OPEN: Phase.CLOSED,
    MarketPhase.CALL: Phase.OPENING_CALL,
    MarketPhase.MATCHED: Phase.CLOSED,  # leaving a call for CLOSED uncrosses it (clause 3.3)
    MarketPhase.CONTINUOUS: Phase.CONTINUOUS,
    MarketPhase.BREAK: Phase.CLOSED,
    MarketPhase.CLOSING_CALL: Phase.CLOSING_CALL,
    MarketPhase.CLOSED: Phase.CLOSED,
}
_TAKES_ORDERS = (MarketPhase.CALL, MarketPhase.CONTINUOUS, MarketPhase.CLOSING_CALL)
_CAN_BE_HALTED = (MarketPhase.PRE_OPEN, *_TAKES_ORDERS, MarketPhase.MATCHED, MarketPhase.BREAK)
PRICE_MAX = 1 << 19
"""Highest reference price of a listing, ticks: about 5,000 CNY per lot-hour. A quarter's contract at it,
fully margined, and its limits many days later are within the kernel's bounds.
"""


def set_rules(state: State, message: SetRules, stamp: Stamp) -> Outcome:
    """Set rules, and add products."""
    shares = (
        message.limit_basis_points,
        message.margin_basis_points,
        message.maker_basis_points,
        message.taker_basis_points,
    )
    days = message.closed_days
    ascending = all(a < b for a, b in pairwise(days))
    if not ascending or not all(0 <= share <= BASIS_POINT for share in shares):
        return refused(RejectCode.INVALID_RULE)
    products = {(p.grade, p.hub): p for p in message.products}
    if any(products.get(key) != product for key, product in state.products.items()):
        return refused(RejectCode.PRODUCT_CHANGED)
    if any(product.cards_per_lot < 1 for product in message.products):
        return refused(RejectCode.INVALID_RULE, "cards_per_lot must be at least 1")
    state.rules = message
    rates = FeeRates(stamp.seq, message.maker_basis_points, message.taker_basis_points)
    state.fee_rates.append(rates)
    state.products = products
    for product in message.products:
        state.hub_indices.setdefault(product.hub, len(state.hub_indices))
        state.grade_indices.setdefault(product.grade, len(state.grade_indices))
        state.group_indices.setdefault(f"{product.grade}.{product.hub}", len(state.group_indices))
    return DONE


def list_contracts(state: State, message: ListContracts, stamp: Stamp) -> Outcome:
    """List contracts, all or none."""
    if state.day.phase not in (MarketPhase.SETTLED, MarketPhase.PRE_OPEN):
        return refused(
            RejectCode.WRONG_PHASE, f"{state.day.phase.label}; contracts are listed before the call"
        )
    if len(message.listings) > state.engine.free_slots:
        return refused(RejectCode.CONTRACT_LIMIT)
    symbols: dict[str, tuple[Symbol, Product]] = {}
    for listing in message.listings:
        fault = _listing_fault(state, listing, symbols)
        if fault is not None:
            return refused(fault, listing.symbol)
    events = [
        add_contract(state, *symbols[listing.symbol], listing.reference_price_ticks, stamp)
        for listing in message.listings
    ]
    return Outcome(data={"listed": len(events)}, events=events)


def _listing_fault(
    state: State, listing: Listing, symbols: dict[str, tuple[Symbol, Product]]
) -> RejectCode | None:
    """Return why a listing can't be; else enter it into `symbols`."""
    try:
        symbol = parse_symbol(listing.symbol)
    except ValueError:
        return RejectCode.INVALID_SYMBOL
    product = state.products.get((symbol.grade, symbol.hub))
    if product is None:
        return RejectCode.UNKNOWN_PRODUCT
    if state.load_profiles.delivery(symbol.hub, symbol.period, symbol.profile) is None:
        return RejectCode.PROFILE_UNKNOWN
    if listing.symbol in symbols or listing.symbol in state.contracts_by_symbol:
        return RejectCode.CONTRACT_EXISTS
    if state.day.trading_day is not None and _last_day(state, symbol) < _first_tradable(state):
        return RejectCode.CONTRACT_OVER
    if not 1 <= listing.reference_price_ticks <= PRICE_MAX:
        return RejectCode.INVALID_PRICE
    symbols[listing.symbol] = (symbol, product)
    return None


def _last_day(state: State, symbol: Symbol) -> date:
    return last_trading_day(symbol.period, state.closed_days)


def _first_tradable(state: State) -> date:
    """Return the open trading day, or the next one if none is open."""
    day, following = state.day.trading_day, state.next_day()
    if day is None or following is None:
        return date.min
    return day if state.day.phase is MarketPhase.PRE_OPEN else following


def add_contract(state: State, symbol: Symbol, product: Product, reference: int, stamp: Stamp) -> Records:
    """List one contract whose terms were checked, CLOSED in the kernel; return the kernel's events."""
    delivery = state.load_profiles.delivery(symbol.hub, symbol.period, symbol.profile)
    if delivery is None:
        raise InvariantViolation(f"{symbol} has no hours")
    contract = Contract(
        index=len(state.contracts),
        symbol=str(symbol),
        grade=symbol.grade,
        hub=symbol.hub,
        hub_index=state.hub_indices[symbol.hub],
        period=symbol.period,
        profile=symbol.profile,
        delivery=delivery,
        hours=len(delivery),
        cards_per_lot=product.cards_per_lot,
        last_trading_day=_last_day(state, symbol),
    )
    low, high = state.day_limits(contract, reference)
    risk = lot_risk(state, contract, reference, first_margined_day(state, stamp))
    state.contracts.append(contract)
    state.contracts_by_symbol[contract.symbol] = contract
    state.contract_table.add(
        hours=contract.hours,
        cards_per_lot=contract.cards_per_lot,
        reference=reference,
        previous=reference,
        price_low=low,
        price_high=high,
        scan=risk.scan,
        roll=risk.roll,
        failure=risk.failure,
        group=state.group_indices[f"{contract.grade}.{contract.hub}"],
        grade=state.grade_indices[contract.grade],
        hub=contract.hub_index,
        active=1,
    )
    spec = InstrumentSpec(
        price_low=low,
        price_high=high,
        reference_price=reference,
        hub=contract.hub_index,
        multiplier=contract.hours,
        margin_long_fen=risk.margin_long,
        margin_short_fen=risk.margin_short,
        position_limit=state.position_limit(contract),
    )
    return state.engine.add_instrument(contract.index, spec, seq=stamp.seq)


def set_phase(state: State, message: SetPhase, stamp: Stamp) -> Outcome:
    """Move the day to the phase that its sessions have next; at the close day orders expire."""
    day = state.day
    steps = day.sessions.steps()[day.steps :] if day.phase is not MarketPhase.SETTLED else ()
    if not steps or day.trading_day is None or message.phase is not steps[0][1]:
        return refused(
            RejectCode.WRONG_PHASE, f"{day.phase.label}, so it can't be {message.phase.label} next"
        )
    day.phase = message.phase
    day.steps += 1
    active = state.active_contracts().tolist()
    events = _move(state, active, stamp)
    if message.phase is MarketPhase.CLOSED:
        for index in active:  # what the closing auction left
            state.contract_row(index)["locked"] = state.engine.l1(index).limit_lock
        events.append(state.engine.end_of_day(epoch_day(day.trading_day), seq=stamp.seq))
        state.contract_table.rows["halted"] = 0
    return Outcome(events=events)


def _move(state: State, contracts: list[int], stamp: Stamp) -> list[Records]:
    """Put contracts into the day's phase, but those that are halted while orders are taken."""
    phase = state.day.phase
    halted = state.contract_table.rows["halted"]
    held = [index for index in contracts if halted[index]] if phase in _TAKES_ORDERS else []
    others = [index for index in contracts if index not in set(held)]
    return [
        state.engine.set_phase(others, _KERNEL_PHASE[phase], seq=stamp.seq),
        state.engine.set_phase(held, Phase.HALTED, seq=stamp.seq),
    ]


def halt(state: State, message: Halt, stamp: Stamp) -> Outcome:
    """Halt or resume a contract, those of a hub, or all."""
    chosen = [
        index
        for index in state.active_contracts().tolist()
        if message.symbol in (None, state.contracts[index].symbol)
        and message.hub in (None, state.contracts[index].hub)
    ]
    if not chosen:
        return refused(RejectCode.UNKNOWN_CONTRACT, message.symbol or message.hub or "")
    if state.day.phase not in _CAN_BE_HALTED:
        return refused(RejectCode.WRONG_PHASE, f"{state.day.phase.label}; halts are for an open trading day")
    halted = state.contract_table.rows["halted"]
    changed = [index for index in chosen if halted[index] != message.halted]
    halted[changed] = message.halted
    return Outcome(data={"contracts": len(changed)}, events=_move(state, changed, stamp))


def kill_market(state: State, message: KillMarket, stamp: Stamp) -> Outcome:
    """Halt everything, and cancel all orders if asked; of a day that isn't open there is nothing to halt."""
    changed: list[int] = []
    if state.day.phase in _CAN_BE_HALTED:
        halted = state.contract_table.rows["halted"]
        changed = [index for index in state.active_contracts().tolist() if not halted[index]]
        halted[changed] = 1
    events = state.engine.kill_market(cancel_orders=message.cancel_orders, seq=stamp.seq)
    cancelled = int(np.count_nonzero(events["kind"] == EventKind.CANCELLED))
    return Outcome(data={"contracts": len(changed), "cancelled": cancelled}, events=(events,))
