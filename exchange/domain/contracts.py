"""Contracts: delivery periods, symbols, what a contract delivers (clauses 2.7, 2.9 and 4.3).

A symbol is `GRADE.HUB.PERIOD` or `GRADE.HUB.PERIOD-PROFILE`: `261205H14` is an hour, `261205` a day, `26W49`
an ISO week, `2612` a month, `27Q1` a quarter, `2612-PEAK` its peak hours. Hubs may contain "-".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache

from exchange.domain.calendar import date_of, epoch_day, previous_trading_day
from exchange.domain.hours import HOURS_PER_DAY, HourSet, hour_number, hour_start_ns
from nodes.types import Profile

CENTURY = 2000
_SYMBOL = re.compile(
    r"([A-Z0-9]{1,12})\.([A-Z0-9]+(?:-[A-Z0-9]+)*)"
    r"\.(\d{6}H(?:[01]\d|2[0-3])|\d{6}|\d{2}W\d{2}|\d{4}|\d{2}Q[1-4])(-PEAK|-VALLEY)?",
    re.ASCII,
)


class PeriodKind(Enum):
    """Length of a delivery period, the shortest first."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"

    @property
    def cascades(self) -> bool:
        """Whether a contract of it becomes shorter ones; hours and days are delivered (clause 6.4)."""
        return self not in (PeriodKind.HOUR, PeriodKind.DAY)


@dataclass(frozen=True, slots=True)
class Period:
    """A delivery period: its hours as numbers since 1970-01-01 00:00 Asia/Shanghai, without `end_hour`."""

    kind: PeriodKind
    first_hour: int
    end_hour: int

    @property
    def first(self) -> date:
        """The day on which it begins."""
        return date_of(self.first_hour // HOURS_PER_DAY)

    @property
    def end(self) -> date:
        """The day after the one on which it ends."""
        return date_of(-(-self.end_hour // HOURS_PER_DAY))

    @property
    def start_ns(self) -> int:
        """Its first moment, ns since the epoch."""
        return hour_start_ns(self.first_hour)

    @property
    def end_ns(self) -> int:
        """The first moment after it, ns since the epoch."""
        return hour_start_ns(self.end_hour)

    @property
    def code(self) -> str:
        """The period as symbols write it: 261205H14, 261205, 26W49, 2612 or 27Q1."""
        first = self.first
        if self.kind is PeriodKind.HOUR:
            return f"{first:%y%m%d}H{self.first_hour % HOURS_PER_DAY:02d}"
        if self.kind is PeriodKind.DAY:
            return first.strftime("%y%m%d")
        if self.kind is PeriodKind.MONTH:
            return first.strftime("%y%m")
        if self.kind is PeriodKind.QUARTER:
            return f"{first:%y}Q{_quarter_of(first)}"
        year, week, _ = first.isocalendar()
        return f"{year % 100:02d}W{week:02d}"

    @property
    def before(self) -> Period:
        """The period of the same kind that ends where this one begins; of an hour, the same one of the day
        before.
        """
        if self.kind is PeriodKind.HOUR:
            return hour_period(self.first - timedelta(days=1), self.first_hour % HOURS_PER_DAY)
        return period_of(self.kind, self.first - timedelta(days=1))

    def parts(self) -> Iterator[Period]:
        """Yield what this period cascades into, in order: a quarter's months, else days (clause 6.4)."""
        make = month_period if self.kind is PeriodKind.QUARTER else day_period
        first = self.first
        while first < self.end:
            part = make(first)
            yield part
            first = part.end


def hour_period(day: date, hour: int) -> Period:
    """Return the period of one delivery hour, 0 … 23, of a day."""
    number = hour_number(epoch_day(day), hour)
    return Period(PeriodKind.HOUR, number, number + 1)


def day_period(day: date) -> Period:
    """Return the period of one delivery day."""
    return _of_days(PeriodKind.DAY, day, day + timedelta(days=1))


def week_period(day: date) -> Period:
    """Return the ISO week (Monday to Sunday) in which `day` lies."""
    monday = day - timedelta(days=day.weekday())
    return _of_days(PeriodKind.WEEK, monday, monday + timedelta(days=7))


def month_period(day: date) -> Period:
    """Return the calendar month in which `day` lies."""
    first = day.replace(day=1)
    return _of_days(PeriodKind.MONTH, first, (first + timedelta(days=31)).replace(day=1))


def quarter_period(day: date) -> Period:
    """Return the calendar quarter in which `day` lies."""
    first = date(day.year, 3 * _quarter_of(day) - 2, 1)
    return _of_days(PeriodKind.QUARTER, first, (first + timedelta(days=93)).replace(day=1))


def period_of(kind: PeriodKind, day: date) -> Period:
    """Return the period of a kind in which `day` lies. Raises KeyError for hours, of which a day has many."""
    return _MAKERS[kind](day)


def _of_days(kind: PeriodKind, first: date, end: date) -> Period:
    return Period(kind, hour_number(epoch_day(first)), hour_number(epoch_day(end)))


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
    profile: Profile = Profile.BASE

    @property
    def base(self) -> Symbol | None:
        """The base contract of whose hours it has a part: its day's for an hour, its period's for peak and
        valley; None for other base contracts.
        """
        if self.profile is not Profile.BASE:
            return Symbol(self.grade, self.hub, self.period)
        hour = self.period.kind is PeriodKind.HOUR
        return Symbol(self.grade, self.hub, day_period(self.period.first)) if hour else None

    def parts(self) -> Iterator[Symbol]:
        """Yield what it cascades into, in order: nothing for days and hours (clause 6.4)."""
        if self.period.kind.cascades:
            for part in self.period.parts():
                yield Symbol(self.grade, self.hub, part, self.profile)

    def __str__(self) -> str:
        ending = "" if self.profile is Profile.BASE else f"-{self.profile.name}"
        return f"{self.grade}.{self.hub}.{self.period.code}{ending}"


def _period(code: str) -> Period:
    year = CENTURY + int(code[:2])
    if "W" in code:
        return week_period(date.fromisocalendar(year, int(code[3:]), 1))
    if "Q" in code:
        return quarter_period(date(year, 3 * int(code[3:]), 1))
    month = int(code[2:4])
    if "H" in code:
        return hour_period(date(year, month, int(code[4:6])), int(code[7:]))
    return day_period(date(year, month, int(code[4:]))) if code[4:] else month_period(date(year, month, 1))


@lru_cache(maxsize=1 << 16)
def parse_symbol(text: str) -> Symbol:
    """Take a symbol apart. Raises ValueError with a sentence that says what a symbol looks like."""
    found = _SYMBOL.fullmatch(text)
    try:
        if found and not ("H" in found[3] and found[4]):  # an hour has no part
            profile = Profile(found[4][1:].lower()) if found[4] else Profile.BASE
            return Symbol(found[1], found[2], _period(found[3]), profile)
    except ValueError as error:
        raise ValueError(f"{text!r} names no hour, day, week, month or quarter: {error}") from error
    raise ValueError(
        f"{text[:48]!r} is not GRADE.HUB.PERIOD with a period such as 261205H14, 261205, 26W49, 2612, 27Q1, "
        "2612-PEAK or 2612-VALLEY"
    )


@dataclass(frozen=True, slots=True)
class Contract:
    """A listed contract. One lot is `cards_per_lot` cards of the grade at the hub for every hour of its
    delivery.
    """

    index: int
    """Instrument index; given in order of listing and never reused."""
    symbol: str
    grade: str
    hub: str
    hub_index: int
    """The hub's number in the order in which hubs were registered; the kernel's mass-cancel filter."""
    period: Period
    profile: Profile
    delivery: HourSet
    """The hours of the period that its profile has; fixed when it is listed (clause 2.10)."""
    hours: int
    """Their number: a price in ticks × hours × lots is a value in fen."""
    cards_per_lot: int
    last_trading_day: date
    """The last trading day before the period's first day (clause 4.3)."""

    @property
    def kind(self) -> PeriodKind:
        """Hour, day, week, month or quarter."""
        return self.period.kind

    @property
    def product(self) -> tuple[str, str]:
        """Grade and hub."""
        return self.grade, self.hub

    @property
    def terms(self) -> Symbol:
        """Its symbol, taken apart."""
        return Symbol(self.grade, self.hub, self.period, self.profile)


def last_trading_day(period: Period, closed_days: Collection[date]) -> date:
    """Return the last trading day before the period's first day (clause 4.3)."""
    return previous_trading_day(period.first, closed_days)
