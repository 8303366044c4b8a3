"""What constraints cost: the problem is solved again without one, and the two optima are compared.

Neither plan need be the optimum, so the difference is given as an interval that both plans' values and
certified bounds enclose.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nodes.types import Residency
from scheduler.anyplan import AnyPlan, AnyProblem, has_rule, solve
from scheduler.horizon.types import GB_MAX, HorizonProblem, HorizonWorkload
from scheduler.types import Problem
from scheduler.workload_table import RESIDENCIES, WorkloadTable


class ConstraintPrice(NamedTuple):
    """What a constraint costs, in nano-CNY of the plan's value: at least ``least``, at most ``most``.

    ``served_more`` are the workloads that the plan without it serves beyond those of the plan with it.
    """

    constraint: str
    least: int
    most: int
    served_more: int


def constraint_prices(
    problem: AnyProblem, plan: AnyPlan, time_limit_s: float = 30.0
) -> Iterator[ConstraintPrice]:
    """The price of each constraint that the problem has, one by one, within one time limit for all."""
    found = relaxed_problems(problem)
    for name, relaxed in found:
        yield price_of(name, relaxed, plan, time_limit_s / len(found))


def price_of(
    constraint: str, relaxed: AnyProblem, plan: AnyPlan, time_limit_s: float = 30.0
) -> ConstraintPrice:
    """What a constraint costs beside ``plan``; ``relaxed`` is the plan's problem without the constraint.

    Every plan of the problem must be one of the relaxed problem's too, and penalties must be the same. The
    cost is the difference of the two optima: at least 0, but for the rule of pre-emption in both.
    """
    other = solve(relaxed, time_limit_s)
    least = plan.lower_bound_nano_cny - other.value_nano_cny
    # a plan of the problem is a plan of the relaxed one, so the bound of the latter holds for both
    most = plan.value_nano_cny - other.lower_bound_nano_cny
    # with more room the rule asks for more, which can cost something
    if not has_rule(relaxed):
        least, most = max(least, 0), max(most, 0)
    return ConstraintPrice(constraint, least, most, len(other.placements) - len(plan.placements))


def relaxed_problems(problem: AnyProblem) -> tuple[tuple[str, AnyProblem], ...]:
    """The problem without each of its constraints, those left out that bind nobody."""
    if isinstance(problem, HorizonProblem):
        return tuple(_of_many_slots(problem))
    table = WorkloadTable.of(problem.workloads)
    found: list[tuple[str, AnyProblem]] = []
    if (table.residency != RESIDENCIES.index(Residency.ANY)).any():
        found.append(("residency", without_residency(problem)))
    if np.isfinite(table.latency_ms_max).any():
        found.append(("latency (bounds doubled)", with_latency(problem, 2)))
        found.append(("latency", with_latency(problem, np.inf)))
    return tuple(found)


def without_residency(problem: Problem) -> Problem:
    """The same work with its data free to go anywhere."""
    anywhere = RESIDENCIES.index(Residency.ANY)
    table = WorkloadTable.of(problem.workloads)
    return replace(problem, workloads=replace(table, residency=np.full_like(table.residency, anywhere)))


def with_latency(problem: Problem, factor: float) -> Problem:
    """The same work with every bound on the round trip times ``factor``: 2 prices 10 ms against 20 ms.

    With ``inf`` there is no bound.
    """
    table = WorkloadTable.of(problem.workloads)
    bounds = table.latency_ms_max * factor if np.isfinite(factor) else np.full(len(table), np.inf)
    return replace(problem, workloads=replace(table, latency_ms_max=bounds))


def _of_many_slots(problem: HorizonProblem) -> Iterator[tuple[str, HorizonProblem]]:
    slots = problem.horizon.slots
    changes: tuple[tuple[str, Callable[[HorizonWorkload], HorizonWorkload]], ...] = (
        ("residency", lambda w: replace(w, residency=Residency.ANY)),
        ("latency (bounds doubled)", lambda w: replace(w, latency_ms_max=2 * w.latency_ms_max)),
        ("latency", lambda w: replace(w, latency_ms_max=np.inf)),
        ("windows", lambda w: replace(w, earliest=0, latest_end=slots)),
        ("budgets", lambda w: replace(w, budget_micro_cny=None)),
        ("together and apart", lambda w: replace(w, together="", apart="")),
    )
    # what runs and cannot stay may move beyond the bound: if it now could stay, that is stricter
    more = "" if problem.moves_max is None else " and the bound on moves"
    for name, change in changes:
        changed = tuple(change(w) for w in problem.workloads)
        if changed != problem.workloads:
            yield name + more, replace(problem, workloads=changed, moves_max=None)
    if problem.maintenance:
        yield "maintenance" + more, replace(problem, maintenance=(), moves_max=None)
    if problem.links:
        wide = tuple(replace(link, gb_per_slot=GB_MAX) for link in problem.links)
        yield "lines' limits", replace(problem, links=wide)
    if problem.carbon.cap_g is not None:
        yield "the cap on carbon", replace(problem, carbon=replace(problem.carbon, cap_g=None))
    if has_rule(problem):
        yield "best effort gives way", replace(problem, best_effort_yields=False)
    if problem.moves_max is not None:
        yield "the bound on moves", replace(problem, moves_max=None)
