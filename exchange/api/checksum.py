"""Checksums by which a reader of the feed knows that its copy of a book is the exchange's.

CRC-32 (the one of zlib, PNG and Ethernet) over little-endian integers: the best ten rows of the bids, then
those of the asks, each side filled up with zero bytes to ten rows.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from itertools import islice
from typing import Final

CHECKED_ROWS: Final = 10
_LEVEL: Final = struct.Struct("<iii")
_ORDER: Final = struct.Struct("<qii")

PriceLevel = tuple[int, int, int]
"""Price in ticks, lots, number of orders; int32 each."""
BookOrder = tuple[int, int, int]
"""Order id (int64), price in ticks, lots (int32 each)."""


def l2_checksum(bids: Iterable[PriceLevel], asks: Iterable[PriceLevel]) -> int:
    """Return the checksum of a book by price, best level first."""
    return _checksum(_LEVEL, bids, asks)


def l3_checksum(bids: Iterable[BookOrder], asks: Iterable[BookOrder]) -> int:
    """Return the checksum of a book by order, the next one to trade first."""
    return _checksum(_ORDER, bids, asks)


def of_sides(bids: bytes, asks: bytes, row_bytes: int) -> int:
    """Return the checksum of two sides that are rows of bytes already."""
    side = CHECKED_ROWS * row_bytes
    return zlib.crc32(bids[:side].ljust(side, b"\0") + asks[:side].ljust(side, b"\0"))


def _checksum(row: struct.Struct, bids: Iterable[PriceLevel], asks: Iterable[PriceLevel]) -> int:
    first, second = (b"".join(row.pack(*one) for one in islice(side, CHECKED_ROWS)) for side in (bids, asks))
    return of_sides(first, second, row.size)
