"""Problems and plans of either model: one slot, or many. What is the same for both is asked here."""

from collections.abc import Callable
from dataclasses import replace

from scheduler.horizon.plan import HorizonPlan
from scheduler.horizon.planning import plan_horizon
from scheduler.horizon.types import Alternative, HorizonProblem
from scheduler.placing import place
from scheduler.plan import Plan
from scheduler.types import Problem
from scheduler.workload_table import WorkloadTable

AnyProblem = Problem | HorizonProblem
AnyPlan = Plan | HorizonPlan
Solve = Callable[[AnyProblem, float], AnyPlan]


def solve(problem: AnyProblem, time_limit_s: float) -> AnyPlan:
    """Plan by the problem's own model; raises what `place` and `plan_horizon` raise."""
    if isinstance(problem, HorizonProblem):
        return plan_horizon(problem, time_limit_s)
    return place(problem, time_limit_s)


def at_carbon_price(problem: AnyProblem, price_micro_cny_per_kg: int) -> AnyProblem:
    """The same problem with carbon at this price, its cap as it was."""
    if isinstance(problem, HorizonProblem):
        rule = replace(problem.carbon, price_micro_cny_per_kg=price_micro_cny_per_kg)
        return replace(problem, carbon=rule)
    return replace(problem, carbon_price_micro_cny_per_kg=price_micro_cny_per_kg)


def has_rule(problem: AnyProblem) -> bool:
    """Whether some work gives way to other work by the rule of pre-emption."""
    if not isinstance(problem, HorizonProblem):
        return False
    return problem.best_effort_yields and any(w.gives_way for w in problem.workloads)


def carbon_charge(plan: AnyPlan) -> int:
    """Nano-CNY that the price of carbon adds to a plan's value."""
    if isinstance(plan, HorizonPlan):
        return plan.totals.carbon_price_nano_cny
    return plan.totals.carbon_nano_cny


def spent(plan: AnyPlan) -> int:
    """Nano-CNY that the plan influences without the charge for carbon and without penalties."""
    if isinstance(plan, HorizonPlan):
        return plan.totals.influenced_nano_cny - plan.totals.carbon_price_nano_cny
    return plan.influenced_nano_cny


def milli_card_hours(problem: AnyProblem) -> int:
    """The most milli-card-hours that all workloads together can run, each in its largest way."""
    if isinstance(problem, HorizonProblem):
        hours = problem.horizon.slot_hours
        return sum(hours * w.gang_size * max(map(_milli_slots, w.alternatives)) for w in problem.workloads)
    table = WorkloadTable.of(problem.workloads)
    needs, running, start = table.need_milli.tolist(), table.hours.tolist(), table.need_start.tolist()
    return sum(sum(needs[start[row] : start[row + 1]]) * running[row] for row in range(len(table)))


def _milli_slots(way: Alternative) -> int:
    return way.slots * sum(milli for _, milli in way.needs)
