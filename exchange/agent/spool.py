"""What an agent must not forget: samples, readings, and the numbered messages that carry them.

One SQLite file, synced at every commit. A message gets its number here, with its rows, before it is sent, and
is sent as it is until the exchange has taken that number: so no reading is lost and none counts twice,
whatever breaks in between.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from exchange.agent.clock import HOUR_NS, Told

BATCH_READINGS = 1_000

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS sample (
    grade TEXT, hour_ns INTEGER, cards INTEGER NOT NULL, PRIMARY KEY (grade, hour_ns)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reservation (
    id INTEGER PRIMARY KEY, grade TEXT NOT NULL, cards INTEGER NOT NULL, start_ns INTEGER NOT NULL,
    hours TEXT NOT NULL, hour_count INTEGER NOT NULL, elsewhere INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS reading (
    reservation INTEGER, hour_ns INTEGER, cards INTEGER NOT NULL, number INTEGER, taken INTEGER NOT NULL
    DEFAULT 0, refusal TEXT, PRIMARY KEY (reservation, hour_ns)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (
    one INTEGER PRIMARY KEY CHECK (one = 1), market_ns INTEGER, speed REAL, monotonic_s REAL, boot TEXT);
CREATE INDEX IF NOT EXISTS reading_number ON reading (number);
CREATE INDEX IF NOT EXISTS reading_hour ON reading (hour_ns);
"""


class Reserved(NamedTuple):
    """A reservation that the site delivers in `hours` of a day, 0 … 23; the first begins at `start_ns`, ns
    since the epoch.
    """

    reservation_id: int
    grade: str
    cards: int
    start_ns: int
    hours: tuple[int, ...]

    def starts_ns(self) -> Iterator[int]:
        """Yield when its hours begin, ns since the epoch."""
        for hour in self.hours:
            yield self.start_ns + (hour - self.hours[0]) * HOUR_NS


class Reading(NamedTuple):
    """Cards that served a reservation throughout an hour."""

    reservation_id: int
    hour_ns: int
    cards: int


class Batch(NamedTuple):
    """A message: its number, and its readings in the order in which they are signed."""

    number: int
    readings: list[Reading]


class Spool:
    """See the module."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._base = sqlite3.connect(path)
        self._base.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file; everything is on disk already."""
        self._base.close()

    def tell(self, told: Told) -> None:
        """Remember what time it was at the exchange."""
        with self._base:
            self._base.execute("INSERT OR REPLACE INTO told VALUES (1, ?, ?, ?, ?)", told)

    def told(self) -> Told | None:
        """Return what `tell` remembered."""
        row = self._base.execute("SELECT market_ns, speed, monotonic_s, boot FROM told").fetchone()
        return Told(*row) if row else None

    def sample(self, grade: str, hour_ns: int, cards: int) -> None:
        """Note how many cards serve now; of an hour the fewest count."""
        with self._base:
            self._base.execute(
                "INSERT INTO sample VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET cards = min(cards, excluded.cards)",
                (grade, hour_ns, cards),
            )

    def free(self, grade: str, hour_ns: int) -> int:
        """Return the fewest cards seen in an hour, 0 if nobody looked, less those that were read."""
        seen, read = self._base.execute(
            "SELECT (SELECT cards FROM sample WHERE grade = :grade AND hour_ns = :hour), "
            "(SELECT sum(reading.cards) FROM reading JOIN reservation ON id = reservation "
            "WHERE hour_ns = :hour AND grade = :grade AND NOT elsewhere)",
            {"grade": grade, "hour": hour_ns},
        ).fetchone()
        return max(0, (seen or 0) - (read or 0))

    def note(self, reservations: Iterable[Reserved]) -> set[int]:
        """Remember what is to be delivered: it goes on being metered when the exchange is out of reach.
        Return the ids that were known before.
        """
        known = {int(row[0]) for row in self._base.execute("SELECT id FROM reservation")}
        with self._base:
            self._base.executemany(
                "INSERT INTO reservation (id, grade, cards, start_ns, hours, hour_count) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET cards = excluded.cards",
                ((*one[:4], " ".join(map(str, one.hours)), len(one.hours)) for one in reservations),
            )
        return known

    def unread(self) -> list[Reserved]:
        """Return what this site delivers and hasn't read to its last hour, in ascending id."""
        rows = self._base.execute(
            "SELECT id, grade, cards, start_ns, hours FROM reservation WHERE NOT elsewhere AND "
            "(SELECT count(*) FROM reading WHERE reservation = id) < hour_count ORDER BY id"
        )
        return [
            Reserved(number, grade, cards, start_ns, tuple(map(int, hours.split())))
            for number, grade, cards, start_ns, hours in rows
        ]

    def leave(self, reservation_id: int) -> None:
        """The reservation is another site's. What was read and isn't on its way is read anew, since cards
        had been counted for it.
        """
        with self._base:
            self._base.execute("UPDATE reservation SET elsewhere = 1 WHERE id = ?", (reservation_id,))
            self._base.execute("DELETE FROM reading WHERE number IS NULL AND taken = 0 AND refusal IS NULL")

    def read(self, readings: Sequence[Reading]) -> None:
        """Enter readings; an hour of a reservation that has one keeps it."""
        with self._base:
            self._base.executemany(
                "INSERT OR IGNORE INTO reading (reservation, hour_ns, cards) VALUES (?, ?, ?)", readings
            )

    def hours_read(self, reservation_id: int) -> set[int]:
        """Return the hours of a reservation that have their reading."""
        rows = self._base.execute("SELECT hour_ns FROM reading WHERE reservation = ?", (reservation_id,))
        return {int(row[0]) for row in rows}

    def pending(self) -> Batch | None:
        """Return the message that has a number and isn't known to be taken."""
        rows = self._base.execute(
            "SELECT reservation, hour_ns, cards, number FROM reading "
            "WHERE number IS NOT NULL AND taken = 0 ORDER BY number, hour_ns, reservation"
        ).fetchall()
        return Batch(rows[0][3], [Reading(*row[:3]) for row in rows]) if rows else None

    def number(self, number: int) -> Batch | None:
        """Give the next readings that have none a number, and return the message; None without any."""
        with self._base:
            self._base.execute(
                "UPDATE reading SET number = ? WHERE (reservation, hour_ns) IN (SELECT reservation, hour_ns "
                "FROM reading WHERE number IS NULL AND taken = 0 AND refusal IS NULL "
                "ORDER BY hour_ns, reservation LIMIT ?)",
                (number, BATCH_READINGS),
            )
        return self.pending()

    def taken(self, batch: Batch) -> None:
        """The exchange has taken the message."""
        with self._base:
            self._base.execute("UPDATE reading SET taken = 1 WHERE number = ?", (batch.number,))

    def postpone(self, batch: Batch) -> None:
        """The exchange refused the message and its number is free: the readings wait for another."""
        with self._base:
            self._base.execute("UPDATE reading SET number = NULL WHERE number = ?", (batch.number,))

    def refuse(self, reading: Reading, code: str) -> None:
        """The exchange will never take this reading; why stays on record."""
        with self._base:
            self._base.execute(
                "UPDATE reading SET number = NULL, refusal = ? WHERE reservation = ? AND hour_ns = ?",
                (code, reading.reservation_id, reading.hour_ns),
            )

    def counts(self) -> dict[str, int]:
        """Return how many readings wait, were taken, and were refused for good."""
        row = self._base.execute(
            "SELECT sum(taken = 0 AND refusal IS NULL), sum(taken), sum(refusal IS NOT NULL) FROM reading"
        ).fetchone()
        return dict(zip(("waiting", "taken", "refused"), (count or 0 for count in row), strict=True))
