"""Reading the history beside the exchange: a few threads, read-only connections, a limit on time and on
waiting.

A query runs in one read transaction, so its rows and its `as_of_seq` belong together. The event loop only
waits for the answer; SQLite lets other threads run while it works.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from exchange.api.codes import RequestCode, refuse
from exchange.history.schema import SCHEMA_VERSION
from exchange.history.store import latest

T = TypeVar("T")
Query = Callable[[sqlite3.Connection], T]

THREADS: Final = 2
WAITING_MAX: Final = 32
"""Queries that may wait or run at once; more are refused with HISTORY_BUSY."""

TIMEOUT_S: Final = 2.0
"""How long one query may run; then it is refused with HISTORY_TIMEOUT."""

_STEPS: Final = 20_000
"""Instructions of SQLite's between two looks at the clock, well under a millisecond."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a history goes, and how many rows it has."""

    as_of_seq: int
    orders: int
    trades: int
    entries: int


class HistoryReader:
    """Reads the newest generation in `folder`; there may be none yet. `close` it."""

    def __init__(self, folder: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._folder = folder
        self._timeout_s = timeout_s
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="history")
        self._waiting = 0
        self._closing = False
        self._mine = threading.local()
        self._open: set[sqlite3.Connection] = set()

    async def run(self, query: Query[T]) -> tuple[int, T]:
        """Return (as_of_seq, what `query` returns).

        Refused: HISTORY_UNAVAILABLE (none is built yet), HISTORY_BUSY, HISTORY_TIMEOUT.
        """
        if self._waiting >= WAITING_MAX:
            raise refuse(
                RequestCode.HISTORY_BUSY,
                f"{WAITING_MAX} queries of the history wait already; send it again shortly.",
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, query)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Break off what runs, and close every connection. Idempotent."""
        self._closing = True
        self._pool.shutdown(wait=True, cancel_futures=True)
        for connection in self._open:
            connection.close()
        self._open.clear()

    def _run(self, query: Query[T]) -> tuple[int, T]:
        end = time.monotonic() + self._timeout_s
        while True:
            path = latest(self._folder)
            if path is None:
                self._let_go()
                raise _unavailable()
            try:
                return self._answer(self._connection(path), query, end)
            except (sqlite3.DatabaseError, FileNotFoundError) as error:
                if time.monotonic() > end:
                    raise refuse(
                        RequestCode.HISTORY_TIMEOUT,
                        f"The query took longer than {self._timeout_s:g} s; ask for less time or fewer rows.",
                    ) from None
                self._let_go()
                # else a newer generation took its place meanwhile, and the old one was removed
                if latest(self._folder) == path:
                    raise _unavailable() from error

    def _answer(self, connection: sqlite3.Connection, query: Query[T], end: float) -> tuple[int, T]:
        connection.set_progress_handler(lambda: self._closing or time.monotonic() > end, _STEPS)
        try:
            connection.execute("BEGIN")
            (seq,) = connection.execute("SELECT seq FROM progress").fetchone()
            return seq, query(connection)
        finally:
            connection.set_progress_handler(None, 0)
            if connection.in_transaction:
                connection.rollback()

    def _connection(self, path: Path) -> sqlite3.Connection:
        """Return this thread's connection to a generation. Raises sqlite3.Error, FileNotFoundError."""
        inode = path.stat().st_ino  # a name may come again, an open file's inode not
        known: tuple[int, sqlite3.Connection] | None = getattr(self._mine, "known", None)
        if known is not None and known[0] == inode:
            return known[1]
        self._let_go()
        connection = open_to_read(path)
        self._open.add(connection)
        self._mine.known = (inode, connection)
        return connection

    def _let_go(self) -> None:
        """Close this thread's connection, if it has one."""
        known: tuple[int, sqlite3.Connection] | None = getattr(self._mine, "known", None)
        if known is not None:
            self._mine.known = None
            self._open.discard(known[1])
            known[1].close()


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a generation for reading only. Raises sqlite3.Error if it has gone, or has another schema."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA query_only = 1")
        (version,) = connection.execute("SELECT schema_version FROM progress").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    if version != SCHEMA_VERSION:
        connection.close()
        raise sqlite3.DatabaseError(f"{path.name} has schema version {version}, not {SCHEMA_VERSION}")
    return connection


def read_progress(connection: sqlite3.Connection) -> Progress:
    """Return how far a history goes."""
    counts: list[Any] = [
        connection.execute(f"SELECT coalesce(max({key}), 0) FROM {table}").fetchone()[0]  # noqa: S608
        for table, key in (("orders", "number"), ("trades", "trade_id"), ("entries", "entry"))
    ]
    (seq,) = connection.execute("SELECT seq FROM progress").fetchone()
    return Progress(seq, *counts)


def progress_of(path: Path) -> Progress:
    """Return how far the history in a file goes. Raises sqlite3.Error."""
    return read_once(path, read_progress)


def read_once(path: Path, query: Query[T]) -> T:
    """Ask a generation one thing over a connection of its own. Raises sqlite3.Error."""
    connection = open_to_read(path)
    try:
        return query(connection)
    finally:
        connection.close()


def _unavailable() -> Exception:
    return refuse(
        RequestCode.HISTORY_UNAVAILABLE,
        "The history isn't there now: it is being built, or the process that fills it is down. Orders, "
        "positions and balances are answered all the same; ask again shortly.",
    )
