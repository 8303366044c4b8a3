"""How the core's integers are written in JSON: prices, times, days, ids; each format beside its parser."""

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

from exchange.api.codes import RequestCode, refuse

TICKS_PER_CNY = 100
"""One tick is 0.01 CNY per lot-hour (rulebook chapter 1)."""

PRICE_DIGITS_MAX = 9
"""Digits before the point; keeps any price, and price × lots × hours, far inside int64."""

SHANGHAI = timezone(timedelta(hours=8))
"""Asia/Shanghai has had no daylight saving since 1991, so a fixed offset writes every market time."""

UINT64_MAX = 2**64 - 1
_PRICE = re.compile(rf"(\d{{1,{PRICE_DIGITS_MAX}}})(?:\.(\d{{1,18}}))?", re.ASCII)
_UNSIGNED = re.compile(r"0|[1-9]\d{0,19}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_INT64 = range(-(2**63), 2**63)
_YEARS = range(1678, 2262)
"""Years whose every moment is within int64 nanoseconds of the epoch."""
_EPOCH = datetime(1970, 1, 1, tzinfo=SHANGHAI) + timedelta(hours=8)


@lru_cache(1 << 16)
def price_text(price_ticks: int) -> str:
    """Ticks as a decimal string in CNY per lot-hour: 1520 → "15.20"."""
    sign, ticks = ("-", -price_ticks) if price_ticks < 0 else ("", price_ticks)
    return f"{sign}{ticks // TICKS_PER_CNY}.{ticks % TICKS_PER_CNY:02d}"


@lru_cache(1 << 14)
def parse_price_ticks(text: str, field: str = "price") -> int:
    """A decimal string in CNY per lot-hour as ticks, exactly.

    Raises RequestRefused: INVALID_FIELD (not a plain positive decimal), PRICE_OFF_TICK (finer than 0.01).
    """
    found = _PRICE.fullmatch(text)
    if found is None:
        raise refuse(
            RequestCode.INVALID_FIELD,
            f'The {field} {text[:40]!r} is not a positive decimal; write CNY per lot-hour such as "15.20".',
            field,
        )
    whole, fraction = found[1], found[2] or ""
    if fraction[2:].strip("0"):
        raise refuse(
            RequestCode.PRICE_OFF_TICK,
            f"The {field} {text[:40]} is off the tick; prices are multiples of 0.01 CNY per lot-hour.",
            field,
        )
    return int(whole) * TICKS_PER_CNY + int(fraction[:2].ljust(2, "0"))


def time_text(time_ns: int) -> str:
    """Nanoseconds since the epoch as RFC 3339 to the microsecond ("2026-12-04T09:00:00.000000+08:00")."""
    second, rest = divmod(time_ns, 1_000_000_000)
    return f"{_second_text(second)}.{rest // 1000:06d}+08:00"


@lru_cache(4096)
def _second_text(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).isoformat(timespec="seconds").removesuffix("+08:00")


def parse_time_ns(text: str, field: str, code: RequestCode = RequestCode.INVALID_FIELD) -> int:
    """An RFC 3339 time with an offset as nanoseconds since the epoch. Raises RequestRefused with `code`."""
    time_ns = _time_ns(text)
    if time_ns is None:
        raise refuse(
            code,
            f"The {field} {text[:40]!r} is not a time with offset; write 2026-12-04T09:00:00+08:00.",
            field,
        )
    return time_ns


def _time_ns(text: str) -> int | None:
    """The time to the microsecond; None if it isn't RFC 3339 or outside int64 (the years 1678 … 2262)."""
    if _TIME.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    time_ns = (moment - _EPOCH) // timedelta(microseconds=1) * 1000
    return time_ns if time_ns in _INT64 else None


def day_text(day: date) -> str:
    """A day as "2026-12-04"."""
    return day.isoformat()


def parse_day(text: str, field: str, code: RequestCode = RequestCode.INVALID_FIELD) -> date:
    """A day written 2026-12-04, of the years 1678 … 2261. Raises RequestRefused with `code`."""
    day = parse_any_day(text, field, code)
    if day.year not in _YEARS:
        why = f"The {field} {text!r} is not a day of the years {_YEARS[0]} to {_YEARS[-1]}."
        raise refuse(code, why, field)
    return day


def parse_any_day(text: str, field: str, code: RequestCode) -> date:
    """A day of any year, for questions that only compare days. Raises RequestRefused with `code`."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise refuse(code, f"The {field} {text[:40]!r} is not a day; write it as 2026-12-04.", field)


def parse_id(text: str, field: str, maximum: int = UINT64_MAX) -> int:
    """An id written as a decimal string, 0 … maximum. Raises RequestRefused INVALID_FIELD."""
    if _UNSIGNED.fullmatch(text) and int(text) <= maximum:
        return int(text)
    raise refuse(
        RequestCode.INVALID_FIELD,
        f"The {field} {text[:40]!r} is not an id; ids are decimal strings from 0 to {maximum}.",
        field,
    )
