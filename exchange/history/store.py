"""The SQLite file of the read models, as its one writer sees it.

Each file is a *generation*, `history/NNNNNN.sqlite`, in WAL mode. A new one is built beside the old one under
the name `.building` and renamed once it is complete, so that readers have a whole history at any time. A
batch and the position after it are one transaction: killed anywhere, no row is lost or doubled.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from exchange.history import schema
from exchange.history.candles import candles_of
from exchange.history.rows import ORDER, ORDER_FIXED, Batch, Ends
from exchange.journal.reader import Position
from exchange.service.core import CORE_VERSION

_BUILDING: Final = ".building"
_CHECKPOINT_PAGES: Final = 8_000
_WAL_BYTES_KEPT: Final = 64 << 20
_CACHE_KIB: Final = 256 << 10
"""Room for the pages that one batch changes, so that each is written once; taken only as it is needed."""

_PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
    f"journal_size_limit = {_WAL_BYTES_KEPT}",
    f"cache_size = -{_CACHE_KIB}",
)
_ROWS_AT_ONCE: Final = 10_000
"""Rows that are Python objects at a time."""

_LATER: Final = [*(ORDER.names or ())[ORDER_FIXED:], "number"]


class Store:
    """One open generation; `position` is where its last batch ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = Position()
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=32)
        try:
            for pragma in _PRAGMAS:
                self._run(f"PRAGMA {pragma}")
        except BaseException:
            self.close()
            raise

    @classmethod
    def build(cls, folder: Path) -> Self:
        """Begin a new generation; what an earlier attempt left unfinished is removed."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(f"*{_BUILDING}*"):
            path.unlink()
        newest = latest(folder)
        number = 1 if newest is None else int(newest.stem) + 1
        path = folder / f"{number:06d}{_BUILDING}"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))  # SQLite gives its other files the same mode
        store = cls(path)
        store._run("PRAGMA synchronous = OFF")  # it counts for nothing until it is complete and synced
        with store._transaction():
            for statement in schema.TABLES:
                store._run(statement)
            values = (schema.SCHEMA_VERSION, CORE_VERSION, 0, store.position.chain)
            store._run("INSERT INTO progress VALUES (?, ?, ?, ?)", values)
        return store

    @classmethod
    def open(cls, folder: Path) -> Self | None:
        """Open the newest generation to go on with it; None if there is none of this schema."""
        path = latest(folder)
        if path is None:
            return None
        try:
            store = cls(path)
        except sqlite3.DatabaseError:
            return None
        try:
            found = store._run("SELECT schema_version, seq, chain FROM progress").fetchone()
        except sqlite3.DatabaseError:
            found = None
        if found is None or found[0] != schema.SCHEMA_VERSION:
            store.close()
            return None
        store.position = Position(found[1] + 1, found[2])
        return store

    @property
    def seq(self) -> int:
        """The last command whose outcome is in it."""
        return self.position.next_seq - 1

    @property
    def published(self) -> bool:
        """Whether readers may see it: it was complete once."""
        return self.path.suffix != _BUILDING

    def publish(self) -> Self:
        """Make a generation that was built the newest one and return it anew."""
        for statement in schema.INDEXES:
            self._run(statement)
        self._run("PRAGMA synchronous = FULL")
        self._run("PRAGMA wal_checkpoint(TRUNCATE)")
        self.close()
        path = self.path.with_suffix(".sqlite")
        self.path.rename(path)
        published = type(self)(path)
        published.position = self.position
        return published

    def remove_older(self) -> None:
        """Remove the generations before this one; who still reads one keeps it to the end of its query."""
        for older in generations(self.path.parent):
            if older < self.path:
                for left in self.path.parent.glob(f"{older.name}*"):
                    left.unlink()

    def ends(self) -> Ends:
        """Return where the tables end."""
        trades, orders, entries = (
            int(self._run(f"SELECT coalesce(max({key}), 0) FROM {table}").fetchone()[0])  # noqa: S608
            for table, key in (("trades", "trade_id"), ("orders", "number"), ("entries", "entry"))
        )
        return Ends(trades, orders, entries, np.array(self._run(schema.OPEN_ORDERS).fetchall(), ORDER))

    def write(self, batch: Batch, position: Position) -> None:
        """Add a batch that ends at `position`, all of it or nothing."""
        with self._transaction():
            self._many(schema.INSERT_TRADE, batch.trades)
            self._many(schema.INSERT_FILL, _fills(batch.trades))
            self._many(schema.ADD_TO_CANDLE, candles_of(batch.trades))
            self._many(schema.INSERT_ORDER, batch.accepted)
            self._many(schema.CHANGE_ORDER, batch.changed[_LATER])
            self._many(schema.INSERT_ENTRY, batch.entries)
            self._many(schema.INSERT_HEALTH, batch.health)
            self._many(schema.ADD_TO_DAY, batch.entries[["account", "day", "kind", "amount"]])
            values = (CORE_VERSION, position.next_seq - 1, position.chain)
            self._run("UPDATE progress SET core_version = ?, seq = ?, chain = ?", values)
        self.position = position

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._connection.close()

    def _many(self, statement: str, rows: NDArray[Any]) -> None:
        if len(rows):
            parts = (rows[at : at + _ROWS_AT_ONCE].tolist() for at in range(0, len(rows), _ROWS_AT_ONCE))
            self._connection.executemany(statement, chain.from_iterable(parts))

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK")
            raise
        self._run("COMMIT")


def generations(folder: Path) -> list[Path]:
    """Return the complete generations, oldest first."""
    return sorted(folder.glob("*.sqlite"))


def latest(folder: Path) -> Path | None:
    """Return the newest complete generation."""
    found = generations(folder)
    return found[-1] if found else None


_FILL: Final = np.dtype([(name, "<i8") for name in ("account", "side", "trade_id", "instrument")])


def _fills(trades: NDArray[Any]) -> NDArray[Any]:
    """Return both sides of each trade, in the order of the table's index, whose pages are the many ones."""
    rows = np.zeros(2 * len(trades), _FILL)
    taken, made = rows[: len(trades)], rows[len(trades) :]
    for side in (taken, made):
        side["trade_id"], side["instrument"] = trades["trade_id"], trades["instrument"]
    taken["account"], taken["side"] = trades["account"], trades["side"]
    made["account"], made["side"] = trades["contra_account"], 1 - trades["side"]
    return rows[np.lexsort((rows["trade_id"], rows["side"], rows["instrument"], rows["account"]))]
