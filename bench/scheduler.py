"""The scheduler: proved quality and time, beside what one would do without it.

Cases:

- ``openb``: the 8,152 tasks of the GPU trace with the demonstration's own rules for grade, origin and latency
  class, on the catalogue's 23 hubs with default capacities; 10 % of each product is reserved and could be
  sold on at what it cost, the rest is on offer at the reference price. ``openb_scarce``: 40 % of that.
- ``jobs_LOAD``: 100,000 jobs of lognormal size (median 0.7 cards, σ 1.1, 0.01 to 16) over 3 grades, 13
  origins, 4 latency bounds and 20 sites; a fifth of each capacity reserved, the rest in three price steps;
  capacities are drawn so that the demand is LOAD % of each grade's. Seeded.
- ``gap``: the 60 published assignment instances, by `scheduler.assignment.assign`.

Every plan goes through the independent checker. The gap is on the money the plan can influence: sunk cost and
penalties of unserved work excluded. Costs of baselines are on the same work as the plan's.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nodes.catalogue import load_catalogue
from nodes.types import HubKind, Region
from scheduler.assignment import AssignmentStatus, assign
from scheduler.checker import check_plan
from scheduler.comparison import compare
from scheduler.placing import place
from scheduler.plan import Plan
from scheduler.types import Need, Network, Offer, Origin, Problem, Reservation, Site, SiteGrade, Workload
from sims.demand import demand_of, load_rules
from sims.placing import Supply, problem_of
from sims.trace import load_tasks

ROOT = Path(__file__).resolve().parent.parent
RESERVED_SHARE = 0.1
TIME_LIMIT_S = 10.0


class Result(NamedTuple):
    """One figure; ``target`` is None where it is only reported."""

    case: str
    metric: str
    value: float
    unit: str
    better: str
    target: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.better == "lower" else self.value >= self.target


def main() -> None:
    """Run every case, print a table and, if asked, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.scheduler", description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    parser.add_argument("--quick", action="store_true", help="one small pass, within half a minute")
    arguments = parser.parse_args()
    results = []
    for result in _results(arguments.quick):
        met = {None: "", True: "met", False: "MISSED"}[result.met]
        target = "" if result.target is None else f"target {result.target:g}"
        row = f"{result.case:14} {result.metric:38} {result.value:>16,.6g} {result.unit:6} {target:14} {met}"
        print(row.rstrip(), flush=True)
        results.append(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(_report(results), indent=1) + "\n", encoding="utf-8")


def _results(quick: bool) -> Iterator[Result]:
    yield from _openb("openb", 1.0)
    if quick:
        yield from _jobs(92, 0, 20_000, with_target=False)
        return
    yield from _openb("openb_scarce", 0.4)
    for load in (60, 75, 92):
        for seed in range(2):
            yield from _jobs(load, seed, 100_000, with_target=load == 92)
    yield from _gap()
    yield Result("all", "peak memory", _peak_mib(), "MiB", "lower")


def _openb(case: str, capacity: float) -> Iterator[Result]:
    problem = openb_problem(capacity)
    plan = place(problem, TIME_LIMIT_S)
    yield from _plan_results(case, problem, plan, gap_target=0.01, time_target=15.0)
    found = compare(problem, plan)
    yield Result(case, "cost with reservations", plan.totals.cost_with_reserved_fen / 100, "CNY", "lower")
    for row in found.rows:
        yield Result(case, f"{row.name}: unserved", row.unserved, "tasks", "lower")
        yield Result(case, f"saved on {row.name}: new money", 100 * row.new_money_saving, "%", "higher")
        yield Result(case, f"saved on {row.name}: cost", 100 * row.cost_saving, "%", "higher")
        yield Result(case, f"saved on {row.name}: power", 100 * row.power_cost_saving, "%", "higher")
        yield Result(case, f"saved on {row.name}: carbon", 100 * row.carbon_saving, "%", "higher")


def openb_problem(capacity: float) -> Problem:
    """The trace on the catalogue's hubs, with this share of the default capacities."""
    catalogue = load_catalogue()
    demands = demand_of(load_tasks(), tuple(catalogue.edge_cities), load_rules())
    supply = []
    for hub in catalogue.hubs:
        for code, grade in catalogue.grades.items():
            cards = int(catalogue.default_capacity_cards(hub, code) * capacity)
            price = f"{catalogue.reference_price_ticks(code, hub) / 100:.2f}"
            reserved = int(cards * RESERVED_SHARE) // grade.cards_per_lot * grade.cards_per_lot
            if cards:
                supply.append(Supply(hub, code, cards, reserved, price))
    problem = problem_of(catalogue, demands, supply)
    resold = (replace(item, worth_micro_cny=item.paid_micro_cny) for item in problem.reservations)
    return replace(problem, reservations=tuple(resold))


def _plan_results(
    case: str, problem: Problem, plan: Plan, gap_target: float | None, time_target: float | None
) -> Iterator[Result]:
    yield Result(case, "gap", 100 * plan.gap, "%", "lower", gap_target)
    yield Result(case, "total time", plan.timings.total_s, "s", "lower", time_target)
    yield Result(case, "building", plan.timings.build_s, "s", "lower")
    yield Result(case, "solving", plan.timings.solve_s, "s", "lower")
    yield Result(case, "violations", len(check_plan(problem, plan)), "", "lower", 0)
    yield Result(case, "unserved", len(plan.unplaced), "tasks", "lower")
    yield Result(case, "new money", plan.totals.cost_fen / 100, "CNY", "lower")
    yield Result(case, "carbon", plan.totals.kgco2, "kg", "lower")


def _jobs(load: int, seed: int, count: int, with_target: bool) -> Iterator[Result]:
    problem = jobs_problem(count, load / 100, seed)
    case = f"jobs_{load}/{seed}"
    targets = (0.05, 10.0) if with_target else (None, None)
    yield from _plan_results(case, problem, place(problem, TIME_LIMIT_S), *targets)


def jobs_problem(count: int, load: float, seed: int, sites: int = 20) -> Problem:
    """Random jobs on random sites, as the module's text says."""
    draw = np.random.default_rng(seed)
    grades, cities = ("A", "B", "C"), tuple(f"C{n}" for n in range(13))
    rtt_ms = draw.uniform(3, 60, (len(cities), sites))
    rtt_ms[np.arange(len(cities)), np.arange(len(cities)) % sites] = 2.0
    milli = np.clip(np.exp(draw.normal(np.log(700), 1.1, count)), 10, 16_000).astype(np.int64)
    grade, origin = draw.integers(len(grades), size=count), draw.integers(len(cities), size=count)
    bound = np.array([20.0, 40.0, 60.0, np.inf])[draw.integers(4, size=count)]
    workloads = tuple(
        Workload(
            f"job{n}", cities[o], float(ms), ((Need(grades[g], int(size)),),), latency_class=f"{ms:g} ms"
        )
        for n, (o, ms, g, size) in enumerate(zip(origin, bound, grade, milli, strict=True))
    )
    total = [int(milli[grade == g].sum() / load) for g in range(len(grades))]
    supply = _random_supply(draw, grades, total, sites)
    network = Network(cities, tuple(site.code for site in supply[0]), rtt_ms)
    return Problem(workloads, tuple(Origin(c, c, "") for c in cities), supply[0], network, *supply[1:])


def _random_supply(
    draw: np.random.Generator, grades: tuple[str, ...], total: list[int], sites: int
) -> tuple[tuple[Site, ...], tuple[Reservation, ...], tuple[Offer, ...]]:
    share = draw.dirichlet(np.full(sites, 4.0), len(grades))
    made, reservations, offers = [], [], []
    for n in range(sites):
        held = []
        for g, grade in enumerate(grades):
            milli, price = int(total[g] * share[g, n]), int(draw.integers(800, 1200)) * 10_000
            held.append(SiteGrade(grade, milli, price, price // 5, 0.3))
            reservations.append(Reservation(f"r{n}{grade}", f"S{n}", grade, milli // 5, price))
            step = (milli - milli // 5) // 3
            offers += [
                Offer(f"o{n}{grade}{k}", f"S{n}", grade, step, price * (95 + 5 * k) // 100) for k in range(3)
            ]
        made.append(Site(f"S{n}", f"C{n}", f"P{n}", Region.WEST, HubKind.CLUSTER, tuple(held)))
    return tuple(made), tuple(reservations), tuple(offers)


def _gap() -> Iterator[Result]:
    cases = json.loads((ROOT / "tests/scheduler/data/gap.json").read_text(encoding="utf-8"))
    started, proved = time.perf_counter(), 0
    for case in cases:
        shape = (case["sites"], case["jobs"])
        cost, demand = (np.array(case[name]).reshape(shape).T for name in ("cost", "demand"))
        found = assign(cost, demand, np.array(case["capacity"]))
        proved += found.status is AssignmentStatus.OPTIMAL and found.cost == case["optimum"]
    yield Result("gap", "published optima reached and proved", proved, "of 60", "higher", 60)
    yield Result("gap", "total time", time.perf_counter() - started, "s", "lower")


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _report(results: list[Result]) -> dict[str, object]:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "versions": {name: version(name) for name in ("ortools", "numpy")}
        | {"python": platform.python_version()},
        "commit": commit.stdout.strip(),
        "results": [result._asdict() | {"met": result.met} for result in results],
    }


if __name__ == "__main__":
    main()
