"""A plan against what an honest user would do without it, on the same work and by the same arithmetic."""

from typing import NamedTuple

from scheduler.plan import Plan, Totals
from scheduler.types import Problem


class BaselineRow(NamedTuple):
    """One baseline beside the plan.

    ``totals`` is the baseline over everything it serves. The two ``common`` totals are over the *same* work:
    what both the plan and the baseline serve, each at its own sites. Costs compare there and only there;
    ``unserved`` says what the baseline leaves out altogether.
    """

    name: str
    description: str
    totals: Totals
    unserved: int
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
    """Set a plan against every baseline; the checker must agree with the plan first."""
    raise NotImplementedError
