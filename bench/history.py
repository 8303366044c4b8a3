"""The history benchmark: how fast the process folds a journal into SQLite, and how long queries take on it.

A journal of one trading day is written: random limit orders of 200 accounts in 60 contracts, of which most
trade, settled at the end. It is built into a history up to 90 %, followed to its end, and read at random.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from datetime import time as clock
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.report import Result, arguments, show, write
from exchange.domain import messages as m
from exchange.domain.calendar import moment_ns
from exchange.domain.contracts import quarter_period
from exchange.domain.phases import MarketPhase
from exchange.history import queries
from exchange.history.follower import Follower
from exchange.history.mark import DurableMark, history_folder
from exchange.history.queries import Span
from exchange.history.reader import HistoryReader, open_to_read, progress_of
from exchange.history.store import latest
from exchange.journal.format import (
    GENESIS,
    FrameKind,
    SegmentHeader,
    encode_frame,
    encode_segment_header,
)
from exchange.journal.reader import segment_name
from exchange.service.candles import INTERVALS_S
from exchange.service.core import CORE_VERSION
from exchange.service.frames import pack_rare
from matching.records import COMMAND, CommandKind, Records, Side

DAY: Final = date(2026, 12, 4)
ACCOUNTS: Final = 200
CONTRACTS: Final = 60
REFERENCE: Final = 1_200
FRAME: Final = 512
TRADES_A_COMMAND: Final = 0.76
FOLLOWED: Final = 0.1
"""Share of the journal that comes in when the history is already there."""
P99_MS: Final = 50.0
ROWS: Final = 100


class Writer:
    """Writes a journal of one segment."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._file = (folder / segment_name(1)).open("wb")
        self._file.write(encode_segment_header(SegmentHeader(CORE_VERSION, 1, GENESIS)))
        self._chain = GENESIS
        self.seq = 0

    def append(self, kind: FrameKind, count: int, body: bytes) -> None:
        """Add a frame."""
        pieces, self._chain = encode_frame(
            kind, self.seq + 1, count, body, core_version=CORE_VERSION, previous_chain=self._chain
        )
        self._file.writelines(pieces)
        self.seq += count

    def rare(self, hour: int, minute: int, message: m.RareMessage) -> None:
        """Add a rare message at a time of the day."""
        self.append(FrameKind.RARE, 1, pack_rare(moment_ns(DAY, clock(hour, minute)), message))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def write_journal(folder: Path, trades: int, frame: int = FRAME) -> int:
    """Write the journal of a day with about `trades` trades, `frame` commands a frame; return its end."""
    journal = Writer(folder)
    open_day(journal, REFERENCE)
    for commands in _orders(int(trades / TRADES_A_COMMAND), journal.seq, frame):
        journal.append(FrameKind.HOT, len(commands), commands.tobytes())
    end_day(journal)
    return journal.seq


def open_day(journal: Writer, reference: int) -> None:
    """Write everything up to the beginning of continuous trading; `reference` is the contracts' price."""
    products = tuple(m.Product("H100", f"HUB{number}", 1) for number in range(CONTRACTS))
    journal.rare(8, 0, m.SetRules(products=products, closed_days=(), calendar_end=date(2028, 1, 1)))
    for number in range(ACCOUNTS):
        journal.rare(8, 0, m.AddMember(name=f"member-{number}", kind="enterprise"))
        journal.rare(8, 0, m.Deposit(member=f"member-{number}", amount_fen=10**15))
    period = quarter_period(DAY + timedelta(days=365))
    listings = tuple(m.Listing(f"H100.{product.hub}.{period.code}", reference) for product in products)
    journal.rare(8, 0, m.ListContracts(listings=listings))
    journal.rare(8, 30, m.OpenDay(day=DAY, settlement_window_ns=moment_ns(DAY, clock(14))))
    for hour, minute, phase in (
        (8, 55, MarketPhase.CALL),
        (8, 59, MarketPhase.MATCHED),
        (9, 0, MarketPhase.CONTINUOUS),
    ):
        journal.rare(hour, minute, m.SetPhase(phase=phase))


def end_day(journal: Writer) -> None:
    """Write the end of trading and the settlement, and close the file."""
    journal.rare(15, 0, m.SetPhase(phase=MarketPhase.CLOSED))
    journal.rare(15, 30, m.SettleDay(day=DAY))
    journal.close()


def _orders(total: int, after: int, frame: int) -> Iterator[Records]:
    """Yield frames of limit orders around the reference price, and now and then a mass cancel."""
    dice = np.random.default_rng(7)
    first, last = moment_ns(DAY, clock(9)), moment_ns(DAY, clock(15))
    for start in range(0, total, frame):
        commands = np.zeros(min(frame, total - start), COMMAND)
        count = len(commands)
        commands["kind"] = CommandKind.NEW
        commands["seq"] = np.arange(after + start + 1, after + start + 1 + count)
        commands["time_ns"] = first + (last - first) * start // total
        commands["account"] = dice.integers(1, ACCOUNTS + 1, count)
        commands["instrument"] = CONTRACTS * dice.random(count) ** 2
        commands["side"] = dice.integers(0, 2, count)
        commands["price"] = dice.integers(REFERENCE - 3, REFERENCE + 4, count)
        commands["quantity"] = dice.integers(1, 6, count)
        commands["kind"][-1], commands["side"][-1] = CommandKind.MASS_CANCEL, Side.ANY
        for column in ("price", "quantity"):
            commands[column][-1] = 0
        commands["hub"][-1] = 0xFFFF
        yield commands


def rows_in(path: Path) -> int:
    """Return the rows of all tables."""
    connection = sqlite3.connect(path)
    tables = ("trades", "orders", "entries", "fills", "day_sums", "candles")
    total = sum(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)
    connection.close()
    return int(total)


def fill(data: Path, last: int) -> list[Result]:
    """Build and follow; return how fast."""
    mark = DurableMark(history_folder(data))
    mark.seq = int(last * (1 - FOLLOWED))
    results = []
    with Follower(data) as follower:
        start = time.perf_counter()
        built = follower.catch_up(threading.Event(), rebuild=True)
        seconds = time.perf_counter() - start
        path = latest(history_folder(data))
        if path is None:
            raise AssertionError("nothing was built")
        rows, trades = rows_in(path), progress_of(path).trades
        results += [
            Result("build", "rows", rows / seconds, "rows/s", "higher", None, f"({rows:,} rows)"),
            Result("build", "trades", trades / seconds, "trades/s", "higher", None, f"({trades:,} trades)"),
            Result("build", "commands", built / seconds, "commands/s", "higher"),
        ]
        start = time.perf_counter()
        follower.catch_up(threading.Event())
        results.append(Result("start", "replay to where it ended", time.perf_counter() - start, "s", "lower"))
        results += _follow(follower, mark, path, last, rows)
    size = sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))
    results.append(Result("size", "of a row, indexes included", size / rows_in(path), "bytes", "lower"))
    return results


def _follow(follower: Follower, mark: DurableMark, path: Path, last: int, before: int) -> list[Result]:
    """Let the journal grow by what is left of it, with all indexes in place."""
    stop = threading.Event()
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    first = progress_of(path).as_of_seq
    mark.seq = first + 1_000  # once this is there, the replay is over
    _until(path, first + 1)
    first, start = progress_of(path).as_of_seq, time.perf_counter()
    mark.seq = last
    _until(path, last)
    seconds = time.perf_counter() - start
    stop.set()
    thread.join()
    rows = rows_in(path) - before
    return [
        Result("follow", "rows", rows / seconds, "rows/s", "higher", None, f"({rows:,} rows)"),
        Result("follow", "commands", (last - first) / seconds, "commands/s", "higher"),
    ]


def _until(path: Path, seq: int) -> None:
    connection = open_to_read(path)
    while connection.execute("SELECT seq FROM progress").fetchone()[0] < seq:
        time.sleep(0.005)
    connection.close()


def read(data: Path, times: int) -> list[Result]:
    """Ask every query `times` times at random, one after another; return how long each took."""
    path = latest(history_folder(data))
    if path is None:
        raise AssertionError("nothing was built")
    progress = progress_of(path)
    reader = HistoryReader(history_folder(data), timeout_s=60)
    results: list[Result] = []
    try:
        for name, ask in _questions(progress.trades, progress.orders, random.Random(3)).items():
            taken = np.array(asyncio.run(_time(reader, ask, times))) * 1e3
            for level, target in ((50, None), (99, P99_MS)):
                value = float(np.percentile(taken, level))
                results.append(Result(name, f"p{level}", value, "ms", "lower", target))
    finally:
        reader.close()
    return results


async def _time(reader: HistoryReader, ask: Callable[[], Callable[..., Any]], times: int) -> list[float]:
    taken = []
    for _ in range(times):
        query = ask()
        start = time.perf_counter()
        await reader.run(query)
        taken.append(time.perf_counter() - start)
    return taken


def _questions(trades: int, orders: int, dice: random.Random) -> dict[str, Callable[[], Callable[..., Any]]]:
    """Return what is asked, by name; each call draws another one."""
    anything = Span()
    first, last = moment_ns(DAY, clock(9)), moment_ns(DAY, clock(15))

    def account() -> int:
        return dice.randrange(1, ACCOUNTS + 1)

    def contract() -> int:
        return dice.randrange(CONTRACTS)

    def side() -> int:
        return dice.randrange(2)

    def times() -> Span:
        begin = dice.randrange(first, last)
        return Span(from_ns=begin, to_ns=begin + 60 * 10**9)

    def of(query: Callable[..., Any], *draw: Any, limit: int = ROWS) -> Callable[[], Callable[..., Any]]:
        def ask() -> Callable[..., Any]:
            values = [one() if callable(one) else one for one in draw]
            return lambda connection: query(connection, *values, limit)

        return ask

    somewhere = partial(dice.randrange, 1, trades)
    return {
        "trades of a contract": of(queries.trades, contract, anything, None),
        "trades, a page in the middle": of(queries.trades, contract, anything, somewhere),
        "trades of a minute": of(queries.trades, contract, times, None),
        "trades, 500 rows": of(queries.trades, contract, anything, None, limit=500),
        "fills": of(queries.fills, account, None, None, anything, None),
        "fills in a contract, one side": of(queries.fills, account, contract, side, anything, None),
        "fills of a minute": of(queries.fills, account, None, None, times, None),
        "fills, a page in the middle": of(
            queries.fills, account, None, None, anything, lambda: (somewhere(), 1)
        ),
        "orders": of(queries.orders, account, None, None, anything, None),
        "orders in a contract, one side": of(queries.orders, account, contract, side, anything, None),
        "orders, a page in the middle": of(
            queries.orders, account, None, None, anything, partial(dice.randrange, 1, orders)
        ),
        "ledger": of(queries.entries, account, None, None, anything, None),
        "statements": of(queries.days, account, None, 1 << 20),
        "candles": of(queries.candles, contract, lambda: dice.choice(INTERVALS_S), 0, 1 << 40),
    }


def main() -> None:
    """Run the benchmark."""
    options = arguments("History: rows a second into SQLite, queries on ten million trades.")
    trades = 300_000 if options.quick else 10_000_000
    data = Path(tempfile.mkdtemp(prefix="dongxi-history-"))
    try:
        last = write_journal(data / "journal", trades)
        results = fill(data, last)
        results += read(data, 200 if options.quick else 1_000)
    finally:
        shutil.rmtree(data)
    show("history", results)
    write(options.json, results, ("numpy", "numba"))


if __name__ == "__main__":
    main()
