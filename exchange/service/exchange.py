"""The running exchange: one writer that stamps, journals, applies and answers.

Commands that arrive in one turn of the event loop become one block of journal frames. While the journal's
thread makes a block durable the next one gathers. A frame is applied only when it is durable; then its
submitters are answered, and then listeners see it: nothing that anyone was told can be lost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import structlog

from exchange.domain.clock import Clock
from exchange.domain.messages import RareMessage
from exchange.domain.rejects import RejectCode
from exchange.journal import (
    Files,
    FrameKind,
    Journal,
    JournalConfig,
    JournalFailed,
    OsFiles,
    Position,
    SetAside,
)
from exchange.service.config import ExchangeConfig
from exchange.service.core import CORE_VERSION
from exchange.service.frames import pack_rare, well_formed
from exchange.service.gathering import ENOUGH, Gathering
from exchange.service.hot import stamp
from exchange.service.market import MarketData
from exchange.service.opening import master_key, replay
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
from exchange.service.recenthash import RecentHash
from exchange.service.results import Applied, HotResult, RareResult
from exchange.service.secrets import MasterKey
from exchange.service.snapshotting import Begin, Snapshots, begin_from
from exchange.service.state import joined
from exchange.service.views import Views
from exchange.service.viewtypes import KeyView, StatusView
from exchange.service.warm import warm_up
from matching.records import COMMAND, EVENT, Records

Listener: TypeAlias = Callable[[Applied], None]
_LOG = structlog.get_logger("exchange")


class Exchange:
    """An open exchange. Use from one event loop; `close()` it.

    Bounded: at most `config.queue_commands_max` commands wait for durability; more are refused with BUSY.
    """

    def __init__(
        self,
        config: ExchangeConfig,
        clock: Clock,
        journal: Journal,
        begin: Begin,
        recent: Recent,
        key: MasterKey,
        snapshots: Snapshots,
    ) -> None:
        core, tape = begin.core, begin.tape
        self.config = config
        self.clock = clock
        self.views = Views(core, tape)
        self.market = MarketData(core.state, tape)
        self._journal = journal
        self._core = core
        self._tape = tape
        self._key = key
        self._recent = recent
        self._snapshots = snapshots
        self._position = journal.position
        self._loop = asyncio.get_running_loop()
        self._listeners: list[Listener] = []
        self._gathering = Gathering()
        self._in_flight: deque[HotFrame | RareFrame] = deque()
        self._waiting_commands = 0
        self._flush_due = False
        self._uncommitted = False
        """Frames are appended that the journal wasn't asked to make durable."""
        self._next_seq = core.seq + 1
        self._last_time_ns = core.time_ns
        self._failure: str | None = None
        self.failed = asyncio.Event()
        """Set when nothing is acknowledged any more."""
        self._hash = RecentHash(self.views)
        self._closing = False
        self._closed = False
        self._drained = asyncio.Event()
        self._drained.set()

    @classmethod
    async def open(
        cls,
        config: ExchangeConfig,
        clock: Clock,
        progress: Callable[[int], None] | None = None,
        files: Files | None = None,
    ) -> Exchange:
        """Open the data directory, compile what isn't compiled yet, load the newest sound snapshot, replay
        the journal from there, and take commands.

        `progress(seq)` is called now and then during the replay, from a worker thread. `files` is the
        journal's file seam. Raises JournalLocked, JournalDamage, JournalVersion, MasterKeyError; nothing is
        changed then.
        """
        journal_config = JournalConfig(
            core_version=CORE_VERSION, durability=config.durability, segment_bytes=config.segment_bytes
        )
        files = files or OsFiles()
        journal = Journal.open(config.journal_dir, journal_config, files)
        try:
            await asyncio.to_thread(warm_up)
            begin = await asyncio.to_thread(begin_from, config, journal)
            core = begin.core
            snapshots = Snapshots(config, files, core.seq)
            recent = Recent(config.recent_events_max, core.seq)
            await asyncio.to_thread(replay, journal, begin, recent, progress)
            key = master_key(config, fresh=not core.state.keys)
            exchange = cls(config, clock, journal, begin, recent, key, snapshots)
            clock.resume_at(core.time_ns)
            journal.start(exchange._from_journal_durable, exchange._from_journal_failed)
        except BaseException:
            journal.close()
            raise
        return exchange

    @property
    def set_aside(self) -> SetAside | None:
        """The incomplete tail that the start moved out of the journal, if there was one."""
        return self._journal.set_aside

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

    def status(self) -> StatusView:
        """Return the market as a whole, at the clock's time."""
        now = max(self._last_time_ns, self.clock.now_ns())
        return self.views.status(now, acknowledging=self._failure is None and not self._closing)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every frame once it is applied; returns what ends that.

        A listener runs on the event loop and must only enqueue. One that raises is dropped and reported to
        the loop's exception handler: a reader's fault must not stop the market.
        """
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

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
        part = AwaitedPart(taken(commands, account), self._loop.create_future())
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
            self._gather(OwnedPart(taken(commands, account), owner), len(commands))
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

    def events_since(self, seq: int) -> list[Records] | None:
        """Return the events (dtype EVENT) of every frame that ends after `seq`, oldest first; None if some
        aren't held any more.
        """
        return self._recent.since(seq)

    def encrypt_secret(self, secret: bytes, key_id: str) -> bytes:
        """Return the ciphertext of a key secret, for an AddKey message."""
        return self._key.encrypt(secret, key_id)

    def secret_of(self, key: KeyView) -> bytes:
        """Return a key's secret. Raises MasterKeyError if it was encrypted with another master key."""
        return self._key.decrypt(key.ciphertext, key.key_id)

    def recent_state_hash(self) -> tuple[int, str]:
        """Return (seq, hash in hex) of a state that is at most `HASH_AGE_S` old.

        Hashing the whole state takes tens of ms, which a reader must not be able to ask for at will.
        """
        return self._hash.recent(self._loop.time())

    def state_hash_age_s(self) -> float:
        """Return the age of what `recent_state_hash` last computed, seconds; infinite before the first."""
        return self._hash.age_s(self._loop.time())

    def check(self) -> None:
        """Verify every invariant of the state; raises InvariantViolation."""
        self._core.check()

    async def drain(self) -> None:
        """Refuse what comes with STOPPING; return when what came is durable, applied and answered."""
        self._closing = True
        await self._drained.wait()

    async def close(self) -> None:
        """Drain, sync, take a snapshot, and release the data directory. Idempotent."""
        await self.drain()
        if self._closed:
            return
        self._closed = True
        if self._failure is None:
            await self._snapshots.finish(self._core, self._tape, self._position)
        try:
            await asyncio.to_thread(self._journal.close)
        except JournalFailed:
            if self._failure is None:
                raise

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
        if self._uncommitted or not self._in_flight or self._gathering.commands >= ENOUGH:
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
        self._journal.append(FrameKind.HOT, first, len(commands), commands.data.cast("B"), hold=True)
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
        """Apply every frame before `position`, answer, and tell the listeners."""
        overtaken = position.next_seq <= self._position.next_seq  # by a batch that was written here
        if self._failure is not None or overtaken:
            return
        if self._gathering.due:
            self._flush()  # first, so that the journal goes on meanwhile
        try:
            while self._in_flight and self._in_flight[0].last_seq < position.next_seq:
                frame = self._in_flight[0]
                applied = self._apply(frame)
                self._in_flight.popleft()
                frame.answer(applied)
                self._tell(applied)
        except Exception as broken:
            # a state that can't be: answer nothing more, keep what is on disk for inspection
            self._stop(f"{type(broken).__name__}: {broken}")
            raise
        if position.next_seq <= self._position.next_seq:  # what was gathered is durable already, and applied
            return
        self._position = position
        self._snapshots.when_due(self._core, self._tape, position)
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

    def _tell(self, applied: Applied) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(applied)
            except Exception as broken:
                self._listeners.remove(listener)
                context = {"message": "a listener raised and was dropped", "exception": broken}
                self._loop.call_exception_handler(context)

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
