"""Simulators that pip can install, on their own ground, for the figures beside ours.

``python -m bench.sims_peers`` needs nothing of Dongxi but `rich`, since PAMS pins numpy 1 before Python 3.13:
make an environment of its own (``pip install pams 'mesa<3.4' rich``) and run it there from this repository.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from typing import Any

from bench.report import Result, arguments, show, versions, write

AGENTS = 1_000
SAID = {
    "pams": "Events of PAMS are its log records: orders, cancellations, trades in one book; nothing clears.",
    "mesa": "Mesa's agents draw one price each; there is no market behind them.",
}


def pams(steps: int) -> list[Result]:
    """Return the rate of PAMS on its own kind of market: orders of a hundred agents in one book."""
    base: Any = importlib.import_module("pams.logs.base")
    runners: Any = importlib.import_module("pams.runners")

    class Counter(base.Logger):  # type: ignore[misc]
        """Counts what its market says."""

        events = 0

        def write(self, log: Any) -> None:
            """Count one."""
            self.events += 1

        def bulk_write(self, logs: list[Any]) -> None:
            """Count many."""
            self.events += len(logs)

    counter = Counter()
    runner = runners.SequentialRunner(settings=_pams_settings(steps), logger=counter)
    began = time.process_time()
    runner.main()
    rate = counter.events / (time.process_time() - began)
    return [Result(_named("pams"), "events", rate, "/CPU-s", "higher")]


def _pams_settings(steps: int) -> dict[str, Any]:
    """Return a market as its documentation makes one."""
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
    return {
        "simulation": {"markets": ["Market"], "agents": ["Agents"], "sessions": [session]},
        "Market": {"class": "Market", "tickSize": 0.01, "marketPrice": 300.0},
        "Agents": agents,
    }


def mesa(steps: int) -> list[Result]:
    """Return how many agents Mesa wakes: each draws a price and remembers it. It has no market."""
    module: Any = importlib.import_module("mesa")

    class Quoter(module.Agent):  # type: ignore[misc]
        """Draws a quote."""

        quote = 0

        def step(self) -> None:
            """Quote on."""
            self.quote = int(self.model.rng.integers(900, 1_101))

    model = module.Model(seed=1)
    Quoter.create_agents(model, AGENTS)
    began = time.process_time()
    for _ in range(steps):
        model.agents.shuffle_do("step")
    rate = AGENTS * steps / (time.process_time() - began)
    return [Result(_named("mesa"), "Python agents woken", rate, "/CPU-s", "higher")]


def _named(package: str) -> str:
    return f"{package} {versions(package)[package]}"


def measure(*, quick: bool) -> tuple[list[Result], list[str]]:
    """Measure the peers that are installed; return results, and a note for each that isn't."""
    peers = {"pams": (pams, 500 if quick else 5_000), "mesa": (mesa, 50 if quick else 500)}
    results: list[Result] = []
    notes: list[str] = []
    for name, (run, steps) in peers.items():
        if importlib.util.find_spec(name) is None:
            notes.append(
                f"{name} isn't installed here; python -m bench.sims_peers --help says how to add it."
            )
        else:
            results += run(steps)
            notes.append(SAID[name])
    return results, notes


def main() -> None:
    """Measure, print, and write if asked."""
    options = arguments(__doc__ or "")
    results, notes = measure(quick=options.quick)
    show("Simulators beside ours", results, notes)
    write(options.json, results, ("pams", "mesa", "numpy"))


if __name__ == "__main__":
    main()
