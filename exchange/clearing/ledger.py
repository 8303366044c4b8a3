"""The ledger: every movement of money, and statements read from it (clauses 8.5 and 8.6)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.tables import LEDGER_ROW, Table


class LedgerKind(IntEnum):
    """Why money moved; the numbers are stable."""

    DEPOSIT = 1
    WITHDRAWAL = 2
    VARIATION_MARGIN = 3
    FEE = 4
    DELIVERY_PAYMENT = 5
    FUND_CONTRIBUTION = 6
    GUARANTEE = 7
    DEFAULT_COVER = 8
    ASSESSMENT = 9
    UNCOVERED_LOSS = 10
    ADJUSTMENT = 11
    SHORTFALL = 12
    INSURANCE_PREMIUM = 13
    INSURANCE_PAYMENT = 14
    CLAIM_PAYMENT = 15
    DISPUTE = 16
    CLAIM_REPAYMENT = 17
    COLLATERAL_SALE = 18
    BUY_IN = 19
    RESALE = 20
    COMMISSION = 21
    REVENUE_SHARE = 22
    GIVE_UP_FEE = 23
    VOUCHER = 24
    VOUCHER_BUDGET = 25

    @property
    def label(self) -> str:
        """The reason as statements write it: "variation margin" …"""
        return self.name.lower().replace("_", " ")


class Ledger:
    """Entries in the order in which money moved. Fees of the day enter it at settlement, summed by
    contract.
    """

    def __init__(self) -> None:
        self._table = Table(LEDGER_ROW, reserve=1024)

    @property
    def rows(self) -> NDArray[Any]:
        """The entries (LEDGER_ROW); don't write."""
        return self._table.rows

    def restore(self, rows: NDArray[Any]) -> None:
        """Fill an empty ledger with the entries (LEDGER_ROW) of another."""
        self._table.append(rows)

    def enter(
        self, seq: int, day: int, kind: LedgerKind, account: int, amount: int, contract: int = -1
    ) -> None:
        """Enter one movement; a movement of 0 isn't one."""
        if amount:
            self._table.add(seq=seq, day=day, kind=kind, account=account, amount=amount, contract=contract)

    def enter_all(
        self,
        seq: int,
        day: int,
        kind: LedgerKind,
        accounts: NDArray[Any],
        contracts: NDArray[Any],
        amounts: NDArray[np.int64],
    ) -> None:
        """Enter one movement for each row of the three arrays where the amount isn't 0."""
        moved = amounts != 0
        rows = np.zeros(int(moved.sum()), LEDGER_ROW)
        rows["seq"], rows["day"], rows["kind"] = seq, day, kind
        rows["account"], rows["contract"], rows["amount"] = accounts[moved], contracts[moved], amounts[moved]
        self._table.append(rows)

    def cash_by_account(self, accounts: int) -> NDArray[np.int64]:
        """Return Σ amount of each account 0 … accounts − 1, fen."""
        cash = np.zeros(accounts, np.int64)
        np.add.at(cash, self.rows["account"], self.rows["amount"])
        return cash

    def before(self, account: int, day: int) -> int:
        """Return the account's Σ amount before a day (days since 1970-01-01), fen."""
        rows = self.rows
        return int(rows["amount"][(rows["account"] == account) & (rows["day"] < day)].sum())

    def lines(self, account: int, day: int) -> Iterator[tuple[LedgerKind, int, int]]:
        """Yield (kind, contract, Σ amount) of an account and day, ascending kind, then contract."""
        rows = self.rows
        mine = rows[(rows["account"] == account) & (rows["day"] == day)]
        pairs, place = np.unique(mine[["kind", "contract"]], return_inverse=True)
        sums = np.zeros(len(pairs), np.int64)
        np.add.at(sums, place, mine["amount"])
        for pair, amount in zip(pairs, sums, strict=True):
            yield LedgerKind(int(pair["kind"])), int(pair["contract"]), int(amount)

    def state_bytes(self) -> bytes:
        """Return the entries as bytes, for the state hash."""
        return self._table.state_bytes()
