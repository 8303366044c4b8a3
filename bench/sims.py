"""The simulation benchmark: how fast simulated markets run, and what running many of them costs.

A day of half a million messages by vectorised agents; a day of agents written in Python; a sweep of short
days on one and on two processes. Beside it runs PAMS, a simulator written in Python, where it is installed.
"""

from __future__ import annotations

import importlib.util
import resource
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

import msgspec

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
_FLOW: Final = _BASE | {
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
_SHORT: Final = _BASE | {
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
    Simulation(scenario_of(_SHORT, "bench"), 1).run()  # compiles
    for _ in range(3):
        simulation = Simulation(scenario_of(_FLOW, "bench"), 1)
        best = min(best, _timed(simulation))
    market, case = simulation.market, "vectorised agents"
    return [
        Result(case, "messages", market.commands, "", "higher", 500_000),
        Result(case, "events", market.events / best[0], "/CPU-s", "higher", 5_000_000),
        Result(case, "day", best[1], "s", "lower", 2.0),
    ]


def custom(agents: int) -> list[Result]:
    """Return the figures of a day of agents that are Python objects."""
    scenario = scenario_of(_FLOW | {"wake_seconds": 120}, "bench")
    scenario = msgspec.structs.replace(scenario, population=scenario.population[:0])
    simulation = Simulation(scenario, 1, parties=[Party("quoters", [Quoter() for _ in range(agents)])])
    cpu, _ = _timed(simulation)
    rate = simulation.market.events / cpu
    return [Result(f"{agents} Python agents", "events", rate, "/CPU-s", "higher", 150_000)]


def _clocked(runner: Executor, jobs: Sequence[Job], warm: int) -> tuple[float, float]:
    """Return wall and this process's CPU seconds for jobs after the first `warm`, which pay for the start."""
    running = runner.run(jobs)
    list(islice(running, warm))
    wall, cpu = time.perf_counter(), time.process_time()
    list(running)
    return time.perf_counter() - wall, time.process_time() - cpu


def sweeping(days: int) -> list[Result]:
    """Return how a sweep scales, what an executor costs a job, and whether memory grows."""
    table = msgspec.json.encode(plain(scenario_of(_SHORT, "bench")))
    warm = max(10, days // 20)
    jobs = [Job("short", seed, table) for seed in range(days + warm)]
    _clocked(Serial(), jobs[: 2 * warm], warm)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, serial = _clocked(Serial(), jobs, warm)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    (one, handing), (two, _) = (_clocked(Pool(workers), jobs, warm) for workers in (1, WORKERS))
    case = f"sweep of {days} days"
    return [
        Result(case, "a day, one process", 1_000 * serial / days, "CPU-ms", "lower"),
        Result(case, "speed-up on 2 processes", one / two, "×", "higher", 1.8),
        Result(case, "handing out and taking in", 1_000 * handing / days, "CPU-ms a job", "lower", 1.0),
        Result(case, "memory grown", grown, "MB", "lower", 16.0),
    ]


def pams(steps: int) -> list[Result]:
    """Return the rate of PAMS on its own kind of market: orders of a hundred agents in one book."""
    from pams.logs.base import Logger
    from pams.runners import SequentialRunner

    class Counter(Logger):  # type: ignore[misc]
        """Counts what its market says."""

        events = 0

        def write(self, log: Any) -> None:
            """Count one."""
            self.events += 1

        def bulk_write(self, logs: list[Any]) -> None:
            """Count many."""
            self.events += len(logs)

    agents = {
        "class": "FCNAgent",
        "numAgents": 100,
        "markets": ["Market"],
        "assetVolume": 50,
        "cashAmount": 10_000,
        "fundamentalWeight": {"expon": [1.0]},
        "chartWeight": {"expon": [0.0]},
        "noiseWeight": {"expon": [1.0]},
        "noiseScale": 0.001,
        "timeWindowSize": [100, 200],
        "orderMargin": [0.0, 0.1],
    }
    session = {
        "sessionName": 0,
        "iterationSteps": steps,
        "withOrderPlacement": True,
        "withOrderExecution": True,
        "withPrint": False,
        "maxNormalOrders": 1,
    }
    settings = {
        "simulation": {"markets": ["Market"], "agents": ["Agents"], "sessions": [session]},
        "Market": {"class": "Market", "tickSize": 0.01, "marketPrice": 300.0},
        "Agents": agents,
    }
    counter = Counter()
    runner = SequentialRunner(settings=settings, logger=counter)
    began = time.process_time()
    runner.main()
    rate = counter.events / (time.process_time() - began)
    return [Result("PAMS", "events", rate, "/CPU-s", "higher", note="its own log records, one book")]


def main() -> None:
    """Measure, print, and write if asked."""
    options = arguments(__doc__ or "")
    results = vectorised()
    results += custom(200 if options.quick else 1_000)
    results += sweeping(60 if options.quick else 1_000)
    notes = ["Events of ours are those of the whole exchange: matching, margin, clearing, settlement, hash."]
    if importlib.util.find_spec("pams") is not None:
        results += pams(500 if options.quick else 5_000)
    else:
        notes.append("PAMS isn't installed: pip install pams (before Python 3.13 it takes numpy 1 with it).")
    show("Simulations", results, notes)
    write(options.json, results, ("numpy", "numba", "pams"))


if __name__ == "__main__":
    main()
