"""What each population does to a market: paired runs with and without it, under common seeds.

The market is a day of `calm` unless a case says else, without any of the population's kind; each case names
one figure and which way the population should move it. It is met if the whole 95 % interval lies there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.report import Result, arguments, write
from sims.experiments.findings import figures
from sims.experiments.inference import Paired, paired
from sims.experiments.job import Finished, Job
from sims.experiments.plan import BASE, CANDIDATE
from sims.experiments.pool import Pool
from sims.scenario.load import load_scenario, plain, scenario_of

SEEDS: Final = 30
QUICK_SEEDS: Final = 2
TRIED: Final = "tried"
"""What the population is called in every run."""


@dataclass(frozen=True, slots=True)
class Case:
    """A population, and what it should do to a figure."""

    table: dict[str, Any]
    figure: str
    better: Literal["higher", "lower"]
    scenario: str = "calm"
    otherwise: str = ""
    """Kind that the same members have in the run without it; empty: they aren't there."""
    settings: tuple[str, ...] = ("days=1",)

    @property
    def name(self) -> str:
        """What the case is called."""
        kind = self.table["kind"] if self.table.get("budget", True) else "ZI-U"
        return f"{kind}{f' in place of {self.otherwise}' if self.otherwise else ''}, {self.scenario}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a population did."""

    case: Case
    change: Paired
    without: float
    beside: float
    """The figure with it."""
    traded: float
    """Lot-hours that its members bought and sold, mean."""
    surplus: float
    """Theirs, CNY."""

    @property
    def met(self) -> bool:
        """Whether the figure moved as it should, interval and all."""
        difference = self.change.difference
        return difference.low > 0 if self.case.better == "higher" else difference.high < 0


_NOISE: Final = {"kind": "zero-intelligence", "count": 30, "activity": 5_000}
CASES: Final = (
    Case(_NOISE, "volume_lots", "higher"),
    Case(_NOISE | {"budget": False}, "mispricing", "higher", otherwise="zero-intelligence"),
    Case({"kind": "zip", "count": 30}, "spread", "lower"),
    Case(
        {"kind": "zip", "count": 100, "spread": 4_000}, "mispricing", "lower", "learners", "zero-intelligence"
    ),
    Case({"kind": "poisson", "count": 3, "orders": 3}, "volume_lots", "higher"),
    Case({"kind": "market-maker", "count": 4}, "spread", "lower"),
    Case({"kind": "momentum", "count": 24, "activity": 5_000}, "mispricing", "higher"),
    Case({"kind": "value", "count": 12, "activity": 5_000}, "mispricing", "lower"),
    Case({"kind": "reactive", "count": 100, "horizon_max": 100}, "dispersion", "higher"),
    Case({"kind": "provider", "count": 12}, "welfare_cny", "higher"),
    Case({"kind": "enterprise", "count": 13}, "welfare_cny", "higher"),
    Case(
        {"kind": "planner", "count": 4, "demand": 5_000, "plans": 2},
        "conversion",
        "higher",
        settings=("days=1", "wake_seconds=900", "population.enterprises=off"),
    ),
    Case({"kind": "broker", "count": 5, "clients": 12, "activity": 5_000}, "volume_lots", "higher"),
    Case({"kind": "arbitrageur", "count": 20}, "dispersion", "lower"),
    Case({"kind": "arbitrageur", "count": 20}, "dispersion", "lower", "forward-curve", settings=("days=2",)),
)


def jobs_of(number: int, case: Case, seeds: int) -> list[Job]:
    """Return the runs of a case, with the population and without."""
    table = plain(load_scenario(case.scenario, case.settings))
    kinds = (case.table["kind"], case.otherwise)
    rest = [of for of in table["population"] if of["kind"] not in kinds]
    tried = case.table | {"name": TRIED}
    before = {key: value for key, value in tried.items() if key != "budget"} | {"kind": case.otherwise}
    crowds = {BASE: [*rest, before] if case.otherwise else rest, CANDIDATE: [*rest, tried]}
    tables = {variant: scenario_of(table | {"population": of}, variant) for variant, of in crowds.items()}
    return [
        Job(f"{number} {variant}", seed, msgspec.json.encode(plain(scenario)))
        for seed in range(1, seeds + 1)
        for variant, scenario in tables.items()
    ]


def found(number: int, case: Case, finished: list[Finished]) -> Found:
    """Return what finished runs say of a case."""
    runs = figures(finished)[case.figure]
    by_seed = (runs[f"{number} {variant}"] for variant in (BASE, CANDIDATE))
    base, candidate = (np.array([of[seed] for seed in sorted(of)]) for of in by_seed)
    tried = [
        of
        for one in finished
        if one.variant == f"{number} {CANDIDATE}"
        for of in one.outcome.classes
        if of.population in (TRIED, f"clients of {TRIED}")
    ]
    members = [of for of in tried if of.bought + of.sold]
    traded = sum(of.bought + of.sold for of in members) / len(base)
    surplus = sum(of.surplus for of in members) / len(base)
    return Found(case, paired(base, candidate), float(base.mean()), float(candidate.mean()), traded, surplus)


def show(all_found: list[Found], seeds: int) -> None:
    """Print the table."""
    title = f"Populations, {seeds} common seeds"
    table = Table("population", "figure", "without", "with", "difference (95 %)", "should be", title=title)
    table.add_column("so", justify="right")
    table.add_column("traded, lot-hours", justify="right")
    table.add_column("their surplus, CNY", justify="right")
    for one in all_found:
        mean = one.change.difference
        span = f"{mean.mean:,.4g} [{mean.low:,.4g}, {mean.high:,.4g}]"
        sides = (f"{one.without:,.4g}", f"{one.beside:,.4g}")
        told = ("yes" if one.met else "no", f"{one.traded:,.0f}", f"{one.surplus:,.0f}")
        table.add_row(one.case.name, one.case.figure, *sides, span, one.case.better, *told)
    Console().print(table)


def main() -> None:
    """Run every case, print, and write if asked."""
    options = arguments(__doc__ or "")
    seeds = QUICK_SEEDS if options.quick else SEEDS
    jobs = [job for number, case in enumerate(CASES) for job in jobs_of(number, case, seeds)]
    finished = list(Pool(os.cpu_count() or 1).run(jobs))
    every = [found(number, case, finished) for number, case in enumerate(CASES)]
    show(every, seeds)
    results = [
        Result(
            one.case.name, one.case.figure, one.change.difference.mean, "with − without", one.case.better, 0.0
        )
        for one in every
    ]
    write(options.json, results, ("numpy", "numba"))


if __name__ == "__main__":
    main()
