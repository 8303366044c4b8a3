"""Snapshot files: what the state was after a command, so that a start needn't replay everything before it.

A file is a magic word, a length, a msgpack header, the arrays one after the other, and the BLAKE3 digest of
all that. It is written beside, synced and renamed: a file that has its name was whole once.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from blake3 import blake3

from exchange.journal.errors import JournalError
from exchange.journal.files import Files, write_all

SUFFIX: Final = ".snapshot"
UNFINISHED: Final = ".unfinished"
_MAGIC: Final = b"DONGXIS\n"
_LENGTH: Final = struct.Struct("<I")
_DIGEST_SIZE: Final = 32


class SnapshotDamage(JournalError):
    """A snapshot isn't what was written, or not of this journal; an older one or the journal serves."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path.name}: {what}")
        self.path = path
        self.what = what


class SnapshotHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot says of itself."""

    layout: int
    """Version of the arrays and of `typed`."""
    core_version: int
    """Version of the core whose state it is."""
    seq: int
    """The last command that is in it."""
    time_ns: int
    """Market time of that command."""
    chain: bytes
    """The journal's hash chain after the frame that ends with `seq`, 32 bytes."""
    state_hash: bytes
    """32 bytes."""
    typed: bytes
    """The typed part of the state."""
    sizes: dict[str, int]
    """Name and length in bytes of each array, in the order in which they follow."""


def snapshot_name(header: SnapshotHeader) -> str:
    """Return the file name: seq and the beginning of the state hash."""
    return f"{header.seq:020d}-{header.state_hash.hex()[:16]}{SUFFIX}"


def snapshot_paths(folder: Path) -> list[Path]:
    """Return the finished snapshots, newest first."""
    return sorted(folder.glob(f"*{SUFFIX}"), reverse=True)


def snapshot_seq(path: Path) -> int:
    """Return the last seq in a snapshot, as its name says."""
    return int(path.name.split("-", 1)[0])


def write_snapshot(
    folder: Path, files: Files, header: SnapshotHeader, arrays: Mapping[str, bytes | memoryview], keep: int
) -> Path:
    """Write a snapshot durably, then remove all but the newest `keep`. Raises OSError; then there is no file
    of this name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / snapshot_name(header)
    beside = path.with_suffix(UNFINISHED)
    encoded = msgspec.msgpack.encode(header)
    parts = [_MAGIC, _LENGTH.pack(len(encoded)), encoded, *(arrays[name] for name in header.sizes)]
    digest = blake3()
    beside.unlink(missing_ok=True)
    descriptor = files.create(beside)
    try:
        for part in parts:
            digest.update(part)
            write_all(files, descriptor, part)
        write_all(files, descriptor, digest.digest())
        files.sync(descriptor)
    finally:
        files.close(descriptor)
    files.rename(beside, path)
    files.sync_folder(folder)
    _forget(folder, keep)
    return path


def read_snapshot(path: Path) -> tuple[SnapshotHeader, dict[str, memoryview]]:
    """Return a snapshot's header and arrays; raises SnapshotDamage."""
    try:
        data = memoryview(path.read_bytes())
    except OSError as error:
        raise SnapshotDamage(path, f"it can't be read ({error.strerror})") from error
    body, digest = data[:-_DIGEST_SIZE], data[-_DIGEST_SIZE:]
    start = len(_MAGIC) + _LENGTH.size
    if len(body) < start or bytes(body[: len(_MAGIC)]) != _MAGIC or blake3(body).digest() != digest:
        raise SnapshotDamage(path, "its digest is wrong")
    (length,) = _LENGTH.unpack(body[len(_MAGIC) : start])
    try:
        header = msgspec.msgpack.decode(body[start : start + length], type=SnapshotHeader)
    except msgspec.MsgspecError as error:
        raise SnapshotDamage(path, f"its header is of another version ({error})") from error
    arrays, at = {}, start + length
    for name, size in header.sizes.items():
        arrays[name] = body[at : at + size]
        at += size
    if at != len(body):
        raise SnapshotDamage(path, "its arrays have other lengths than its header says")
    return header, arrays


def _forget(folder: Path, keep: int) -> None:
    """Remove old snapshots and what a crash left unfinished; failing is no harm."""
    for path in (*snapshot_paths(folder)[keep:], *folder.glob(f"*{UNFINISHED}")):
        with suppress(OSError):
            path.unlink()
