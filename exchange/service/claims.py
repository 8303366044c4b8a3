"""Claims on defaulters and their repayment (clause 6.12)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exchange.clearing.default import Payment
from exchange.clearing.ledger import LedgerKind
from exchange.clearing.shortfall import cut
from exchange.clearing.tables import CLAIM_ROW
from exchange.service.insuring import collect_claims, free_cash, move
from exchange.service.state import Stamp, State


def record_claims(state: State, debtor: int, payments: Sequence[Payment], stamp: Stamp) -> None:
    """Record what a defaulter owes to those who paid for it; what it paid itself it owes to nobody."""
    owed = [payment for payment in payments if payment.payer != debtor]
    claims = np.zeros(len(owed), CLAIM_ROW)
    claims["seq"], claims["debtor"] = stamp.seq, debtor
    claims["amount"] = claims["open"] = [payment.amount_fen for payment in owed]
    claims["creditor"] = [payment.payer for payment in owed]
    claims["layer"] = [payment.layer for payment in owed]
    state.claims.append(claims)


def has_open_claims(state: State, debtor: int) -> bool:
    """Return whether a defaulter still owes what others paid for it."""
    rows = state.claims.rows
    return bool((rows["open"][rows["debtor"] == debtor] > 0).any())


def repay_claims(state: State, stamp: Stamp) -> None:
    """Repay open claims from what defaulters have now; one that is free of them pays its claims of 7.8.

    Oldest default first, and of one default the layer that paid last first, each shared by what is open. The
    kernel isn't told.
    """
    rows = state.claims.rows
    for debtor in np.unique(rows["debtor"][rows["open"] > 0]).tolist():
        _repay(state, debtor, stamp)
        if not has_open_claims(state, debtor):
            collect_claims(state, stamp, debtor)


def _repay(state: State, debtor: int, stamp: Stamp) -> None:
    rows = state.claims.rows
    mine = np.flatnonzero((rows["debtor"] == debtor) & (rows["open"] > 0))
    for seq, layer in sorted({(int(rows["seq"][at]), -int(rows["layer"][at])) for at in mine}):
        chosen = mine[(rows["seq"][mine] == seq) & (rows["layer"][mine] == -layer)]
        paid = cut(rows["open"][chosen].tolist(), free_cash(state, debtor))
        for at, amount in zip(chosen.tolist(), paid, strict=True):
            creditor = int(rows["creditor"][at])
            move(state, debtor, creditor, amount, LedgerKind.CLAIM_REPAYMENT, stamp)
            rows["open"][at] -= amount
