"""The recovery benchmark: how fast a journal is replayed, and how long a start takes just before the next
snapshot is due.

Two days of 200 accounts in 60 contracts in frames of `FRAME` commands, each with its settlement: one with the
mixed stream of `bench.matching` (45 % adds, 45 % cancels, 10 % marketable, Zipf activity), one of
`bench.history` on which most commands trade. A start is `Exchange.open` as `dongxi up` calls it, in a
process that is warm.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from datetime import time as clock_time
from pathlib import Path
from typing import Final

import numpy as np

from bench.history import (
    ACCOUNTS,
    CONTRACTS,
    DAY,
    TRADES_A_COMMAND,
    Writer,
    end_day,
    open_day,
    write_journal,
)
from bench.report import Result, arguments, show, write
from bench.streams import batches, mixed
from exchange.domain.calendar import moment_ns
from exchange.domain.clock import ManualClock
from exchange.journal import FrameKind, OsFiles, Position, frames_after, verify
from exchange.journal.snapshots import write_snapshot
from exchange.service.config import ExchangeConfig
from exchange.service.core import CORE_VERSION, LIMITS, Core
from exchange.service.exchange import Exchange
from exchange.service.replay import apply_frame
from exchange.service.sealed import seal
from exchange.service.tape import Tape
from exchange.service.warm import warm_up
from matching.engine import Engine

COMMANDS: Final = 10_000_000
FRAME: Final = 4_096
REPLAYS: Final = 3
MILLION: Final = 1e6
REFERENCE: Final = 6_000
LIMITS_TICKS: Final = (5_400, 6_600)
"""10 % around the reference: the mixed stream stays within."""


def write_mixed_journal(folder: Path, total: int) -> int:
    """Write the journal of a day with the mixed stream; return its end."""
    journal = Writer(folder)
    open_day(journal, REFERENCE)
    commands = mixed(total, ACCOUNTS, CONTRACTS, limits=LIMITS_TICKS).commands
    commands["account"] += 1  # account 0 is the house's
    commands["client_id"] = 0
    first, last = moment_ns(DAY, clock_time(9)), moment_ns(DAY, clock_time(15))
    for start, block in zip(range(0, total, FRAME), batches(commands, FRAME), strict=True):
        block["seq"] = np.arange(journal.seq + 1, journal.seq + 1 + len(block))
        block["time_ns"] = first + (last - first) * start // total
        journal.append(FrameKind.HOT, len(block), block.tobytes())
    end_day(journal)
    return journal.seq


def checked(journal: Path, commands: int) -> Result:
    """Measure reading alone: checksums and hash chain, nothing applied."""
    start = time.perf_counter()
    for _ in verify(journal):
        pass
    seconds = time.perf_counter() - start
    return Result("read and check", f"{commands:,} commands", commands / seconds / MILLION, "M/s", "higher")


def replayed(day: str, journal: Path, commands: int, target: float | None) -> list[Result]:
    """Measure full replays into an empty core: by the clock, and the processor's time for hot commands alone.

    The replay has one thread, so on a machine that does nothing else both measure the same work.
    """
    rates, hot_rates = [], []
    for _ in range(REPLAYS):
        core, hot_commands, rare_s = Core(Engine(LIMITS)), 0, 0.0
        begun, begun_processor = time.perf_counter(), time.thread_time()
        for frame in frames_after(journal, Position(), CORE_VERSION):
            if frame.kind is FrameKind.HOT:
                apply_frame(core, frame)
                hot_commands += frame.count
            else:
                before = time.thread_time()
                apply_frame(core, frame)
                rare_s += time.thread_time() - before
        rates.append(commands / (time.perf_counter() - begun) / MILLION)
        hot_rates.append(hot_commands / (time.thread_time() - begun_processor - rare_s) / MILLION)
    name = f"{commands:,} commands"
    return [
        Result(
            f"{day}: replay, day's end included",
            name,
            statistics.median(rates),
            "M/s",
            "higher",
            None,
            _of(rates),
        ),
        Result(
            f"{day}: replay, hot",
            "processor time",
            statistics.median(hot_rates),
            "M/s",
            "higher",
            target,
            _of(hot_rates),
        ),
    ]


def _of(rates: list[float]) -> str:
    return f"(of {len(rates)}: {min(rates):.1f} … {max(rates):.1f})"


async def started(config: ExchangeConfig) -> tuple[float, int]:
    """Return the seconds that opening takes, and the last seq."""
    clock = ManualClock(moment_ns(DAY, clock_time(16)))
    start = time.perf_counter()
    exchange = await Exchange.open(config, clock)
    seconds = time.perf_counter() - start
    seq = exchange.views.seq
    await exchange.close()
    return seconds, seq


def seal_before_end(config: ExchangeConfig, tail: int, commands: int) -> None:
    """Write the snapshot that an exchange would have taken `tail` commands before the journal's end."""
    core, tape = Core(Engine(LIMITS)), Tape(config.tape_trades_max)
    for frame in frames_after(config.journal_dir, Position(), CORE_VERSION):
        tape.record(apply_frame(core, frame))
        if core.seq >= commands - tail:
            header, arrays = seal(core, tape, frame.chain)
            write_snapshot(config.snapshot_dir, OsFiles(), header, arrays, config.snapshots_kept)
            return


def starts(day: str, config: ExchangeConfig, commands: int) -> list[Result]:
    """Measure a start just before the next snapshot is due, and one after an orderly end."""
    tail = min(config.snapshot_commands, commands // 2)
    seal_before_end(config, tail, commands)
    due, seq = asyncio.run(started(config))
    ended, again = asyncio.run(started(config))
    if (seq, again) != (commands, commands):
        raise AssertionError(f"the starts led to seq {seq} and {again}, the journal has {commands}")
    name = f"{commands:,} commands"
    return [
        Result(
            f"{day}: start, snapshot nearly due", name, due, "s", "lower", 10.0, f"({tail:,} after the last)"
        ),
        Result(f"{day}: start after an orderly end", name, ended, "s", "lower"),
    ]


def main() -> None:
    """Run the benchmark."""
    options = arguments("Recovery: replay of a journal, and starts with and without a snapshot.")
    total = 500_000 if options.quick else COMMANDS
    warm_up()
    results = []
    with tempfile.TemporaryDirectory(prefix="dongxi-recovery-") as made:
        for day in ("mixed", "trading"):
            folder = Path(made) / day
            config = ExchangeConfig(data_dir=folder / "data", master_key_file=folder / "keys/master.key")
            if day == "mixed":
                commands = write_mixed_journal(config.journal_dir, total)
                results.append(checked(config.journal_dir, commands))
            else:
                commands = write_journal(config.journal_dir, round(total * TRADES_A_COMMAND), FRAME)
            results += replayed(day, config.journal_dir, commands, 5.0 if day == "mixed" else None)
            results += starts(day, config, commands)
            shutil.rmtree(folder)
    notes = [f"frames of {FRAME} commands, one segment"]
    show("recovery", results, notes)
    write(options.json, results, ("numpy", "numba", "blake3", "google-crc32c"))


if __name__ == "__main__":
    main()
