"""What the system refuses to write or read of an experiment, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StoreError(Exception):
    """A directory that holds something else, is damaged, or can't be written; the sentence names the file."""


@contextmanager
def writing(what: Path) -> Iterator[None]:
    """Turn what the system refuses, such as for a full disk, into a StoreError that names the file."""
    try:
        yield
    except OSError as error:
        kept = "finished runs are kept; make room and give the same command again"
        raise StoreError(f"{what} can't be written ({error.strerror or error}); {kept}") from error
