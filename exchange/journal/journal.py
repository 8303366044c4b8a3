"""The journal as its owner sees it: open, replay, start, append, close."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from exchange.journal.errors import JournalFailed, JournalLocked
from exchange.journal.files import Files, OsFiles, write_all
from exchange.journal.format import Frame, FrameKind
from exchange.journal.reader import (
    IncompleteTail,
    Position,
    SegmentReader,
    segment_start,
    segments_from,
)
from exchange.journal.writer import Durability, GroupCommit, SegmentWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalConfig:
    """How a journal is kept.

    Attributes:
        core_version: version of the core that applies the commands; a journal of another one isn't replayed.
        durability: ``sync`` (survives the machine) or ``os`` (survives the process).
        segment_bytes: size at which a new segment is begun.
    """

    core_version: int
    durability: Durability = "sync"
    segment_bytes: int = 256 << 20


@dataclass(frozen=True, slots=True)
class SetAside:
    """An incomplete tail that was moved out of the journal at the start, and where to."""

    tail: IncompleteTail
    path: Path


class Journal:
    """A folder of segments with one writer: ``open``, exhaust ``replay()``, ``start``, ``append``, ``close``.

    After the replay ``next_seq`` is the seq of the next command, ``set_aside`` the tail that was moved away.
    """

    def __init__(self, folder: Path, config: JournalConfig, files: Files, lock: int) -> None:
        self.folder = folder
        self.set_aside: SetAside | None = None
        self._config = config
        self._files = files
        self._lock = lock
        self._position = Position()
        self._current: tuple[Path, int] | None = None
        self._replayed = False
        self._commit: GroupCommit | None = None

    @classmethod
    def open(cls, folder: Path, config: JournalConfig, files: Files | None = None) -> Journal:
        """Open (and if need be create) the journal in ``folder`` for writing; raises ``JournalLocked``."""
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise JournalLocked(folder) from None
        return cls(folder, config, files or OsFiles(), lock)

    @property
    def next_seq(self) -> int:
        """Seq of the command that comes after the replayed ones."""
        return self._position.next_seq

    @property
    def position(self) -> Position:
        """Where the journal stands after the replayed frames."""
        return self._position

    @property
    def durable_seq(self) -> int:
        """Last seq that is durable."""
        return self._started().durable_seq

    @property
    def backlog_bytes(self) -> int:
        """Bytes appended and not yet durable; the owner refuses new commands when this grows too large."""
        return self._started().backlog_bytes

    def holds(self, position: Position) -> bool:
        """Whether a frame of this journal ends there with that hash chain; reads one segment up to there.

        Raises ``JournalDamage``.
        """
        paths = segments_from(self.folder, position)
        if not paths:
            return position == Position()
        begin = segment_start(paths[0])
        if begin == position:
            return True
        reader = SegmentReader(paths[0], begin, core_version=None, last=len(paths) == 1)
        return any(reader.position == position for _ in reader.frames())

    def replay(self, after: Position = Position()) -> Iterator[Frame]:  # noqa: B008  (immutable)
        """Yield every frame after a position that the journal holds, in order; at the end an incomplete tail
        is moved aside.

        Segments that end before the position aren't read. Raises ``JournalDamage`` (naming segment, byte,
        seq) or ``JournalVersion``, having changed nothing.
        """
        paths = segments_from(self.folder, after)
        self._position = segment_start(paths[0]) if paths and after != Position() else after
        for path in paths:
            reader = SegmentReader(
                path,
                self._position,
                core_version=self._config.core_version,
                last=path == paths[-1],
                versions_from=after.next_seq,
            )
            for frame in reader.frames():
                self._position = reader.position
                if frame.first_seq >= after.next_seq:
                    yield frame
            if reader.tail is not None:
                self._move_aside(reader.tail)
            if reader.end > 0:
                self._current = (path, reader.end)
        self._replayed = True

    def start(
        self, on_durable: Callable[[Position], None], on_failure: Callable[[BaseException], None]
    ) -> None:
        """Begin taking frames. Both callbacks come from the journal's thread (see ``GroupCommit``)."""
        if not self._replayed:
            raise JournalFailed("a journal is started after its replay, not before")
        writer = SegmentWriter(
            self.folder,
            self._files,
            self._position,
            core_version=self._config.core_version,
            segment_bytes=self._config.segment_bytes,
            current=self._current,
        )
        self._commit = GroupCommit(
            writer, self._config.durability, self._position.next_seq, on_durable, on_failure
        )

    def append(
        self, kind: FrameKind, first_seq: int, count: int, body: bytes | memoryview, *, hold: bool = False
    ) -> None:
        """Put a frame of ``count`` commands into the next batch; see ``GroupCommit.append``."""
        self._started().append(kind, first_seq, count, body, hold=hold)

    def commit(self) -> Position | None:
        """Begin to make the batch durable; return the position after it if it already is.

        See ``GroupCommit.commit``.
        """
        return self._started().commit()

    def close(self) -> None:
        """Make everything durable and release the folder; raises ``JournalFailed`` if that failed."""
        try:
            if self._commit is not None:
                self._commit.close()
        finally:
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    def _started(self) -> GroupCommit:
        if self._commit is None:
            raise JournalFailed("the journal isn't started")
        return self._commit

    def _move_aside(self, tail: IncompleteTail) -> None:
        folder = self.folder / "incomplete"
        folder.mkdir(exist_ok=True)
        path = folder / f"{tail.segment.stem}-{tail.offset}-{len(list(folder.iterdir()))}.tail"
        with tail.segment.open("rb") as file:
            file.seek(tail.offset)
            data = file.read()
        self._write_new(path, data)
        self._cut(tail)
        self.set_aside = SetAside(tail, path)

    def _write_new(self, path: Path, data: bytes) -> None:
        descriptor = self._files.create(path)
        try:
            write_all(self._files, descriptor, data)
            self._files.sync(descriptor)
        finally:
            self._files.close(descriptor)
        self._files.sync_folder(path.parent)

    def _cut(self, tail: IncompleteTail) -> None:
        """Cut the tail off its segment; a segment with nothing else in it goes."""
        if tail.offset == 0:
            tail.segment.unlink()
        else:
            descriptor = self._files.open_append(tail.segment)
            try:
                self._files.truncate(descriptor, tail.offset)
                self._files.sync(descriptor)
            finally:
                self._files.close(descriptor)
        self._files.sync_folder(self.folder)
