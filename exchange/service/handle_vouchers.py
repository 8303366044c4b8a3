"""Handlers of compute vouchers, and what they pay of delivery invoices (chapter 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.ledger import LedgerKind
from exchange.clearing.vouchers import drawn
from exchange.domain.calendar import date_of, epoch_day
from exchange.domain.money import BASIS_POINT
from exchange.domain.rejects import RejectCode
from exchange.domain.vouchers import IssueVouchers, OpenVoucherProgramme
from exchange.service.insuring import free_cash, move, settled, tell_kernel
from exchange.service.state import HOUSE, Outcome, Stamp, State, refused
from exchange.service.voucherstate import Programme, Voucher, VoucherKind, VoucherLine

PROGRAMMES_MAX = 1_000
NAME_MAX = 64


def open_programme(state: State, message: OpenVoucherProgramme, stamp: Stamp) -> Outcome:
    """Set the issuer's cash aside."""
    issuer = state.members.get(message.issuer)
    if issuer is None:
        return refused(RejectCode.UNKNOWN_MEMBER, message.issuer)
    if not state.may_trade(issuer):
        return refused(RejectCode.MEMBER_NOT_APPROVED, message.issuer)
    fault = _terms_fault(state, message, stamp)
    if fault:
        return refused(RejectCode.INVALID_PROGRAMME, fault)
    free = state.free_cash(issuer.account)
    if message.budget_fen > free:
        return refused(RejectCode.INSUFFICIENT_CASH, f"{max(0, free)} fen are free")
    before = settled(state)
    state.vouchers.programmes.append(Programme(message, issuer.account))
    _set_aside(state, issuer.account, message.budget_fen, LedgerKind.VOUCHER_BUDGET, stamp)
    return Outcome(
        data={"programme_id": len(state.vouchers.programmes)}, events=tell_kernel(state, before, stamp)
    )


def _terms_fault(state: State, terms: OpenVoucherProgramme, stamp: Stamp) -> str:
    """Return which of the terms can't be, or nothing."""
    checks = {
        "name": 1 <= len(terms.name) <= NAME_MAX,
        "budget_fen": terms.budget_fen >= 1,
        "share_basis_points": 1 <= terms.share_basis_points <= BASIS_POINT,
        "last_day": terms.last_day > date_of(stamp.day),
        "hubs": set(terms.hubs) <= state.hub_indices.keys(),
        "grades": set(terms.grades) <= state.grade_indices.keys(),
        "programmes": len(state.vouchers.programmes) < PROGRAMMES_MAX,
    }
    return next((name for name, good in checks.items() if not good), "")


def issue_vouchers(state: State, message: IssueVouchers, stamp: Stamp) -> Outcome:
    """Add to a member's balance."""
    vouchers = state.vouchers
    known = 1 <= message.programme_id <= len(vouchers.programmes)
    programme = vouchers.programmes[message.programme_id - 1] if known else None
    if programme is None or programme.issuer != message.account or programme.ended:
        return refused(RejectCode.UNKNOWN_PROGRAMME)
    member = state.members.get(message.member)
    if member is None:
        return refused(RejectCode.UNKNOWN_MEMBER, message.member)
    if not state.may_trade(member) or member.account == message.account:
        return refused(RejectCode.MEMBER_NOT_APPROVED, message.member)
    if message.amount_fen < 1:
        return refused(RejectCode.INVALID_AMOUNT, f"{message.amount_fen} fen")
    left = programme.terms.budget_fen - programme.issued_fen
    if message.amount_fen > left:
        return refused(RejectCode.VOUCHER_BUDGET, f"{left} fen are left")
    number = vouchers.of(member.account, message.programme_id)
    if not number:
        vouchers.vouchers.append(Voucher(message.programme_id, member.account))
        number = len(vouchers.vouchers)
    vouchers.vouchers[number - 1].issued_fen += message.amount_fen
    programme.issued_fen += message.amount_fen
    _note(state, number, "issued", message.amount_fen, stamp)
    return Outcome(data={"voucher_id": number})


def pay_by_vouchers(state: State, chosen: NDArray[np.intp], stamp: Stamp) -> None:
    """Pay what vouchers pay of the invoices of finished reservations (clause 11.3)."""
    if not state.vouchers.escrow_fen:
        return
    held = _held(state)
    for at in chosen.tolist():
        row = state.reservations.rows[at]
        purses = list(_purses(state, row, held.get(int(row["buyer"]), [])))
        paid = drawn(int(row["invoiced"]), [(has, share) for _, has, share in purses])
        for (number, _, _), amount in zip(purses, paid, strict=True):
            if amount:
                _spend(state, number, at, amount, stamp)


def _held(state: State) -> dict[int, list[int]]:
    """Return the ids of each account's vouchers that have something left: those that end earlier first, then
    the earlier voucher.
    """
    programmes, held = state.vouchers.programmes, dict[int, list[int]]()
    numbered = enumerate(state.vouchers.vouchers, start=1)
    ends = [(programmes[v.programme_id - 1].terms.last_day, number, v) for number, v in numbered]
    for _, number, voucher in sorted(ends, key=itemgetter(0, 1)):
        if voucher.outstanding_fen:
            held.setdefault(voucher.account, []).append(number)
    return held


def _purses(state: State, row: Any, numbers: list[int]) -> Iterator[tuple[int, int, int]]:
    """Yield (voucher id, fen left, share) of those of an account's vouchers that may pay a reservation."""
    contract = state.contracts[int(row["contract"])]
    regime = state.regimes.get((contract.grade, contract.hub))
    whole = regime is not None and regime.kind == "voucher"
    for number in numbers:
        voucher = state.vouchers.vouchers[number - 1]
        terms = state.vouchers.programmes[voucher.programme_id - 1].terms
        here = contract.hub in (terms.hubs or (contract.hub,))
        this = contract.grade in (terms.grades or (contract.grade,))
        if here and this and int(row["day"]) <= epoch_day(terms.last_day):
            yield number, voucher.outstanding_fen, BASIS_POINT if whole else terms.share_basis_points


def _spend(state: State, number: int, at: int, amount: int, stamp: Stamp) -> None:
    voucher = state.vouchers.vouchers[number - 1]
    voucher.spent_fen += amount
    state.vouchers.escrow_fen -= amount
    contract = int(state.reservations.rows[at]["contract"])
    move(state, HOUSE, voucher.account, amount, LedgerKind.VOUCHER, stamp, contract)
    _note(state, number, "spent", amount, stamp, at + 1)


def take_back(state: State, at: int, invoiced: int, stamp: Stamp) -> None:
    """After a dispute lowered an invoice from `invoiced` fen, take back what vouchers paid of the difference,
    in proportion, from the buyer's cash as far as that reaches (clause 11.5).
    """
    now = int(state.reservations.rows[at]["invoiced"])
    for number, was in state.vouchers.spent_on(at + 1).items():
        voucher = state.vouchers.vouchers[number - 1]
        back = min(was - was * now // invoiced, free_cash(state, voucher.account))
        if back:
            _set_aside(state, voucher.account, back, LedgerKind.VOUCHER, stamp)
            voucher.spent_fen -= back
            _note(state, number, "returned", back, stamp, at + 1)
            if state.vouchers.programmes[voucher.programme_id - 1].ended:
                _expire(state, number, stamp)


def end_programmes(state: State, day: date, stamp: Stamp) -> None:
    """Expire the vouchers whose last day was delivered, and give the rest of their budgets back (clause
    11.4).
    """
    for programme_id, programme in enumerate(state.vouchers.programmes, start=1):
        if programme.ended or programme.terms.last_day > day:
            continue
        programme.ended = True
        _give_back(state, programme.issuer, programme.terms.budget_fen - programme.issued_fen, stamp)
        for number, voucher in enumerate(state.vouchers.vouchers, start=1):
            if voucher.programme_id == programme_id:
                _expire(state, number, stamp)


def _expire(state: State, number: int, stamp: Stamp) -> None:
    voucher = state.vouchers.vouchers[number - 1]
    amount = voucher.outstanding_fen
    if amount:
        voucher.expired_fen += amount
        _give_back(state, state.vouchers.programmes[voucher.programme_id - 1].issuer, amount, stamp)
        _note(state, number, "expired", amount, stamp)


def _set_aside(state: State, payer: int, amount: int, kind: LedgerKind, stamp: Stamp) -> None:
    state.vouchers.escrow_fen += amount
    move(state, payer, HOUSE, amount, kind, stamp)


def _give_back(state: State, issuer: int, amount: int, stamp: Stamp) -> None:
    state.vouchers.escrow_fen -= amount
    if amount:
        move(state, HOUSE, issuer, amount, LedgerKind.VOUCHER_BUDGET, stamp)


def _note(
    state: State, number: int, kind: VoucherKind, amount: int, stamp: Stamp, reservation_id: int = 0
) -> None:
    line = VoucherLine(stamp.seq, stamp.day, number, kind, amount, reservation_id)
    state.vouchers.lines.append(line)


HANDLERS: Final[dict[type, Callable[[State, Any, Stamp], Outcome]]] = {
    OpenVoucherProgramme: open_programme,
    IssueVouchers: issue_vouchers,
}
"""One handler a rare message."""
