"""Orders of accounts whose portfolio nets risks (clause 5.11): the kernel's gate, and what it can't see.

The kernel adds a fixed offset to an account's equity and admits whatever doesn't raise the sum of single
margins. An order against a position that nets with another one doesn't, and yet takes the netting away. So
each new order or amendment of such an account is looked at alone, after everything before it was folded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.portfolio.terms import margin_long, margin_short
from exchange.service.margins import netting_left, netting_now
from exchange.service.state import State, joined
from matching.jit import kernel
from matching.records import EVENT, CommandKind, EventKind, OrderType, Records, RejectCode, Side

_NEW: Final = int(CommandKind.NEW)
_AMEND: Final = int(CommandKind.AMEND)
_WITH_PRICE: Final = (OrderType.LIMIT, OrderType.STOP_LIMIT)

Apply = Callable[[Records], Records]
"""Applies commands to the kernel, folds their trades and returns their events."""


@kernel
def next_netting(commands: NDArray[Any], netting: NDArray[Any], begin: int) -> int:
    """Return the place of the first order or amendment from `begin` on whose account nets; else their
    number.
    """
    for i in range(begin, len(commands)):
        account = commands[i]["account"]
        entering = commands[i]["kind"] == _NEW or commands[i]["kind"] == _AMEND
        if entering and 0 <= account < len(netting) and netting[account] > 0:
            return i
    return len(commands)


def apply_guarded(state: State, commands: Records, apply: Apply) -> Records:
    """Apply commands in order, each order of an account that nets by itself; return all their events."""
    parts, begin = [], 0
    while begin < len(commands):
        at = next_netting(commands, state.netting, begin)
        if at > begin:
            parts.append(apply(commands[begin:at]))
        if at < len(commands):
            parts.append(_apply_one(state, commands[at : at + 1], apply))
        begin = at + 1
    return joined(parts)


@dataclass(frozen=True, slots=True)
class _Reduction:
    """More open lots against a position."""

    contract: int
    position: int
    lots: int
    price: int
    """Limit price, ticks; 0 without one."""

    @property
    def signed_lots(self) -> int:
        """The lots, bought positive."""
        return -self.lots if self.position > 0 else self.lots


def _apply_one(state: State, command: Records, apply: Apply) -> Records:
    account, seq = int(command["account"][0]), int(command["seq"][0])
    left = netting_after(state, command[0])
    if left is None:
        return refusal(command[0])
    events = apply(command)
    if left < state.netting[account] and events["kind"][0] != EventKind.REJECTED:
        state.netting[account] = left
        state.engine.set_offset(account, state.offset(account), seq=seq)
    return events


def netting_after(state: State, command: Any) -> int | None:
    """Return what the account of a NEW or AMEND would still net if the command were accepted, fen; None if
    it is to be refused for what it takes away.
    """
    account = int(command["account"])
    kept = int(state.netting[account])
    reduction = _reduction(state, command)
    if reduction is None:
        return kept
    left = min(kept, netting_left(state, account, reduction.contract, reduction.signed_lots))
    return left if _covered(state, account, reduction, left) else None


def _reduction(state: State, command: Any) -> _Reduction | None:
    """Return what the command adds against a position; None if nothing, or if the kernel will refuse it."""
    account, lots = int(command["account"]), int(command["quantity"])
    contract, side, price = int(command["instrument"]), int(command["side"]), int(command["price"])
    if command["kind"] == _AMEND:
        orders = state.engine.open_orders(account)
        found = orders[orders["order_id"] == command["order_id"]]
        if not len(found):
            return None
        order = found[0]
        contract, side = int(order["instrument"]), int(order["side"])
        lots -= int(order["executed"]) + int(order["remaining"])
        price = price or int(order["price"])
        priced = order["type"] in _WITH_PRICE
    else:
        priced = command["type"] in _WITH_PRICE
    if not 0 <= contract < len(state.contracts) or lots <= 0:
        return None
    position = state.positions.lots(account, contract)
    if position == 0 or (position > 0) == (side == Side.BUY):
        return None
    return _Reduction(contract, position, lots, price if priced else 0)


def open_lots(state: State, account: int, contract: int) -> tuple[int, int]:
    """Return an account's open buy and sell lots in a contract."""
    orders = state.engine.open_orders(account)
    mine = orders[orders["instrument"] == contract]
    buys, sells = (int(mine["remaining"][mine["side"] == side].sum()) for side in (Side.BUY, Side.SELL))
    return buys, sells


def _covered(state: State, account: int, reduction: _Reduction, left: int) -> bool:
    """Tell whether equity covers the requirement once the order has traded and `left` fen are netted, or
    that is no more than the positions require as they are (clause 5.11).

    Other open orders count as the kernel counts them, untraded ones as positions, while `left` is what stays
    netted when all of them have traded: so no choice of them that trades requires more.
    """
    row = state.contract_row(reduction.contract)
    buys, sells = open_lots(state, account, reduction.contract)
    before = _worst(row, reduction.position, buys, sells)
    selling = reduction.position > 0
    after = _worst(row, reduction.position + reduction.signed_lots, buys, sells)
    price = reduction.price or int(row["price_low" if selling else "price_high"])
    against = int(row["reference"]) - price if selling else price - int(row["reference"])
    loss = max(0, against) * int(row["hours"]) * reduction.lots
    exposure = state.engine.exposure(account)
    alone = exposure.requirement_fen + int(state.add_on[account])
    needed = alone + after - before + loss - left
    return needed <= exposure.equity_fen or needed <= alone - netting_now(state, account)


def _worst(row: Any, position: int, buys: int, sells: int) -> int:
    """Return a holding's worst-case margin on its own, fen (clause 3.36)."""
    return max(max(0, position + buys) * margin_long(row), max(0, sells - position) * margin_short(row))


def refusal(command: Any) -> Records:
    """Return the REJECTED event of a command, as the kernel would write it."""
    event = np.zeros(1, EVENT)
    for column in ("seq", "order_id", "client_id", "quantity", "account", "instrument", "side"):
        event[column] = command[column]
    event["contra_account"], event["kind"], event["code"] = -1, EventKind.REJECTED, RejectCode.MARGIN
    return event
