"""The bytes of a journal: segment header, frame header, trailer (see docs/journal.md).

A segment is a header and frames without gaps. A frame is a header with a CRC of its own, a body, and a
trailer that is never zero: so a frame that was written whole but has changed since (damage) can be told from
one whose end never reached the disk (an incomplete tail), even if the body ends in zeros.

The hash chain: ``chain[n] = BLAKE3(chain[n - 1] ‖ header fields before the chain ‖ body)``, from 32 zero
bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import google_crc32c
import numpy as np
from blake3 import blake3

FORMAT_VERSION: Final = 1
GENESIS: Final = bytes(32)
SEGMENT_MAGIC: Final = b"DONGXIJ\n"
FRAME_MAGIC: Final = b"DXF\n"
ALIGNMENT: Final = 8

_TRAILER: Final = b"\xd0\x4e\xf1\x0a" * 4
_SEGMENT: Final = struct.Struct("<8sHHIq32s4xI")
_FRAME: Final = struct.Struct("<4sHHB3xIqQI32sI")
_CRC: Final = struct.Struct("<I")
_CRC_SIZE: Final = _CRC.size
_CHAIN_END: Final = _FRAME.size - _CRC_SIZE
_CHAIN_START: Final = _CHAIN_END - len(GENESIS)

SEGMENT_HEADER_SIZE: Final = _SEGMENT.size
FRAME_HEADER_SIZE: Final = _FRAME.size


class FrameKind(IntEnum):
    """What a frame's body holds."""

    HOT = 1
    """``count`` command records (dtype ``matching.records.COMMAND``), seq rising by one."""
    RARE = 2
    """One typed message (``count`` = 1)."""


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """First bytes of a segment: versions, the first seq to come and the chain so far."""

    core_version: int
    first_seq: int
    previous_chain: bytes
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """A frame's header; ``length`` is the body's in bytes, ``chain`` 32 bytes."""

    core_version: int
    kind: int
    count: int
    first_seq: int
    length: int
    body_crc: int
    chain: bytes
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as read back: ``count`` commands from ``first_seq``; ``offset`` is its first byte in
    ``segment``.
    """

    kind: FrameKind
    first_seq: int
    count: int
    body: memoryview
    chain: bytes
    segment: str
    offset: int


def crc32c(data: bytes | memoryview) -> int:
    """Return the CRC-32C (Castagnoli) of ``data``."""
    # the library refuses a memoryview, but reads an array where it lies
    return int(google_crc32c.value(data if isinstance(data, bytes) else np.frombuffer(data, np.uint8)))


def encode_segment_header(header: SegmentHeader) -> bytes:
    """Return the 64 bytes that begin a segment."""
    fields = (
        SEGMENT_MAGIC,
        header.format_version,
        header.core_version,
        0,
        header.first_seq,
        header.previous_chain,
    )
    raw = _SEGMENT.pack(*fields, 0)
    return raw[:-_CRC_SIZE] + _CRC.pack(crc32c(raw[:-_CRC_SIZE]))


def decode_segment_header(raw: bytes | memoryview) -> SegmentHeader | None:
    """Return the header, or None if these ``SEGMENT_HEADER_SIZE`` bytes aren't a sound one."""
    magic, format_version, core_version, _, first_seq, previous, crc = _SEGMENT.unpack(raw)
    if magic != SEGMENT_MAGIC or crc != crc32c(raw[:-_CRC_SIZE]):
        return None
    return SegmentHeader(core_version, first_seq, previous, format_version)


def trailer(length: int) -> bytes:
    """Return the 8 to 15 bytes that follow a body of ``length`` bytes; none of them is zero."""
    return _TRAILER[: ALIGNMENT + -length % ALIGNMENT]


def encode_frame(
    kind: FrameKind,
    first_seq: int,
    count: int,
    body: bytes | memoryview,
    *,
    core_version: int,
    previous_chain: bytes,
) -> tuple[tuple[bytes, bytes | memoryview, bytes], bytes]:
    """Return a frame's ((header, body, trailer), chain); the body, which may be long, isn't copied."""
    head = _FRAME.pack(
        FRAME_MAGIC, FORMAT_VERSION, core_version, kind, count, first_seq, len(body), crc32c(body), GENESIS, 0
    )[:_CHAIN_START]
    chain = blake3(previous_chain + head).update(body).digest()
    unsealed = head + chain
    return (unsealed + _CRC.pack(crc32c(unsealed)), body, trailer(len(body))), chain


def decode_frame_header(raw: bytes | memoryview) -> FrameHeader | None:
    """Return the header, or None if these ``FRAME_HEADER_SIZE`` bytes aren't a sound one."""
    magic, format_version, core_version, kind, count, first_seq, length, body_crc, chain, crc = _FRAME.unpack(
        raw
    )
    if magic != FRAME_MAGIC or crc != crc32c(raw[:_CHAIN_END]):
        return None
    return FrameHeader(core_version, kind, count, first_seq, length, body_crc, chain, format_version)


def chain_of(previous_chain: bytes, raw_header: bytes | memoryview, body: bytes | memoryview) -> bytes:
    """Return the chain value that a frame with this header and body must carry."""
    return blake3(previous_chain + bytes(raw_header[:_CHAIN_START])).update(body).digest()
