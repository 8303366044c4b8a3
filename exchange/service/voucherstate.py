"""Vouchers' part of the state: programmes, balances, and a ledger of their own (chapter 11)."""

from __future__ import annotations

from typing import Literal

import msgspec

from exchange.domain.vouchers import OpenVoucherProgramme
from matching.api import InvariantViolation

VoucherKind = Literal["issued", "spent", "returned", "expired"]
"""Returned: a dispute took back what a voucher had paid."""


class Programme(msgspec.Struct):
    """A programme; its id is its place in the list + 1."""

    terms: OpenVoucherProgramme
    issuer: int
    issued_fen: int = 0
    ended: bool = False


class Voucher(msgspec.Struct):
    """What an account holds of one programme; its id is its place in the list + 1."""

    programme_id: int
    account: int
    issued_fen: int = 0
    spent_fen: int = 0
    expired_fen: int = 0

    @property
    def outstanding_fen(self) -> int:
        """What may still be spent."""
        return self.issued_fen - self.spent_fen - self.expired_fen


class VoucherLine(msgspec.Struct):
    """One movement in the vouchers' own ledger; spent and expired take from the balance."""

    seq: int
    day: int
    """Calendar day, days since 1970-01-01."""
    voucher_id: int
    kind: VoucherKind
    amount_fen: int
    reservation_id: int = 0
    """What it paid for; 0: nothing."""


class Vouchers(msgspec.Struct):
    """Everything that chapter 11 is about."""

    programmes: list[Programme] = []
    vouchers: list[Voucher] = []
    lines: list[VoucherLine] = []
    escrow_fen: int = 0
    """Budgets that are neither spent nor given back; their cash lies on the house's account."""

    def of(self, account: int, programme_id: int) -> int:
        """Return the id of an account's voucher of a programme; 0 without one."""
        for number, voucher in enumerate(self.vouchers, start=1):
            if (voucher.account, voucher.programme_id) == (account, programme_id):
                return number
        return 0

    def spent_on(self, reservation_id: int) -> dict[int, int]:
        """Return what each voucher paid for a reservation, by voucher id, in the order in which they paid."""
        paid: dict[int, int] = {}
        for line in self.lines:
            if line.reservation_id == reservation_id:
                sign = 1 if line.kind == "spent" else -1
                paid[line.voucher_id] = paid.get(line.voucher_id, 0) + sign * line.amount_fen
        return paid

    def check(self) -> None:
        """Verify that issued = spent + expired + outstanding, by voucher, by line and by budget; raises
        InvariantViolation.
        """
        for number, voucher in enumerate(self.vouchers, start=1):
            sums = dict.fromkeys(("issued", "spent", "returned", "expired"), 0)
            for line in self.lines:
                if line.voucher_id == number:
                    sums[line.kind] += line.amount_fen
            told = (sums["issued"], sums["spent"] - sums["returned"], sums["expired"])
            if told != (voucher.issued_fen, voucher.spent_fen, voucher.expired_fen):
                raise InvariantViolation(f"voucher {number} and its lines differ")
            if min(voucher.spent_fen, voucher.expired_fen, voucher.outstanding_fen) < 0:
                raise InvariantViolation(f"voucher {number} is overdrawn")
        if self.escrow_fen != sum(self._escrow_of(at) for at in range(1, len(self.programmes) + 1)):
            raise InvariantViolation("what is set aside for vouchers isn't what may still be spent or issued")

    def _escrow_of(self, programme_id: int) -> int:
        programme = self.programmes[programme_id - 1]
        mine = [voucher for voucher in self.vouchers if voucher.programme_id == programme_id]
        if sum(voucher.issued_fen for voucher in mine) != programme.issued_fen:
            raise InvariantViolation(f"programme {programme_id} issued other vouchers than it has")
        if programme.issued_fen > programme.terms.budget_fen:
            raise InvariantViolation(f"programme {programme_id} is beyond its budget")
        if programme.ended:
            return sum(voucher.outstanding_fen for voucher in mine)
        return programme.terms.budget_fen - sum(voucher.spent_fen for voucher in mine)
