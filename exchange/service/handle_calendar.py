"""Handlers of the calendar: closed days, sessions, the opening of a day (clauses 4.1, 4.4, 4.9, 4.10)."""

from __future__ import annotations

from itertools import pairwise

import msgspec

from exchange.domain.calendar import is_trading_day
from exchange.domain.messages import OpenDay, SetCalendar
from exchange.domain.phases import MarketPhase
from exchange.domain.rejects import RejectCode
from exchange.domain.sessions import SetSessions
from exchange.service.state import DONE, Outcome, Stamp, State, refused


def set_sessions(state: State, message: SetSessions, stamp: Stamp) -> Outcome:
    """Set the sessions of the days that are opened from now on."""
    fault = message.sessions.fault()
    if fault:
        return refused(RejectCode.INVALID_SESSIONS, fault)
    state.sessions = message.sessions
    return DONE


def set_calendar(state: State, message: SetCalendar, stamp: Stamp) -> Outcome:
    """Set the closed days, but of the past and of what is listed."""
    days = message.closed_days
    if any(a >= b for a, b in pairwise(days)) or any(not is_trading_day(day, ()) for day in days):
        return refused(RejectCode.INVALID_RULE, "closed_days")
    last = state.day.trading_day
    changed = state.closed_days.symmetric_difference(days)
    over = {day for day in changed if last is not None and day <= last}
    closing = changed.intersection(days)
    ends = {state.contracts[index].last_trading_day for index in state.active_contracts()}
    fixed = sorted(over | (closing & ends))
    if fixed:
        return refused(RejectCode.CALENDAR_FIXED, fixed[0].isoformat())
    state.rules = msgspec.structs.replace(state.rules, closed_days=days, calendar_end=message.calendar_end)
    return DONE


def open_day(state: State, message: OpenDay, stamp: Stamp) -> Outcome:
    """Open the next trading day."""
    day = state.day
    if day.phase is not MarketPhase.SETTLED:
        return refused(RejectCode.WRONG_PHASE, day.phase.label)
    if not is_trading_day(message.day, state.closed_days):
        return refused(RejectCode.NOT_A_TRADING_DAY, message.day.isoformat())
    following = state.next_day()
    if following is not None and message.day != following:
        return refused(RejectCode.DAY_NOT_NEXT, f"{following.isoformat()} is next")
    if day.delivered_day is None:
        day.delivered_day = message.day
    day.phase = MarketPhase.PRE_OPEN
    day.trading_day = message.day
    day.margin_runs = 0
    day.standing_placed = False
    day.sessions = state.sessions
    day.steps = 0
    day.settlement_window_ns = message.settlement_window_ns
    return DONE
