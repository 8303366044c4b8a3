"""What is asked of the history: each query is a stretch of one index, newest first, cut off at a limit.

Trades, orders and entries are numbered densely from 1 in the order of the journal, so sequence number, time
and day never fall along their number. A bound on one of these is turned into a bound on the number by
bisection, a handful of look-ups; what is left is an equality on the columns of an index and a range of its
last one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any, Final

from exchange.history.rows import CANDLE, ENTRY, HEALTH, ORDER, TRADE

SIDES: Final = (0, 1)
_KEY_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Span:
    """Bounds in market time (ns, end excluded), sequence numbers and days (both ends included); None is
    open.
    """

    from_ns: int | None = None
    to_ns: int | None = None
    from_seq: int | None = None
    to_seq: int | None = None
    from_day: int | None = None
    to_day: int | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A table whose key counts its rows, and its columns that never fall along it."""

    table: str
    key: str
    seq: str
    time: str | None = None
    day: str | None = None


TRADES: Final = Numbered("trades", "trade_id", "seq", time="time_ns")
ORDERS: Final = Numbered("orders", "number", "accepted_seq", time="accepted_ns")
ENTRIES: Final = Numbered("entries", "entry", "seq", day="day")


def names(dtype: Any, prefix: str = "") -> str:
    """Return the columns of a row, quoted, for a SELECT."""
    return ", ".join(f'{prefix}"{name}"' for name in dtype.names)


TRADES_OF_CONTRACT: Final = (
    f"SELECT {names(TRADE)} FROM trades "  # noqa: S608
    "WHERE instrument = ? AND trade_id BETWEEN ? AND ? ORDER BY trade_id DESC LIMIT ?"
)
_FILLS: Final = (
    f"SELECT f.side, {names(TRADE, 't.')} FROM fills f "  # noqa: S608
    "CROSS JOIN trades t ON t.trade_id = f.trade_id WHERE f.account = ? "
)
FILLS: Final = f"{_FILLS} AND f.side = ? AND f.trade_id BETWEEN ? AND ? ORDER BY f.trade_id DESC LIMIT ?"
FILLS_IN_CONTRACT: Final = (
    f"{_FILLS} AND f.instrument = ? AND f.side = ? AND f.trade_id BETWEEN ? AND ? "
    "ORDER BY f.trade_id DESC LIMIT ?"
)
_ORDERS: Final = f"SELECT {names(ORDER)} FROM orders WHERE account = ? "  # noqa: S608
ORDERS_OF_ACCOUNT: Final = f"{_ORDERS} AND side = ? AND number BETWEEN ? AND ? ORDER BY number DESC LIMIT ?"
ORDERS_IN_CONTRACT: Final = (
    f"{_ORDERS} AND instrument = ? AND side = ? AND number BETWEEN ? AND ? ORDER BY number DESC LIMIT ?"
)
_ENTRIES: Final = f"SELECT {names(ENTRY)} FROM entries WHERE account = ? "  # noqa: S608
ENTRIES_OF_ACCOUNT: Final = f"{_ENTRIES} AND entry BETWEEN ? AND ? ORDER BY entry DESC LIMIT ?"
ENTRIES_OF_KIND: Final = f"{_ENTRIES} AND kind = ? AND entry BETWEEN ? AND ? ORDER BY entry DESC LIMIT ?"
ENTRIES_IN_CONTRACT: Final = (
    f"{_ENTRIES} AND instrument = ? AND kind = ? AND entry BETWEEN ? AND ? ORDER BY entry DESC LIMIT ?"
)
DAYS: Final = (
    "SELECT DISTINCT day FROM day_sums WHERE account = ? AND day BETWEEN ? AND ? ORDER BY day DESC LIMIT ?"
)
DAY_SUMS: Final = (
    "SELECT day, kind, amount FROM day_sums WHERE account = ? AND day BETWEEN ? AND ? "
    "ORDER BY day DESC, kind DESC"
)
CASH_BEFORE: Final = (
    "SELECT cash FROM entries WHERE account = ? AND entry BETWEEN 1 AND ? ORDER BY entry DESC LIMIT 1"
)
_HEALTH: Final = f"SELECT {names(HEALTH)} FROM health WHERE "  # noqa: S608
_LATEST: Final = "seq = (SELECT max(seq) FROM health WHERE hub = -1)"
HEALTH_NOW: Final = f"{_HEALTH} {_LATEST} ORDER BY hub, component"
HEALTH_OF_HUB: Final = (
    f"{_HEALTH} hub = ? AND seq IN "  # noqa: S608
    "(SELECT DISTINCT seq FROM health WHERE hub = ? AND seq < ? ORDER BY seq DESC LIMIT ?) "
    "ORDER BY seq DESC, component"
)
CANDLES: Final = (
    f"SELECT {names(CANDLE)} FROM candles "  # noqa: S608
    "WHERE instrument = ? AND interval = ? AND start BETWEEN ? AND ? ORDER BY start DESC LIMIT ?"
)
STATEMENTS: Final = (
    TRADES_OF_CONTRACT,
    FILLS,
    FILLS_IN_CONTRACT,
    ORDERS_OF_ACCOUNT,
    ORDERS_IN_CONTRACT,
    ENTRIES_OF_ACCOUNT,
    ENTRIES_OF_KIND,
    ENTRIES_IN_CONTRACT,
    DAYS,
    DAY_SUMS,
    CASH_BEFORE,
    CANDLES,
)
"""What a request may cause; a test looks at how SQLite goes about each."""

Row = tuple[Any, ...]


def trades(
    connection: sqlite3.Connection, instrument: int, span: Span, before: int | None, limit: int
) -> list[Row]:
    """Return trades (TRADE) of a contract, those before trade `before` if that is given."""
    low, high = _range(connection, TRADES, span, before)
    return connection.execute(TRADES_OF_CONTRACT, (instrument, low, high, limit)).fetchall()


def fills(
    connection: sqlite3.Connection,
    account: int,
    instrument: int | None,
    side: int | None,
    span: Span,
    before: tuple[int, int] | None,
    limit: int,
) -> list[Row]:
    """Return fills (side, then TRADE) of an account, those before (trade, side) `before` if that is given.

    An account that traded with itself has two fills of one trade, the sell first.
    """
    low, high = _range(connection, TRADES, span, None)

    def one_side(wanted: int) -> Iterator[Row]:
        top = high
        if before is not None:
            trade_id, seen = before
            top = min(high, trade_id if wanted < seen else trade_id - 1)
        if instrument is None:
            return connection.execute(FILLS, (account, wanted, low, top, limit))
        return connection.execute(FILLS_IN_CONTRACT, (account, instrument, wanted, low, top, limit))

    sides = [one_side(wanted) for wanted in SIDES if side in (None, wanted)]
    return _newest(sides, limit, lambda row: (-row[1], -row[0]))


def orders(
    connection: sqlite3.Connection,
    account: int,
    instrument: int | None,
    side: int | None,
    span: Span,
    before: int | None,
    limit: int,
) -> list[Row]:
    """Return orders (ORDER) of an account as they are now, those accepted before number `before` if given."""
    low, high = _range(connection, ORDERS, span, before)

    def one_side(wanted: int) -> Iterator[Row]:
        if instrument is None:
            return connection.execute(ORDERS_OF_ACCOUNT, (account, wanted, low, high, limit))
        return connection.execute(ORDERS_IN_CONTRACT, (account, instrument, wanted, low, high, limit))

    sides = [one_side(wanted) for wanted in SIDES if side in (None, wanted)]
    return _newest(sides, limit, lambda row: -row[0])


def entries(
    connection: sqlite3.Connection,
    account: int,
    instrument: int | None,
    kinds: Sequence[int] | None,
    span: Span,
    before: int | None,
    limit: int,
) -> list[Row]:
    """Return ledger entries (ENTRY) of an account, of a contract, of kinds, or all."""
    low, high = _range(connection, ENTRIES, span, before)
    if kinds is None:
        return connection.execute(ENTRIES_OF_ACCOUNT, (account, low, high, limit)).fetchall()

    def one_kind(kind: int) -> Iterator[Row]:
        if instrument is None:
            return connection.execute(ENTRIES_OF_KIND, (account, kind, low, high, limit))
        return connection.execute(ENTRIES_IN_CONTRACT, (account, instrument, kind, low, high, limit))

    return _newest([one_kind(kind) for kind in kinds], limit, lambda row: -row[0])


@dataclass(frozen=True, slots=True)
class DayOfAccount:
    """One account's day: cash before it, Σ amount by kind, ascending kind. Fen; day since 1970-01-01."""

    day: int
    opening: int
    sums: tuple[tuple[int, int], ...]


def days(
    connection: sqlite3.Connection, account: int, from_day: int | None, to_day: int, limit: int
) -> list[DayOfAccount]:
    """Return the days on which money moved on an account, latest first, from `to_day` back."""
    low = 0 if from_day is None else from_day
    found = [row[0] for row in connection.execute(DAYS, (account, low, to_day, limit))]
    if not found:
        return []
    sums: dict[int, list[tuple[int, int]]] = {day: [] for day in found}
    for day, kind, amount in connection.execute(DAY_SUMS, (account, found[-1], found[0])):
        sums[day].append((kind, amount))
    return [
        DayOfAccount(day, _cash_before(connection, account, day), tuple(reversed(lines)))
        for day, lines in sums.items()
    ]


def candles(
    connection: sqlite3.Connection, instrument: int, interval: int, from_s: int, to_s: int, limit: int
) -> list[Row]:
    """Return candles (CANDLE) of a contract that begin in from_s … to_s, both included, latest first."""
    return connection.execute(CANDLES, (instrument, interval, from_s, to_s, limit)).fetchall()


def health_now(connection: sqlite3.Connection) -> list[Row]:
    """Return the latest measurement (HEALTH) of all hubs."""
    return connection.execute(HEALTH_NOW).fetchall()


def health_of(connection: sqlite3.Connection, hub: int, before: int | None, limit: int) -> list[Row]:
    """Return a hub's measurements (HEALTH), the latest `limit` before seq `before`, latest first."""
    bound = _KEY_MAX if before is None else before
    return connection.execute(HEALTH_OF_HUB, (hub, hub, bound, limit)).fetchall()


def _cash_before(connection: sqlite3.Connection, account: int, day: int) -> int:
    last = _first(connection, ENTRIES, "day", day) - 1
    row = connection.execute(CASH_BEFORE, (account, last)).fetchone()
    return 0 if row is None else int(row[0])


def _newest(sources: Sequence[Iterator[Row]], limit: int, key: Any) -> list[Row]:
    return list(islice(merge(*sources, key=key), limit))


def _range(connection: sqlite3.Connection, of: Numbered, span: Span, before: int | None) -> tuple[int, int]:
    """Return the lowest and the highest number that `span` allows, below `before`."""
    low, high = 1, _KEY_MAX if before is None else before - 1
    for column, at_least, above in (
        (of.time, span.from_ns, span.to_ns),
        (of.seq, span.from_seq, _after(span.to_seq)),
        (of.day, span.from_day, _after(span.to_day)),
    ):
        if column is not None and at_least is not None:
            low = max(low, _first(connection, of, column, at_least))
        if column is not None and above is not None:
            high = min(high, _first(connection, of, column, above) - 1)
    return low, high


def _after(last: int | None) -> int | None:
    return None if last is None else last + 1


def _first(connection: sqlite3.Connection, of: Numbered, column: str, value: int) -> int:
    """Return the first number whose `column` is at least `value`; one after the last if none is."""
    (count,) = connection.execute(f"SELECT coalesce(max({of.key}), 0) FROM {of.table}").fetchone()  # noqa: S608
    statement = f"SELECT {column} FROM {of.table} WHERE {of.key} = ?"  # noqa: S608
    low, high = 1, count + 1
    while low < high:
        middle = (low + high) // 2
        (found,) = connection.execute(statement, (middle,)).fetchone()
        low, high = (low, middle) if found >= value else (middle + 1, high)
    return int(low)
