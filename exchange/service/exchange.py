"""The running exchange: opened from its data directory, written by the sequencer, read through views."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from exchange.domain.clock import Clock
from exchange.journal import Files, Journal, JournalConfig, JournalFailed, OsFiles, SetAside
from exchange.service.config import ExchangeConfig
from exchange.service.core import CORE_VERSION
from exchange.service.market import MarketData
from exchange.service.opening import master_key, replay
from exchange.service.recent import Recent
from exchange.service.recenthash import RecentHash
from exchange.service.secrets import MasterKey
from exchange.service.sequencer import Sequencer
from exchange.service.snapshotting import Begin, Snapshots, begin_from
from exchange.service.views import Views
from exchange.service.viewtypes import KeyView, StatusView
from exchange.service.warm import warm_up
from matching.records import Records


class Exchange(Sequencer):
    """An open exchange. Use from one event loop; `close()` it."""

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
        super().__init__(config, clock, journal, begin, recent, snapshots)
        self.views = Views(begin.core, begin.tape)
        self.market = MarketData(begin.core.state, begin.tape)
        self._key = key
        self._hash = RecentHash(self.views)
        self._closed = False

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

    def status(self) -> StatusView:
        """Return the market as a whole, at the clock's time."""
        now = max(self._last_time_ns, self.clock.now_ns())
        return self.views.status(now, acknowledging=self._failure is None and not self._closing)

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

    async def close(self) -> None:
        """Drain, sync, take a snapshot, and release the data directory. Idempotent."""
        await self.drain()
        if self._closed:
            return
        self._closed = True
        if self._failure is None:
            await self._snapshots.finish(self._core, self._tape, self._durable)
        try:
            await asyncio.to_thread(self._journal.close)
        except JournalFailed:
            if self._failure is None:
                raise
