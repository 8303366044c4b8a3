"""The front door: one problem in, one plan with its proof out."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scheduler.accounting import Books
from scheduler.compiling import compile_instance
from scheduler.instance import Instance
from scheduler.placed import placed_by_options, placements_of
from scheduler.plan import Certificate, CertificateRow, Plan, PlanStatus, ShadowPrice, Timings
from scheduler.reasons import Explainer
from scheduler.relaxation import Relaxation
from scheduler.searching import Found, search
from scheduler.shadows import shadow_prices
from scheduler.solution import options_of_workloads, value
from scheduler.telling import Look, OnPlan, OnProgress, Teller
from scheduler.types import InvariantViolation, Problem
from scheduler.validation import checked
from scheduler.warming import compile_slot_loops
from scheduler.workload_table import WorkloadTable

GAP_TARGET = 1e-5
"""The search ends once the plan is proved this close to the best, as a share of new and forgone money."""


def place(
    problem: Problem,
    time_limit_s: float = 30.0,
    gap_target: float = GAP_TARGET,
    on_progress: OnProgress | None = None,
    on_plan: OnPlan | None = None,
) -> Plan:
    """Place every workload that can be, at the least cost; see `Plan` for what comes back.

    Work is left out only where serving it would cost more than its penalty (`scheduler.instance`). The search
    ends at the gap target or at the time limit, whichever comes first; the gap stated holds either way.
    ``on_progress`` is called when bound or plan have become better, ``on_plan`` with better plans as often as
    naming one costs little time: from any thread, but never from two at once. Compiling loops, where this has
    never been done, comes before the clock starts.
    Raises `InvalidProblem` naming each row and field that is wrong, ``ValueError`` for a time limit ≤ 0.
    """
    if not time_limit_s > 0:
        raise ValueError(f"the time limit must be above 0 s, not {time_limit_s}")
    compile_slot_loops()
    started = time.monotonic()
    checked(problem)
    # columns once for everything that reads them
    problem = replace(problem, workloads=WorkloadTable.of(problem.workloads))
    instance = compile_instance(problem)
    built = time.monotonic()
    teller = Teller(instance, built, on_progress, on_plan)

    def hear(stage: str, look: Look, whole: Callable[[], Found]) -> None:
        teller.hear(stage, look, lambda: _plan(problem, instance, whole()))

    found = search(instance, built, started + time_limit_s, gap_target, hear)
    solved = time.monotonic()
    plan = _plan(problem, instance, found)
    teller.hear(found.model, lambda: (found.amount, found.bound))
    timings = Timings(built - started, solved - built, time.monotonic() - started)
    return replace(plan, timings=timings)


def _plan(problem: Problem, instance: Instance, found: Found) -> Plan:
    books = Books(problem)
    option = options_of_workloads(instance, found.amount)
    placed = placed_by_options(instance, option)
    worth = value(instance, found.amount)
    if worth < found.bound:
        raise InvariantViolation(f"a plan's value {worth} is below its lower bound {found.bound}")
    return Plan(
        placements=placements_of(problem, books.table, placed),
        unplaced=Explainer(problem).explain(np.flatnonzero(option < 0)),
        purchases=books.purchases(books.used(placed)),
        totals=books.totals(placed),
        by_latency_class=books.by_latency_class(placed),
        status=_status(worth - found.bound, found.out_of_time),
        value_nano_cny=worth,
        lower_bound_nano_cny=found.bound,
        bound_from=found.bound_from,
        certificate=_certificate(instance, found),
        shadow_prices=_shadow_prices(instance, found.relaxation),
        model=found.model,
        why=found.why,
        timings=Timings(0.0, 0.0, 0.0),
    )


def _status(gap: int, out_of_time: bool) -> PlanStatus:
    if gap == 0:
        return PlanStatus.OPTIMAL
    return PlanStatus.TIME_LIMIT if out_of_time else PlanStatus.WITHIN_GAP


def _certificate(instance: Instance, found: Found) -> Certificate:
    if found.worths is not None and found.worths.bound > found.relaxation.bound:
        worths = found.worths.worth[instance.workload_class].tolist()
        return Certificate((), found.worths.bound, tuple(worths))
    pairs = list(instance.supply.index)
    rows = tuple(
        CertificateRow(*pairs[row.resource], row.level, row.grain, price)
        for row, price in zip(found.relaxation.rows, found.relaxation.prices, strict=True)
    )
    return Certificate(rows, found.relaxation.bound)


def _shadow_prices(instance: Instance, relaxation: Relaxation) -> tuple[ShadowPrice, ...]:
    prices = zip(instance.supply.index, shadow_prices(instance, relaxation.shadow).tolist(), strict=True)
    return tuple(ShadowPrice(*pair, price) for pair, price in prices if price)
