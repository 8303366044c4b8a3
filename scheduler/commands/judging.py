"""Checking and comparing plans of either model."""

from scheduler import checker
from scheduler.anyplan import AnyPlan, AnyProblem
from scheduler.comparison import compare
from scheduler.horizon.checker import plan_check
from scheduler.horizon.comparison import compare_horizon
from scheduler.horizon.plan import HorizonPlan
from scheduler.horizon.types import HorizonProblem
from scheduler.plan import Plan
from scheduler.savings import Comparison
from scheduler.types import Problem


def violations_of(problem: AnyProblem, plan: AnyPlan) -> tuple[str, ...]:
    """Everything the independent checker of the plan's model finds wrong."""
    if isinstance(problem, Problem) and isinstance(plan, Plan):
        return checker.check_plan(problem, plan)
    if isinstance(problem, HorizonProblem) and isinstance(plan, HorizonPlan):
        return plan_check.check_plan(problem, plan)
    raise TypeError(f"a {type(plan).__name__} does not answer a {type(problem).__name__}")


def comparison_of(problem: AnyProblem, plan: AnyPlan) -> Comparison:
    """The plan beside every baseline of its model."""
    if isinstance(problem, Problem) and isinstance(plan, Plan):
        return compare(problem, plan)
    if isinstance(problem, HorizonProblem) and isinstance(plan, HorizonPlan):
        return compare_horizon(problem, plan)
    raise TypeError(f"a {type(plan).__name__} does not answer a {type(problem).__name__}")
