"""The history process: the same deterministic core, run over the journal's durable frames, fills the tables.

A start goes on where the newest generation ends (`exchange.history.replay`). If that is of another schema, or
holds frames that the journal doesn't have any more, a new one is built from the beginning.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

import structlog

from exchange.history.mark import DurableMark, history_folder
from exchange.history.replay import HistoryStopped, Replay, check
from exchange.history.store import Store
from exchange.journal import Frame, JournalVersion

POLL_S: Final = 0.005
"""How long to wait for the durable mark to move."""

BATCH_BYTES: Final = 16 << 20
"""Journal bytes of one transaction when it lags: the more, the fewer times a page is written."""

_REBUILD: Final = "rebuild-wanted"
_LOG = structlog.get_logger("history")


class HistoryLocked(Exception):
    """Another process fills this history."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"the history in {folder} is being filled by another process")


class Follower:
    """Fills the history of a data directory. One at a time: raises HistoryLocked.

    Args:
        data_dir: the exchange's data directory.
        commit_frames: most journal frames of one transaction; by default all that are there, up to
            `BATCH_BYTES`.
    """

    def __init__(self, data_dir: Path, commit_frames: int = 1 << 20) -> None:
        self._data_dir = data_dir
        self._folder = history_folder(data_dir)
        self._commit_frames = commit_frames
        self._mark = DurableMark(self._folder)
        self._lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise HistoryLocked(self._folder) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def run(self, stop: threading.Event, on_open: Callable[[], None] | None = None) -> None:
        """Follow the journal until `stop`; `on_open` is called whenever a start is over.

        Raises JournalError, OSError, sqlite3.Error; the start after damage to the history builds it anew.
        """
        with suppress(HistoryStopped), self._noting_damage():
            while not stop.is_set():
                self._follow(stop, on_open)

    def catch_up(self, stop: threading.Event, *, rebuild: bool = False) -> int:
        """Fill what is missing up to the durable mark, or everything anew; return the last seq."""
        if rebuild:
            self.want_rebuild(self._folder)
        with self._noting_damage():
            store, replay = self._build_wanted(stop) if rebuild else self._open(stop)
            self._tell(store)
            try:
                while self._step(store, replay):
                    check(stop)
                return store.seq
            finally:
                store.close()
                replay.tail.close()

    @staticmethod
    def want_rebuild(folder: Path) -> None:
        """Ask whoever fills the history in `folder`, now or later, to build it anew."""
        (folder / _REBUILD).touch()

    @contextmanager
    def _noting_damage(self) -> Iterator[None]:
        """Let the next start build anew what turns out to be damaged; a full disk or a lock isn't damage."""
        try:
            yield
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self.want_rebuild(self._folder)
            raise

    def _follow(self, stop: threading.Event, on_open: Callable[[], None] | None) -> None:
        """Follow until the history is wanted anew."""
        store, replay = self._open(stop)
        if on_open is not None:
            on_open()
        self._tell(store)
        try:
            while not (self._folder / _REBUILD).exists():
                if not self._step(store, replay):
                    stop.wait(POLL_S)
                check(stop)
        finally:
            store.close()
            replay.tail.close()

    def _open(self, stop: threading.Event) -> tuple[Store, Replay]:
        """Return a published generation and the replay that stands where it ends."""
        if (self._folder / _REBUILD).exists():
            try:
                return self._build_wanted(stop)
            except JournalVersion as error:
                _LOG.error("history can't be built anew; it stays", error=str(error))
        store = Store.open(self._folder)
        if store is None:
            return self._build(stop)
        try:
            replay = Replay.where_it_ends(self._data_dir, store, self._mark.seq, stop)
        except BaseException:
            store.close()
            raise
        if replay is None:
            _LOG.warning("the journal doesn't lead to the history's end; it is built anew", seq=store.seq)
            store.close()
            return self._build(stop, keep_old=False)
        _LOG.info("history goes on", seq=store.seq)
        store.remove_older()
        return store, replay

    def _build_wanted(self, stop: threading.Event) -> tuple[Store, Replay]:
        """Build anew; a journal with commands of another core can't be, and is not asked to be again."""
        try:
            return self._build(stop)
        except JournalVersion:
            (self._folder / _REBUILD).unlink()
            raise

    def _build(self, stop: threading.Event, *, keep_old: bool = True) -> tuple[Store, Replay]:
        """Build a generation; until it is complete the old one answers, unless it says what never was."""
        store, replay = Store.build(self._folder), Replay.from_the_first_frame(self._data_dir)
        if not keep_old:
            store.remove_older()
        _LOG.info("history is built", to_seq=self._mark.seq)
        try:
            goal = self._mark.seq
            while store.seq < goal and self._step(store, replay):
                check(stop)
            store = store.publish()
        except BaseException:
            store.close()
            raise
        (self._folder / _REBUILD).unlink(missing_ok=True)
        store.remove_older()
        _LOG.info("history is built", seq=store.seq)
        return store, replay

    def _tell(self, store: Store) -> None:
        """Say how far the history goes; a generation that is still built isn't one."""
        if store.published:
            self._mark.folded = store.seq

    def _step(self, store: Store, replay: Replay) -> bool:
        """Take in the next stretch of the journal; return False if nothing more is durable yet."""
        frames: list[Frame] = []
        size = 0
        while size < BATCH_BYTES and (more := replay.tail.read(self._mark.seq)):
            frames += more
            size += sum(len(frame.body) for frame in more)
        for begin in range(0, len(frames), self._commit_frames):
            replay.write(store, frames[begin : begin + self._commit_frames])
            self._tell(store)
        return bool(frames)
