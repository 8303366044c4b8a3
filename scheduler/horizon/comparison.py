"""A plan over many slots against what one would do without it, on the same work."""

from typing import NamedTuple

from scheduler.horizon.accounting import HorizonBooks
from scheduler.horizon.baselines import DESCRIPTIONS, HorizonServed, all_baselines
from scheduler.horizon.checker import check_placements, check_plan
from scheduler.horizon.instance import compile_instance
from scheduler.horizon.plan import HorizonPlan, HorizonTotals
from scheduler.horizon.types import HorizonProblem
from scheduler.types import InvariantViolation


class HorizonBaselineRow(NamedTuple):
    """One baseline beside the plan.

    ``totals`` is the baseline over everything it serves, ``unserved`` how many it leaves out. The ``common``
    totals are over the *same* work: what both serve, each in its own places and slots. Costs compare there.
    """

    name: str
    description: str
    totals: HorizonTotals
    unserved: int
    baseline_common: HorizonTotals
    plan_common: HorizonTotals

    @property
    def cost_saving(self) -> float:
        """Share of the baseline's cost (reserved cards at their price) that the plan saves."""
        before, after = self.baseline_common, self.plan_common
        return _saving(before.cost_with_reserved_fen, after.cost_with_reserved_fen)

    @property
    def new_money_saving(self) -> float:
        """Share of the baseline's new money that the plan saves (reservations are sunk)."""
        return _saving(self.baseline_common.cost_nano_cny, self.plan_common.cost_nano_cny)

    @property
    def power_cost_saving(self) -> float:
        """Share of the baseline's electricity cost that the plan saves."""
        return _saving(self.baseline_common.power_nano_cny, self.plan_common.power_nano_cny)

    @property
    def carbon_saving(self) -> float:
        """Share of the baseline's carbon that the plan saves; negative where it emits more."""
        return _saving(self.baseline_common.carbon_ug, self.plan_common.carbon_ug)


def _saving(before: int, after: int) -> float:
    return 1 - after / before if before else 0.0


def compare_horizon(problem: HorizonProblem, plan: HorizonPlan) -> tuple[HorizonBaselineRow, ...]:
    """Set a plan against every baseline, in the order of `scheduler.horizon.baselines.DESCRIPTIONS`.

    Raises `InvariantViolation` if the independent checker finds fault with the plan or with a baseline.
    """
    _must_hold("the plan", check_plan(problem, plan))
    instance, books = compile_instance(problem), HorizonBooks(problem)
    served = all_baselines(problem, instance, [placement.workload for placement in plan.placements])
    return tuple(_row(problem, books, plan, baseline) for baseline in served)


def _row(
    problem: HorizonProblem, books: HorizonBooks, plan: HorizonPlan, baseline: HorizonServed
) -> HorizonBaselineRow:
    if not baseline.unlimited:
        _must_hold(f"baseline {baseline.name}", check_placements(problem, baseline.placements))
    totals = books.totals_at_list_price if baseline.unlimited else books.totals
    both = {p.workload for p in baseline.placements} & {p.workload for p in plan.placements}
    return HorizonBaselineRow(
        name=baseline.name,
        description=DESCRIPTIONS[baseline.name],
        totals=totals(baseline.placements),
        unserved=len(problem.workloads) - len(baseline.placements),
        baseline_common=totals([p for p in baseline.placements if p.workload in both]),
        plan_common=books.totals([p for p in plan.placements if p.workload in both]),
    )


def _must_hold(what: str, violations: tuple[str, ...]) -> None:
    if violations:
        raise InvariantViolation(f"{what} breaks rules: {'; '.join(violations[:5])}")
