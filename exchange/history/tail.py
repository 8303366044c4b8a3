"""Following a journal that another process writes: whole frames, up to the durable mark, each checked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from exchange.journal import Frame, FrameKind, JournalDamage, JournalVersion
from exchange.journal.format import (
    FORMAT_VERSION,
    FRAME_HEADER_SIZE,
    SEGMENT_HEADER_SIZE,
    FrameHeader,
    chain_of,
    crc32c,
    decode_frame_header,
    decode_segment_header,
    trailer,
)
from exchange.journal.reader import Position, segment_name, segment_start, segments_from

READ_BYTES: Final = 4 << 20
"""Bytes of one read; a longer frame is read whole all the same."""


class JournalTail:
    """Reads a journal from its first frame on, or from where it is told to, a stretch at a time.

    Never writes, never locks.

    `position` is what comes next. Raises JournalDamage for bytes that aren't sound, JournalVersion for
    frames of another core.
    """

    def __init__(self, folder: Path, core_version: int) -> None:
        self.position = Position()
        self._folder = folder
        self._core_version = core_version
        self._descriptor = -1
        self._path = folder
        self._offset = 0
        self._versions_from = 1

    def seek(self, position: Position) -> bool:
        """Go there; return whether the journal has a frame that ends there with that hash chain.

        Reads from the beginning of the segment on; what comes before the position may be of another core.
        """
        self.close()
        self._versions_from = position.next_seq
        paths = segments_from(self._folder, position)
        self.position = segment_start(paths[0]) if paths else Position()
        while self.read(position.next_seq - 1):
            pass
        return self.position == position

    def close(self) -> None:
        """Let go of the open segment. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def read(self, durable_seq: int) -> list[Frame]:
        """Return the next frames, none beyond `durable_seq`; an empty list if there is none.

        A journal that ends before `durable_seq` is damaged.
        """
        if self.position.next_seq > durable_seq:
            return []
        data = self._stretch()
        if not data:  # where a segment ends the next one begins
            self.close()
            data = self._stretch()
        return self._frames(data, durable_seq)

    def _stretch(self) -> memoryview:
        if self._descriptor < 0:
            self._open_segment()
        return memoryview(os.pread(self._descriptor, READ_BYTES, self._offset))

    def _open_segment(self) -> None:
        path = self._folder / segment_name(self.position.next_seq)
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise self._damage("the journal ends here, or begins later, though more was durable") from None
        self._path, self._offset = path, 0
        raw = os.pread(self._descriptor, SEGMENT_HEADER_SIZE, 0)
        header = decode_segment_header(raw) if len(raw) == SEGMENT_HEADER_SIZE else None
        if header is None:
            raise self._damage("the segment's header fails its checksum")
        self._check_versions(header.format_version, header.core_version)
        if (header.first_seq, header.previous_chain) != (self.position.next_seq, self.position.chain):
            raise self._damage("the segment doesn't continue the one before")
        self._offset = SEGMENT_HEADER_SIZE

    def _frames(self, data: memoryview, durable_seq: int) -> list[Frame]:
        frames: list[Frame] = []
        at = 0
        while self.position.next_seq <= durable_seq:
            raw = data[at : at + FRAME_HEADER_SIZE]
            if len(raw) < FRAME_HEADER_SIZE:
                break
            header = decode_frame_header(raw)
            if header is None:
                raise self._damage("a frame's header fails its checksum")
            if header.first_seq + header.count - 1 > durable_seq:
                break
            size = FRAME_HEADER_SIZE + header.length + len(trailer(header.length))
            whole = data[at : at + size]
            if len(whole) < size:
                if frames:
                    break  # the next read begins with it
                whole = self._read_whole(size)
            frames.append(self._checked(header, whole))
            at += size
        if not frames and self.position.next_seq <= durable_seq and len(data) < FRAME_HEADER_SIZE:
            raise self._damage("a durable frame is incomplete")
        return frames

    def _read_whole(self, size: int) -> memoryview:
        whole = memoryview(os.pread(self._descriptor, size, self._offset))
        if len(whole) < size:
            raise self._damage("a durable frame is incomplete")
        return whole

    def _checked(self, header: FrameHeader, whole: memoryview) -> Frame:
        self._check_versions(header.format_version, header.core_version)
        if header.first_seq != self.position.next_seq or header.count < 1:
            raise self._damage(f"the frame holds {header.count} command(s) from seq {header.first_seq}")
        raw, body = whole[:FRAME_HEADER_SIZE], whole[FRAME_HEADER_SIZE:][: header.length]
        if crc32c(body) != header.body_crc:
            raise self._damage("the frame's body fails its checksum")
        if whole[FRAME_HEADER_SIZE + header.length :] != trailer(header.length):
            raise self._damage("the frame's trailer is wrong")
        if chain_of(self.position.chain, raw, body) != header.chain:
            raise self._damage("the frame breaks the hash chain")
        frame = Frame(
            FrameKind(header.kind),
            header.first_seq,
            header.count,
            body,
            header.chain,
            self._path.name,
            self._offset,
        )
        self.position = Position(header.first_seq + header.count, header.chain)
        self._offset += len(whole)
        return frame

    def _check_versions(self, format_version: int, core_version: int) -> None:
        if format_version != FORMAT_VERSION:
            raise JournalVersion(self._path, "format", format_version, FORMAT_VERSION)
        if core_version != self._core_version and self.position.next_seq >= self._versions_from:
            raise JournalVersion(self._path, "core", core_version, self._core_version)

    def _damage(self, what: str) -> JournalDamage:
        return JournalDamage(self._path, self._offset, self.position.next_seq, what)
