"""Loops are compiled before a search's clock starts: no search compiles another one."""

import sys

import pytest
import scheduler_instances as cases
from numba.core.registry import CPUDispatcher

import scheduler.placing
import scheduler.searching
from bench.horizon_instances import jobs_problem
from scheduler.horizon.failover import LivePlan
from scheduler.horizon.planning import plan_horizon
from scheduler.horizon.types import RunMode
from scheduler.horizon.warming import compile_horizon_loops
from scheduler.warming import compile_slot_loops


def signatures():
    """How many kinds of arguments each loop of the searches is compiled for; baselines are no search."""
    return {
        f"{name}.{attribute}": len(value.signatures)
        for name, module in list(sys.modules.items())
        if name.startswith("scheduler.") and not name.endswith("baselines")
        for attribute, value in vars(module).items()
        if isinstance(value, CPUDispatcher) and value.__module__ == name
    }


@pytest.mark.parametrize("refine_from", [10, 10**9])
def test_placing_compiles_nothing_after_the_first_call(monkeypatch, refine_from):
    compile_slot_loops()
    before = signatures()
    monkeypatch.setattr(scheduler.searching, "REFINE_OPTIONS_MIN", refine_from)
    plan = scheduler.placing.place(cases.crowd(1, 120), 2)
    assert plan.placements
    assert signatures() == before


@pytest.mark.parametrize("mode", RunMode)
def test_planning_many_slots_compiles_nothing_after_the_first_call(mode):
    compile_horizon_loops()
    before = signatures()
    problem = jobs_problem(300, 0.9, 1, mode, distinct=False)
    plan = plan_horizon(problem, 2)
    LivePlan(problem, plan).fail("S0")
    assert signatures() == before
