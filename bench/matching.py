"""The matching benchmark: batches on the streams of ``bench.streams``, single calls, memory, start-up, and
peers.

Every feature is compiled in; accounts have order, open-order, rate, position and margin limits; every event
is read once by a compiled checksum. Rates are the median of five replays into a fresh engine, in commands a
second of wall time.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bench import peers
from bench.report import Result, arguments, show, write
from bench.streams import SHAPES, Stream, batches, board, mixed, shares
from matching.engine import Engine
from matching.layout import LINK, NUMBER, ORDER
from matching.records import Side, cancel, new_order

REPLAYS = 5
FLOOR_BOARD = 25.0
FLOOR_MIXED = 40.0
FLOOR_MANY = 15.0


@njit
def checksum(words: NDArray[Any]) -> np.uint64:
    """Read every word of the events once."""
    total = np.uint64(0)
    for place in range(len(words)):
        total ^= words[place]
    return total


def replay(stream: Stream) -> tuple[float, Engine]:
    """Return the rate of one replay into a fresh engine in M commands/s, and the engine."""
    engine = stream.engine()
    for batch in batches(stream.commands[: stream.warm]):
        checksum(engine.apply(batch).view(np.uint64))
    start = time.perf_counter()
    for batch in batches(stream.commands[stream.warm :]):
        checksum(engine.apply(batch).view(np.uint64))
    seconds = time.perf_counter() - start
    return (len(stream.commands) - stream.warm) / seconds / 1e6, engine


def rate(stream: Stream, target: float | None, replays: int) -> Result:
    """Return the median rate of a stream."""
    rates = [replay(stream)[0] for _ in range(replays)]
    spread = f"(of {len(rates)}: {min(rates):.1f} … {max(rates):.1f})"
    value = statistics.median(rates)
    return Result(stream.name, "batches of 4096", value, "M commands/s", "higher", target, spread)


def described(result: Result, stream: Stream) -> Result:
    """Return a result of (b) with what its stream came to."""
    said = ", ".join(f"{name} {value:.0f} %" for name, value in shares(stream).items())
    return replace(result, note=f"{result.note} {said}")


def single_calls(stream: Stream, count: int) -> list[Result]:
    """Measure one command through the Python interface: an order that rests, then its cancel, in a filled
    book.
    """
    engine = stream.engine()
    engine.apply(stream.commands)
    order = new_order(account=1, instrument=0, side=Side.BUY, quantity=1, price=stream.spec.price_low)
    taken = np.zeros(2 * count)
    for place in range(count):
        start = time.perf_counter_ns()
        events = engine.apply(order)
        taken[2 * place] = time.perf_counter_ns() - start
        away = cancel(account=1, order_id=int(events["order_id"][0]))
        start = time.perf_counter_ns()
        engine.apply(away)
        taken[2 * place + 1] = time.perf_counter_ns() - start
    targets = {50.0: 1.5, 99.0: None, 99.9: None}
    return [
        Result("single call", f"p{level:g}", float(np.percentile(taken, level)) / 1e3, "µs", "lower", target)
        for level, target in targets.items()
    ]


def bytes_per_order() -> Result:
    """Return the bytes of one resting order in every table that grows with orders."""
    size = ORDER.itemsize + LINK.itemsize + 2 * NUMBER.itemsize
    return Result("memory", "one resting order", size, "bytes", "lower", 160)


def first_match() -> Result:
    """Measure a fresh process from its import of the engine to its first trade, with a warm compile cache."""
    code = (
        "import time; start = time.perf_counter()\n"
        "from matching.engine import Engine\n"
        "from matching.records import Phase, Side, new_order\n"
        "from matching.spec import AccountSpec, EngineLimits, InstrumentSpec\n"
        "engine = Engine(EngineLimits(max_instruments=1, max_accounts=2))\n"
        "engine.add_instrument(0, InstrumentSpec(100, 200, 150))\n"
        "for account in (0, 1): engine.set_account(account, AccountSpec(equity_fen=10**9))\n"
        "engine.set_phase(0, Phase.CONTINUOUS)\n"
        "for side in (Side.BUY, Side.SELL):\n"
        "    engine.apply(new_order(account=side, instrument=0, side=side, quantity=1, price=150))\n"
        "print(time.perf_counter() - start)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return Result("start", "import to first trade", float(told.stdout), "s", "lower", 1.5)


def main() -> None:
    """Run the benchmark."""
    options = arguments("Matching: commands a second, single calls, memory, start-up, peers.")
    replays = 3 if options.quick else REPLAYS
    total = 300_000 if options.quick else 2_000_000
    base = mixed(total)
    results = [rate(base, FLOOR_MIXED, replays)]
    streams = [board(shape, total) for shape in SHAPES]
    boards = [described(rate(stream, None, replays), stream) for stream in streams]
    worst = min(boards, key=lambda result: result.value)
    results += boards
    results.append(Result("b worst", worst.case, worst.value, worst.unit, "higher", FLOOR_BOARD))
    many = mixed(total if options.quick else 1_000_000, instruments=2000)
    results.append(rate(many, FLOOR_MANY, replays))
    deep = mixed(total, resting=100_000 if options.quick else 1_000_000)
    results.append(rate(deep, results[0].value / 2, replays))
    results += single_calls(base, 2_000 if options.quick else 20_000)
    results += [bytes_per_order(), first_match()]
    results.append(peers.reference(base, 5_000 if options.quick else 50_000))
    others, notes = peers.measure(base, 5_000 if options.quick else 50_000)
    results += others
    show("matching", results, notes)
    write(options.json, results, ("numpy", "numba", "llvmlite", *peers.PEERS))


if __name__ == "__main__":
    main()
