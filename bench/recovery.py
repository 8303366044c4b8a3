"""The recovery benchmark: how fast a journal is replayed, and how long a start takes just before the next
snapshot is due.

The journal is that of `bench.history`'s day: limit orders of 200 accounts in 60 contracts, of which most
trade, in frames of `FRAME` commands, and the settlement at its end. A start is `Exchange.open` as
`dongxi up` calls it, in a process that is warm.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import time as clock_time
from pathlib import Path
from typing import Final

from bench.history import DAY, TRADES_A_COMMAND, write_journal
from bench.report import Result, arguments, show, write
from exchange.domain.calendar import moment_ns
from exchange.domain.clock import ManualClock
from exchange.journal import Position, frames_after, verify
from exchange.service.config import ExchangeConfig
from exchange.service.core import CORE_VERSION, LIMITS, Core
from exchange.service.exchange import Exchange
from exchange.service.replay import apply_frame
from exchange.service.warm import warm_up
from matching.engine import Engine

COMMANDS: Final = 10_000_000
FRAME: Final = 4_096
REPLAYS: Final = 3
MILLION: Final = 1e6


def checked(journal: Path, commands: int) -> Result:
    """Measure reading alone: checksums and hash chain, nothing applied."""
    start = time.perf_counter()
    for _ in verify(journal):
        pass
    seconds = time.perf_counter() - start
    return Result("read and check", f"{commands:,} commands", commands / seconds / MILLION, "M/s", "higher")


def replayed(journal: Path, commands: int) -> Result:
    """Measure a full replay into an empty core."""
    rates = []
    for _ in range(REPLAYS):
        core = Core(Engine(LIMITS))
        start = time.perf_counter()
        for frame in frames_after(journal, Position(), CORE_VERSION):
            apply_frame(core, frame)
        rates.append(commands / (time.perf_counter() - start) / MILLION)
    spread = f"(of {len(rates)}: {min(rates):.1f} … {max(rates):.1f})"
    return Result("replay", f"{commands:,} commands", statistics.median(rates), "M/s", "higher", 5.0, spread)


async def started(config: ExchangeConfig) -> tuple[float, int]:
    """Return the seconds that opening takes, and the last seq."""
    clock = ManualClock(moment_ns(DAY, clock_time(16)))
    start = time.perf_counter()
    exchange = await Exchange.open(config, clock)
    seconds = time.perf_counter() - start
    seq = exchange.views.seq
    await exchange.close()
    return seconds, seq


def starts(config: ExchangeConfig, commands: int) -> list[Result]:
    """Measure a start that replays everything, and one from the snapshot that the first left at its end."""
    never = replace(config, snapshot_commands=1 << 62)
    whole, seq = asyncio.run(started(never))
    begun, again = asyncio.run(started(config))
    if seq != again:
        raise AssertionError(f"the snapshot led to seq {again}, the journal to {seq}")
    return [
        Result("start", f"{commands:,} commands, no snapshot", whole, "s", "lower", 10.0),
        Result("start", "from a snapshot at the end", begun, "s", "lower"),
    ]


def main() -> None:
    """Run the benchmark."""
    options = arguments("Recovery: replay of a journal, and starts with and without a snapshot.")
    total = 500_000 if options.quick else COMMANDS
    warm_up()
    with tempfile.TemporaryDirectory(prefix="dongxi-recovery-") as made:
        folder = Path(made)
        config = ExchangeConfig(data_dir=folder / "data", master_key_file=folder / "keys/master.key")
        commands = write_journal(config.journal_dir, round(total * TRADES_A_COMMAND), FRAME)
        results = [checked(config.journal_dir, commands), replayed(config.journal_dir, commands)]
        results += starts(config, commands)
    notes = [f"frames of {FRAME} commands; as if the first snapshot were due after {commands:,}"]
    show("recovery", results, notes)
    write(options.json, results, ("numpy", "numba", "blake3", "google-crc32c"))


if __name__ == "__main__":
    main()
