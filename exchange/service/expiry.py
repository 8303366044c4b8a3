"""Day and hour contracts that expire become reservations (clause 7.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.certificates import Backing, deliver
from exchange.clearing.delivery import Supply, match_shorts_to_longs
from exchange.clearing.tables import RESERVATION_ROW
from exchange.domain.calendar import epoch_day
from exchange.domain.contracts import Contract
from exchange.service.state import State

Held = list[tuple[int, int]]
"""(account, lots) of the positions in a contract that aren't 0, ascending account."""


def holders(state: State, contracts: Iterable[Contract]) -> dict[int, Held]:
    """Return who holds what of contracts, by the index of each that somebody holds."""
    rows = state.positions.rows
    wanted = np.zeros(len(state.contracts), np.bool_)
    wanted[[contract.index for contract in contracts]] = True
    mine = rows[wanted[rows["contract"]] & (rows["lots"] != 0)]
    mine = mine[np.lexsort((mine["account"], mine["contract"]))]
    found: dict[int, Held] = {}
    columns = (mine[name].tolist() for name in ("contract", "account", "lots"))
    for contract, account, lots in zip(*columns, strict=True):
        found.setdefault(contract, []).append((account, lots))
    return found


def expire(state: State, contracts: Sequence[Contract]) -> None:
    """Turn the positions of day and hour contracts into reservations, in the order given; what backed their
    shorts is delivering now.
    """
    backings: dict[int, list[Backing]] = {contract.index: [] for contract in contracts}
    kept: list[Backing] = []
    for backing in state.primary.backings:
        backings.get(backing.contract, kept).append(backing)
    state.primary.backings = kept
    held = holders(state, contracts)
    for contract in contracts:
        mine, backed = held.get(contract.index, []), backings[contract.index]
        longs = [(account, lots) for account, lots in mine if lots > 0]
        matches = match_shorts_to_longs(longs, _supplies(state, mine, backed))
        for backing in backed:
            certificate = state.primary.certificates[backing.certificate_id - 1]
            deliver(certificate, backing, contract.delivery, contract.cards_per_lot)
        _reserve(state, contract, matches)


def _supplies(state: State, held: Held, backings: Iterable[Backing]) -> list[Supply]:
    """Return what each short of a contract delivers from each certificate, and from none."""
    backed: dict[int, list[Supply]] = {}
    for backing in backings:
        account = state.primary.certificates[backing.certificate_id - 1].account
        supply = Supply(account, backing.certificate_id, backing.lots)
        backed.setdefault(account, []).append(supply)
    supplies: list[Supply] = []
    for account, lots in held:
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
