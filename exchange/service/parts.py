"""What waits in the sequencer: parts of submitters, and the frames that they become."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from exchange.domain.messages import RareMessage
from exchange.domain.rejects import RejectCode
from exchange.service.hot import first_from, take
from exchange.service.results import Applied, HotResult, RareResult
from exchange.service.slab import Slab
from matching.records import COMMAND, EVENT, Records

_NO_EVENTS = np.zeros(0, EVENT)


def taken(commands: Records, account: int, room: Slab) -> Records:
    """Return a copy of commands for an account."""
    copy = room.take(len(commands))
    take(commands, copy, account)
    return copy


def result_of(first_seq: int, count: int, applied: Applied) -> HotResult:
    """Return the part of an applied frame that `count` commands from `first_seq` on caused."""
    begin = first_from(applied.events, first_seq)
    end = first_from(applied.events, first_seq + count)
    return HotResult(first_seq, applied.events[begin:end], applied.time_ns)


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

    def __len__(self) -> int:
        return len(self.commands)

    def answer(self, first_seq: int, applied: Applied) -> None:
        """Tell the owner."""
        self.owner.durable(first_seq, len(self), applied.time_ns)

    def refuse(self, code: RejectCode) -> None:
        """Tell the owner that nothing is known to be done."""
        self.owner.lost(code)


@dataclass(slots=True)
class AwaitedPart:
    """Hot commands of a submitter that awaits their events."""

    commands: Records
    result: asyncio.Future[HotResult]

    def __len__(self) -> int:
        return len(self.commands)

    def answer(self, first_seq: int, applied: Applied) -> None:
        """Resolve with the events that the commands caused."""
        if not self.result.done():
            self.result.set_result(result_of(first_seq, len(self), applied))

    def refuse(self, code: RejectCode) -> None:
        """Answer that nothing is known to be done."""
        if not self.result.done():
            self.result.set_result(HotResult(0, _NO_EVENTS, 0, code))


class RowsPart:
    """Single hot commands of one submitter, gathered as rows until the frame is made."""

    def __init__(self, tell: RowsTell) -> None:
        self.rows: list[tuple[int, ...]] = []
        """The columns of COMMAND."""
        self.tokens: list[Any] = []
        """What the submitter knows each command by."""
        self.tell = tell

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def commands(self) -> Records:
        """The rows as records; nothing is added from now on."""
        return np.array(self.rows, COMMAND)

    def answer(self, first_seq: int, applied: Applied) -> None:
        """Tell the events that the commands caused."""
        self.tell(self.tokens, self.commands, result_of(first_seq, len(self), applied))

    def refuse(self, code: RejectCode) -> None:
        """Tell that nothing is known to be done."""
        self.tell(self.tokens, self.commands, HotResult(0, _NO_EVENTS, 0, code))


RowsTell = Callable[[list[Any], Records, HotResult], None]
"""Takes (tokens, commands, result)."""


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


HotPart = OwnedPart | AwaitedPart | RowsPart
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
            seq += len(part)


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
        if not isinstance(part, RarePart) and size + len(part) <= commands_max:
            block.append(part)
            size += len(part)
            continue
        if block:
            yield block
        block, size = [], 0
        if isinstance(part, RarePart):
            yield part
        else:
            block, size = [part], len(part)
    if block:
        yield block
