"""Room for records that are made for every frame: slices of larger arrays.

numpy takes 2 µs to make an array of a dtype with many columns, however short, and another 2 to show it as
bytes; for one order in a frame that is as much as matching it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from matching.records import Records

SLAB_RECORDS: Final = 1 << 16
FEW_BYTES: Final = 1 << 12
"""Up to so many a copy is quicker than a view."""


class Slab:
    """Hands out uninitialised records of one dtype. A slab lives as long as any of its records is held."""

    def __init__(self, dtype: np.dtype[np.void], records: int = SLAB_RECORDS) -> None:
        self._dtype = dtype
        self._records = records
        self._free: Records = np.empty(0, dtype)

    def offer(self, count: int) -> Records:
        """Return `count` records to write to; they are offered again unless they are then taken."""
        if count > len(self._free):
            self._free = np.empty(max(count, self._records), self._dtype)
        return self._free[:count]

    def take(self, count: int) -> Records:
        """Return `count` records, the first of those last offered if there were any; the caller's to keep."""
        taken = self.offer(count)
        self._free = self._free[count:]
        return taken


def as_bytes(records: Records) -> bytes | memoryview:
    """Return the bytes of a contiguous array of records, which mustn't change then: many aren't copied."""
    return records.tobytes() if records.nbytes <= FEW_BYTES else records.view(np.uint8).data
