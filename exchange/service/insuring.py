"""Money of shortfalls: compensation, the delivery insurance fund, claims (clauses 7.7 to 7.10)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.ledger import LedgerKind
from exchange.clearing.shortfall import compensation, cut, premium, score
from exchange.service.deliverystate import DeliveryClaim
from exchange.service.state import HOUSE, Stamp, State
from matching.records import Records


def settle_delivery(state: State, chosen: NDArray[np.intp], stamp: Stamp) -> None:
    """After the invoices of a delivery day: premiums, open claims, then the day's shortfalls.

    `chosen` are the rows of its reservations.
    """
    rows = state.reservations.rows[chosen]
    providers = np.unique(rows["provider"]).tolist()
    for provider in providers:
        mine = chosen[rows["provider"] == provider]
        _note_day(state, provider, mine)
        _charge_premium(state, provider, mine, stamp)
    collect_claims(state, stamp)
    for provider in providers:
        compensate(state, provider, shortfalls(state, chosen[rows["provider"] == provider]), stamp)


def delivered_card_hours(state: State, at: int) -> int:
    """Return the card-hours that were metered on a reservation."""
    return int(np.maximum(state.reservations.rows[at]["metered"], 0).sum(dtype=np.int64))


def reserved_card_hours(state: State, at: int) -> int:
    """Return the card-hours of a reservation."""
    row = state.reservations.rows[at]
    contract = state.contracts[int(row["contract"])]
    return int(row["lots"]) * contract.cards_per_lot * contract.hours


def _note_day(state: State, provider: int, mine: NDArray[np.intp]) -> None:
    day = int(state.reservations.rows[mine[0]]["day"])
    reserved = sum(reserved_card_hours(state, int(at)) for at in mine)
    delivered = sum(delivered_card_hours(state, int(at)) for at in mine)
    state.delivering.record.append((day, provider, reserved, delivered))


def _charge_premium(state: State, provider: int, mine: NDArray[np.intp], stamp: Stamp) -> None:
    invoiced = int(state.reservations.rows[mine]["invoiced"].sum())
    steps = [(s.score_basis_points, s.premium_basis_points) for s in state.delivering.rules.premiums]
    amount = premium(invoiced, score(state.delivering.days_of(provider)), steps)
    move(state, provider, HOUSE, amount, LedgerKind.INSURANCE_PREMIUM, stamp)
    state.delivering.fund_fen += amount


def shortfalls(state: State, mine: NDArray[np.intp]) -> list[tuple[int, int, int]]:
    """Return (buyer, contract, owed in fen) of each reservation that fell short."""
    owed = []
    for at in mine.tolist():
        short = reserved_card_hours(state, at) - delivered_card_hours(state, at)
        row = state.reservations.rows[at]
        owed.append((int(row["buyer"]), int(row["contract"]), owed_for(state, at, short)))
    return [entry for entry in owed if entry[2]]


def owed_for(state: State, at: int, card_hours: int) -> int:
    """Return the compensation for card-hours of a reservation that weren't delivered, fen."""
    row, rules = state.reservations.rows[at], state.margin_rules
    lot = state.contracts[int(row["contract"])].cards_per_lot
    marks = (rules.buy_in_basis_points, rules.damages_basis_points)
    return compensation(int(row["price"]), card_hours, lot, *marks).total_fen


def compensate(
    state: State,
    debtor: int,
    owed: list[tuple[int, int, int]],
    stamp: Stamp,
    kind: LedgerKind = LedgerKind.SHORTFALL,
) -> None:
    """Pay what a debtor owes: from its cash, then from the fund; what neither has is claimed.

    `owed` are (creditor, contract, fen).
    """
    dues = [amount for _, _, amount in owed]
    own = cut(dues, free_cash(state, debtor))
    for (creditor, contract, _), paid in zip(owed, own, strict=True):
        move(state, debtor, creditor, paid, kind, stamp, contract)
    left = [due - paid for due, paid in zip(dues, own, strict=True)]
    insured = cut(left, state.delivering.fund_fen)
    for (creditor, contract, _), paid, lacking in zip(owed, insured, left, strict=True):
        move(state, HOUSE, creditor, paid, LedgerKind.INSURANCE_PAYMENT, stamp, contract)
        _claim(state, stamp, debtor, creditor, lacking - paid)
    state.delivering.fund_fen -= sum(insured)
    _claim(state, stamp, debtor, HOUSE, sum(insured))


def free_cash(state: State, account: int) -> int:
    """Return the cash that isn't held for deliveries, at least 0, fen."""
    return max(0, int(state.cash[account] - state.delivery_hold[account]))


def collect_claims(state: State, stamp: Stamp, debtor: int | None = None) -> None:
    """Pay open claims, one debtor's or all, from what their debtors have now, oldest first (clause 7.10)."""
    for claim in (c for c in state.delivering.claims if debtor in (None, c.debtor)):
        paid = min(claim.open_fen, free_cash(state, claim.debtor))
        move(state, claim.debtor, claim.creditor, paid, LedgerKind.CLAIM_PAYMENT, stamp)
        claim.open_fen -= paid
        if claim.creditor == HOUSE:
            state.delivering.fund_fen += paid


def _claim(state: State, stamp: Stamp, debtor: int, creditor: int, amount: int) -> None:
    if amount:
        state.delivering.claims.append(DeliveryClaim(stamp.day, debtor, creditor, amount, amount))


def move(
    state: State, payer: int, payee: int, amount: int, kind: LedgerKind, stamp: Stamp, contract: int = -1
) -> None:
    """Move cash between two accounts and enter it on both."""
    state.cash[payer] -= amount
    state.cash[payee] += amount
    state.ledger.enter(stamp.seq, stamp.day, kind, payer, -amount, contract)
    state.ledger.enter(stamp.seq, stamp.day, kind, payee, amount, contract)


def settled(state: State) -> NDArray[np.int64]:
    """Return each account's cash without what is held for deliveries, fen, shape (accounts,)."""
    return np.asarray(state.cash - state.delivery_hold, np.int64)


def tell_kernel(state: State, before: NDArray[np.int64], stamp: Stamp) -> list[Records]:
    """Bring the equity of each member whose settled cash isn't what it was `before` (`settled`) up to it, and
    return the kernel's events; the kernel has no house.
    """
    moved = settled(state) - before
    return [
        state.engine.adjust_equity(account, int(moved[account]), seq=stamp.seq)
        for account in np.flatnonzero(moved).tolist()
        if account != HOUSE
    ]
