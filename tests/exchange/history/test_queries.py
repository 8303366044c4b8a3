"""Every query is a stretch of an index, and says what a look at all rows says."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from history_days import Days, stored

from exchange.history import queries
from exchange.history.follower import Follower
from exchange.history.mark import DurableMark, history_folder
from exchange.history.queries import Span
from exchange.history.reader import open_to_read
from exchange.history.rows import CANDLE, ENTRY, ORDER, TRADE
from exchange.history.store import latest

Rows = dict[str, list[dict[str, int]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a history of some days."""
    folder = tmp_path_factory.mktemp("queried")
    days = Days(seed=5)
    days.live(3, orders=60)
    DurableMark(history_folder(folder)).seq = days.write(folder)
    with Follower(folder) as follower:
        follower.catch_up(threading.Event())
    return folder


@pytest.fixture(scope="module")
def connection(folder: Path) -> Iterator[sqlite3.Connection]:
    path = latest(history_folder(folder))
    assert path is not None
    connection = open_to_read(path)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def rows(folder: Path) -> Rows:
    """All rows, by table, with their columns' names."""
    found = stored(history_folder(folder))[1]
    named = {"trades": TRADE, "orders": ORDER, "entries": ENTRY, "candles": CANDLE}
    return {
        table: [dict(zip(dtype.names or (), row, strict=True)) for row in found[table]]
        for table, dtype in named.items()
    }


@pytest.mark.parametrize("statement", queries.STATEMENTS)
def test_no_query_scans_a_table_or_sorts(connection: sqlite3.Connection, statement: str) -> None:
    """A scan would grow with the history, and a sort with what is found."""
    values = (1,) * statement.count("?")
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert plan
    assert all(step.startswith("SEARCH") and ("INDEX" in step or "PRIMARY KEY" in step) for step in plan)


def test_the_bisection_looks_rows_up_by_their_key(connection: sqlite3.Connection) -> None:
    for of in (queries.TRADES, queries.ORDERS, queries.ENTRIES):
        for statement in (
            f"SELECT max({of.key}) FROM {of.table}",
            f"SELECT 1 FROM {of.table} WHERE {of.key}=1",
        ):
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert all(step.startswith("SEARCH") for step in plan), plan


def draw_span(dice: random.Random, times: list[int], seqs: list[int]) -> Span:
    """Bounds that often fall exactly on a row, and are often absent."""

    def maybe(values: list[int]) -> int | None:
        return None if dice.random() < 0.6 else dice.choice(values) + dice.choice((-1, 0, 1))

    return Span(maybe(times), maybe(times), maybe(seqs), maybe(seqs))


def inside(row: dict[str, int], span: Span, time: str, seq: str) -> bool:
    return (
        (span.from_ns is None or row[time] >= span.from_ns)
        and (span.to_ns is None or row[time] < span.to_ns)
        and (span.from_seq is None or row[seq] >= span.from_seq)
        and (span.to_seq is None or row[seq] <= span.to_seq)
    )


def paged(ask: Any, key: Any, limit: int) -> list[tuple[int, ...]]:
    """Return all rows of a query, page by page."""
    found: list[tuple[int, ...]] = []
    before = None
    while page := ask(before, limit):
        assert len(page) <= limit
        found += page
        before = key(page[-1])
    return found


@pytest.mark.parametrize("seed", range(60))
def test_every_filter_and_page_says_what_a_look_at_all_rows_says(
    connection: sqlite3.Connection, rows: Rows, seed: int
) -> None:
    dice = random.Random(seed)
    limit = dice.choice((1, 3, 50))
    account = dice.choice((1, 2, 3))
    instrument = dice.choice((None, 0, 1, 2, 77))
    side = dice.choice((None, 0, 1))
    trades, orders = rows["trades"], rows["orders"]
    span = draw_span(dice, [row["time_ns"] for row in trades], [row["seq"] for row in trades])

    def near(row: dict[str, int]) -> bool:
        return instrument is None or row["instrument"] == instrument

    chosen = instrument or 0
    found = paged(
        lambda before, n: queries.trades(connection, chosen, span, before, n), lambda row: row[0], limit
    )
    wanted = [row for row in trades if row["instrument"] == chosen and inside(row, span, "time_ns", "seq")]
    assert found == [tuple(row.values()) for row in reversed(wanted)]

    found = paged(
        lambda before, n: queries.fills(connection, account, instrument, side, span, before, n),
        lambda row: (row[1], row[0]),
        limit,
    )
    sides = [
        (which, *row.values())
        for row in reversed(trades)
        if near(row) and inside(row, span, "time_ns", "seq")
        for which in (1, 0)
        if row["account" if which == row["side"] else "contra_account"] == account and side in (None, which)
    ]
    assert found == sides

    found = paged(
        lambda before, n: queries.orders(connection, account, instrument, side, span, before, n),
        lambda row: row[0],
        limit,
    )
    mine = [
        row
        for row in reversed(orders)
        if row["account"] == account
        and near(row)
        and side in (None, row["side"])
        and inside(row, span, "accepted_ns", "accepted_seq")
    ]
    assert found == [tuple(row.values()) for row in mine]


@pytest.mark.parametrize("account", [1, 2, 3])
def test_both_fills_of_a_trade_with_oneself_are_shown_wherever_the_page_ends(
    connection: sqlite3.Connection, rows: Rows, account: int
) -> None:
    twice = [row for row in rows["trades"] if row["account"] == row["contra_account"] == account]
    assert twice
    for limit in (1, 2):
        found = paged(
            lambda before, n: queries.fills(connection, account, None, None, Span(), before, n),
            lambda row: (row[1], row[0]),
            limit,
        )
        for trade in twice:
            assert [row[0] for row in found if row[1] == trade["trade_id"]] == [1, 0]


@pytest.mark.parametrize("seed", range(30))
def test_the_ledger_by_day_kind_and_contract(connection: sqlite3.Connection, rows: Rows, seed: int) -> None:
    dice = random.Random(seed)
    account, limit = dice.choice((1, 2, 3)), dice.choice((1, 4, 100))
    instrument, kind = dice.choice((None, 0, 1, 2)), dice.choice((None, 1, 2, 3, 4, 5))
    if instrument is None:
        kinds = None if kind is None else [kind]
    else:
        kinds = [1, 2, 3, 4, 5] if kind is None else [kind]
    days = sorted({row["day"] for row in rows["entries"]})
    first, last = (dice.choice((None, *days)) for _ in range(2))
    span = Span(from_day=first, to_day=last)

    def within(row: dict[str, int]) -> bool:
        return (first is None or row["day"] >= first) and (last is None or row["day"] <= last)

    mine = [row for row in rows["entries"] if row["account"] == account]
    wanted = [
        tuple(row.values())
        for row in reversed(mine)
        if within(row) and kind in (None, row["kind"]) and instrument in (None, row["instrument"])
    ]
    found = paged(
        lambda before, n: queries.entries(connection, account, instrument, kinds, span, before, n),
        lambda row: row[0],
        limit,
    )
    assert found == wanted

    statements = queries.days(connection, account, first, days[-1] if last is None else last, limit)
    shown = sorted({row["day"] for row in mine if within(row)}, reverse=True)[:limit]
    assert [statement.day for statement in statements] == shown
    for statement in statements:
        amounts = [row["amount"] for row in mine if row["day"] < statement.day]
        assert statement.opening == sum(amounts)
        today = [row for row in mine if row["day"] == statement.day]
        assert dict(statement.sums) == {
            which: sum(row["amount"] for row in today if row["kind"] == which)
            for which in sorted({row["kind"] for row in today})
        }
        assert statement.opening + sum(amount for _, amount in statement.sums) == today[-1]["cash"]


@pytest.mark.parametrize("interval", [60, 300, 3_600, 86_400])
def test_candles_between_times(connection: sqlite3.Connection, rows: Rows, interval: int) -> None:
    candles = [row for row in rows["candles"] if (row["instrument"], row["interval"]) == (0, interval)]
    starts = sorted(row["start"] for row in candles)
    for low, high in ((starts[0], starts[-1]), (starts[0] + 1, starts[-1]), (starts[-1], starts[-1] - 1)):
        found = queries.candles(connection, 0, interval, low, high, 1000)
        wanted = [row for row in reversed(candles) if low <= row["start"] <= high]
        assert found == [tuple(row.values()) for row in wanted]


def test_pages_stay_while_rows_come_in(tmp_path: Path) -> None:
    """What was to come on the next page comes there, once, however much was traded meanwhile."""
    days = Days(seed=6)
    days.live(2, orders=60)
    last = days.write(tmp_path)
    mark = DurableMark(history_folder(tmp_path))
    mark.seq = last // 2
    stop = threading.Event()
    with Follower(tmp_path) as follower:
        follower.catch_up(stop)
        path = latest(history_folder(tmp_path))
        assert path is not None
        connection = open_to_read(path)
        whole = queries.fills(connection, 2, None, None, Span(), None, 10_000)
        first = queries.fills(connection, 2, None, None, Span(), None, 10)
        mark.seq = last
        follower.catch_up(stop)
        later = queries.fills(connection, 2, None, None, Span(), None, 10_000)
        assert len(later) > len(whole)
        rest = queries.fills(connection, 2, None, None, Span(), (first[-1][1], first[-1][0]), 10_000)
        connection.close()
    assert first + rest == whole
