"""Which days are trading days: weekdays that are not public holidays.

Weekends are closed even when the State Council makes one a working day. Holidays are data
(``holidays.csv``), known for 2026 only and from memory; outside the years listed there, weekdays alone
decide.
"""

from datetime import date, timedelta

SATURDAY = 5


def is_trading_day(day: date, holidays: frozenset[date]) -> bool:
    """Whether the exchange trades that day (Asia/Shanghai)."""
    return day.weekday() < SATURDAY and day not in holidays


def next_trading_day(day: date, holidays: frozenset[date]) -> date:
    """The first trading day strictly after ``day``."""
    following = day + timedelta(days=1)
    while not is_trading_day(following, holidays):
        following += timedelta(days=1)
    return following


def previous_trading_day(day: date, holidays: frozenset[date]) -> date:
    """The last trading day strictly before ``day``."""
    preceding = day - timedelta(days=1)
    while not is_trading_day(preceding, holidays):
        preceding -= timedelta(days=1)
    return preceding
