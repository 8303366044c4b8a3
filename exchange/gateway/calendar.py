"""The calendar's endpoints: anyone reads it, an operator for the market sets it."""

from __future__ import annotations

from datetime import date, time
from typing import Final

from exchange.api import calendar as api
from exchange.api.answers import Done
from exchange.api.codes import RequestCode, refuse
from exchange.domain import messages
from exchange.domain.sessions import Sessions, SetSessions, Stretch
from exchange.gateway.call import Call, Route

_TIMES: Final = (
    "open_day",
    "call",
    "match",
    "close",
    "settle",
    "margin_deadline",
    "buy_in",
    "margin_auction",
    "finish_delivery_next_day",
)


async def calendar(call: Call) -> api.Calendar:
    """Answer when the market trades: sessions and closed days."""
    views = call.exchange.views
    return api.Calendar(
        today=_shown(views.day_sessions),
        next=_shown(views.sessions),
        closed_days=[day.isoformat() for day in sorted(views.closed_days)],
        calendar_end=views.rules.calendar_end.isoformat(),
        as_of_seq=views.seq,
    )


async def set_sessions(call: Call) -> Done:
    """Set the sessions of the days that are opened from now on (clause 4.9)."""
    told: api.SessionTimes = call.body
    sessions = Sessions(
        **{name: _time(getattr(told, name)) for name in _TIMES},
        continuous=tuple(Stretch(start=_time(of.start), end=_time(of.end)) for of in told.continuous),
        margin_runs=tuple(_time(at) for at in told.margin_runs),
        call_minutes=told.call_minutes,
        settlement_window_minutes=told.settlement_window_minutes,
    )
    return await call.done(SetSessions(sessions=sessions))


async def set_closed_days(call: Call) -> Done:
    """Set the closed days (clause 4.10)."""
    told: api.ClosedDays = call.body
    message = messages.SetCalendar(
        closed_days=tuple(day_of_text(text, "closed_days") for text in told.closed_days),
        calendar_end=day_of_text(told.calendar_end, "calendar_end"),
    )
    return await call.done(message)


def _shown(sessions: Sessions) -> api.SessionTimes:
    return api.SessionTimes(
        **{name: _text(getattr(sessions, name)) for name in _TIMES},
        continuous=[api.TradingHours(start=_text(of.start), end=_text(of.end)) for of in sessions.continuous],
        margin_runs=[_text(at) for at in sessions.margin_runs],
        call_minutes=sessions.call_minutes,
        settlement_window_minutes=sessions.settlement_window_minutes,
    )


def _text(at: time) -> str:
    return at.isoformat("minutes")


def _time(text: str) -> time:
    return time.fromisoformat(text)


def day_of_text(text: str, field: str) -> date:
    """Return the day that a field names. Refused: INVALID_FIELD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise refuse(RequestCode.INVALID_FIELD, f"There is no day {text!r}.", field) from None


ROUTES = (
    Route(
        method="GET",
        path="/v1/calendar",
        handler=calendar,
        answer=api.Calendar,
        summary="Sessions and closed days",
        tag="market",
    ),
    Route(
        method="POST",
        path="/v1/operator/sessions",
        handler=set_sessions,
        answer=Done,
        summary="Set the sessions of the days to come",
        tag="operator",
        scope="operate",
        roles=("market",),
        body=api.SessionTimes,
    ),
    Route(
        method="POST",
        path="/v1/operator/closed-days",
        handler=set_closed_days,
        answer=Done,
        summary="Set the closed days",
        tag="operator",
        scope="operate",
        roles=("market",),
        body=api.ClosedDays,
    ),
)
