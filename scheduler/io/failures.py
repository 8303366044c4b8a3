"""Hubs that failed: ``HUB`` for the whole plan, or ``HUB@FROM-UNTIL`` for some of its hours."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from math import ceil, floor
from typing import Final

from scheduler.io.faults import Faults, Where
from scheduler.io.supply_rows import Hours, MaintenanceRow
from scheduler.io.workloads import Span

_FAILED: Final = re.compile(r"(?P<site>[^@]+)(?:@(?P<start>[^/]+?)[/-](?P<end>[^/]*))?", re.DOTALL)
EXPECTED: Final = (
    "expected HUB, or HUB@FROM-UNTIL with hours after the plan's start such as 0-4, or HUB@FROM/UNTIL with "
    "two times with offset such as 2026-12-05T20:00+08:00, the end after the start"
)


def failed_rows(texts: Sequence[str], sites: Collection[str], span: Span) -> tuple[MaintenanceRow, ...]:
    """What is down: hours after the plan's start (``GUIAN@0-4``), or times (``GUIAN@T1/T2``).

    Raises `FaultyInput` for an unknown hub, what is no time, and an end that is not after the start.
    """
    faults = Faults()
    found = []
    for number, text in enumerate(texts, 1):
        where, parts = Where("failed", "hub", number), _FAILED.fullmatch(text.strip())
        site = parts["site"].strip() if parts else text
        if site not in sites:
            faults.add(where, text, "", f"unknown site {site!r}; known: {', '.join(sites)}")
        hours = _hours(parts["start"], parts["end"], span) if parts else None
        if hours is None:
            faults.add(where, text, "", EXPECTED)
        found.append(MaintenanceRow(where, site, "", None, hours or Hours(0, 0)))
    faults.raise_if_any()
    return tuple(found)


def _hours(start: str | None, end: str | None, span: Span) -> Hours | None:
    """The hours of the plan that a failure touches; None for what makes none."""
    begins, ends = _moment(start, span, 0), _moment(end, span, span.hours)
    if begins is None or ends is None:
        return None
    first, last = max(0, floor(begins)), min(span.hours, ceil(ends))
    return Hours(first, last) if first < last else None


def _moment(text: str | None, span: Span, default: int) -> float | None:
    """Hours after the plan's start; None for what is neither a number nor a time with offset."""
    if not text:
        return default
    try:
        if text.strip().isdecimal():
            return int(text)
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return None if moment.tzinfo is None else (moment - span.start).total_seconds() / 3600
