"""Margin calls: who lacks margin, since when, and until when it may be met (clauses 6.7, 7.5, 10.6)."""

from __future__ import annotations

import numpy as np

from exchange.domain.defaults import EnforceCalls
from exchange.domain.phases import MarketPhase
from exchange.domain.rejects import RejectCode
from exchange.service.state import HOUSE, MarginCall, Outcome, Stamp, State, refused
from matching.records import Records
from matching.spec import AccountSpec


def deficit(state: State, account: int) -> int:
    """Return what an account lacks at the present prices: by how much margin and what it has lost since the
    last settlement exceed equity, or, if that is more, what it owes in cash, fen; negative if it lacks
    nothing.
    """
    unsettled = state.unsettled_charges_of(account) + state.loss_since_settlement(account)
    return _lacking(state, account, unsettled)


def _lacking(state: State, account: int, unsettled: int) -> int:
    """Return the same for `unsettled` fen of fees and losses."""
    exposure = state.engine.exposure(account)
    margin = exposure.requirement_fen - exposure.offset_fen - exposure.equity_fen + unsettled
    return max(margin, -int(state.cash[account]))


def call_at_present_prices(state: State, due_ns: int) -> int:
    """Call every account that lacks margin at the present prices (clause 6.11); return how many were."""
    rows = state.positions.rows
    gains, charges = np.zeros(len(state.cash), np.int64), state.unsettled_charges()
    np.add.at(gains, rows["account"], state.gains_since_settlement(rows))
    called = 0
    for account in state.members_by_account:
        lacking = _lacking(state, account, int(charges[account] + max(0, -gains[account])))
        if lacking > 0 and not state.restricted(account):
            call(state, account, lacking)
            state.calls[account].due_ns = state.calls[account].due_ns or due_ns
            called += 1
    return called


def issue_calls(state: State, stamp: Stamp) -> list[Records]:
    """Call for margin after a settlement, and end calls that are met (clause 6.7)."""
    events: list[Records] = []
    for account in state.members_by_account:
        lacking = _lacking(state, account, 0)  # the day's fees have just been entered
        if lacking > 0:
            call(state, account, lacking)
        elif account in state.calls:
            events += end_call(state, account, stamp)
    return events


def call_now(state: State, account: int) -> None:
    """Call an account for what it lacks at this moment, if it lacks anything."""
    lacking = deficit(state, account)
    if lacking > 0:
        call(state, account, lacking)


def call_debtors(state: State) -> None:
    """Call the accounts that owe cash and aren't called: of pledged certificates nothing can be paid."""
    for account in np.flatnonzero(state.cash < 0).tolist():
        if account != HOUSE and account not in state.calls:
            call_now(state, account)


def call(state: State, account: int, lacking: int) -> None:
    """Issue a call, or bring one to what is lacking now, fen."""
    day = state.day.trading_day
    if day is not None:
        issued = state.calls.setdefault(account, MarginCall(account, lacking, day))
        issued.amount_fen = lacking


def end_call(state: State, account: int, stamp: Stamp) -> list[Records]:
    """Forget a call, the restriction and bids with it."""
    del state.calls[account]
    for key in [key for key in state.bids if key[1] == account]:
        del state.bids[key]
    return [set_enabled(state, account, state.account_spec(account).enabled, stamp)]


def set_enabled(state: State, account: int, enabled: bool, stamp: Stamp) -> Records:
    """Let an account trade, or not; its equity and offset stay."""
    equity = state.engine.exposure(account).equity_fen
    spec = AccountSpec(enabled=enabled, equity_fen=equity, offset_fen=state.offset(account))
    return state.engine.set_account(account, spec, seq=stamp.seq)


def enforce_calls(state: State, message: EnforceCalls, stamp: Stamp) -> Outcome:
    """Restrict the accounts whose calls are due and aren't met; their orders are cancelled."""
    if state.day.phase is not MarketPhase.CONTINUOUS:
        return refused(RejectCode.WRONG_PHASE, state.day.phase.label)
    events: list[Records] = []
    restricted = 0
    for due in [due for due in state.calls.values() if is_due(state, due, stamp.time_ns)]:
        if deficit(state, due.account) <= 0:
            events += end_call(state, due.account, stamp)
        else:
            due.restricted = True
            restricted += 1
            events.append(state.engine.kill_account(due.account, seq=stamp.seq))
    return Outcome(data={"restricted": restricted}, events=events)


def is_due(state: State, of: MarginCall, time_ns: int) -> bool:
    """Tell whether a call's time is over at `time_ns`, which isn't before the open day's deadline."""
    earlier = of.issued != state.day.trading_day
    return not of.restricted and (of.due_ns <= time_ns if of.due_ns else earlier)
