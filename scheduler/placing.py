"""The front door: one problem in, one plan with its proof out."""

from scheduler.plan import Plan
from scheduler.types import Problem


def place(problem: Problem, time_limit_s: float = 30.0) -> Plan:
    """Place every workload that can be, at the least cost; see `Plan` for what comes back.

    Raises `InvalidProblem` naming each row and field that is wrong.
    """
    raise NotImplementedError
