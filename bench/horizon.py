"""Planning over many slots: proved quality and time, beside what one would do without a plan.

Cases, all on 20 sites, three grades and 24 hours (`bench.horizon_instances` says what is drawn and how):

- ``jobs N LOAD``: N jobs that all differ and may not pause; the gap is on the money the plan can influence.
- ``classes``: the linear program over 1,000 kinds of work that may pause, by HiGHS, and what its prices
prove.
- ``failover``: the hub with most work of 100,000 planned jobs fails: the time until everyone has a new place;
then the same where every other job is best-effort and gives way.

Every plan and baseline goes through the independent checker; one violation ends the run. Costs of baselines
are on the same work as the plan's. Times are of wall clock, ``cpu`` of the process; compiled loops are warm.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from bench.horizon_instances import jobs_problem
from bench.report import Result, arguments, gathered, show, write
from nodes.types import Region
from scheduler.horizon.checker import check_plan
from scheduler.horizon.class_model import class_prices
from scheduler.horizon.comparison import compare_horizon
from scheduler.horizon.failover import LivePlan
from scheduler.horizon.instance import compile_instance
from scheduler.horizon.plan import HorizonPlan
from scheduler.horizon.planning import plan_horizon
from scheduler.horizon.pricing import priced
from scheduler.horizon.types import HorizonProblem, RunMode

EAST_SITES = 8
"""The first sites are called eastern, for the baselines; prices do not depend on it."""
NOTES = (
    "gap: value minus certified bound, over the money the plan can influence (no penalties, no sunk cost)",
    "saved: on the same work, plan against baseline; cost counts reserved cards at what was paid",
)


def main() -> None:
    """Run every case, print the table and, if asked, write JSON."""
    options = arguments(__doc__.partition("\n")[0])
    results = gathered(_quick() if options.quick else _full())
    show("Planning over many slots", results, NOTES)
    write(options.json, results, ("ortools", "numpy", "numba"))


def _quick() -> Iterator[Result]:
    _warm()
    yield from _jobs(2_000, 75, 4.0, {})[0]


def _full() -> Iterator[Result]:
    _warm()
    for load in (60, 75, 92):
        yield from _jobs(20_000, load, 12.0, {"gap": 2.0, "total": 15.0})[0]
    yield from _classes()
    results, problem, plan = _jobs(100_000, 92, 50.0, {"gap": 3.0, "total": 60.0})
    yield from results
    yield from _failover("failover", problem, plan, 5.0)
    half = tuple(replace(w, best_effort=n % 2 == 0) for n, w in enumerate(problem.workloads))
    yield from _failover("failover, half best-effort", replace(problem, workloads=half), plan, 5.0)


def _warm() -> None:
    problem = _problem(200, 50)
    plan = plan_horizon(problem, 1.0)
    compare_horizon(problem, plan)
    LivePlan(problem, plan).fail("S0")


def _problem(count: int, load: int) -> HorizonProblem:
    problem = jobs_problem(count, load / 100, 0)
    east = tuple(
        replace(site, region=Region.EAST if n < EAST_SITES else Region.WEST)
        for n, site in enumerate(problem.sites)
    )
    return replace(problem, sites=east)


def _jobs(
    count: int, load: int, limit_s: float, targets: dict[str, float]
) -> tuple[list[Result], HorizonProblem, HorizonPlan]:
    problem, case = _problem(count, load), f"jobs {count:,} {load}"
    wall, cpu = time.perf_counter(), time.process_time()
    plan = plan_horizon(problem, limit_s)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rows = compare_horizon(problem, plan).rows
    found = [
        Result(case, "gap", 100 * plan.gap, "%", "lower", targets.get("gap")),
        Result(case, "total time", wall, "s", "lower", targets.get("total")),
        Result(case, "cpu", cpu, "s", "lower"),
        Result(case, "unserved", len(plan.unplaced), "jobs", "lower"),
        Result(case, "new money", plan.totals.cost_fen / 100, "CNY", "lower"),
    ]
    for row in rows:
        found.append(Result(case, f"{row.name}: unserved", row.unserved, "jobs", "lower"))
        found.append(Result(case, f"saved on {row.name}: cost", 100 * row.cost_saving, "%", "higher"))
    return found, problem, plan


def _classes() -> Iterator[Result]:
    problem = jobs_problem(1_000, 0.08, 0, RunMode.PREEMPTIBLE, distinct=False)
    crowd = tuple(replace(w, id=f"{w.id}/{n}") for w in problem.workloads for n in range(10))
    instance = compile_instance(replace(problem, workloads=crowd))
    wall, cpu = time.perf_counter(), time.process_time()
    prices = class_prices(instance, 120.0)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    yield Result("classes", "total time", wall, "s", "lower", 3.0)
    yield Result("classes", "cpu", cpu, "s", "lower")
    if prices is not None:
        yield Result("classes", "bound", priced(instance, prices).bound / 1e9, "CNY", "higher")


def _failover(case: str, problem: HorizonProblem, plan: HorizonPlan, target_s: float) -> Iterator[Result]:
    live = LivePlan(problem, plan)
    busiest, _ = Counter(p.parts[0].site for p in plan.placements).most_common(1)[0]
    wall, cpu = time.perf_counter(), time.process_time()
    repair = live.fail(busiest)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if violations := check_plan(repair.problem, repair.plan):
        raise SystemExit(f"the repaired plan breaks rules: {violations[:5]}")
    lost = set(repair.lost)
    firm = sum(w.id in lost and not w.best_effort for w in problem.workloads)
    yield Result(case, "total time", wall, "s", "lower", target_s)
    yield Result(case, "cpu", cpu, "s", "lower")
    yield Result(case, "displaced", len(repair.displaced), "jobs", "lower")
    yield Result(case, "gave way", len(repair.gave_way), "jobs", "lower")
    yield Result(case, "lost", len(lost), "jobs", "lower")
    yield Result(case, "lost, not best-effort", firm, "jobs", "lower")


if __name__ == "__main__":
    main()
