"""What order commands would do now, without doing it (clause 3.40)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.fees import FeeRates, fees_of
from exchange.service.excerpt import Copied, copied
from exchange.service.guard import netting_after, refusal
from exchange.service.state import State, joined
from matching.api import Exposure
from matching.records import CommandKind, EventKind, Records


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The commands as stamped, their events, and the account's figures around them, fen."""

    commands: Records
    events: Records
    before: Exposure
    after: Exposure
    fees_fen: int
    """What the account's trades among the events would pay."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Commands to be tried, and a copy of everything that it takes: `run` it in any thread."""

    copied: Copied
    commands: Records
    """Stamped; orders are named by their live ids."""
    refused: NDArray[np.bool_]
    """Which of them would take away what the account nets (clause 5.11)."""
    hours: NDArray[np.int64]
    """By contract."""
    rates: FeeRates

    def run(self) -> WhatIf:
        """Try them, one after the other. Events name orders by the excerpt's own ids."""
        excerpt = self.copied.build(len(self.commands))
        tried = self.commands.copy()
        tried["order_id"] = [excerpt.order_ids.get(order_id, 0) for order_id in tried["order_id"].tolist()]
        account = self.copied.account
        before = excerpt.kernel.exposure(account)
        events = excerpt.kernel.apply(tried[~self.refused])
        after = excerpt.kernel.exposure(account)
        events = joined([events, *(refusal(row) for row in tried[self.refused])])
        events = events[np.argsort(events["seq"], kind="stable")]
        return WhatIf(tried, events, before, after, self._fees(events))

    def _fees(self, events: Records) -> int:
        trades = events[events["kind"] == EventKind.TRADE]
        fees, contra_fees = fees_of(trades, self.hours[trades["instrument"]], self.rates)
        own = trades["account"] == self.copied.account
        contra = trades["contra_account"] == self.copied.account
        return int(fees[own].sum() + contra_fees[contra].sum())


def trial_of(state: State, account: int, commands: Records, first_seq: int) -> Trial:
    """Prepare to try commands (dtype COMMAND, shape (n,)) of an account, as from `first_seq` on.

    Live contracts only. That the whole exchange holds as many orders, positions or iceberg slices as it
    takes isn't foreseen. Each command is judged on what the account nets now, not on what the commands
    before it leave of that.
    """
    own = state.engine.open_orders(account)
    named = np.isin(own["order_id"], commands["order_id"])
    entered = commands["instrument"][commands["kind"] == CommandKind.NEW]
    contracts = np.union1d(own["instrument"][named], entered).tolist()
    stamped = commands.copy()
    stamped["seq"] = np.arange(first_seq, first_seq + len(stamped))
    stamped["account"] = account
    refused = np.array([_takes_netting(state, row) for row in stamped], np.bool_)
    return Trial(
        copied=copied(state.engine, contracts, account, enabled=state.account_spec(account).enabled),
        commands=stamped,
        refused=refused,
        hours=state.contract_table.rows["hours"].astype(np.int64),
        rates=state.fee_rates[-1],
    )


def _takes_netting(state: State, command: Any) -> bool:
    return bool(
        state.netting[command["account"]] > 0
        and command["kind"] in (CommandKind.NEW, CommandKind.AMEND)
        and netting_after(state, command) is None
    )
