"""Days and moments of the market: Asia/Shanghai dates, nanoseconds since the epoch, trading days (clause
4.1).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""UTC+8; there has been no daylight saving time since 1991."""

NS_PER_SECOND = 1_000_000_000
NS_PER_MINUTE = 60 * NS_PER_SECOND
NS_PER_HOUR = 60 * NS_PER_MINUTE
NS_PER_DAY = 24 * NS_PER_HOUR
_EPOCH_OFFSET_NS = 8 * NS_PER_HOUR
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SATURDAY = 5


def day_start_ns(day: date) -> int:
    """Return the moment 00:00 Asia/Shanghai of `day`, ns since the epoch."""
    return epoch_day(day) * NS_PER_DAY - _EPOCH_OFFSET_NS


def moment_ns(day: date, at: time) -> int:
    """Return `day` at `at` Asia/Shanghai, ns since the epoch (whole microseconds)."""
    micros = ((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000 + at.microsecond
    return day_start_ns(day) + micros * 1000


def day_of(time_ns: int) -> date:
    """Return the Asia/Shanghai date in which a moment lies."""
    return date_of((time_ns + _EPOCH_OFFSET_NS) // NS_PER_DAY)


def local_datetime(time_ns: int) -> datetime:
    """Return a moment as an aware Asia/Shanghai datetime (microseconds)."""
    return datetime.fromtimestamp(0, SHANGHAI) + timedelta(microseconds=time_ns // 1000)


def epoch_day(day: date) -> int:
    """Return the days from 1970-01-01 to `day`, as the kernel counts trading days."""
    return day.toordinal() - _EPOCH_DAY


def date_of(day: int) -> date:
    """Return the date that lies so many days after 1970-01-01; `epoch_day` the other way round."""
    return date.fromordinal(_EPOCH_DAY + day)


def is_trading_day(day: date, closed_days: Collection[date]) -> bool:
    """Return whether the exchange trades on `day`: Monday to Friday, unless it is a closed day."""
    return day.weekday() < _SATURDAY and day not in closed_days


def next_trading_day(day: date, closed_days: Collection[date]) -> date:
    """Return the first trading day after `day`."""
    following = day + timedelta(days=1)
    while not is_trading_day(following, closed_days):
        following += timedelta(days=1)
    return following


def previous_trading_day(day: date, closed_days: Collection[date]) -> date:
    """Return the last trading day before `day`."""
    before = day - timedelta(days=1)
    while not is_trading_day(before, closed_days):
        before -= timedelta(days=1)
    return before
