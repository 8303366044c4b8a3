"""When snapshots are taken, and which one a start begins from."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog

from exchange.journal import Files, Journal, JournalVersion
from exchange.journal.reader import Position, segment_paths
from exchange.journal.snapshots import (
    SnapshotDamage,
    read_snapshot,
    snapshot_paths,
    write_snapshot,
)
from exchange.service.config import ExchangeConfig
from exchange.service.core import CORE_VERSION, LIMITS, Core
from exchange.service.sealed import Copied, copied, unseal
from exchange.service.tape import Tape
from matching.engine import Engine

_LOG = structlog.get_logger("snapshots")


@dataclass(frozen=True, slots=True)
class Begin:
    """What a start begins from: a core with its tape, and the position of the journal after it."""

    core: Core
    tape: Tape
    position: Position


def begin_from(config: ExchangeConfig, journal: Journal) -> Begin:
    """Return the newest snapshot that is sound and of this journal, else an empty core.

    What is wrong with a newer one is logged. Raises JournalVersion for one of a newer core, JournalDamage.
    """
    for path in snapshot_paths(config.snapshot_dir):
        try:
            return _loaded(path, config, journal)
        except SnapshotDamage as damage:
            _LOG.warning("snapshot not used", path=str(path), why=damage.what)
    return Begin(Core(Engine(LIMITS)), Tape(config.tape_trades_max), Position())


def _loaded(path: Path, config: ExchangeConfig, journal: Journal) -> Begin:
    header, arrays = read_snapshot(path)
    if header.core_version > CORE_VERSION:
        raise JournalVersion(path, "core", header.core_version, CORE_VERSION)
    position = Position(header.seq + 1, header.chain)
    if not journal.holds(position):
        raise SnapshotDamage(
            path, f"the journal has no frame that ends with seq {header.seq} and its hash chain"
        )
    tape = Tape(config.tape_trades_max)
    try:
        core = unseal(header, arrays, Engine(LIMITS), tape)
    except ValueError as wrong:
        raise SnapshotDamage(path, str(wrong)) from wrong
    return Begin(core, tape, position)


class Snapshots:
    """Takes snapshots of a running core, one at a time: copied on the event loop, hashed and written by a
    thread.

    A snapshot that can't be written is logged and changes nothing: the journal alone is the record.
    """

    def __init__(self, config: ExchangeConfig, files: Files, last_seq: int) -> None:
        self._config = config
        self._files = files
        self._last_seq = last_seq
        self._writing: asyncio.Task[None] | None = None

    def when_due(self, core: Core, tape: Tape, position: Position) -> None:
        """Take one if enough commands came since the last; `position` is the journal's after `core.seq`."""
        due = core.seq - self._last_seq >= self._config.snapshot_commands
        if due and self._writing is None and position.next_seq == core.seq + 1:
            self._take(core, tape, position)

    async def finish(self, core: Core, tape: Tape, position: Position) -> None:
        """Take a last one, unless nothing came since the one before; return when it is written."""
        if self._writing is not None:
            await self._writing
        if core.seq > self._last_seq and position.next_seq == core.seq + 1:
            self._take(core, tape, position)
        if self._writing is not None:
            await self._writing

    def _take(self, core: Core, tape: Tape, position: Position) -> None:
        copy = copied(core, tape, position.chain)
        self._last_seq = core.seq
        self._writing = asyncio.create_task(self._written(copy))

    async def _written(self, copy: Copied) -> None:
        try:
            await asyncio.to_thread(self._write, copy)
        except OSError as error:
            _LOG.warning("snapshot not written", seq=copy.seq, why=str(error))
        finally:
            self._writing = None

    def _write(self, copy: Copied) -> None:
        header, arrays = copy.sealed()
        self._sync_journal()
        write_snapshot(self._config.snapshot_dir, self._files, header, arrays, self._config.snapshots_kept)

    def _sync_journal(self) -> None:
        """With durability `os` the machine may lose the journal's end; no snapshot may be ahead of it."""
        for path in segment_paths(self._config.journal_dir)[-2:]:  # earlier ones were synced when they ended
            descriptor = self._files.open_append(path)
            try:
                self._files.sync(descriptor)
            finally:
                self._files.close(descriptor)
