"""Sessions and closed days over HTTP (clauses 4.1, 4.4, 4.9, 4.10). Times are "09:00" in Asia/Shanghai."""

from typing import Annotated

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.requests import Request

ClockTime = Annotated[
    str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description='a time of day such as "09:00"')
]
DayText = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description='a day, "2026-12-04"')]


class TradingHours(Request, frozen=True, kw_only=True):
    """A stretch of continuous trading, without its end."""

    start: ClockTime
    end: ClockTime


class SessionTimes(Request, frozen=True, kw_only=True):
    """When a trading day does what; from the end of continuous trading to the close is a closing call."""

    open_day: ClockTime
    call: ClockTime
    match: ClockTime
    continuous: Annotated[list[TradingHours], Meta(min_length=1, max_length=4)]
    close: ClockTime
    settle: ClockTime
    margin_runs: Annotated[list[ClockTime], Meta(max_length=16)]
    call_minutes: Annotated[int, Meta(ge=0, le=1_440)]
    margin_deadline: ClockTime
    buy_in: ClockTime
    margin_auction: ClockTime
    settlement_window_minutes: Annotated[int, Meta(ge=1, le=1_440)]
    finish_delivery_next_day: ClockTime


class ClosedDays(Request, frozen=True, kw_only=True):
    """Weekdays without trading, ascending, complete up to `calendar_end`."""

    closed_days: Annotated[list[DayText], Meta(max_length=2_000)]
    calendar_end: DayText


class Calendar(Answer, frozen=True, kw_only=True):
    """Sessions of the day that is open (or was last), those of the next one, and the closed days."""

    today: SessionTimes
    next: SessionTimes
    closed_days: list[str]
    calendar_end: str
    as_of_seq: int
