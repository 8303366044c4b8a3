"""Rare commands of compute vouchers (chapter 11)."""

from __future__ import annotations

from datetime import date

from exchange.domain.message import Message


class OpenVoucherProgramme(Message, frozen=True, kw_only=True):
    """Sets an issuer's cash aside for vouchers, and their terms; clause 11.1. Gives the programme's id.

    Refused: UNKNOWN_MEMBER, MEMBER_NOT_APPROVED, INVALID_PROGRAMME, INSUFFICIENT_CASH.
    """

    issuer: str
    name: str
    budget_fen: int
    share_basis_points: int
    """Most that a voucher pays of one invoice."""
    last_day: date
    """The last delivery day that it pays for."""
    hubs: tuple[str, ...] = ()
    """Where it pays; empty: everywhere."""
    grades: tuple[str, ...] = ()
    """What it pays for; empty: everything."""


class IssueVouchers(Message, frozen=True, kw_only=True):
    """Gives a member vouchers out of a programme's budget; clause 11.2. Gives the voucher's id.

    Refused: UNKNOWN_PROGRAMME, UNKNOWN_MEMBER, MEMBER_NOT_APPROVED, INVALID_AMOUNT, VOUCHER_BUDGET.
    """

    account: int
    """The issuer's."""
    programme_id: int
    member: str
    amount_fen: int


VoucherMessage = OpenVoucherProgramme | IssueVouchers
