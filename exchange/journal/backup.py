"""Backup and restore: a consistent prefix of the journal, the newest snapshot, and a manifest of hashes.

A backup may be taken while the exchange runs: segments are only ever appended to, so whatever of the last one
was there is cut at its last whole frame. Nothing is trusted: what was copied is read back, every byte and the
hash chain checked, before the manifest is written; without a manifest it is no backup.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from blake3 import blake3

from exchange.journal.errors import JournalError
from exchange.journal.files import Files, OsFiles, write_all
from exchange.journal.reader import Position, SegmentReader, segment_paths, segment_start
from exchange.journal.snapshots import SnapshotDamage, read_snapshot, snapshot_paths

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
_PIECE: Final = 1 << 22

Progress = Callable[[int], None]
"""Called with bytes as they are copied."""


class BackupError(JournalError):
    """A backup can't be taken or restored; the sentence says why. Nothing that was there is changed."""


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup; its path is relative, its BLAKE3 hash in hex."""

    path: str
    size_bytes: int
    blake3: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds: commands `first_seq` to `last_seq`, and the hash chain after the last, in hex."""

    format: int
    first_seq: int
    last_seq: int
    chain: str
    files: list[Copied]


def back_up(data: Path, target: Path, progress: Progress) -> Manifest:
    """Copy the data directory of a running or stopped exchange into `target`, which must be new or empty.

    Raises BackupError, JournalDamage (of the copy: the journal itself is damaged there), OSError.
    """
    if not segment_paths(data / "journal"):
        raise BackupError(f"there is no journal in {data}; name the data directory with --data")
    _refuse_filled(target)
    files = OsFiles()
    for name in ("journal", "snapshots"):
        (target / name).mkdir(parents=True, exist_ok=True)
    snapshots = _copy_snapshot(data, target, files, progress)  # before the journal, which is then no shorter
    for path in segment_paths(data / "journal"):
        _copy(path, target / "journal" / path.name, files, progress)
    first, last = _cut(target / "journal", files)
    copies = [*snapshots, *segment_paths(target / "journal")]
    manifest = Manifest(
        format=FORMAT,
        first_seq=first,
        last_seq=last.next_seq - 1,
        chain=last.chain.hex(),
        files=[_described(path, target) for path in copies],
    )
    _write(target / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n", files)
    for folder in (target / "journal", target / "snapshots", target):
        files.sync_folder(folder)
    return manifest


def restore(source: Path, data: Path, progress: Progress) -> Manifest:
    """Make a data directory, which must be new or empty, from a backup; it is there whole or not at all.

    Raises BackupError, JournalDamage, OSError.
    """
    manifest = read_manifest(source)
    _refuse_filled(data)
    data.parent.mkdir(parents=True, exist_ok=True)
    files = OsFiles()
    beside = Path(tempfile.mkdtemp(prefix=f".{data.name}-", dir=data.parent))
    try:
        for name in ("journal", "snapshots"):
            (beside / name).mkdir()
        for file in manifest.files:
            _copy_checked(source, beside, file, files, progress)
        _check(beside, manifest)
        for folder in (beside / "journal", beside / "snapshots", beside):
            files.sync_folder(folder)
        files.rename(beside, data)
        files.sync_folder(data.parent)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return manifest


def read_manifest(source: Path) -> Manifest:
    """Return the manifest of a backup; raises BackupError."""
    try:
        manifest = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BackupError(
            f"{source} holds no {MANIFEST}: it is no backup, or one that wasn't finished"
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupError(f"{source / MANIFEST} can't be read: {error}") from None
    if manifest.format != FORMAT:
        raise BackupError(f"the backup has format {manifest.format}, this program restores {FORMAT}")
    for file in manifest.files:
        parts = Path(file.path).parts
        if len(parts) != 2 or parts[0] not in ("journal", "snapshots") or ".." in parts:
            raise BackupError(f"the backup's manifest names {file.path!r}, which belongs into no backup")
    return manifest


def changed_files(source: Path, manifest: Manifest) -> list[str]:
    """Return which files of a backup are missing or aren't what the manifest says."""
    changed = []
    for file in manifest.files:
        path = source / file.path
        if not path.is_file() or _described(path, source) != file:
            changed.append(file.path)
    return changed


def _copy_snapshot(data: Path, target: Path, files: Files, progress: Progress) -> list[Path]:
    """Copy the newest sound snapshot, if there is one; a running exchange may remove one meanwhile."""
    for path in snapshot_paths(data / "snapshots"):
        copy = target / "snapshots" / path.name
        try:
            _copy(path, copy, files, progress)
            read_snapshot(copy)
        except (FileNotFoundError, SnapshotDamage):
            copy.unlink(missing_ok=True)
        else:
            return [copy]
    return []


def _copy(path: Path, target: Path, files: Files, progress: Progress) -> None:
    descriptor = files.create(target)
    try:
        for piece in _pieces(path):
            write_all(files, descriptor, piece)
            progress(len(piece))
        files.sync(descriptor)
    finally:
        files.close(descriptor)


def _copy_checked(source: Path, target: Path, file: Copied, files: Files, progress: Progress) -> None:
    try:
        _copy(source / file.path, target / file.path, files, progress)
    except FileNotFoundError:
        raise BackupError(f"{file.path} is missing from the backup; restore another one") from None
    if _described(target / file.path, target) != file:
        raise BackupError(f"{file.path} isn't what was backed up: its hash is wrong; restore another backup")


def _cut(journal: Path, files: Files) -> tuple[int, Position]:
    """Check every byte of a copied journal and cut what isn't a whole frame at its end; return the first seq
    and where it ends.
    """
    paths = segment_paths(journal)
    position = begin = segment_start(paths[0])
    for path in paths:
        reader = SegmentReader(path, position, core_version=None, last=path == paths[-1])
        for _ in reader.frames():
            pass
        position = reader.position
        if reader.tail is not None:
            descriptor = files.open_append(path)
            try:
                files.truncate(descriptor, reader.tail.offset)
                files.sync(descriptor)
            finally:
                files.close(descriptor)
            if reader.tail.offset == 0:
                path.unlink()
    return begin.next_seq, position


def _check(data: Path, manifest: Manifest) -> None:
    """Verify what was restored as a start would: every frame, the hash chain, and the snapshot's place."""
    paths = segment_paths(data / "journal")
    position = segment_start(paths[0]) if paths else Position()
    seen = {position.next_seq: position.chain}
    snapshots = [read_snapshot(path)[0] for path in snapshot_paths(data / "snapshots")]
    wanted = {header.seq + 1 for header in snapshots}
    for path in paths:
        reader = SegmentReader(path, position, core_version=None, last=path == paths[-1])
        for _ in reader.frames():
            if reader.position.next_seq in wanted:
                seen[reader.position.next_seq] = reader.position.chain
        position = reader.position
    if (position.next_seq - 1, position.chain.hex()) != (manifest.last_seq, manifest.chain):
        raise BackupError("the backup's journal doesn't end where its manifest says; restore another one")
    for header in snapshots:
        if seen.get(header.seq + 1) != header.chain:
            raise BackupError("the backup's snapshot isn't of its journal; restore another one")


def _described(path: Path, root: Path) -> Copied:
    digest, size = blake3(), 0
    for piece in _pieces(path):
        digest.update(piece)
        size += len(piece)
    return Copied(path=path.relative_to(root).as_posix(), size_bytes=size, blake3=digest.hexdigest())


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _write(path: Path, data: bytes, files: Files) -> None:
    descriptor = files.create(path)
    try:
        write_all(files, descriptor, data)
        files.sync(descriptor)
    finally:
        files.close(descriptor)


def _refuse_filled(folder: Path) -> None:
    with suppress(FileNotFoundError):
        if any(folder.iterdir()):
            raise BackupError(f"{folder} isn't empty; name a new directory, so that nothing is overwritten")
