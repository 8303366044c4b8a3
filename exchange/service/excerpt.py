"""An excerpt of the kernel: a few contracts with all their orders, in an engine of its own.

What happens to commands in it is what the live kernel would do with them: the same compiled checks and the
same matching, on copies of the same rows. The account that asks keeps its free equity: what it needs for
contracts outside the excerpt counts as a negative offset. Other accounts are there with their orders and
positions only, since the kernel asks nobody for margin whose order rests already.

Copying is quick and needs the live kernel; building takes ten times as long and doesn't, so that another
thread can do it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.service.kernel import UNKNOWN_SLOT, Kernel
from exchange.service.state import joined
from matching.api import Exposure
from matching.engine import Engine
from matching.records import OrderType, Records, Side
from matching.spec import EngineLimits
from matching.state import (
    ACCOUNT_STATE,
    ENGINE_STATE,
    HOLDING_STATE,
    INSTRUMENT_STATE,
    ORDER_STATE,
    POSITION_VIEW,
)

_GENERATION = 1 << 32
_SLOT_BITS = 32
_SLOT_MASK = (1 << _SLOT_BITS) - 1


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A kernel of its own, and the ids of the copied orders in it by their live ids."""

    kernel: Kernel
    order_ids: dict[int, int]


@dataclass(frozen=True, slots=True)
class Copied:
    """What an excerpt is built from, copied from the live kernel; building needs nothing else."""

    contracts: list[int]
    """Ascending."""
    account: int
    enabled: bool
    """Whether the account may send new orders."""
    exposure: Exposure
    """The account's."""
    instruments: Records
    """INSTRUMENT_STATE, one a contract, numbered by its place."""
    orders: list[Records]
    """ORDER_STATE in book order, one array a contract."""
    positions: list[Records]
    """POSITION_VIEW, one array a contract."""
    ended_day: int
    limits: EngineLimits
    """The live kernel's."""

    def build(self, commands: int) -> Excerpt:
        """Return the excerpt, with room for so many commands.

        Raises ValueError if the copy isn't consistent, which would be a fault of this module.
        """
        orders, order_ids = _renumbered(self.orders)
        holdings = _holdings(self, orders)
        accounts = _accounts(self.instruments, orders, holdings, self.account)
        _enter_account(self, accounts)
        snapshot = {
            "engine": _engine_row(self.ended_day, orders),
            "instruments": self.instruments,
            "accounts": accounts,
            "holdings": holdings,
            "orders": orders,
            "generations": np.ones(len(orders), np.uint32),
            "free_slots": np.zeros(0, np.int32),
        }
        limits = EngineLimits(
            max_instruments=max(1, len(self.contracts)),
            max_accounts=self.limits.max_accounts,
            max_orders=len(orders) + commands,
            max_levels=self.limits.max_levels,
            max_holdings=len(holdings) + len(self.contracts),
            max_refreshes=self.limits.max_refreshes,
        )
        kernel = Kernel(Engine(limits))
        kernel.restore(snapshot, _slots(self.contracts), np.zeros(0, np.int32))
        return Excerpt(kernel, order_ids)


def copied(live: Kernel, contracts: list[int], account: int, *, enabled: bool) -> Copied:
    """Copy live contracts (ascending) as the account sees them."""
    return Copied(
        contracts=contracts,
        account=account,
        enabled=enabled,
        exposure=live.exposure(account),
        instruments=_instruments(live, contracts),
        orders=[live.orders(contract) for contract in contracts],
        positions=[live.holders(contract) for contract in contracts],
        ended_day=live.ended_day,
        limits=live.limits,
    )


def _slots(contracts: list[int]) -> NDArray[np.int32]:
    slots = np.full(1 + max(contracts, default=-1), UNKNOWN_SLOT, np.int32)
    slots[contracts] = range(len(contracts))
    return slots


def _instruments(live: Kernel, contracts: list[int]) -> Records:
    rows = np.zeros(len(contracts), INSTRUMENT_STATE)
    for row, contract in zip(rows, contracts, strict=True):
        terms, top = live.terms(contract), live.l1(contract)
        for name in terms.__dataclass_fields__:
            row[name] = getattr(terms, name)
        row["last_price"], row["phase"] = top.last_price, top.phase
    rows["instrument"] = np.arange(len(contracts))
    return rows


def _renumbered(parts: list[Records]) -> tuple[Records, dict[int, int]]:
    """Return the orders as one array, numbered anew, and their new ids by the live ones."""
    for slot, part in enumerate(parts):
        part["instrument"] = slot
    rows = joined(parts, ORDER_STATE).copy()
    live_ids = rows["order_id"].tolist()
    rows["order_id"] = _GENERATION + np.arange(1, len(rows) + 1)
    return rows, dict(zip(live_ids, rows["order_id"].tolist(), strict=True))


def _holdings(of: Copied, orders: Records) -> Records:
    """Return the pairs of account and contract that matter: those with orders, and the account's own."""
    ordered = _pair(orders["account"], orders["instrument"])
    positions = joined(of.positions, POSITION_VIEW)
    slots = np.repeat(np.arange(len(of.positions)), [len(part) for part in of.positions])
    held = _pair(positions["account"], slots)
    pairs = np.union1d(ordered, held[positions["account"] == of.account])
    rows = np.zeros(len(pairs), HOLDING_STATE)
    rows["account"], rows["instrument"] = pairs >> _SLOT_BITS, pairs & _SLOT_MASK
    named = np.isin(held, pairs)
    rows["position"][np.searchsorted(pairs, held[named])] = positions["position"][named]
    at = np.searchsorted(pairs, ordered)
    buys = np.where(orders["side"] == Side.BUY, orders["remaining"], 0)
    np.add.at(rows["open_buy"], at, buys)
    np.add.at(rows["open_sell"], at, orders["remaining"] - buys)
    return rows


def _pair(accounts: NDArray[Any], slots: NDArray[Any]) -> NDArray[np.int64]:
    """Return one number a pair, in the order of account and then slot."""
    pairs: NDArray[np.int64] = accounts.astype(np.int64) << _SLOT_BITS | slots
    return pairs


def _accounts(instruments: Records, orders: Records, holdings: Records, account: int) -> Records:
    """Return everyone who is in the excerpt, with the requirement of what is in it (clause 3.36)."""
    numbers = np.union1d(holdings["account"], [account])
    rows = np.zeros(len(numbers), ACCOUNT_STATE)
    rows["account"], rows["enabled"] = numbers, 1
    held_by, ordered_by = (np.searchsorted(numbers, of["account"]) for of in (holdings, orders))
    np.add.at(rows["requirement_fen"], held_by, _worst_case(instruments, holdings))
    np.add.at(rows["requirement_fen"], ordered_by, _losses(instruments, orders))
    np.add.at(rows["open_orders"], ordered_by, 1)
    return rows


def _worst_case(instruments: Records, holdings: Records) -> NDArray[np.int64]:
    terms = instruments[holdings["instrument"]]
    position = holdings["position"].astype(np.int64)
    long_lots = np.maximum(0, position + holdings["open_buy"])
    short_lots = np.maximum(0, holdings["open_sell"] - position)
    worst: NDArray[np.int64] = np.maximum(
        long_lots * terms["margin_long_fen"], short_lots * terms["margin_short_fen"]
    )
    return worst


def _losses(instruments: Records, orders: Records) -> NDArray[np.int64]:
    terms = instruments[orders["instrument"]]
    buying = orders["side"] == Side.BUY
    at_worst = np.where(buying, terms["price_high"], terms["price_low"])
    priced = (orders["price"] != 0) & (orders["type"] != OrderType.MARKET_TO_LIMIT)
    price = np.where(priced, orders["price"], at_worst).astype(np.int64)
    against = np.where(buying, price - terms["reference_price"], terms["reference_price"] - price)
    losses: NDArray[np.int64] = np.maximum(0, against) * terms["multiplier"] * orders["remaining"]
    return losses


def _enter_account(of: Copied, accounts: Records) -> None:
    """Give the asking account its equity, and its requirement elsewhere as a negative offset."""
    exposure = of.exposure
    row: Any = accounts[int(np.searchsorted(accounts["account"], of.account))]
    row["enabled"] = of.enabled
    row["equity_fen"] = exposure.equity_fen
    row["offset_fen"] = exposure.offset_fen - (exposure.requirement_fen - int(row["requirement_fen"]))


def _engine_row(ended_day: int, orders: Records) -> Records:
    row = np.zeros(1, ENGINE_STATE)
    row["trading_day"] = ended_day
    row["arrivals"] = orders["arrival"].max() if len(orders) else 0
    row["used_slots"] = len(orders)
    reserve = orders[orders["display"] > 0]
    hidden = reserve["remaining"].astype(np.int64) - reserve["visible"]
    row["refreshes"] = (-(-hidden // reserve["display"])).sum()
    return row
