"""Checking and comparing plans of either model."""

from scheduler.checker import check_plan
from scheduler.comparison import Comparison, compare
from scheduler.io.planfile import AnyPlan, AnyProblem
from scheduler.plan import Plan
from scheduler.types import Problem


def violations_of(problem: AnyProblem, plan: AnyPlan) -> tuple[str, ...]:
    """Everything the independent checker of the plan's model finds wrong."""
    if isinstance(problem, Problem) and isinstance(plan, Plan):
        return check_plan(problem, plan)
    raise TypeError("a plan of many slots")


def comparison_of(problem: AnyProblem, plan: AnyPlan) -> Comparison:
    """The plan beside every baseline of its model."""
    if isinstance(problem, Problem) and isinstance(plan, Plan):
        return compare(problem, plan)
    raise TypeError("a plan of many slots")
