"""A plan over many slots against what one would do without it, on the same work."""

from collections.abc import Sequence

from scheduler.horizon.accounting import HorizonBooks
from scheduler.horizon.baselines import DESCRIPTIONS, HorizonServed, all_baselines
from scheduler.horizon.checker import check_placements, check_plan
from scheduler.horizon.forecasts import known_work, promised
from scheduler.horizon.instance import Instance, compile_instance
from scheduler.horizon.plan import HorizonPlacement, HorizonPlan
from scheduler.horizon.types import HorizonProblem
from scheduler.savings import BaselineRow, Comparison, must_hold


def compare_horizon(problem: HorizonProblem, plan: HorizonPlan) -> Comparison:
    """Set a plan against every baseline, in the order of `scheduler.horizon.baselines.DESCRIPTIONS`.

    Raises `InvariantViolation` if the independent checker finds fault with the plan or with a baseline.
    """
    must_hold("the plan", check_plan(problem, plan))
    # expected work is nobody's yet: only what is promised is compared
    placed, problem = promised(problem, plan.placements), known_work(problem)
    instance, books = compile_instance(problem), HorizonBooks(problem)
    served = all_baselines(problem, instance, [placement.workload for placement in placed])
    rows = tuple(_row(problem, instance, books, placed, baseline) for baseline in served)
    return Comparison(books.totals(placed), len(problem.workloads) - len(placed), rows)


def _row(
    problem: HorizonProblem,
    instance: Instance,
    books: HorizonBooks,
    placed: Sequence[HorizonPlacement],
    baseline: HorizonServed,
) -> BaselineRow:
    if not baseline.unlimited:
        must_hold(f"baseline {baseline.name}", check_placements(problem, baseline.placements))
    totals = books.totals_at_list_price if baseline.unlimited else books.totals
    served = {p.workload for p in baseline.placements}
    both = served & {p.workload for p in placed}
    left = [j for j, w in enumerate(problem.workloads) if w.id not in served]
    return BaselineRow(
        name=baseline.name,
        description=DESCRIPTIONS[baseline.name],
        totals=totals(baseline.placements),
        unserved=len(left),
        penalty_nano_cny=sum(instance.kinds.penalty[instance.kind[left]].tolist()),
        baseline_common=totals([p for p in baseline.placements if p.workload in both]),
        plan_common=books.totals([p for p in placed if p.workload in both]),
    )
