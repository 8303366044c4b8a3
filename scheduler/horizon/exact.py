"""Small instances decided exactly, started from the best plan so far."""

import time
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from scheduler.horizon.exact_model import Choice, ExactModel, size_of
from scheduler.horizon.exact_rule import add_rule
from scheduler.horizon.gangs import Split, book_split
from scheduler.horizon.insertion import OUT, SPLIT, State, empty_state, lookup_of, put
from scheduler.horizon.instance import Instance
from scheduler.horizon.types import HorizonProblem

EXACT_WORKLOADS_MAX = 2000
EXACT_SIZE_MAX = 60_000
"""Booleans, about: beyond that CP-SAT finds nothing the other models don't."""
OBJECTIVE_MAX = 2**53
"""Beyond this a bound, which CP-SAT reports as a double, would no longer be an exact integer."""


@dataclass(frozen=True, eq=False, slots=True)
class ExactAnswer:
    """A plan, a lower bound in nano-CNY, and whether the two are proved equal."""

    state: State
    splits: dict[int, Split]
    bound: int
    proved: bool


def suits(instance: Instance) -> bool:
    """Whether the exact model is worth trying."""
    return len(instance.kind) <= EXACT_WORKLOADS_MAX and size_of(instance) <= EXACT_SIZE_MAX


def solve_exactly(
    problem: HorizonProblem, instance: Instance, start: State, upper: int, time_limit_s: float
) -> ExactAnswer | None:
    """Search from ``start``, a plan worth ``upper``; None if time ran out before any answer.

    Where best-effort work gives way by rule the bound holds for the plans that keep the rule. None also where
    figures are too large to stay exact.
    """
    deadline = time.monotonic() + time_limit_s
    exact = ExactModel(problem, instance)
    if problem.best_effort_yields:
        add_rule(exact, np.array([w.gives_way for w in problem.workloads], dtype=np.bool_))
    if upper // exact.grain > OBJECTIVE_MAX:
        return None
    for j, ways in enumerate(exact.ways):
        for way in ways:
            exact.model.add_hint(way.chosen, int(_same(way.read(lambda _: 0), start, j)))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(deadline - time.monotonic(), 0.01)
    # one worker: the same input gives the same plan
    solver.parameters.num_workers = 1
    status = solver.solve(exact.model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    bound = round(solver.best_objective_bound) * exact.grain
    choices = [
        next((way.read(solver.value) for way in ways if solver.value(way.chosen)), None)
        for ways in exact.ways
    ]
    state, splits = _state_of(instance, choices)
    return ExactAnswer(state, splits, bound, status == cp_model.OPTIMAL)


def _same(choice: Choice, start: State, j: int) -> bool:
    """Whether a way agrees with the plan to start from, as far as it is read without a solution."""
    if start.site[j] == OUT or choice.alternative != start.alternative[j] or choice.site != start.site[j]:
        return False
    return not choice.slots or choice.slots[0] == start.slots[j, 0]


def _state_of(instance: Instance, choices: list[Choice | None]) -> tuple[State, dict[int, Split]]:
    state, lookup = empty_state(instance), lookup_of(instance)
    splits: dict[int, Split] = {}
    for j, choice in enumerate(choices):
        if choice is None:
            continue
        slots = np.array(choice.slots, dtype=np.int64)
        if choice.site == SPLIT:
            book_split(instance, lookup, state, j, choice.alternative, choice.slots, choice.parts)
            splits[j] = choice.parts
        else:
            put(instance.kinds, lookup, state, j, choice.alternative, choice.site, choice.row, slots)
    return state, splits
