"""File seams that fail or are stingy, and helpers that write and read journals."""

from __future__ import annotations

import errno
import threading
from dataclasses import dataclass, field
from pathlib import Path

from exchange.journal import Files, FrameKind, Journal, JournalConfig, OsFiles, Position

CONFIG = JournalConfig(core_version=1)


@dataclass
class FailingFiles(OsFiles):
    """Counts the calls and raises ``error`` at call number ``fail_at`` (from 1) and at every later one.

    A failing write takes half of its data first, as a disk that fills up does.
    """

    fail_at: int
    error: int = errno.EIO
    calls: int = field(default=0, init=False)

    def _count(self) -> None:
        self.calls += 1
        if self.calls >= self.fail_at:
            raise OSError(self.error, "planted failure")

    def create(self, path: Path) -> int:
        self._count()
        return super().create(path)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        try:
            self._count()
        except OSError:
            super().write(descriptor, memoryview(data)[: len(data) // 2])
            raise
        return super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        self._count()
        super().sync(descriptor)

    def sync_folder(self, folder: Path) -> None:
        self._count()
        super().sync_folder(folder)

    def rename(self, old: Path, new: Path) -> None:
        self._count()
        super().rename(old, new)


class StingyFiles(OsFiles):
    """Takes at most seven bytes a write, as the system is free to do."""

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        return super().write(descriptor, memoryview(data)[:7])


@dataclass
class Writer:
    """A journal that is being written, with a ledger of its own of what was reported durable."""

    journal: Journal
    acknowledged: int = 0
    failure: BaseException | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    def durable(self, position: Position) -> None:
        with self.changed:
            self.acknowledged = position.next_seq - 1
            self.changed.notify_all()

    def failed(self, error: BaseException) -> None:
        with self.changed:
            self.failure = error
            self.changed.notify_all()

    def wait_for(self, seq: int) -> bool:
        """Wait until ``seq`` is durable (True) or the journal failed (False)."""
        with self.changed:
            self.changed.wait_for(lambda: self.acknowledged >= seq or self.failure is not None, timeout=30)
            return self.acknowledged >= seq


def start(folder: Path, files: Files | None = None, config: JournalConfig = CONFIG) -> Writer:
    """Open, replay and start the journal in ``folder``."""
    journal = Journal.open(folder, config, files)
    try:
        for _ in journal.replay():
            pass
        writer = Writer(journal)
        journal.start(writer.durable, writer.failed)
    except BaseException:
        journal.close()
        raise
    return writer


def body(seq: int) -> bytes:
    """A body that says its seq, of a length that differs from seq to seq, often ending in zeros."""
    return (str(seq) * (1 + seq % 9)).encode() + bytes(seq % 13)


def write(folder: Path, frames: int, *, one_batch: bool = False, config: JournalConfig = CONFIG) -> None:
    """Write ``frames`` frames of one command each, every one its own batch unless ``one_batch``."""
    writer = start(folder, config=config)
    first = writer.journal.next_seq
    for seq in range(first, first + frames):
        writer.journal.append(FrameKind.RARE if seq % 3 else FrameKind.HOT, seq, 1, body(seq))
        if not one_batch:
            assert writer.wait_for(seq)
    writer.journal.close()


def read(folder: Path, config: JournalConfig = CONFIG) -> tuple[list[int], Journal]:
    """Return the seqs that a start recovers (bodies checked) and the closed journal."""
    journal = Journal.open(folder, config)
    try:
        seqs = []
        for frame in journal.replay():
            assert bytes(frame.body) == body(frame.first_seq)
            seqs.append(frame.first_seq)
    finally:
        journal.close()
    return seqs, journal
