"""Looking at a journal without changing it, also while it is written: verify, dump, replay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exchange.journal.format import Frame
from exchange.journal.reader import (
    IncompleteTail,
    Position,
    SegmentReader,
    segment_paths,
    segment_start,
    segments_from,
)


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """What a sound segment holds; ``chain`` is the hash after its last frame, ``tail`` an incomplete end."""

    name: str
    frames: int
    first_seq: int
    next_seq: int
    size_bytes: int
    chain: bytes
    tail: IncompleteTail | None


def verify(folder: Path) -> Iterator[SegmentReport]:
    """Check every byte of the journal and report segment by segment; raises ``JournalDamage``."""
    for reader in _readers(folder):
        first_seq = reader.position.next_seq
        frames = sum(1 for _ in reader.frames())
        size = reader.path.stat().st_size
        yield SegmentReport(
            reader.path.name,
            frames,
            first_seq,
            reader.position.next_seq,
            size,
            reader.position.chain,
            reader.tail,
        )


def dump(folder: Path, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Frame]:
    """Yield the frames that hold a seq between the two, both included; raises ``JournalDamage``."""
    for reader in _readers(folder):
        for frame in reader.frames():
            if to_seq is not None and frame.first_seq > to_seq:
                return
            if frame.first_seq + frame.count > from_seq:
                yield frame


def frames_after(folder: Path, after: Position, core_version: int) -> Iterator[Frame]:
    """Yield the frames after a position that the journal holds; raises ``JournalDamage``, or
    ``JournalVersion`` for one of another core version.
    """
    paths = segments_from(folder, after)
    position = segment_start(paths[0]) if paths and after != Position() else after
    for path in paths:
        reader = SegmentReader(
            path,
            position,
            core_version=core_version,
            last=path == paths[-1],
            versions_from=after.next_seq,
        )
        for frame in reader.frames():
            if frame.first_seq >= after.next_seq:
                yield frame
        position = reader.position


def _readers(folder: Path) -> Iterator[SegmentReader]:
    position = Position()
    paths = segment_paths(folder)
    for path in paths:
        reader = SegmentReader(path, position, core_version=None, last=path == paths[-1])
        yield reader
        position = reader.position
