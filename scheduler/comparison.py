"""A plan against what an honest user would do without it, on the same work and by the same arithmetic."""

from typing import NamedTuple

import numpy as np

from scheduler.accounting import Books
from scheduler.baselines import DESCRIPTIONS, Served, all_baselines
from scheduler.checker import Checker
from scheduler.compiling import compile_instance
from scheduler.instance import Instance
from scheduler.integers import dot
from scheduler.placed import Placed, placed_of, placements_of
from scheduler.plan import Plan, Totals
from scheduler.types import InvariantViolation, Problem


class BaselineRow(NamedTuple):
    """One baseline beside the plan.

    ``totals`` is the baseline over everything it serves. The two ``common`` totals are over the *same* work:
    what both the plan and the baseline serve, each at its own sites. Costs compare there and only there;
    ``unserved`` says how many the baseline leaves out altogether, and ``penalty_nano_cny`` what that counts.
    """

    name: str
    description: str
    totals: Totals
    unserved: int
    penalty_nano_cny: int
    baseline_common: Totals
    plan_common: Totals

    @property
    def cost_saving(self) -> float:
        """Share of the baseline's total cost (reserved cards at their price) saved by the plan, same work."""
        before, after = self.baseline_common.cost_with_reserved_fen, self.plan_common.cost_with_reserved_fen
        return 1 - after / before if before else 0.0

    @property
    def new_money_saving(self) -> float:
        """Share of the baseline's new money that the plan saves, same work (reservations are sunk)."""
        return (
            1 - self.plan_common.cost_fen / self.baseline_common.cost_fen
            if self.baseline_common.cost_fen
            else 0.0
        )

    @property
    def power_cost_saving(self) -> float:
        """Share of the baseline's electricity cost that the plan saves, same work."""
        before, after = self.baseline_common.power_nano_cny, self.plan_common.power_nano_cny
        return 1 - after / before if before else 0.0

    @property
    def carbon_saving(self) -> float:
        """Share of the baseline's carbon that the plan saves, same work; negative where it emits more."""
        before, after = self.baseline_common.kgco2, self.plan_common.kgco2
        return 1 - after / before if before else 0.0


class Comparison(NamedTuple):
    """The plan's totals, and one row a baseline (their names are in `scheduler.baselines`)."""

    plan: Totals
    plan_unserved: int
    rows: tuple[BaselineRow, ...]


def compare(problem: Problem, plan: Plan) -> Comparison:
    """Set a plan against every baseline.

    Raises `InvariantViolation` if the independent checker finds fault with the plan or with a baseline.
    """
    checker = Checker(problem)
    _must_hold("the plan", checker.plan(plan))
    books, instance = Books(problem), compile_instance(problem)
    placed = placed_of(problem, books.table, plan.placements)
    served = all_baselines(problem, instance, placed.row)
    rows = tuple(_row(checker, books, instance, placed, baseline) for baseline in served)
    return Comparison(plan.totals, len(plan.unplaced), rows)


def _row(checker: Checker, books: Books, instance: Instance, plan: Placed, baseline: Served) -> BaselineRow:
    placements = placements_of(books.problem, books.table, baseline.placed)
    broken = checker.placements(placements, capacity=not baseline.unlimited)
    _must_hold(f"baseline {baseline.name}", broken)
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


def _must_hold(what: str, violations: tuple[str, ...]) -> None:
    if violations:
        raise InvariantViolation(f"{what} breaks rules: {'; '.join(violations[:5])}")
