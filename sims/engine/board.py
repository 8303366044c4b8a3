"""What everybody in a simulation can see, kept from the exchange's events alone: books, prices, and each
member's own orders and positions.

Rows are the contracts that trade today, in the order of their contract indices; a *ref* is a place for one
open order of a member, and its client order id is the ref + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from matching.constants import ACCEPTED, CANCELLED, LEVEL_CHANGED, REJECTED, TRADE
from matching.jit import wide
from matching.records import Records
from sims.engine.jit import kernel

REF: Final = np.dtype(
    [
        ("order_id", "<i8"),  # 0 until it is accepted, and when the place is free
        ("row", "<i4"),
        ("price", "<i4"),  # ticks; 0 for none
        ("remaining", "<i4"),  # lots; 0: the place is free
        ("account", "<i4"),
        ("side", "<i4"),
        ("born", "<i4"),  # the wake in which it was sent
    ]
)
"""One place for an open order."""
ROW: Final = np.dtype(
    [
        ("contract", "<i4"),
        ("good", "<i4"),  # number of grade × hub in the scenario
        ("first_day", "<i4"),  # of delivery, days since 1970-01-01
        ("hours", "<i4"),
        ("kind", "<i4"),  # place of the period's kind in PeriodKind
        ("low", "<i4"),  # today's limits, ticks
        ("high", "<i4"),
        ("reference", "<i4"),  # ticks
        ("last", "<i4"),  # latest trade, ticks; the reference before the first
        ("bid", "<i4"),  # best displayed price, ticks; 0 where a side is empty
        ("ask", "<i4"),
        ("halted", "<i4"),
        ("taker", "<i4"),  # side of the order that came in for the latest trade
        ("lots", "<i8"),  # traded today
        ("power", "<f8"),  # of a provider's hub, on the mean of the hours delivered; ticks per lot-hour
        ("worth", "<f8"),  # what it is worth now, ticks: known to those whom a scenario lets know it
    ]
)
"""One contract that trades today."""
_SLOT: Final = 0xFFFFFFFF
_BUY, _SELL = 0, 1


@kernel
def fold(
    events: NDArray[Any],
    rows: NDArray[Any],
    row_of: NDArray[Any],
    depth: NDArray[Any],
    refs: NDArray[Any],
    ref_of: NDArray[Any],
    positions: NDArray[Any],
    flows: NDArray[Any],
    rejects: NDArray[Any],
) -> int:
    """Enter events (dtype EVENT) into the board; returns the number of trades.

    `depth` is (rows, 2, levels) int32: lots at a price above the day's low. `ref_of` (slots of the kernel)
    gives the ref of an order; `positions` (accounts, rows) int32; `flows` (accounts, goods, 4) int64 sums
    what was bought and sold: fen and lot-hours of each; `rejects` (256,) int64 counts by code.
    """
    trades = 0
    for i in range(len(events)):
        event = events[i]
        kind = event["kind"]
        if kind == LEVEL_CHANGED:
            row = row_of[event["instrument"]]
            if row >= 0 and event["price"] > 0:
                _level(rows[row], depth[row, event["side"]], event)
        elif kind == ACCEPTED:
            ref = wide(event["client_id"]) - 1
            if 0 <= ref < len(refs):
                refs[ref]["order_id"] = event["order_id"]
                refs[ref]["remaining"] = event["quantity"]
                ref_of[event["order_id"] & _SLOT] = ref
        elif kind == TRADE:
            row = row_of[event["instrument"]]
            trades += 1
            _reduce(refs, ref_of, event["order_id"], event["remaining"])
            _reduce(refs, ref_of, event["contra_id"], event["contra_remaining"])
            rows[row]["last"] = event["price"]
            rows[row]["taker"] = event["side"]
            rows[row]["lots"] += event["quantity"]
            signed = event["quantity"] if event["side"] == _BUY else -event["quantity"]
            positions[event["account"], row] += signed
            positions[event["contra_account"], row] -= signed
            _flow(flows[event["account"]], rows[row], event["price"], signed)
            _flow(flows[event["contra_account"]], rows[row], event["price"], -signed)
        elif kind == CANCELLED:
            _reduce(refs, ref_of, event["order_id"], event["remaining"])
        elif kind == REJECTED:
            rejects[event["code"]] += 1
            ref = wide(event["client_id"]) - 1
            if 0 <= ref < len(refs) and event["order_id"] == 0:
                refs[ref]["remaining"] = 0
    return trades


@kernel
def _flow(sums: NDArray[np.int64], row: Any, price: int, signed_lots: int) -> None:
    """Add a trade to what an account bought of a good (fen, lot-hours) and sold of it."""
    at = 0 if signed_lots > 0 else 2
    lot_hours = abs(wide(signed_lots)) * row["hours"]
    sums[row["good"], at] += lot_hours * price
    sums[row["good"], at + 1] += lot_hours


@kernel
def _reduce(refs: NDArray[Any], ref_of: NDArray[Any], order_id: int, remaining: int) -> None:
    """Note what is left of an order; its place is free when nothing is."""
    ref = ref_of[order_id & _SLOT]
    if ref >= 0 and refs[ref]["order_id"] == order_id:
        refs[ref]["remaining"] = remaining
        if remaining == 0:
            refs[ref]["order_id"] = 0
            ref_of[order_id & _SLOT] = -1


@kernel
def _level(row: Any, depth: NDArray[Any], event: Any) -> None:
    """Note the lots at one price and, if that changes it, the best price."""
    price, lots = event["price"], event["quantity"]
    depth[price - row["low"]] = lots
    buys = event["side"] == _BUY
    best = row["bid"] if buys else row["ask"]
    if lots > 0:
        if best == 0 or (price > best if buys else price < best):
            best = price
    elif price == best:
        step = -1 if buys else 1
        at = price - row["low"] + step
        while 0 <= at <= row["high"] - row["low"] and depth[at] == 0:
            at += step
        best = at + row["low"] if 0 <= at <= row["high"] - row["low"] else 0
    if buys:
        row["bid"] = best
    else:
        row["ask"] = best


class Placed(Protocol):
    """A population that needs refs."""

    first_ref: int
    desks: NDArray[np.int32]

    @property
    def refs_each(self) -> int:
        """Refs of each member."""
        ...


class Board:
    """The arrays of `fold` for one simulation, of so many accounts and goods and order slots of its kernel.

    Accounts and refs are fixed from the start; rows change daily.
    """

    def __init__(self, accounts: int, goods: int, slots: int) -> None:
        self.refs: Records = np.zeros(0, REF)
        self.rows: Records = np.zeros(0, ROW)
        self.row_of: NDArray[np.int32] = np.full(0, -1, np.int32)
        """By contract index; -1 for one that doesn't trade today."""
        self.positions: NDArray[np.int32] = np.zeros((accounts, 0), np.int32)
        """Lots by account and row, long positive."""
        self.flows: NDArray[np.int64] = np.zeros((accounts, goods, 4), np.int64)
        """Bought fen, bought lot-hours, sold fen, sold lot-hours since the start, by account and good."""
        self.rejects: NDArray[np.int64] = np.zeros(256, np.int64)
        self.trades = 0
        self._ref_of: NDArray[np.int32] = np.full(slots, -1, np.int32)
        self._depth: NDArray[np.int32] = np.zeros((0, 2, 1), np.int32)

    def place(self, crowds: Sequence[Placed]) -> None:
        """Give every member of the populations its refs."""
        owners = [np.repeat(crowd.desks, crowd.refs_each) for crowd in crowds]
        self.refs = np.zeros(sum(map(len, owners)), REF)
        first = 0
        for crowd, accounts in zip(crowds, owners, strict=True):
            crowd.first_ref = first
            self.refs["account"][first : first + len(accounts)] = accounts
            first += len(accounts)

    def open_day(self, rows: Records, contracts: int, held: Records) -> None:
        """Begin a day with these rows (dtype ROW), of so many contracts that ever were.

        `held` has the columns account, instrument (contract index) and position of what is held.
        """
        self.rows = rows
        self.row_of = np.full(contracts, -1, np.int32)
        self.row_of[rows["contract"]] = np.arange(len(rows))
        levels = int((rows["high"] - rows["low"]).max(initial=0)) + 1
        self._depth = np.zeros((len(rows), 2, levels), np.int32)
        self.positions = np.zeros((len(self.positions), len(rows)), np.int32)
        at = self.row_of[held["instrument"]]
        here = at >= 0
        self.positions[held["account"][here], at[here]] = held["position"][here]
        self.refs["order_id"] = self.refs["remaining"] = 0
        self._ref_of[:] = -1

    def fold(self, events: Records) -> None:
        """Enter the events of commands."""
        self.trades += fold(
            events,
            self.rows,
            self.row_of,
            self._depth,
            self.refs,
            self._ref_of,
            self.positions,
            self.flows,
            self.rejects,
        )

    def pass_on(self, giver: int, taker: int, contract: int, price: int, lots: int) -> None:
        """Note lots (bought: positive) that went from one account to another at the price of their trade."""
        row = self.row_of[contract]
        self.positions[giver, row] -= lots
        self.positions[taker, row] += lots
        good, hours = int(self.rows["good"][row]), int(self.rows["hours"][row])
        at = 0 if lots > 0 else 2
        moved = np.array([abs(lots) * hours * price, abs(lots) * hours])
        self.flows[giver, good, at : at + 2] -= moved
        self.flows[taker, good, at : at + 2] += moved

    def asks(self, row: int, price_max: float) -> list[tuple[int, int]]:
        """Return price (ticks) and lots of a row's displayed asks up to a price, the best one first."""
        best, low = int(self.rows["ask"][row]), int(self.rows["low"][row])
        if not 0 < best <= price_max:
            return []
        levels = self._depth[row, _SELL, best - low : int(min(price_max, self.rows["high"][row])) - low + 1]
        steps = np.flatnonzero(levels)
        return list(zip((best + steps).tolist(), levels[steps].tolist(), strict=True))

    def ask_lots(self, row: int) -> int:
        """Return the lots displayed at the best ask of a row; 0 if there is none."""
        return self._lots(row, _SELL, int(self.rows["ask"][row]))

    def bid_lots(self, row: int) -> int:
        """Return the lots displayed at the best bid of a row; 0 if there is none."""
        return self._lots(row, _BUY, int(self.rows["bid"][row]))

    def _lots(self, row: int, side: int, price: int) -> int:
        return int(self._depth[row, side, price - self.rows["low"][row]]) if price else 0
