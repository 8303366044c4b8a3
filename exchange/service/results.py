"""What the exchange answers: results of commands and batches handed to listeners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import numpy as np

from exchange.domain.messages import RareMessage
from exchange.domain.rejects import RejectCode
from matching.records import Records

Data: TypeAlias = dict[str, int | str]
"""What a rare command gives back: {"account": 3}, {"capacity_id": 7}, {"accepted": 24} …"""


def columns(dtype: np.dtype[Any], *names: str) -> np.dtype[Any]:
    """Return a dtype to view records of `dtype` with: some of their columns, in this order. Such a view costs
    nothing; a list of names builds a dtype each time.
    """
    found = [dtype.fields[name] for name in names] if dtype.fields is not None else []
    formats, offsets = [field[0] for field in found], [field[1] for field in found]
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": dtype.itemsize})


@dataclass(frozen=True, slots=True)
class RareResult:
    """Outcome of a rare command: `code` is None if it was applied."""

    seq: int
    """Its place in the journal; 0 if it never got there (BUSY, STOPPING)."""
    code: RejectCode | None = None
    detail: str = ""
    """Which part was at fault, such as "readings[3]", or what was found; empty if the code says it all."""
    data: Data | None = None

    @property
    def ok(self) -> bool:
        """Whether it was applied."""
        return self.code is None

    @property
    def sentence(self) -> str:
        """The refusal in words; empty if it was applied."""
        if self.code is None:
            return ""
        return f"{self.code.sentence} ({self.detail})" if self.detail else self.code.sentence


@dataclass(frozen=True, slots=True)
class HotResult:
    """Outcome of a block of hot commands."""

    first_seq: int
    """Command i has seq `first_seq + i`; 0 if the block never got into the journal."""
    events: Records
    """dtype EVENT: those that these commands caused, the caller's to keep, ascending seq."""
    time_ns: int
    code: RejectCode | None = None
    """BUSY, STOPPING, NOT_ACKNOWLEDGING: the whole block was refused, `events` is empty."""

    @property
    def ok(self) -> bool:
        """Whether the block was journaled and applied (single commands may still be rejected in `events`)."""
        return self.code is None


class Applied(msgspec.Struct, frozen=True):
    """One durable journal frame, as listeners see it."""

    first_seq: int
    last_seq: int
    time_ns: int
    events: Records
    """dtype EVENT, ascending seq; the listener's to keep, shared by all of them: don't write."""
    message: RareMessage | None = None
    """The rare command of a rare frame."""
    result: RareResult | None = None
    """Its outcome."""
