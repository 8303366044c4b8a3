"""Listings page by page: a cursor is the position after the last row, opaque to clients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from exchange.api.codes import RequestCode, refuse

T = TypeVar("T")


def page(rows: Sequence[T], cursor: str | None, limit: int) -> tuple[Sequence[T], str | None]:
    """Return one page and the cursor of the next, None at the end. Refused: INVALID_PARAMETER."""
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal()):
        raise refuse(
            RequestCode.INVALID_PARAMETER,
            "The cursor isn't one of this listing; use `next_cursor` of the page before, or leave it out.",
            "cursor",
        )
    start = int(cursor or 0)
    end = start + limit
    return rows[start:end], str(end) if end < len(rows) else None
