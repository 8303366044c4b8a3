"""Sets of delivery hours: what a contract delivers, exactly (clauses 1.1 and 2.9).

An hour has a number, counted from 1970-01-01 00:00 Asia/Shanghai on. A set is described by its first hour,
the hour after its last, and for each month of the year which hours of a day belong to it. The delivery of
every period and profile is such a set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.domain.calendar import NS_PER_HOUR, date_of, day_start_ns

HOURS_PER_DAY = 24
MONTHS = 12
EVERY_HOUR = (1 << HOURS_PER_DAY) - 1
"""The mask of a whole day; bit h is the hour from h:00 to h + 1:00."""
EVERY_MONTH = (EVERY_HOUR,) * MONTHS

_BITS = np.arange(HOURS_PER_DAY)
_DAY_0_NS = day_start_ns(date_of(0))


@dataclass(frozen=True, slots=True)
class HourSet:
    """Hours from `first` up to and without `end` that the mask of their month has; `first` and the hour
    before `end` belong to it. The empty set is 0 to 0.

    `masks` are 12, January's first, each of 24 bits. Make one with `hour_set`.
    """

    first: int
    end: int
    masks: tuple[int, ...]

    def __contains__(self, hour: int) -> bool:
        day, of_day = divmod(hour, HOURS_PER_DAY)
        return self.first <= hour < self.end and bool(self.masks[_month(day)] >> of_day & 1)

    def __iter__(self) -> Iterator[int]:
        for day, mask in _days(self):
            yield from (day * HOURS_PER_DAY + hour for hour in hours_of(mask))

    def __len__(self) -> int:
        return sum(mask.bit_count() for _, mask in _days(self))

    def days(self) -> tuple[tuple[int, int], ...]:
        """Return (days since 1970-01-01, mask of its hours) of each day that has some, ascending."""
        return _days(self)

    def of_day(self, day: int) -> int:
        """Return the mask of the hours of one day (days since 1970-01-01)."""
        return dict(_days(self)).get(day, 0)

    def by_month(self) -> Counter[tuple[int, int]]:
        """Return how many of the hours there are of each (month 1 … 12, hour of the day 0 … 23)."""
        return Counter((date_of(day).month, hour) for day, mask in _days(self) for hour in hours_of(mask))

    def grid(self) -> tuple[int, NDArray[np.bool_]]:
        """Return the first day (days since 1970-01-01; 0 if there is none) and whether each hour from its
        00:00 to the last day's 24:00 is in the set, shape (days, 24), read-only.
        """
        return _grid(self)

    @property
    def start_ns(self) -> int:
        """The moment at which the first hour begins, ns since the epoch."""
        return hour_start_ns(self.first)

    @property
    def end_ns(self) -> int:
        """The moment at which the last hour is over, ns since the epoch."""
        return hour_start_ns(self.end)


def hour_set(first: int, end: int, masks: Sequence[int] = EVERY_MONTH) -> HourSet:
    """Return the hours from `first` up to and without `end` that the mask of their month has."""
    masks = tuple(masks)
    day, last = first // HOURS_PER_DAY, (end - 1) // HOURS_PER_DAY
    found = [at for at in range(day, last + 1) if _of_day(at, first, end, masks)]
    if not found:
        return HourSet(0, 0, masks)
    opening, closing = (_of_day(at, first, end, masks) for at in (found[0], found[-1]))
    begin = found[0] * HOURS_PER_DAY + (opening & -opening).bit_length() - 1
    return HourSet(begin, found[-1] * HOURS_PER_DAY + closing.bit_length(), masks)


def hour_start_ns(hour: int) -> int:
    """Return the moment at which an hour begins, ns since the epoch."""
    return _DAY_0_NS + hour * NS_PER_HOUR


def hours_of(mask: int) -> Iterator[int]:
    """Yield the hours of a day, 0 … 23, that a mask has."""
    return (hour for hour in range(HOURS_PER_DAY) if mask >> hour & 1)


def mask_of(hours: Sequence[int]) -> int:
    """Return the mask of hours of a day, 0 … 23."""
    return sum(1 << hour for hour in set(hours))


def hour_number(day: int, hour: int = 0) -> int:
    """Return the number of an hour, 0 … 23, of a day (days since 1970-01-01)."""
    return day * HOURS_PER_DAY + hour


def _month(day: int) -> int:
    return date_of(day).month - 1


def _of_day(day: int, first: int, end: int, masks: Sequence[int]) -> int:
    """Return the mask of a day's hours from `first` up to and without `end`."""
    start = day * HOURS_PER_DAY
    begin, stop = max(first - start, 0), min(end - start, HOURS_PER_DAY)
    return masks[_month(day)] & (1 << stop) - (1 << begin) if begin < stop else 0


@lru_cache(maxsize=1 << 14)
def _days(of: HourSet) -> tuple[tuple[int, int], ...]:
    days = range(of.first // HOURS_PER_DAY, -(-of.end // HOURS_PER_DAY))
    masks = ((day, _of_day(day, of.first, of.end, of.masks)) for day in days)
    return tuple((day, mask) for day, mask in masks if mask)


@lru_cache(maxsize=1 << 12)
def _grid(of: HourSet) -> tuple[int, NDArray[Any]]:
    by_day = dict(_days(of))
    days = range(min(by_day, default=0), max(by_day, default=-1) + 1)
    masks = np.array([by_day.get(day, 0) for day in days], np.int32)
    grid = (masks[:, None] >> _BITS & 1).astype(np.bool_)
    grid.flags.writeable = False
    return days.start, grid
