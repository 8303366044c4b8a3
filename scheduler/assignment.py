"""The general core: every job to exactly one site, capacities respected, at the least cost, proved.

This is the generalised assignment problem (Ross & Soland 1975), here with any number of resources. CP-SAT
over integers, so an optimum that it proves is exact.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from scheduler.instance import Bools, Ints


class AssignmentStatus(StrEnum):
    """What is known about an assignment."""

    OPTIMAL = "optimal"
    """Proved: none costs less."""
    FEASIBLE = "feasible"
    """The time limit came first; ``bound`` says how much less another could cost at most."""
    INFEASIBLE = "infeasible"
    """Proved: there is none."""
    UNKNOWN = "unknown"
    """The time limit came before any answer."""


@dataclass(frozen=True, eq=False, slots=True)
class Assignment:
    """The site of each job (J,), empty without an answer; its exact cost; and a lower bound on any cost."""

    status: AssignmentStatus
    site: Ints
    cost: int
    bound: int


STATUS = {
    cp_model.OPTIMAL: AssignmentStatus.OPTIMAL,
    cp_model.FEASIBLE: AssignmentStatus.FEASIBLE,
    cp_model.INFEASIBLE: AssignmentStatus.INFEASIBLE,
    cp_model.UNKNOWN: AssignmentStatus.UNKNOWN,
}
COST_MAX = 2**52
"""Costs must add up to less, so that the bound, a double in CP-SAT's answer, is an exact integer."""


def assign(
    cost: NDArray[np.integer],
    demand: NDArray[np.integer],
    capacity: NDArray[np.integer],
    allowed: Bools | None = None,
    time_limit_s: float = 60.0,
    workers: int = 1,
) -> Assignment:
    """Give each of J jobs one of S sites at the least total cost.

    ``cost`` (J, S); ``demand`` (J, S) or (J, S, R) for R resources, ≥ 0; ``capacity`` (S,) or (S, R);
    ``allowed`` (J, S), or None where every job may go everywhere. Costs add up to less than `COST_MAX`. With
    one worker the same input gives the same answer. Raises ``ValueError`` naming the array that is wrong.
    """
    needs, room = _checked(cost, demand, capacity, allowed)
    may = (
        (needs <= room[None]).all(axis=2) if allowed is None else allowed & (needs <= room[None]).all(axis=2)
    )
    model = cp_model.CpModel()
    jobs, sites = np.nonzero(may)
    chosen = [model.new_bool_var(f"{j},{s}") for j, s in zip(jobs.tolist(), sites.tolist(), strict=True)]
    _one_site_each(model, chosen, jobs, len(cost))
    _within_capacity(model, chosen, sites, needs[jobs, sites], room)
    model.minimize(cp_model.LinearExpr.weighted_sum(chosen, cost[jobs, sites].tolist()))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(time_limit_s, 0.01)
    solver.parameters.num_workers = workers
    return _answer(solver, solver.solve(model), chosen, cost, jobs, sites)


def _checked(
    cost: NDArray[np.integer],
    demand: NDArray[np.integer],
    capacity: NDArray[np.integer],
    allowed: Bools | None,
) -> tuple[Ints, Ints]:
    for name, array in (("cost", cost), ("demand", demand), ("capacity", capacity)):
        if not np.issubdtype(array.dtype, np.integer):
            raise ValueError(f"{name} must hold integers, not {array.dtype}")
    if cost.ndim != 2:
        raise ValueError(f"cost must be jobs × sites, not {cost.shape}")
    needs = demand[:, :, None] if demand.ndim == 2 else demand
    room = capacity[:, None] if capacity.ndim == 1 else capacity
    if needs.ndim != 3 or needs.shape[:2] != cost.shape:
        raise ValueError(f"demand is {demand.shape}, expected {cost.shape} or that × resources")
    if room.shape != needs.shape[1:]:
        raise ValueError(f"capacity is {capacity.shape}, expected {needs.shape[1:]}")
    if allowed is not None and allowed.shape != cost.shape:
        raise ValueError(f"allowed is {allowed.shape}, expected {cost.shape}")
    if (needs < 0).any() or (room < 0).any():
        raise ValueError("demand and capacity must be 0 or more")
    if np.abs(cost).max(axis=1, initial=0).astype(object).sum() >= COST_MAX:
        raise ValueError(f"cost: the jobs' largest costs must add up to less than {COST_MAX}")
    return needs.astype(np.int64), room.astype(np.int64)


def _one_site_each(model: cp_model.CpModel, chosen: list[cp_model.IntVar], jobs: Ints, count: int) -> None:
    starts = np.searchsorted(jobs, np.arange(count + 1)).tolist()
    for job in range(count):
        # a job that may go nowhere: an empty choice, which makes the model infeasible
        model.add_exactly_one(chosen[starts[job] : starts[job + 1]])


def _within_capacity(
    model: cp_model.CpModel, chosen: list[cp_model.IntVar], sites: Ints, needs: Ints, room: Ints
) -> None:
    for site in range(len(room)):
        rows = np.flatnonzero(sites == site).tolist()
        for resource, most in enumerate(room[site].tolist()):
            weights = needs[rows, resource].tolist()
            if sum(weights) > most:
                used = cp_model.LinearExpr.weighted_sum([chosen[row] for row in rows], weights)
                model.add(used <= most)


def _answer(
    solver: cp_model.CpSolver,
    status: cp_model.CpSolverStatus,
    chosen: list[cp_model.IntVar],
    cost: NDArray[np.integer],
    jobs: Ints,
    sites: Ints,
) -> Assignment:
    if status not in STATUS:
        raise RuntimeError(f"CP-SAT refused the model: {solver.status_name(status)}")
    lowest = int(cost.min(axis=1).sum()) if cost.size else 0  # each job where it is cheapest
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Assignment(STATUS[status], np.empty(0, dtype=np.int64), 0, lowest)
    site = np.zeros(len(cost), dtype=np.int64)
    taken = np.array([solver.boolean_value(variable) for variable in chosen], dtype=np.bool_)
    site[jobs[taken]] = sites[taken]
    total = int(cost[np.arange(len(cost)), site].sum())
    return Assignment(STATUS[status], site, total, max(lowest, round(solver.best_objective_bound)))
