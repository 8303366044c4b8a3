"""The exchange's core in this process: commands in, events out, market time as told, no journal on disk.

What the exchange's sequencer does with a journal is done here with a running hash of the same frame bodies:
the hash stands for every command that was ever applied, in order.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from typing import Final

from blake3 import blake3

from exchange.domain.clock import ManualClock
from exchange.domain.messages import RareMessage
from exchange.journal.format import FrameKind
from exchange.service.core import Core
from exchange.service.frames import pack_rare
from exchange.service.hot import stamp
from exchange.service.results import RareResult
from exchange.service.slab import as_bytes
from exchange.service.tape import Tape
from exchange.service.views import Views
from exchange.service.viewtypes import StatusView
from matching.engine import Engine
from matching.records import Records
from matching.spec import EngineLimits

_FRAME: Final = struct.Struct("<BqI")


class RuleRefused(Exception):
    """The exchange refused a message of the simulation's own making."""


class SimMarket:
    """A core with a clock that is set from outside. Satisfies the day driver's `Driven`.

    `limits` bound its kernel.
    """

    failure: str | None = None
    """A simulated journal never fails."""

    def __init__(self, limits: EngineLimits, time_ns: int) -> None:
        self.core = Core(Engine(limits))
        self.views = Views(self.core, Tape(1))
        self.clock = ManualClock(time_ns)
        self.commands = 0
        self.events = 0
        """How many event records all commands have caused."""
        self.listener: Callable[[Records], None] = _nobody
        """Gets the events (dtype EVENT) of everything that is applied."""
        self.witness: Callable[[RareMessage, RareResult], None] = _told
        """Gets every rare message after it was applied, and its result."""
        self._digest = blake3()

    def hot(self, commands: Records) -> Records:
        """Apply commands (dtype COMMAND, shape (n,), n ≥ 1, contiguous); seq and time are written into them.

        Returns their events (dtype EVENT).
        """
        first = self.core.seq + 1
        stamp(commands, first, self.clock.now_ns())
        self._note(FrameKind.HOT, first, len(commands), as_bytes(commands))
        events = self.core.apply_hot(commands).events
        self.commands += len(commands)
        self.events += len(events)
        self.listener(events)
        return events

    def rare(self, message: RareMessage) -> RareResult:
        """Apply one rare message at the market's time; it may be refused."""
        seq = self.core.seq + 1
        self._note(FrameKind.RARE, seq, 1, pack_rare(self.clock.now_ns(), message))
        applied = self.core.apply_rare(seq, self.clock.now_ns(), message)
        self.commands += 1
        self.events += len(applied.events)
        self.listener(applied.events)
        if applied.result is None:
            raise RuleRefused(f"{type(message).__name__} had no result")
        self.witness(message, applied.result)
        return applied.result

    def done(self, message: RareMessage) -> dict[str, int | str]:
        """Apply a message that must be taken; return what it gives. Raises RuleRefused."""
        result = self.rare(message)
        if not result.ok:
            raise RuleRefused(f"{type(message).__name__} was refused: {result.sentence}")
        return result.data or {}

    async def submit_rare(self, message: RareMessage) -> RareResult:
        """Do what `rare` does, for the day driver."""
        return self.rare(message)

    def status(self) -> StatusView:
        """Return the market as a whole at its time."""
        return self.views.status(self.clock.now_ns())

    def journal_hash(self) -> str:
        """Return the hash of every command so far, in hex."""
        return self._digest.hexdigest()

    def _note(self, kind: FrameKind, first_seq: int, count: int, body: bytes | memoryview) -> None:
        self._digest.update(_FRAME.pack(kind, first_seq, count))
        self._digest.update(body)


def _nobody(_events: Records) -> None:
    """Listen to nothing."""


def _told(_message: RareMessage, _result: RareResult) -> None:
    """Note nothing."""


def finish(work: Awaitable[None]) -> None:
    """Run a coroutine that never waits. Raises RuntimeError if it does."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration:
        return
    raise RuntimeError("a simulated market has nothing to wait for")
