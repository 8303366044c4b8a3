"""What the system refuses to write or read of an experiment, in a sentence."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StoreError(Exception):
    """A directory that holds something else, is damaged, or can't be written; the sentence names the file."""


@contextmanager
def writing(what: Path) -> Iterator[None]:
    """Turn what the system refuses, such as for a full disk, into a StoreError that names the file."""
    try:
        yield
    except OSError as error:
        advice = "finished runs are kept; make room and give the same command again"
        if error.errno not in _FULL:
            advice = "finished runs are kept; put that right, or name another directory with --out"
        raise StoreError(f"{what} can't be written ({error.strerror or error}); {advice}") from error


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Keep other processes out of an experiment's directory. Raises StoreError if one is at work in it. What
    is killed leaves nothing locked.
    """
    with writing(directory):
        handle = os.open(directory, os.O_RDONLY)
    try:
        _lock(directory, handle)
        yield
    finally:
        os.close(handle)


def _lock(directory: Path, handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StoreError(
            f"another command is at work in {directory}; wait for it, or name another directory with --out"
        ) from error
