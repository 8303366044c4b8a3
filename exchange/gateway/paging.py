"""Listings page by page: a cursor is the key of the last row before it, opaque to clients."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeVar

from exchange.api.codes import RequestCode, refuse

T = TypeVar("T")


def position(cursor: str | None) -> int:
    """Return what a cursor says, -1 for none: before the first row. Refused: INVALID_PARAMETER."""
    if cursor is None:
        return -1
    if not (cursor.isascii() and cursor.isdecimal()):
        raise refuse(
            RequestCode.INVALID_PARAMETER,
            "The cursor isn't one of this listing; use `next_cursor` of the page before, or leave it out.",
            "cursor",
        )
    return int(cursor)


def page(
    rows: Sequence[T], cursor: str | None, limit: int, key: Callable[[T], int]
) -> tuple[Sequence[T], str | None]:
    """Return one page of rows that ascend by `key`, and the cursor of the next, None at the end.

    A row keeps its key, so that rows which come or go between two pages make none be skipped or shown twice.
    Refused: INVALID_PARAMETER.
    """
    start = bisect_right(rows, position(cursor), key=key)
    end = start + limit
    return rows[start:end], str(key(rows[end - 1])) if end < len(rows) else None
