"""Reading a journal: every byte is checked on the way, and an incomplete tail is told from damage."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from exchange.journal.errors import JournalDamage, JournalVersion
from exchange.journal.format import (
    ALIGNMENT,
    FORMAT_VERSION,
    FRAME_HEADER_SIZE,
    GENESIS,
    SEGMENT_HEADER_SIZE,
    Frame,
    FrameHeader,
    FrameKind,
    chain_of,
    crc32c,
    decode_frame_header,
    decode_segment_header,
    trailer,
)


class Position(NamedTuple):
    """Where reading stands: the seq that comes next and the chain so far."""

    next_seq: int = 1
    chain: bytes = GENESIS


@dataclass(frozen=True, slots=True)
class IncompleteTail:
    """The end of the last segment that never reached the disk whole; nothing in it was ever acknowledged."""

    segment: Path
    offset: int
    length: int
    next_seq: int


def segment_paths(folder: Path) -> list[Path]:
    """Return the journal's segments, oldest first (their names are their first seq)."""
    return sorted(folder.glob("*.journal"))


def segments_from(folder: Path, position: Position) -> list[Path]:
    """Return the segment that holds the position, or begins there, and all later ones."""
    paths = segment_paths(folder)
    earlier = [path for path in paths[1:] if path.name <= segment_name(position.next_seq)]
    return paths[len(earlier) :]


def segment_start(path: Path) -> Position:
    """Return where a segment begins, as its header says; as its name says if it has no sound header."""
    with path.open("rb") as file:
        raw = file.read(SEGMENT_HEADER_SIZE)
    header = decode_segment_header(raw) if len(raw) == SEGMENT_HEADER_SIZE else None
    if header is None:
        return Position(int(path.stem))
    return Position(header.first_seq, header.previous_chain)


def segment_name(first_seq: int) -> str:
    """Return the file name of the segment that begins with ``first_seq``."""
    return f"{first_seq:020d}.journal"


def load(path: Path) -> memoryview:
    """Return a file's bytes, mapped where it isn't empty."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


class SegmentReader:
    """Reads one segment from ``position`` on; after ``frames()`` is exhausted ``position``, ``end`` and
    ``tail`` hold.

    Args:
        path: the segment.
        position: what must come next.
        core_version: the core version that every frame must have, or None for any.
        last: whether this is the journal's last segment, the only one that may have an incomplete tail.
        versions_from: seq from which on frames must have the core version.
    """

    def __init__(
        self,
        path: Path,
        position: Position,
        *,
        core_version: int | None,
        last: bool,
        versions_from: int = 1,
    ) -> None:
        self.path = path
        self.position = position
        self.end = 0
        self.tail: IncompleteTail | None = None
        self._core_version = core_version
        self._versions_from = versions_from
        self._last = last
        self._data = load(path)

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order; raises ``JournalDamage`` or ``JournalVersion``."""
        if not self._read_segment_header():
            return
        while self.end < len(self._data):
            frame = self._read_frame()
            if frame is None:
                return
            yield frame

    def _read_segment_header(self) -> bool:
        raw = self._data[:SEGMENT_HEADER_SIZE]
        if len(raw) < SEGMENT_HEADER_SIZE or _zero_end(self._data, SEGMENT_HEADER_SIZE - 4):
            return self._set_tail_aside("the segment's header is incomplete")
        header = decode_segment_header(raw)
        if header is None:
            raise self._damage("the segment's header fails its checksum")
        self._check_versions(header.format_version, header.core_version)
        if header.first_seq != self.position.next_seq:
            raise self._damage(
                f"the segment begins with seq {header.first_seq}; a segment is missing or misplaced"
            )
        if header.previous_chain != self.position.chain:
            raise self._damage("the segment doesn't continue the hash chain of the one before")
        self.end = SEGMENT_HEADER_SIZE
        return True

    def _read_frame(self) -> Frame | None:
        start = self.end
        body_start = start + FRAME_HEADER_SIZE
        if len(self._data) < body_start or _zero_end(self._data, body_start - 4):
            self._set_tail_aside("a frame's header is incomplete")
            return None
        raw = self._data[start:body_start]
        header = decode_frame_header(raw)
        if header is None:
            raise self._damage("a frame's header fails its checksum")
        self._check_versions(header.format_version, header.core_version)
        body_end = body_start + header.length
        frame_end = body_end + len(trailer(header.length))
        if len(self._data) < frame_end or _zero_end(self._data, frame_end - ALIGNMENT):
            self._set_tail_aside("a frame is incomplete")
            return None
        body = self._data[body_start:body_end]
        self._check_frame(header, raw, body, self._data[body_end:frame_end])
        self.position = Position(header.first_seq + header.count, header.chain)
        self.end = frame_end
        return Frame(
            FrameKind(header.kind), header.first_seq, header.count, body, header.chain, self.path.name, start
        )

    def _check_frame(
        self, header: FrameHeader, raw: memoryview, body: memoryview, ending: memoryview
    ) -> None:
        if header.first_seq != self.position.next_seq or header.count < 1:
            raise self._damage(f"the frame holds {header.count} command(s) from seq {header.first_seq}")
        if bytes(ending) != trailer(header.length):
            raise self._damage("the frame's trailer is wrong")
        if crc32c(body) != header.body_crc:
            raise self._damage("the frame's body fails its checksum")
        if chain_of(self.position.chain, raw, body) != header.chain:
            raise self._damage("the frame breaks the hash chain: the journal was tampered with")

    def _check_versions(self, format_version: int, core_version: int) -> None:
        if format_version != FORMAT_VERSION:
            raise JournalVersion(self.path, "format", format_version, FORMAT_VERSION)
        if self._core_version is None or self.position.next_seq < self._versions_from:
            return
        if core_version != self._core_version:
            raise JournalVersion(self.path, "core", core_version, self._core_version)

    def _set_tail_aside(self, what: str) -> bool:
        if not self._last:
            raise self._damage(f"{what}, yet a later segment follows")
        self.tail = IncompleteTail(self.path, self.end, len(self._data) - self.end, self.position.next_seq)
        return False

    def _damage(self, what: str) -> JournalDamage:
        return JournalDamage(self.path, self.end, self.position.next_seq, what)


def _zero_end(data: memoryview, start: int) -> bool:
    """Whether ``data`` from ``start`` on is there and all zeros: a length that was recorded before its
    bytes.
    """
    end = len(data)
    if start >= end:
        return False
    step = 1 << 20
    return not any(any(data[at : at + step]) for at in range(start, end, step))
