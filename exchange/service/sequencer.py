"""The one writer: it stamps, journals, applies and answers.

Commands that arrive in one turn of the event loop become one block of journal frames. While the journal's
thread makes a block durable the next one gathers. A frame is applied only when it is durable; then its
submitters are answered, and then listeners see it: nothing that anyone was told can be lost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import structlog

from exchange.domain.clock import Clock
from exchange.domain.messages import RareMessage
from exchange.domain.rejects import RejectCode
from exchange.journal import FrameKind, Journal, JournalFailed, Position
from exchange.service.config import ExchangeConfig
from exchange.service.frames import pack_rare, well_formed
from exchange.service.gathering import ENOUGH, Gathering
from exchange.service.hot import stamp
from exchange.service.listeners import Listener, Listeners
from exchange.service.parts import (
    AwaitedPart,
    BlockOwner,
    HotFrame,
    HotPart,
    OwnedPart,
    Part,
    RareFrame,
    RarePart,
    RowsTell,
    blocks,
    taken,
)
from exchange.service.recent import Recent
from exchange.service.results import Applied, HotResult, RareResult
from exchange.service.slab import Slab, as_bytes
from exchange.service.snapshotting import Begin, Snapshots
from exchange.service.state import joined
from matching.records import COMMAND, EVENT, Records

_LOG = structlog.get_logger("exchange")

TURN_COMMANDS: Final = 4_096
"""From as many commands on, the next turn of the loop applies the rest."""


class Sequencer:
    """From a command's submission to its answer. Use from one event loop.

    Bounded: at most `config.queue_commands_max` commands wait for durability; more are refused with BUSY.
    """

    def __init__(
        self,
        config: ExchangeConfig,
        clock: Clock,
        journal: Journal,
        begin: Begin,
        recent: Recent,
        snapshots: Snapshots,
    ) -> None:
        self.config = config
        self.clock = clock
        self._journal = journal
        self._core = begin.core
        self._tape = begin.tape
        self._recent = recent
        self._snapshots = snapshots
        self._durable = journal.position
        self._apply_due = False
        """Durable frames wait to be applied in the next turn."""
        self._loop = asyncio.get_running_loop()
        self._listeners = Listeners()
        self._gathering = Gathering()
        self._room = Slab(COMMAND)
        self._in_flight: deque[HotFrame | RareFrame] = deque()
        self._waiting_commands = 0
        self._flush_due = False
        self._uncommitted = False
        """Frames are appended that the journal wasn't asked to make durable."""
        self._next_seq = begin.core.seq + 1
        self._last_time_ns = begin.core.time_ns
        self._failure: str | None = None
        self.failed = asyncio.Event()
        """Set when nothing is acknowledged any more."""
        self._closing = False
        self._drained = asyncio.Event()
        self._drained.set()

    @property
    def failure(self) -> str | None:
        """Why nothing is acknowledged any more; None while all is well."""
        return self._failure

    @property
    def draining(self) -> bool:
        """Whether it takes no more commands because it is about to close."""
        return self._closing

    @property
    def waiting_commands(self) -> int:
        """Commands that wait to become durable."""
        return self._waiting_commands

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every frame once it is applied; returns what ends that.

        A listener runs on the event loop and must only enqueue. One that raises is dropped and reported to
        the loop's exception handler: a reader's fault must not stop the market.
        """
        return self._listeners.add(listener)

    async def submit_hot(self, commands: Records, account: int) -> HotResult:
        """Submit commands (dtype COMMAND, shape (n,)) for `account`; resolves when they are durable and
        applied.

        Account, seq and time are overwritten on a copy. Refused as a whole: BUSY, STOPPING,
        NOT_ACKNOWLEDGING, INVALID_COMMAND (more than a frame holds). Raises TypeError for another dtype.
        """
        if commands.dtype != COMMAND:
            raise TypeError(f"expected COMMAND records, not {commands.dtype}")
        if not len(commands):
            return HotResult(self._core.seq, np.zeros(0, EVENT), self._core.time_ns)
        part = AwaitedPart(taken(commands, account, self._room), self._loop.create_future())
        too_many = len(commands) > self.config.frame_commands_max
        self._gather_or_refuse(part, len(commands), RejectCode.INVALID_COMMAND if too_many else None)
        return await part.result

    def submit_row(self, row: tuple[int, ...], token: Any, tell: RowsTell) -> RejectCode | None:
        """Submit one command (the columns of COMMAND) for the account that it names, which its submitter
        answers for; seq and time are overwritten.

        Returns why not, as `submit_block`. Otherwise `tell(tokens, commands, result)` is called once for all
        commands of the same `tell` that came to lie side by side in a frame; it must only enqueue.
        """
        code = self._why_not(1)
        if code is not None:
            return code
        self._gathering.add_row(row, token, tell, self.config.frame_commands_max)
        self._count(1)
        return None

    def submit_block(self, commands: Records, account: int, owner: BlockOwner) -> RejectCode | None:
        """Submit 1 … `config.frame_commands_max` commands (dtype COMMAND, shape (n,)) for `account`; they
        are copied during the call, with account, seq and time overwritten.

        Returns why not: BUSY, STOPPING, NOT_ACKNOWLEDGING. Otherwise the owner is called once, in the order
        of its blocks.
        """
        code = self._why_not(len(commands))
        if code is None:
            self._gathering.add(OwnedPart(taken(commands, account, self._room), owner), len(commands))
            self._count(len(commands))
        return code

    @property
    def room(self) -> int:
        """Commands that could be submitted now without BUSY."""
        return max(0, self.config.queue_commands_max - self._waiting_commands)

    async def submit_rare(self, message: RareMessage) -> RareResult:
        """Submit one rare message; resolves when it is durable and applied. Refused as `submit_hot`, or
        by its handler.
        """
        part = RarePart(message, self._loop.create_future())
        self._gather_or_refuse(part, 1, None if well_formed(message) else RejectCode.INVALID_COMMAND)
        return await part.result

    def note_request(self, nonce: bytes, timestamp_ms: int) -> None:
        """Journal the nonce (16 bytes) of a signed request no later than the commands that it then submits.

        Few enough wait for a command to go with.
        """
        self._gathering.note_request(nonce, timestamp_ms)
        if self._gathering.noted_enough:
            self._flush_soon()

    def note_order(self, account: int, client_id: int, digest: bytes) -> None:
        """Journal that an order under a client order id follows; submit it in the same turn of the loop."""
        self._gathering.note_order(account, client_id, digest)

    def note_sender(self, account: int, by: str) -> None:
        """Journal who gives the account's hot commands from here on, if it is another than before or the
        first since the start; submit them in the same turn of the loop.
        """
        if not self._gathering.is_sender(account, by):
            if self._gathering.parts:  # what others sent for the account stands before the note
                self._write()
                self._flush_soon()  # even if what follows the note is refused
            self._gathering.note_sender(account, by)

    async def drain(self) -> None:
        """Refuse what comes with STOPPING; return when what came is durable, applied and answered."""
        self._closing = True
        await self._drained.wait()

    # -- from submission to the journal

    def _gather(self, part: Part, commands: int) -> None:
        self._gathering.add(part, commands)
        self._count(commands)

    def _gather_or_refuse(self, part: Part, commands: int, wrong: RejectCode | None) -> None:
        code = self._why_not(commands) or wrong
        if code is None:
            self._gather(part, commands)
        else:
            part.refuse(code)

    def _count(self, commands: int) -> None:
        self._waiting_commands += commands
        self._drained.clear()
        if not self._flush_due:
            self._flush_soon()

    def _flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._at_end_of_turn)

    def _why_not(self, commands: int) -> RejectCode | None:
        if self._failure is not None:
            return RejectCode.NOT_ACKNOWLEDGING
        if self._closing:
            return RejectCode.STOPPING
        if self._waiting_commands + commands > self.config.queue_commands_max:
            return RejectCode.BUSY
        return None

    def _at_end_of_turn(self) -> None:
        """Make frames of what was gathered; a little goes on gathering while the journal is busy with what
        came before: a frame costs as much for one command as for fifty.
        """
        self._flush_due = False
        idle = self._next_seq == self._durable.next_seq  # what is durable may still wait to be applied
        if self._uncommitted or idle or self._gathering.commands >= ENOUGH:
            self._flush()

    def _flush(self) -> None:
        """Hand everything that was gathered to the journal and let it be made durable."""
        if not self._write():
            return
        self._uncommitted = False
        try:
            durable = self._journal.commit()
        except JournalFailed as failure:
            self._stop(str(failure.__cause__ or failure))
            return
        if durable is not None:
            self._on_durable(durable)

    def _write(self) -> bool:
        """Stamp what was gathered and append it to the journal; False if nothing is acknowledged any more."""
        gathered, note = self._gathering.take()
        if self._failure is not None:  # it failed between the submission and this call
            for part in gathered:
                part.refuse(RejectCode.NOT_ACKNOWLEDGING)
            return False
        time_ns = self._last_time_ns = max(self._last_time_ns, self.clock.now_ns())
        self._uncommitted = True
        try:
            if note is not None:
                self._waiting_commands += 1
                self._append_rare(RarePart(note, self._loop.create_future()), time_ns)
            for block in blocks(gathered, self.config.frame_commands_max):
                if isinstance(block, RarePart):
                    self._append_rare(block, time_ns)
                else:
                    self._append_hot(block, time_ns)
        except JournalFailed as failure:
            for part in gathered:
                part.refuse(RejectCode.NOT_ACKNOWLEDGING)
            self._stop(str(failure.__cause__ or failure))
            return False
        return True

    def _append_hot(self, parts: list[HotPart], time_ns: int) -> None:
        if len(parts) == 1:
            commands = parts[0].commands
        else:
            commands = joined((part.commands for part in parts), COMMAND)
        first = self._next_seq
        stamp(commands, first, time_ns)
        self._journal.append(FrameKind.HOT, first, len(commands), as_bytes(commands), hold=True)
        self._next_seq += len(commands)
        self._in_flight.append(HotFrame(first, self._next_seq - 1, commands, parts))

    def _append_rare(self, part: RarePart, time_ns: int) -> None:
        seq = self._next_seq
        self._journal.append(FrameKind.RARE, seq, 1, pack_rare(time_ns, part.message), hold=True)
        self._next_seq += 1
        self._in_flight.append(RareFrame(seq, time_ns, [part]))

    # -- from the journal to the answers

    def _from_journal_durable(self, position: Position) -> None:
        self._loop.call_soon_threadsafe(self._on_durable, position)

    def _from_journal_failed(self, failure: BaseException) -> None:
        self._loop.call_soon_threadsafe(self._stop, str(failure))

    def _on_durable(self, position: Position) -> None:
        """Every frame before `position` is durable."""
        overtaken = position.next_seq <= self._durable.next_seq  # by a batch that was written here
        if self._failure is not None or overtaken:
            return
        self._durable = position
        if self._gathering.due:
            self._flush()  # first, so that the journal goes on meanwhile
        if not self._apply_due:
            self._apply_durable()

    def _apply_durable(self) -> None:
        """Apply durable frames, answer, and tell the listeners; what is more than a turn's goes to the next
        turn: others read and are read from in between, and the first are answered while the last wait.
        """
        self._apply_due = False
        end = self._core.seq + TURN_COMMANDS
        try:
            while self._in_flight and self._in_flight[0].last_seq < self._durable.next_seq:
                if self._core.seq >= end:
                    self._apply_due = True
                    self._loop.call_soon(self._apply_durable)
                    return
                frame = self._in_flight[0]
                applied = self._apply(frame)
                self._in_flight.popleft()
                frame.answer(applied)
                self._listeners.tell(applied)
        except Exception as broken:
            # a state that can't be: answer nothing more, keep what is on disk for inspection
            self._stop(f"{type(broken).__name__}: {broken}")
            raise
        self._snapshots.when_due(self._core, self._tape, self._durable)
        if not self._waiting_commands:
            self._drained.set()

    def _apply(self, frame: HotFrame | RareFrame) -> Applied:
        if isinstance(frame, HotFrame):
            applied = self._core.apply_hot(frame.commands)
            self._waiting_commands -= len(frame.commands)
        else:
            applied = self._core.apply_rare(frame.last_seq, frame.time_ns, frame.parts[0].message)
            self._waiting_commands -= 1
        self._tape.record(applied)
        self._recent.record(applied)
        return applied

    def _stop(self, why: str) -> None:
        """Stop acknowledging for good: whatever is under way has an unknown outcome. Reading goes on."""
        if self._failure is None:
            self._failure = why
            self.failed.set()
            _LOG.error("nothing is acknowledged any more", why=why, seq=self._core.seq)
        for frame in self._in_flight:
            for part in frame.parts:
                part.refuse(RejectCode.NOT_ACKNOWLEDGING)
        self._gathering.refuse(RejectCode.NOT_ACKNOWLEDGING)
        self._in_flight.clear()
        self._waiting_commands = 0
        self._drained.set()
