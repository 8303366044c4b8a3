"""Contracts: symbols, delivery periods, listing (clauses 4.2 and 4.3).

A symbol is `GRADE.HUB.PERIOD`: `261205` is a day, `26W49` an ISO week, `2612` a month, `27Q1` a quarter. Hubs
may contain "-".
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
QUARTERS_LISTED = 4
_SYMBOL = re.compile(
    r"([A-Z0-9]{1,12})\.([A-Z0-9]+(?:-[A-Z0-9]+)*)\.(\d{6}|\d{2}W\d{2}|\d{4}|\d{2}Q[1-4])", re.ASCII
)


class PeriodKind(Enum):
    """Length of a delivery period."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


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
        """The period as symbols write it: 261205, 26W49, 2612 or 27Q1."""
        if self.kind is PeriodKind.DAY:
            return self.first.strftime("%y%m%d")
        if self.kind is PeriodKind.MONTH:
            return self.first.strftime("%y%m")
        if self.kind is PeriodKind.QUARTER:
            return f"{self.first:%y}Q{_quarter_of(self.first)}"
        year, week, _ = self.first.isocalendar()
        return f"{year % 100:02d}W{week:02d}"

    @property
    def before(self) -> Period:
        """The period of the same kind that ends where this one begins."""
        return _MAKERS[self.kind](self.first - timedelta(days=1))

    def parts(self) -> Iterator[Period]:
        """Yield what this period cascades into, in order: a quarter's months, else days (clause 6.4)."""
        make = month_period if self.kind is PeriodKind.QUARTER else day_period
        first = self.first
        while first < self.end:
            part = make(first)
            yield part
            first = part.end


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


def quarter_period(day: date) -> Period:
    """Return the calendar quarter in which `day` lies."""
    first = date(day.year, 3 * _quarter_of(day) - 2, 1)
    return Period(PeriodKind.QUARTER, first, (first + timedelta(days=93)).replace(day=1))


def _quarter_of(day: date) -> int:
    return (day.month + 2) // 3


_MAKERS = {
    PeriodKind.DAY: day_period,
    PeriodKind.WEEK: week_period,
    PeriodKind.MONTH: month_period,
    PeriodKind.QUARTER: quarter_period,
}


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
    if "Q" in code:
        return quarter_period(date(year, 3 * int(code[3:]), 1))
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
        raise ValueError(f"{text!r} names no day, week, month or quarter: {error}") from error
    raise ValueError(
        f"{text[:64]!r} is not GRADE.HUB.PERIOD with a period such as 261205, 26W49, 2612 or 27Q1"
    )


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
        """Day, week, month or quarter."""
        return self.period.kind

    @property
    def hours(self) -> int:
        """Delivery hours: a price in ticks × hours × lots is a value in fen."""
        return self.period.hours


def last_trading_day(period: Period, closed_days: Collection[date]) -> date:
    """Return the last trading day before the period's first day (clause 4.3)."""
    return previous_trading_day(period.first, closed_days)


def listed_periods(trading_day: date, closed_days: Collection[date]) -> list[Period]:
    """Return the periods that trade on `trading_day`: days, weeks, months, quarters (clause 4.2).

    Every delivery day up to 7 days ahead, the next 4 ISO weeks, the next 6 months, the next 4 quarters; of
    these, those whose last trading day is not over.
    """
    days = [day_period(trading_day + timedelta(days=ahead)) for ahead in range(1, DAYS_LISTED + 1)]
    weeks = [week_period(trading_day + timedelta(days=7 * ahead)) for ahead in range(1, WEEKS_LISTED + 1)]
    months = _following(month_period(trading_day), MONTHS_LISTED)
    quarters = _following(quarter_period(trading_day), QUARTERS_LISTED)
    return [
        period
        for period in (*days, *weeks, *months, *quarters)
        if last_trading_day(period, closed_days) >= trading_day
    ]


def _following(period: Period, count: int) -> list[Period]:
    """Return the next `count` periods of the same kind."""
    found = []
    for _ in range(count):
        period = _MAKERS[period.kind](period.end)
        found.append(period)
    return found
