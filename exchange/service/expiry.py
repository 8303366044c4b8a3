"""A day or hour contract that expires becomes reservations (clause 7.3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.certificates import deliver
from exchange.clearing.delivery import Supply, match_shorts_to_longs
from exchange.clearing.tables import RESERVATION_ROW
from exchange.domain.calendar import epoch_day
from exchange.domain.contracts import Contract
from exchange.service.state import State


def holders(state: State, contract: Contract) -> list[tuple[int, int]]:
    """Return (account, lots) of the positions in a contract that aren't 0, ascending account."""
    rows = state.positions.rows
    mine = rows[(rows["contract"] == contract.index) & (rows["lots"] != 0)]
    return sorted((int(row["account"]), int(row["lots"])) for row in mine)


def expire(state: State, contract: Contract) -> None:
    """Turn the positions of a day or hour contract into reservations; what backed its shorts is delivering
    now.
    """
    longs = [(account, lots) for account, lots in holders(state, contract) if lots > 0]
    matches = match_shorts_to_longs(longs, _supplies(state, contract))
    primary = state.primary
    for backing in primary.backings:
        if backing.contract == contract.index:
            certificate = primary.certificates[backing.certificate_id - 1]
            deliver(certificate, backing, contract.delivery, contract.cards_per_lot)
    primary.backings = [backing for backing in primary.backings if backing.contract != contract.index]
    _reserve(state, contract, matches)


def _supplies(state: State, contract: Contract) -> list[Supply]:
    """Return what each short delivers from each certificate, and from none."""
    certificates = state.primary.certificates
    backed: dict[int, list[Supply]] = {}
    for backing in state.primary.backings:
        if backing.contract == contract.index:
            account = certificates[backing.certificate_id - 1].account
            supply = Supply(account, backing.certificate_id, backing.lots)
            backed.setdefault(account, []).append(supply)
    supplies: list[Supply] = []
    for account, lots in holders(state, contract):
        if lots < 0:
            mine = backed.get(account, [])
            bare = -lots - sum(supply.lots for supply in mine)
            supplies += [Supply(account, 0, bare), *mine] if bare else mine
    return supplies


def _reserve(state: State, contract: Contract, matches: NDArray[Any]) -> None:
    price = int(state.contract_row(contract.index)["reference"])
    day = epoch_day(contract.period.first)
    rows = np.zeros(len(matches), RESERVATION_ROW)
    rows["contract"], rows["day"], rows["price"], rows["metered"] = contract.index, day, price, -1
    for column in ("buyer", "provider", "certificate", "lots"):
        rows[column] = matches[column]
    state.reservations.append(rows)
    np.add.at(state.delivery_hold, rows["buyer"], rows["lots"] * price * contract.hours)
