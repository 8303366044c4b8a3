"""The seam between the journal and the operating system; tests make any call of it fail."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol


class Files(Protocol):
    """The file operations that the journal needs; each raises ``OSError`` as the system does."""

    def create(self, path: Path) -> int:
        """Create a new file for appending and return its descriptor; it must not exist."""

    def open_append(self, path: Path) -> int:
        """Open an existing file for appending and return its descriptor."""

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Append some or all of ``data``; return how many bytes were taken."""

    def sync(self, descriptor: int) -> None:
        """Return when everything written is on stable storage, the file's length included."""

    def sync_folder(self, folder: Path) -> None:
        """Return when the folder's entries are on stable storage."""

    def truncate(self, descriptor: int, length: int) -> None:
        """Cut the file to ``length`` bytes."""

    def close(self, descriptor: int) -> None:
        """Close the descriptor."""

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its name, replacing what had it."""


class OsFiles:
    """The real thing."""

    def create(self, path: Path) -> int:
        """See ``Files``."""
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def open_append(self, path: Path) -> int:
        """See ``Files``."""
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """See ``Files``."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """See ``Files``; fdatasync where there is one: it also writes the length of a file that grew."""
        getattr(os, "fdatasync", os.fsync)(descriptor)

    def sync_folder(self, folder: Path) -> None:
        """See ``Files``."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def truncate(self, descriptor: int, length: int) -> None:
        """See ``Files``."""
        os.ftruncate(descriptor, length)

    def close(self, descriptor: int) -> None:
        """See ``Files``."""
        os.close(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """See ``Files``."""
        old.replace(new)


def write_all(files: Files, descriptor: int, data: bytes | memoryview) -> None:
    """Append all of ``data``, however many writes the system takes for it."""
    rest = memoryview(data)
    while rest:
        rest = rest[files.write(descriptor, rest) :]
