"""The fold: from applied frames to rows. Which rows come out doesn't depend on where batches end."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.fees import fees_of
from exchange.history.healthfold import HealthFold
from exchange.history.orderfold import OrderFold
from exchange.history.rows import ENTRY, TRADE, Batch, Ends
from exchange.service.results import Applied
from exchange.service.state import State, joined
from matching.records import EventFlag, EventKind, Records

_FROM_EVENT: Final = (
    "seq",
    "instrument",
    "price",
    "quantity",
    "side",
    "order_id",
    "account",
    "contra_id",
    "contra_account",
)


class Fold:
    """Numbers trades, orders and entries on from where the tables end, which is where `state` stands, at
    `time_ns`.
    """

    def __init__(self, ends: Ends, state: State, time_ns: int) -> None:
        self._orders = OrderFold(ends.orders, ends.live)
        self._trades: list[NDArray[Any]] = []
        self._entries: list[NDArray[Any]] = []
        self._trade_id = ends.trades
        self._entry = ends.entries
        self._health = HealthFold(time_ns)
        self._cash = state.ledger.cash_by_account(len(state.cash))

    def apply(self, applied: Applied, commands: Records | None, state: State) -> None:
        """Take in a frame that was just applied to `state`; `commands` are those of a hot one."""
        events = applied.events
        if len(events):
            times, types, tifs = _of_commands(applied, commands)
            self._orders.apply(events, times, types, tifs)
            self._fold_trades(events, times, state)
        if len(state.ledger.rows) > self._entry:
            self._fold_entries(state.ledger.rows[self._entry :])
        self._health.apply(applied, state)

    def take(self) -> Batch:
        """Return what came since the last call."""
        accepted, changed = self._orders.take()
        trades, entries = joined(self._trades, TRADE), joined(self._entries, ENTRY)
        self._trades, self._entries = [], []
        return Batch(trades, accepted, changed, entries, self._health.take())

    def _fold_trades(self, events: Records, times: NDArray[np.int64], state: State) -> None:
        at = np.flatnonzero(events["kind"] == EventKind.TRADE)
        if not len(at):
            return
        trades = events[at]
        rows = np.zeros(len(at), TRADE)
        for column in _FROM_EVENT:
            rows[column] = trades[column]
        rows["trade_id"] = np.arange(self._trade_id + 1, self._trade_id + 1 + len(at))
        rows["time_ns"] = times[at]
        rows["auction"] = trades["flags"] & EventFlag.UNCROSS != 0
        hours = state.contract_table.rows["hours"][trades["instrument"]]
        rows["value"] = rows["price"] * rows["quantity"] * hours
        rows["fee"], rows["contra_fee"] = fees_of(trades, hours, state.fee_rates[-1])
        self._trades.append(rows)
        self._trade_id += len(at)

    def _fold_entries(self, ledger: NDArray[Any]) -> None:
        rows = np.zeros(len(ledger), ENTRY)
        for column in ("seq", "day", "account", "kind", "amount"):
            rows[column] = ledger[column]
        rows["instrument"] = ledger["contract"]
        rows["entry"] = np.arange(self._entry + 1, self._entry + 1 + len(rows))
        rows["cash"] = self._running_cash(rows)
        self._entries.append(rows)
        self._entry += len(rows)

    def _running_cash(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        """Return each account's cash after each of its entries, and keep the last."""
        order = np.argsort(rows["account"], kind="stable")
        accounts, amounts = rows["account"][order], rows["amount"][order]
        sums = np.cumsum(amounts)
        first = np.flatnonzero(np.append(True, accounts[1:] != accounts[:-1]))
        lengths = np.diff(np.append(first, len(rows)))
        offsets = self._cash[accounts[first]] - (sums[first] - amounts[first])
        cash = np.empty(len(rows), np.int64)
        cash[order] = sums + np.repeat(offsets, lengths)
        np.add.at(self._cash, rows["account"], rows["amount"])
        return cash


def _of_commands(
    applied: Applied, commands: Records | None
) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[Any]]:
    """Return each event's market time, and the type and tif of the command that caused it."""
    count = len(applied.events)
    if commands is None:
        none = np.zeros(count, np.uint8)
        return np.full(count, applied.time_ns, np.int64), none, none
    at = applied.events["seq"] - applied.first_seq
    return commands["time_ns"][at], commands["type"][at], commands["tif"][at]
