"""A plan beside its baselines, whichever model made it: on the same work, by the same arithmetic."""

from typing import NamedTuple

from scheduler.horizon.plan import HorizonTotals
from scheduler.plan import Totals
from scheduler.types import InvariantViolation

AnyTotals = Totals | HorizonTotals


class BaselineRow(NamedTuple):
    """One baseline beside the plan.

    ``totals`` is the baseline over everything it serves. The two ``common`` totals are over the *same* work:
    what both the plan and the baseline serve, each in its own places and slots. Costs compare there and only
    there; ``unserved`` says how many the baseline leaves out, and ``penalty_nano_cny`` what that counts.
    """

    name: str
    description: str
    totals: AnyTotals
    unserved: int
    penalty_nano_cny: int
    baseline_common: AnyTotals
    plan_common: AnyTotals

    @property
    def cost_saving(self) -> float:
        """Share of the baseline's total cost (reserved cards at their price) saved by the plan."""
        before, after = self.baseline_common, self.plan_common
        return _saving(before.cost_with_reserved_fen, after.cost_with_reserved_fen)

    @property
    def new_money_saving(self) -> float:
        """Share of the baseline's new money that the plan saves (reservations are sunk)."""
        return _saving(self.baseline_common.cost_fen, self.plan_common.cost_fen)

    @property
    def power_cost_saving(self) -> float:
        """Share of the baseline's electricity cost that the plan saves."""
        return _saving(self.baseline_common.power_nano_cny, self.plan_common.power_nano_cny)

    @property
    def carbon_saving(self) -> float:
        """Share of the baseline's carbon that the plan saves; negative where it emits more."""
        return _saving(self.baseline_common.kgco2, self.plan_common.kgco2)


def _saving(before: float, after: float) -> float:
    return 1 - after / before if before else 0.0


class Comparison(NamedTuple):
    """The plan's totals, and one row a baseline (`scheduler.baselines` and `scheduler.horizon.baselines`)."""

    plan: AnyTotals
    plan_unserved: int
    rows: tuple[BaselineRow, ...]


def must_hold(what: str, violations: tuple[str, ...]) -> None:
    """Raise `InvariantViolation` if the independent checker found fault with what is compared."""
    if violations:
        raise InvariantViolation(f"{what} breaks rules: {'; '.join(violations[:5])}")
