"""Contracts: symbols, delivery periods, listing (clauses 4.2 and 4.3).

A symbol is `GRADE.HUB.PERIOD`: `261205` is a day, `26W49` an ISO week, `2612` a month. Hubs may contain "-".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache

from exchange.domain.calendar import NS_PER_HOUR, day_start_ns, previous_trading_day

CENTURY = 2000
DAYS_LISTED = 7
WEEKS_LISTED = 4
MONTHS_LISTED = 6
_SYMBOL = re.compile(r"([A-Z0-9]{1,12})\.([A-Z0-9]+(?:-[A-Z0-9]+)*)\.(\d{6}|\d{2}W\d{2}|\d{4})", re.ASCII)


class PeriodKind(Enum):
    """Length of a delivery period."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """A delivery period: the days `first` up to and without `end`."""

    kind: PeriodKind
    first: date
    end: date

    @property
    def hours(self) -> int:
        """Delivery hours of the period."""
        return (self.end - self.first).days * 24

    @property
    def start_ns(self) -> int:
        """First moment of delivery, ns since the epoch."""
        return day_start_ns(self.first)

    @property
    def end_ns(self) -> int:
        """First moment after delivery, ns since the epoch."""
        return self.start_ns + self.hours * NS_PER_HOUR

    @property
    def code(self) -> str:
        """The period as symbols write it: 261205, 26W49 or 2612."""
        if self.kind is PeriodKind.DAY:
            return self.first.strftime("%y%m%d")
        if self.kind is PeriodKind.MONTH:
            return self.first.strftime("%y%m")
        year, week, _ = self.first.isocalendar()
        return f"{year % 100:02d}W{week:02d}"

    def days(self) -> Iterator[Period]:
        """Yield the day periods that make up this one, in order."""
        for offset in range((self.end - self.first).days):
            yield day_period(self.first + timedelta(days=offset))


def day_period(day: date) -> Period:
    """Return the period of one delivery day."""
    return Period(PeriodKind.DAY, day, day + timedelta(days=1))


def week_period(day: date) -> Period:
    """Return the ISO week (Monday to Sunday) in which `day` lies."""
    monday = day - timedelta(days=day.weekday())
    return Period(PeriodKind.WEEK, monday, monday + timedelta(days=7))


def month_period(day: date) -> Period:
    """Return the calendar month in which `day` lies."""
    first = day.replace(day=1)
    return Period(PeriodKind.MONTH, first, (first + timedelta(days=31)).replace(day=1))


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol taken apart."""

    grade: str
    hub: str
    period: Period

    def __str__(self) -> str:
        return f"{self.grade}.{self.hub}.{self.period.code}"


def _period(code: str) -> Period:
    year = CENTURY + int(code[:2])
    if "W" in code:
        return week_period(date.fromisocalendar(year, int(code[3:]), 1))
    month = int(code[2:4])
    return day_period(date(year, month, int(code[4:]))) if code[4:] else month_period(date(year, month, 1))


@lru_cache(maxsize=1 << 16)
def parse_symbol(text: str) -> Symbol:
    """Take a symbol apart. Raises ValueError with a sentence that says what a symbol looks like."""
    found = _SYMBOL.fullmatch(text)
    try:
        if found:
            return Symbol(found[1], found[2], _period(found[3]))
    except ValueError as error:
        raise ValueError(f"{text!r} names no day, week or month: {error}") from error
    raise ValueError(f"{text[:64]!r} is not GRADE.HUB.PERIOD with a period such as 261205, 26W49 or 2612")


@dataclass(frozen=True, slots=True)
class Contract:
    """A listed contract. One lot is `cards_per_lot` cards of the grade at the hub for every hour of the
    period.
    """

    index: int
    """Instrument index; given in order of listing and never reused."""
    symbol: str
    grade: str
    hub: str
    hub_index: int
    """The hub's number in the order in which hubs were registered; the kernel's mass-cancel filter."""
    period: Period
    cards_per_lot: int
    last_trading_day: date
    """The last trading day before the period's first day (clause 4.3)."""

    @property
    def kind(self) -> PeriodKind:
        """Day, week or month."""
        return self.period.kind

    @property
    def hours(self) -> int:
        """Delivery hours: a price in ticks × hours × lots is a value in fen."""
        return self.period.hours


def last_trading_day(period: Period, closed_days: Collection[date]) -> date:
    """Return the last trading day before the period's first day (clause 4.3)."""
    return previous_trading_day(period.first, closed_days)


def listed_periods(trading_day: date, closed_days: Collection[date]) -> list[Period]:
    """Return the periods that trade on `trading_day`, days, then weeks, then months (clause 4.2).

    Every delivery day up to 7 days ahead, the next 4 ISO weeks, the next 6 months; of these, those whose
    last trading day is not over.
    """
    days = [day_period(trading_day + timedelta(days=ahead)) for ahead in range(1, DAYS_LISTED + 1)]
    weeks = [week_period(trading_day + timedelta(days=7 * ahead)) for ahead in range(1, WEEKS_LISTED + 1)]
    months = [month_period(trading_day)]
    while len(months) <= MONTHS_LISTED:
        months.append(month_period(months[-1].end))
    return [
        period
        for period in (*days, *weeks, *months[1:])
        if last_trading_day(period, closed_days) >= trading_day
    ]
