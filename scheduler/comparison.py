"""A plan against what an honest user would do without it, on the same work and by the same arithmetic."""

import numpy as np

from scheduler.accounting import Books
from scheduler.baselines import DESCRIPTIONS, Served, all_baselines
from scheduler.checker import Checker
from scheduler.compiling import compile_instance
from scheduler.instance import Instance
from scheduler.integers import dot
from scheduler.placed import Placed, placed_of, placements_of
from scheduler.plan import Plan
from scheduler.savings import BaselineRow, Comparison, must_hold
from scheduler.types import Problem


def compare(problem: Problem, plan: Plan) -> Comparison:
    """Set a plan against every baseline.

    Raises `InvariantViolation` if the independent checker finds fault with the plan or with a baseline.
    """
    checker = Checker(problem)
    must_hold("the plan", checker.plan(plan))
    books, instance = Books(problem), compile_instance(problem)
    placed = placed_of(problem, books.table, plan.placements)
    served = all_baselines(problem, instance, placed.row)
    rows = tuple(_row(checker, books, instance, placed, baseline) for baseline in served)
    return Comparison(plan.totals, len(plan.unplaced), rows)


def _row(checker: Checker, books: Books, instance: Instance, plan: Placed, baseline: Served) -> BaselineRow:
    placements = placements_of(books.problem, books.table, baseline.placed)
    broken = checker.placements(placements, capacity=not baseline.unlimited)
    must_hold(f"baseline {baseline.name}", broken)
    totals = books.totals_at_list_price if baseline.unlimited else books.totals
    out = np.ones(len(books.table), dtype=np.bool_)
    out[baseline.placed.row] = False
    by_plan = np.isin(baseline.placed.row, plan.row)
    return BaselineRow(
        name=baseline.name,
        description=DESCRIPTIONS[baseline.name],
        totals=totals(baseline.placed),
        unserved=int(out.sum()),
        penalty_nano_cny=dot(instance.penalty[instance.workload_class], out.astype(np.int64)),
        baseline_common=totals(baseline.placed.chosen(by_plan)),
        plan_common=books.totals(plan.chosen(~out[plan.row])),
    )
