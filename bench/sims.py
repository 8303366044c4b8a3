"""The simulation benchmark: how fast simulated markets run, and what running many of them costs.

A day of half a million messages by vectorised agents; a day of agents written in Python; a sweep of short
days on one and on two processes. Beside them run PAMS and Mesa, where they are installed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import sims_peers
from bench.report import Result, arguments, show, write
from sims.agents.crowd import Moment
from sims.agents.custom import Agent
from sims.engine.simulation import Party, Simulation
from sims.experiments.executors import Executor, Serial
from sims.experiments.job import Job
from sims.experiments.pool import Pool
from sims.scenario.load import plain, scenario_of

WORKERS: Final = 2
_BASE: Final[dict[str, Any]] = {
    "name": "bench",
    "title": "Benchmark",
    "shows": "speed",
    "plausible": "no",
    "days_ahead": 2,
    "goods": [{"grades": ["H100"], "hubs": ["GUIAN", "HORINGER"]}],
}
FLOW: Final = _BASE | {
    "wake_seconds": 60,
    "population": [
        {
            "kind": "poisson",
            "name": "flow",
            "count": 100,
            "orders": 15,
            "open_orders": 100,
            "cash_cny": 10**10,
        }
    ],
}
SHORT: Final = _BASE | {
    "wake_seconds": 1_800,
    "population": [
        {"kind": "provider", "name": "providers", "count": 2},
        {"kind": "enterprise", "name": "enterprises", "count": 4},
        {"kind": "market-maker", "name": "makers", "count": 2},
        {"kind": "zero-intelligence", "name": "noise", "count": 10},
    ],
}


class Quoter(Agent):
    """A Python agent: a quote at a random price each wake, the one before it cancelled when it is known."""

    def __init__(self) -> None:
        super().__init__()
        self._resting: list[int] = []

    def wake(self, now: Moment) -> None:
        """Cancel and quote on."""
        for order_id in self._resting:
            self.cancel(order_id)
        self._resting.clear()
        row = self.account % len(self.board.rows)
        place = self.board.rows[row]
        price = int(self.draws.integers(place["low"], place["high"] + 1))
        if self.account % 2:
            self.buy(row, price, 1)
        else:
            self.sell(row, price, 1)

    def on_events(self, events: Any) -> None:
        """Remember what was accepted."""
        mine = events[(events["kind"] == 1) & (events["account"] == self.account)]
        self._resting = mine["order_id"].tolist()


def _timed(simulation: Simulation) -> tuple[float, float]:
    """Run a simulation; return CPU seconds and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    simulation.run()
    return time.process_time() - cpu, time.perf_counter() - wall


def vectorised() -> list[Result]:
    """Return the figures of a day of half a million messages; the better of three."""
    best = (1e9, 1e9)
    Simulation(scenario_of(SHORT, "bench"), 1).run()  # compiles
    for _ in range(3):
        simulation = Simulation(scenario_of(FLOW, "bench"), 1)
        best = min(best, _timed(simulation))
    market, case = simulation.market, "vectorised agents"
    return [
        Result(case, "messages", market.commands, "", "higher", 500_000),
        Result(case, "events", market.events / best[0], "/CPU-s", "higher", 5_000_000),
        Result(case, "day", best[1], "s", "lower", 2.0),
    ]


def custom(agents: int) -> list[Result]:
    """Return the figures of a day of agents that are Python objects."""
    scenario = scenario_of(FLOW | {"wake_seconds": 120}, "bench")
    scenario = msgspec.structs.replace(scenario, population=scenario.population[:0])
    wakes = 0

    def count(_: Simulation) -> None:
        nonlocal wakes
        wakes += 1

    party = Party("quoters", [Quoter() for _ in range(agents)])
    simulation = Simulation(scenario, 1, parties=[party], watch=count)
    cpu, _ = _timed(simulation)
    case = f"{agents} Python agents"
    return [
        Result(case, "events", simulation.market.events / cpu, "/CPU-s", "higher", 150_000),
        Result(case, "Python agents woken", agents * wakes / cpu, "/CPU-s", "higher"),
    ]


@dataclass(frozen=True, slots=True)
class Cost:
    """What jobs cost; each figure a job's, seconds."""

    wall: float
    parent: float
    """CPU of this process."""
    workers: float
    """CPU of the pool's; 0 without one."""
    start: float
    """Wall seconds to the first outcome, not a job's."""
    grown_mb: float
    """Resident memory of all these processes, after less before; not a job's."""


def cost(runner: Executor, jobs: Sequence[Job], warm: int, workers: int) -> Cost:
    """Run jobs, and measure from when `warm` are done, some by each worker: those pay for compiled code."""
    began = time.perf_counter()
    running = runner.run(jobs)
    pids: set[int] = set()
    start, first = 0.0, 0
    for number, one in enumerate(running, 1):
        pids.add(int(one.worker) if one.worker.isdecimal() else os.getpid())
        start = start or time.perf_counter() - began
        if not first and number >= warm and len(pids) == workers:
            first, wall, parent, before = number, time.perf_counter(), time.process_time(), _used(pids)
        elif first and number == len(jobs) - workers:  # they still live
            seconds, used, after = time.perf_counter() - wall, time.process_time() - parent, _used(pids)
            count = number - first
    return Cost(seconds / count, used / count, (after[0] - before[0]) / count, start, after[1] - before[1])


def _used(pids: set[int]) -> tuple[float, float]:
    """Return CPU seconds of the other processes among these, and the resident megabytes of all."""
    seconds = pages = 0.0
    for pid in pids | {os.getpid()}:
        pages += int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
        if pid != os.getpid():
            fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds, pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _machine_ticks() -> tuple[int, int]:
    """Return how long the machine's processors worked and idled so far, in ticks."""
    first = Path("/proc/stat").read_text("ascii").splitlines()[0].split()
    ticks = [int(field) for field in first[1:9]]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, idle


def sweeping(days: int) -> tuple[list[Result], list[str]]:
    """Return how a sweep scales, what an executor costs a job, and whether memory grows."""
    table = msgspec.json.encode(plain(scenario_of(SHORT, "bench")))
    warm = max(10, days // 20)
    jobs = [Job("short", seed, table) for seed in range(days + warm)]
    busy, idle = _machine_ticks()
    serial = cost(Serial(), jobs, warm, 1)
    one, two = (cost(Pool(workers), jobs, warm, workers) for workers in (1, WORKERS))
    busy, idle = (now - before for now, before in zip(_machine_ticks(), (busy, idle), strict=True))
    ours = (len(jobs) - warm) * (serial.parent + sum(of.parent + of.workers for of in (one, two)))
    others = max(0.0, busy / os.sysconf("SC_CLK_TCK") - ours) * os.sysconf("SC_CLK_TCK") / (busy + idle)
    case = f"sweep of {days} days"
    free = WORKERS * serial.parent / (two.parent + two.workers)
    note = (
        f"While the sweep ran, other work took {others:.0%} of the machine. The speed-up from CPU time is "
        f"{WORKERS} × what a day costs in one process ÷ what it costs pool and parent: that of free cores."
    )
    return [
        Result(case, "a day, one process", 1_000 * serial.parent, "CPU-ms", "lower"),
        Result(
            case, f"speed-up on {WORKERS} processes, by the clock", one.wall / two.wall, "×", "higher", 1.8
        ),
        Result(case, f"speed-up on {WORKERS} processes, from CPU time", free, "×", "higher", 1.8),
        Result(case, "handing out and taking in", 1_000 * two.parent, "CPU-ms a job", "lower", 1.0),
        Result(case, "until the first outcome", one.start, "s", "lower"),
        Result(case, "memory grown, one process", serial.grown_mb, "MB", "lower", 16.0),
        Result(case, "memory grown, pool and parent", two.grown_mb, "MB", "lower", 16.0),
    ], [note]


def main() -> None:
    """Measure, print, and write if asked."""
    options = arguments(__doc__ or "")
    results = vectorised()
    results += custom(200 if options.quick else 1_000)
    swept, notes = sweeping(60 if options.quick else 1_000)
    beside, said = sims_peers.measure(quick=options.quick)
    ours = "Events of ours are those of the whole exchange: matching, margin, clearing, settlement, hash."
    results += swept + beside
    show("Simulations", results, [ours, *notes, *said])
    write(options.json, results, ("numpy", "numba", "pams", "mesa"))


if __name__ == "__main__":
    main()
