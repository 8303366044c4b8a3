"""Group commit: the loop keeps filling the next batch while a thread writes and syncs the one before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Final, Literal, NamedTuple

from exchange.journal.errors import JournalFailed
from exchange.journal.files import Files, write_all
from exchange.journal.format import (
    SEGMENT_HEADER_SIZE,
    FrameKind,
    SegmentHeader,
    encode_frame,
    encode_segment_header,
)
from exchange.journal.reader import Position, segment_name

Durability = Literal["sync", "os"]
HERE_BYTES_MAX: Final = 1 << 16
"""A batch up to this size may be written by the thread that appended it."""
COPIED_BYTES_MAX: Final = 1 << 14
"""Longer bodies are written by themselves: a write costs less than the copy, which would stop the loop."""


class _Pending(NamedTuple):
    kind: FrameKind
    first_seq: int
    commands: int
    body: bytes | memoryview


class SegmentWriter:
    """Appends frames to the current segment and begins the next one when it is full. Not thread-safe.

    Args:
        folder: where segments live.
        files: the file seam.
        position: seq and chain that come next.
        core_version: written into every header.
        segment_bytes: a segment that has reached this size is closed before the next batch.
        current: the segment to go on with and its length in bytes, or None to begin a new one.
    """

    def __init__(
        self,
        folder: Path,
        files: Files,
        position: Position,
        *,
        core_version: int,
        segment_bytes: int,
        current: tuple[Path, int] | None,
    ) -> None:
        self._folder = folder
        self._files = files
        self._position = position
        self._core_version = core_version
        self._segment_bytes = segment_bytes
        if current is None:
            self._descriptor = self._begin_segment()
            self._size = SEGMENT_HEADER_SIZE
        else:
            path, self._size = current
            self._descriptor = self._continue_segment(path)

    @property
    def position(self) -> Position:
        """Where the journal stands after what was written."""
        return self._position

    def write(self, frames: list[_Pending]) -> None:
        """Append the frames, small ones in one write; nothing is synced yet."""
        if self._size >= max(self._segment_bytes, SEGMENT_HEADER_SIZE + 1):
            self._roll()
        small: list[bytes | memoryview] = []
        for frame in frames:
            head, body, end = self._encode(frame)
            if len(body) > COPIED_BYTES_MAX:
                self._append(b"".join((*small, head)))
                self._append(body)
                small = [end]
            else:
                small += (head, body, end)
        self._append(b"".join(small))

    def _append(self, data: bytes | memoryview) -> None:
        write_all(self._files, self._descriptor, data)
        self._size += len(data)

    def sync(self) -> None:
        """Return when everything written is on stable storage."""
        self._files.sync(self._descriptor)

    def close(self) -> None:
        """Close the current segment."""
        self._files.close(self._descriptor)

    def _encode(self, frame: _Pending) -> tuple[bytes, bytes | memoryview, bytes]:
        pieces, chain = encode_frame(
            frame.kind,
            frame.first_seq,
            frame.commands,
            frame.body,
            core_version=self._core_version,
            previous_chain=self._position.chain,
        )
        self._position = Position(frame.first_seq + frame.commands, chain)
        return pieces

    def _roll(self) -> None:
        self._files.sync(self._descriptor)
        full, self._descriptor = self._descriptor, self._begin_segment()
        self._files.close(full)
        self._size = SEGMENT_HEADER_SIZE

    def _continue_segment(self, path: Path) -> int:
        """Open a segment whose frames were replayed, and sync it: after a kill they may be in memory only."""
        descriptor = self._files.open_append(path)
        try:
            self._files.sync(descriptor)
        except BaseException:
            self._files.close(descriptor)
            raise
        return descriptor

    def _begin_segment(self) -> int:
        descriptor = self._files.create(self._folder / segment_name(self._position.next_seq))
        try:
            header = SegmentHeader(self._core_version, self._position.next_seq, self._position.chain)
            write_all(self._files, descriptor, encode_segment_header(header))
            self._files.sync(descriptor)
            self._files.sync_folder(self._folder)
        except BaseException:
            self._files.close(descriptor)
            raise
        return descriptor


class GroupCommit:
    """The thread that makes batches durable, one after another.

    ``append`` is called by one thread (the event loop's) and never waits. A write or sync that fails is never
    tried again: the error is reported once, everything later is refused, and nothing of the failed batch is
    ever reported durable.

    Args:
        writer: where the batches go.
        durability: ``sync``: a batch is reported after its sync; ``os``: after its write (which survives the
            process, not the machine).
        next_seq: seq of the first command to come.
        on_durable: called in the thread with the position after the last frame that is durable now.
        on_failure: called in the thread with the error, at most once.
    """

    def __init__(
        self,
        writer: SegmentWriter,
        durability: Durability,
        next_seq: int,
        on_durable: Callable[[Position], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._writer = writer
        self._durability = durability
        self._next_seq = next_seq
        self._on_durable = on_durable
        self._on_failure = on_failure
        self._open: list[_Pending] = []
        self._open_bytes = 0
        self._batches: SimpleQueue[list[_Pending] | None] = SimpleQueue()
        self._handed = 0  # batches that the thread got; written by the caller's thread only
        self._finished = 0  # batches that the thread is done with; written by it only
        self._appended_bytes = 0
        self._durable_bytes = 0
        self._closing = False
        self._failure: BaseException | None = None
        self.durable_seq = next_seq - 1
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def append(
        self, kind: FrameKind, first_seq: int, count: int, body: bytes | memoryview, *, hold: bool = False
    ) -> None:
        """Put a frame into the open batch; ``hold`` leaves it there until ``commit``. The body isn't copied
        and mustn't change.

        Raises ``JournalFailed`` once anything has failed.
        """
        if self._failure is not None or self._closing:
            raise JournalFailed("the journal takes no more commands") from self._failure
        if first_seq != self._next_seq or count < 1:
            raise JournalFailed(
                f"frame of {count} from seq {first_seq} appended where {self._next_seq} is next"
            )
        self._next_seq = first_seq + count
        pending = _Pending(kind, first_seq, count, body)
        self._open.append(pending)
        self._open_bytes += len(pending.body)
        self._appended_bytes += len(pending.body)
        if not hold:
            self._hand_over()

    @property
    def backlog_bytes(self) -> int:
        """Bytes appended and not yet durable."""
        return self._appended_bytes - self._durable_bytes

    def commit(self) -> Position | None:
        """Begin to make what was appended durable; return the position after it if it already is.

        With ``os`` a small batch is written here and now while the thread has nothing to do: the write takes
        less than waking the thread and being woken by it.
        """
        idle = self._handed == self._finished
        if self._durability == "sync" or not idle or self._open_bytes > HERE_BYTES_MAX:
            self._hand_over()
            return None
        batch, self._open, self._open_bytes = self._open, [], 0
        try:
            return self._make_durable(batch)
        except Exception as failure:
            self._failure = failure
            self._on_failure(failure)
            return None

    def close(self) -> None:
        """Make everything appended durable, then end the thread; raises ``JournalFailed`` if that failed."""
        if not self._closing:
            self._hand_over()
            self._batches.put(None)
        self._closing = True
        self._thread.join()
        if self._failure is not None:
            raise JournalFailed("the journal failed before it was closed") from self._failure

    def _hand_over(self) -> None:
        if self._open:
            self._handed += 1
            self._batches.put(self._open)
            self._open, self._open_bytes = [], 0

    def _run(self) -> None:
        try:
            while (batch := self._batches.get()) is not None:
                self._commit(batch)
        except Exception as failure:
            self._failure = failure
            self._on_failure(failure)
        finally:
            self._writer.close()

    def _commit(self, batch: list[_Pending]) -> None:
        """Make a batch durable, and with it those that were handed over meanwhile."""
        count = 1
        while not self._batches.empty():
            more = self._batches.get()
            if more is None:
                self._batches.put(None)
                break
            batch += more
            count += 1
        position = self._make_durable(batch)
        self._finished += count
        self._on_durable(position)

    def _make_durable(self, batch: list[_Pending]) -> Position:
        self._writer.write(batch)
        if self._durability == "sync":
            self._writer.sync()
        self._durable_bytes += sum(len(frame.body) for frame in batch)
        position = self._writer.position
        self.durable_seq = position.next_seq - 1
        return position
