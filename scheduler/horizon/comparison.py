"""A plan over many slots against what one would do without it, on the same work."""

from scheduler.horizon.accounting import HorizonBooks
from scheduler.horizon.baselines import DESCRIPTIONS, HorizonServed, all_baselines
from scheduler.horizon.checker import check_placements, check_plan
from scheduler.horizon.instance import Instance, compile_instance
from scheduler.horizon.plan import HorizonPlan
from scheduler.horizon.types import HorizonProblem
from scheduler.savings import BaselineRow, Comparison, must_hold


def compare_horizon(problem: HorizonProblem, plan: HorizonPlan) -> Comparison:
    """Set a plan against every baseline, in the order of `scheduler.horizon.baselines.DESCRIPTIONS`.

    Raises `InvariantViolation` if the independent checker finds fault with the plan or with a baseline.
    """
    must_hold("the plan", check_plan(problem, plan))
    instance, books = compile_instance(problem), HorizonBooks(problem)
    served = all_baselines(problem, instance, [placement.workload for placement in plan.placements])
    rows = tuple(_row(problem, instance, books, plan, baseline) for baseline in served)
    return Comparison(plan.totals, len(plan.unplaced), rows)


def _row(
    problem: HorizonProblem,
    instance: Instance,
    books: HorizonBooks,
    plan: HorizonPlan,
    baseline: HorizonServed,
) -> BaselineRow:
    if not baseline.unlimited:
        must_hold(f"baseline {baseline.name}", check_placements(problem, baseline.placements))
    totals = books.totals_at_list_price if baseline.unlimited else books.totals
    served = {p.workload for p in baseline.placements}
    both = served & {p.workload for p in plan.placements}
    left = [j for j, w in enumerate(problem.workloads) if w.id not in served]
    return BaselineRow(
        name=baseline.name,
        description=DESCRIPTIONS[baseline.name],
        totals=totals(baseline.placements),
        unserved=len(left),
        penalty_nano_cny=sum(instance.kinds.penalty[instance.kind[left]].tolist()),
        baseline_common=totals([p for p in baseline.placements if p.workload in both]),
        plan_common=books.totals([p for p in plan.placements if p.workload in both]),
    )
