"""What the command line's texts mean: durations, times, and which files say what there is."""

import re
from datetime import datetime, timedelta
from typing import Final

import typer

from scheduler.horizon.types import CarbonRule
from scheduler.io.world import SHANGHAI
from scheduler.types import micro_cny

CARBON_PRICE_CNY_MAX: Final = 1000.0
_DURATION: Final = re.compile(r"(\d{1,5})\s*(h|d)")
HOURS_MAX: Final = 24 * 366
YEARS: Final = range(1970, 2200)


def hours_of(text: str) -> int:
    """A duration such as ``24h`` or ``7d`` in hours."""
    found = _DURATION.fullmatch(text.strip())
    hours = int(found[1]) * (24 if found[2] == "d" else 1) if found else 0
    if not 1 <= hours <= HOURS_MAX:
        raise typer.BadParameter(f"{text!r} is not a duration such as 24h or 7d (1 h to 366 d)")
    return hours


def start_of(
    text: str | None, now: datetime, default: datetime | None = None, *, whole_day: bool = False
) -> datetime:
    """When a plan begins: as said; else by default; else the next full hour, or the next day, in Shanghai."""
    if text is None and default is not None:
        return default
    if text is None:
        hour = now.astimezone(SHANGHAI).replace(minute=0, second=0, microsecond=0)
        return hour.replace(hour=0) + timedelta(days=1) if whole_day else hour + timedelta(hours=1)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time such as 2026-12-04T00:00:00+08:00") from None
    if moment.year not in YEARS:
        raise typer.BadParameter(f"{text!r} is outside the years {YEARS.start} to {YEARS[-1]}")
    # a day or a time without an offset is Shanghai's, like every time of the exchange
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def carbon_rule(price_cny_per_kg: float, cap_kg: float | None) -> CarbonRule:
    """What the options say about carbon."""
    try:
        cap_g = None if cap_kg is None else int(cap_kg * 1000)
    except (OverflowError, ValueError):
        raise typer.BadParameter(f"a cap of {cap_kg} kg is no figure") from None
    return CarbonRule(micro_cny(price_cny_per_kg), cap_g)
