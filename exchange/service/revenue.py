"""What settlement pays besides variation margin: commissions of brokers' clients, shares of the fees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.ledger import LedgerKind
from exchange.clearing.sharing import split
from exchange.domain.money import largest_remainder
from exchange.service.insuring import move
from exchange.service.state import HOUSE, Stamp, State


def pay_commissions(state: State, day: int, stamp: Stamp) -> None:
    """Let clients pay their brokers for what they traded on a day (clause 8.13), and forget the day's
    trading.
    """
    rows = state.positions.rows
    for agreed in state.brokerage.commissions:
        broker = state.broker_of(agreed.account)
        for row in rows[(rows["account"] == agreed.account) & (rows["gross_lots"] > 0)]:
            contract = int(row["contract"])
            due = state.commission_on(row, agreed.on(day))
            move(state, agreed.account, broker, due, LedgerKind.COMMISSION, stamp, contract)
    rows["gross_lots"] = 0
    rows["gross_value"] = 0


def share_fees(state: State, fees: NDArray[np.int64], stamp: Stamp) -> None:
    """Pass on what providers and brokers get of the day's fees, which lie on the house's account (clause
    8.14).

    `fees` are those of each row of the positions, fen.
    """
    weights = state.brokerage.split
    if not weights.provider and not weights.broker:
        return
    rows = state.positions.rows
    parts = split(fees, (weights.provider, weights.broker, weights.platform))
    pools = np.zeros(len(state.contracts), np.int64)
    np.add.at(pools, rows["contract"], parts[:, 0])
    shares = _of_providers(state, pools)
    brokers = np.array([state.broker_of(int(account)) for account in range(state.accounts)], np.int64)
    through = brokers[rows["account"]]
    for at in np.flatnonzero((through != HOUSE) & (parts[:, 1] > 0)).tolist():
        key = (int(rows["contract"][at]), int(through[at]))
        shares[key] = shares.get(key, 0) + int(parts[at, 1])
    for (contract, account), amount in sorted(shares.items()):
        move(state, HOUSE, account, amount, LedgerKind.REVENUE_SHARE, stamp, contract)


def _of_providers(state: State, pools: NDArray[np.int64]) -> dict[tuple[int, int], int]:
    """Return what each provider gets of each contract's pool, by what it sold first in it (clause 7.2)."""
    rows = state.positions.rows
    providing = np.array([state.is_provider(account) for account in range(state.accounts)], np.bool_)
    sellers = rows[providing[rows["account"]] & (rows["sold_lots"] > 0)]
    shares: dict[tuple[int, int], int] = {}
    for contract in np.flatnonzero(pools).tolist():
        mine: NDArray[Any] = np.sort(sellers[sellers["contract"] == contract], order="account")
        if len(mine):
            amounts = largest_remainder(int(pools[contract]), mine["sold_lots"].tolist())
            shares |= {
                (contract, int(account)): amount
                for account, amount in zip(mine["account"], amounts, strict=True)
                if amount
            }
    return shares
