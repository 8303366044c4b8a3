"""The tables of the read models, and the indexes that the queries of `exchange.history.queries` go by."""

from __future__ import annotations

from typing import Final

import numpy as np

from exchange.history.rows import CANDLE, ENTRY, HEALTH, ORDER, ORDER_FIXED, TRADE

SCHEMA_VERSION: Final = 3
"""Goes up whenever tables or the meaning of a column change; history of another version is built anew."""


def _columns(dtype: np.dtype[np.void]) -> list[str]:
    return [f'"{name}"' for name in dtype.names or ()]


def _table(name: str, dtype: np.dtype[np.void]) -> str:
    """Return a table whose first column is its integer key: rows stand in the order of their numbers."""
    first, *others = _columns(dtype)
    columns = [f"{first} INTEGER PRIMARY KEY", *(f"{column} INTEGER NOT NULL" for column in others)]
    return f"CREATE TABLE {name} ({', '.join(columns)}) STRICT"


def _insert(name: str, dtype: np.dtype[np.void]) -> str:
    return f"INSERT INTO {name} VALUES ({', '.join('?' * len(_columns(dtype)))})"  # noqa: S608


_HEALTH_COLUMNS: Final = ", ".join(f"{column} INTEGER NOT NULL" for column in _columns(HEALTH))
_CANDLE_COLUMNS: Final = ", ".join(f"{column} INTEGER NOT NULL" for column in _columns(CANDLE))

TABLES: Final = (
    "CREATE TABLE progress ("
    "schema_version INTEGER NOT NULL, core_version INTEGER NOT NULL, "
    "seq INTEGER NOT NULL, chain BLOB NOT NULL) STRICT",
    _table("trades", TRADE),
    _table("orders", ORDER),
    _table("entries", ENTRY),
    "CREATE TABLE fills (account INTEGER NOT NULL, side INTEGER NOT NULL, trade_id INTEGER NOT NULL, "
    "instrument INTEGER NOT NULL, PRIMARY KEY (account, side, trade_id)) STRICT, WITHOUT ROWID",
    "CREATE TABLE day_sums (account INTEGER NOT NULL, day INTEGER NOT NULL, kind INTEGER NOT NULL, "
    "amount INTEGER NOT NULL, PRIMARY KEY (account, day, kind)) STRICT, WITHOUT ROWID",
    f"CREATE TABLE health ({_HEALTH_COLUMNS}, PRIMARY KEY (hub, seq, component)) STRICT, WITHOUT ROWID",
    f"CREATE TABLE candles ({_CANDLE_COLUMNS}, PRIMARY KEY (instrument, interval, start)) "
    "STRICT, WITHOUT ROWID",
)
"""One row of progress; the key of a table that has no other is the end of each of its indexes."""

INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS health_at ON health (seq)",
    "CREATE INDEX IF NOT EXISTS trades_of_contract ON trades (instrument)",
    "CREATE INDEX IF NOT EXISTS fills_in_contract ON fills (account, instrument, side, trade_id)",
    "CREATE INDEX IF NOT EXISTS orders_of_account ON orders (account, side)",
    "CREATE INDEX IF NOT EXISTS orders_in_contract ON orders (account, instrument, side)",
    "CREATE INDEX IF NOT EXISTS open_orders ON orders (number) WHERE status = 0",
    "CREATE INDEX IF NOT EXISTS entries_of_account ON entries (account)",
    "CREATE INDEX IF NOT EXISTS entries_of_kind ON entries (account, kind)",
    "CREATE INDEX IF NOT EXISTS entries_in_contract ON entries (account, instrument, kind)",
)

OPEN_ORDERS: Final = f"SELECT {', '.join(_columns(ORDER))} FROM orders WHERE status = 0"  # noqa: S608
"""What a start needs to go on with; it has an index of its own, which is as small as what it finds."""

_LATER: Final = _columns(ORDER)[ORDER_FIXED:]

INSERT_TRADE: Final = _insert("trades", TRADE)
INSERT_ORDER: Final = _insert("orders", ORDER)
INSERT_ENTRY: Final = _insert("entries", ENTRY)
INSERT_HEALTH: Final = _insert("health", HEALTH)
INSERT_FILL: Final = "INSERT INTO fills VALUES (?, ?, ?, ?)"
CHANGE_ORDER: Final = f"UPDATE orders SET {', '.join(f'{column} = ?' for column in _LATER)} WHERE number = ?"  # noqa: S608
ADD_TO_DAY: Final = (
    "INSERT INTO day_sums VALUES (?, ?, ?, ?) "
    "ON CONFLICT (account, day, kind) DO UPDATE SET amount = amount + excluded.amount"
)
ADD_TO_CANDLE: Final = (
    _insert("candles", CANDLE)
    + ' ON CONFLICT (instrument, interval, start) DO UPDATE SET "high" = max("high", excluded."high"), '
    '"low" = min("low", excluded."low"), "close" = excluded."close", '
    '"volume" = "volume" + excluded."volume", "value" = "value" + excluded."value", '
    '"trades" = "trades" + excluded."trades"'
)
