"""What order commands would do now, without doing it (clause 3.40)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exchange.clearing.fees import fees_of
from exchange.service.excerpt import excerpt_of
from exchange.service.guard import netting_after, refusal
from exchange.service.kernel import Kernel
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


def what_if(state: State, account: int, commands: Records, first_seq: int) -> WhatIf:
    """Try commands (dtype COMMAND, shape (n,)) of an account, one after the other from `first_seq` on, on
    an excerpt of the kernel.

    Live contracts only. Events name orders by the excerpt's own ids. That the whole exchange holds as many
    orders, positions or iceberg slices as it takes isn't seen here.
    """
    own = state.engine.open_orders(account)
    named = np.isin(own["order_id"], commands["order_id"])
    entered = commands["instrument"][commands["kind"] == CommandKind.NEW]
    contracts = np.union1d(own["instrument"][named], entered).tolist()
    enabled = state.account_spec(account).enabled
    excerpt = excerpt_of(state.engine, contracts, account, len(commands), enabled=enabled)
    tried = commands.copy()
    tried["seq"] = np.arange(first_seq, first_seq + len(tried))
    tried["account"] = account
    tried["order_id"] = [excerpt.order_ids.get(order_id, 0) for order_id in tried["order_id"].tolist()]
    before = excerpt.kernel.exposure(account)
    live = commands.copy()
    live["account"] = account
    events = _tried(state, excerpt.kernel, live, tried)
    after = excerpt.kernel.exposure(account)
    return WhatIf(tried, events, before, after, _fees(state, account, events))


def _tried(state: State, excerpt: Kernel, live: Records, tried: Records) -> Records:
    """Return the events of commands in an excerpt, less those that would take away what the account nets.

    Each is judged on the positions as they are, not as the commands before it leave them (clause 5.11).
    """
    refused = np.array(
        [
            state.netting[row["account"]] > 0
            and row["kind"] in (CommandKind.NEW, CommandKind.AMEND)
            and netting_after(state, row) is None
            for row in live
        ],
        np.bool_,
    )
    events = joined([excerpt.apply(tried[~refused]), *(refusal(row) for row in tried[refused])])
    return events[np.argsort(events["seq"], kind="stable")]


def _fees(state: State, account: int, events: Records) -> int:
    trades = events[events["kind"] == EventKind.TRADE]
    hours = state.contract_table.rows["hours"][trades["instrument"]]
    fees, contra_fees = fees_of(trades, hours, state.fee_rates[-1])
    own, contra = trades["account"] == account, trades["contra_account"] == account
    return int(fees[own].sum() + contra_fees[contra].sum())
