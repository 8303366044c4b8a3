"""The handler that buys in what deliveries fell short of (clause 7.13)."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.ledger import LedgerKind
from exchange.domain.contracts import Contract, PeriodKind
from exchange.domain.delivering import BuyInShortfalls
from exchange.domain.hours import HOURS_PER_DAY
from exchange.domain.money import half_up_share
from exchange.domain.phases import MarketPhase
from exchange.domain.rejects import RejectCode
from exchange.service.backing import next_day_contract
from exchange.service.deliverystate import BuyIn
from exchange.service.guard import apply_guarded
from exchange.service.insuring import (
    compensate,
    delivered_card_hours,
    reserved_card_hours,
    settled,
    tell_kernel,
)
from exchange.service.state import Outcome, Stamp, State, refused
from exchange.service.taking import taking_order, trades_of
from matching.records import EventKind, Records


def note_buy_ins(state: State, chosen: NDArray[np.intp], stamp: Stamp) -> None:
    """Note what a finished delivery day's reservations (rows `chosen`) fell short of, by contract, provider
    and buyer.
    """
    short: Counter[tuple[int, int, int]] = Counter()
    for at in chosen.tolist():
        row = state.reservations.rows[at]
        key = int(row["contract"]), int(row["provider"]), int(row["buyer"])
        short[key] += reserved_card_hours(state, at) - delivered_card_hours(state, at)
    for (contract, provider, buyer), card_hours in sorted(short.items()):
        if card_hours:
            made = BuyIn(stamp.day, contract, provider, buyer, card_hours)
            state.delivering.buy_ins.append(made)


def buy_in_shortfalls(state: State, message: BuyInShortfalls, stamp: Stamp) -> Outcome:
    """Buy in every shortfall that waits for it, once."""
    if state.day.phase is not MarketPhase.CONTINUOUS:
        return refused(RejectCode.WRONG_PHASE, state.day.phase.label)
    events: list[Records] = []
    lots = 0
    for waiting in [of for of in state.delivering.buy_ins if not of.done]:
        waiting.done = True
        events += _buy_in(state, waiting, stamp)
        lots += waiting.lots
    return Outcome(data={"lots": lots}, events=events)


def _buy_in(state: State, of: BuyIn, stamp: Stamp) -> list[Records]:
    expired = state.contracts[of.contract]
    replacement = _replacement(state, expired)
    if replacement is None:
        return []
    lots = of.card_hours // (replacement.hours * replacement.cards_per_lot)
    if not lots:
        return []

    def apply(command: Records) -> Records:
        applied = state.engine.apply(command)
        state.fold(applied, state.hour(stamp.time_ns))
        return applied

    order = taking_order(state, of.buyer, replacement.index, lots, stamp)
    events = apply_guarded(state, order, apply)
    if events["kind"][0] == EventKind.REJECTED:
        return []
    before = settled(state)
    _true_up(state, of, replacement, events, stamp)
    return [events, *tell_kernel(state, before, stamp)]


def _replacement(state: State, expired: Contract) -> Contract | None:
    """Return what is bought for a contract that fell short: of the same grade and hub, what trades and is
    delivered next of the same hour of the day, or of the days of its profile; else of base days.
    """
    active = [state.contracts[i] for i in state.active_contracts()]
    if expired.kind is PeriodKind.HOUR:
        hour = expired.period.first_hour % HOURS_PER_DAY
        same = [
            c
            for c in active
            if c.kind is PeriodKind.HOUR
            and c.product == expired.product
            and c.period.first_hour % HOURS_PER_DAY == hour
        ]
        found = min(same, key=lambda contract: contract.period.first_hour, default=None)
    else:
        found = next_day_contract(active, expired.product, expired.profile)
    return found or next_day_contract(active, expired.product)


def _true_up(state: State, of: BuyIn, replacement: Contract, events: Records, stamp: Stamp) -> None:
    """Replace the mark-up on what was bought by what it cost."""
    trades = trades_of(events)
    prices, lots = trades["price"].astype(np.int64), trades["quantity"].astype(np.int64)
    of.lots, of.replacement = int(lots.sum()), replacement.index
    final = int(state.contract_row(of.contract)["reference"])
    rates, hours = state.fee_rates_at(stamp.seq), replacement.hours
    fees = sum(rates.taker_fen(value) for value in (prices * lots * hours).tolist())
    of.cost_fen = max(0, int(((prices - final) * lots).sum()) * hours + fees)
    mark_up = half_up_share(final * hours * of.lots, state.margin_rules.buy_in_basis_points)
    owed = of.cost_fen - mark_up
    debtor, creditor = (of.provider, of.buyer) if owed > 0 else (of.buyer, of.provider)
    entry = [(creditor, of.contract, abs(owed))] if owed else []
    compensate(state, debtor, entry, stamp, LedgerKind.BUY_IN)
