"""What waits in the sequencer: parts of submitters, and the frames that they become."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from exchange.domain.messages import RareMessage
from exchange.domain.rejects import RejectCode
from exchange.service.hot import first_from
from exchange.service.results import Applied, HotResult, RareResult
from matching.records import EVENT, Records

_NO_EVENTS = np.zeros(0, EVENT)


class BlockOwner(Protocol):
    """Who submits blocks and is told what became of them; both calls come from the event loop."""

    def durable(self, first_seq: int, count: int, time_ns: int) -> None:
        """Learn that the oldest open block is durable and applied; listeners get its events just after."""

    def lost(self, code: RejectCode) -> None:
        """Learn that the outcome of the oldest open block is unknown: the journal failed."""


@dataclass(slots=True)
class OwnedPart:
    """Hot commands of an owner that reads the events as a listener."""

    commands: Records
    owner: BlockOwner

    def answer(self, first_seq: int, applied: Applied) -> None:
        """Tell the owner."""
        self.owner.durable(first_seq, len(self.commands), applied.time_ns)

    def refuse(self, code: RejectCode) -> None:
        """Tell the owner that nothing is known to be done."""
        self.owner.lost(code)


@dataclass(slots=True)
class CalledPart:
    """Hot commands of a submitter that is called once with what became of them."""

    commands: Records
    tell: Callable[[HotResult], None]

    def answer(self, first_seq: int, applied: Applied) -> None:
        """Tell the events that the commands caused."""
        begin = first_from(applied.events, first_seq)
        end = first_from(applied.events, first_seq + len(self.commands))
        self.tell(HotResult(first_seq, applied.events[begin:end], applied.time_ns))

    def refuse(self, code: RejectCode) -> None:
        """Tell that nothing is known to be done."""
        self.tell(HotResult(0, _NO_EVENTS, 0, code))


@dataclass(slots=True)
class RarePart:
    """One rare message of one submitter."""

    message: RareMessage
    result: asyncio.Future[RareResult]

    def answer(self, applied: Applied) -> None:
        """Resolve with the outcome."""
        if applied.result is not None and not self.result.done():
            self.result.set_result(applied.result)

    def refuse(self, code: RejectCode) -> None:
        """Answer that nothing is known to be done."""
        if not self.result.done():
            self.result.set_result(RareResult(0, code))


HotPart = OwnedPart | CalledPart
Part = HotPart | RarePart


@dataclass(slots=True)
class HotFrame:
    """A hot frame on its way to the disk."""

    first_seq: int
    last_seq: int
    commands: Records
    parts: list[HotPart]

    def answer(self, applied: Applied) -> None:
        """Answer every part."""
        seq = self.first_seq
        for part in self.parts:
            part.answer(seq, applied)
            seq += len(part.commands)


@dataclass(slots=True)
class RareFrame:
    """A rare frame on its way to the disk."""

    last_seq: int
    time_ns: int
    parts: list[RarePart]

    def answer(self, applied: Applied) -> None:
        """Answer the one part."""
        for part in self.parts:
            part.answer(applied)


def blocks(gathered: list[Part], commands_max: int) -> Iterator[list[HotPart] | RarePart]:
    """Yield what becomes one frame each, in order: a rare message, or hot parts up to `commands_max`."""
    block: list[HotPart] = []
    size = 0
    for part in gathered:
        if not isinstance(part, RarePart) and size + len(part.commands) <= commands_max:
            block.append(part)
            size += len(part.commands)
            continue
        if block:
            yield block
        block, size = [], 0
        if isinstance(part, RarePart):
            yield part
        else:
            block, size = [part], len(part.commands)
    if block:
        yield block
