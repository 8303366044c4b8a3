"""The rule of pre-emption: best-effort work gives way, pauses where it may, and never keeps others out."""

from dataclasses import replace

import horizon_instances as cases
import numpy as np
import pytest
from brute_force import least_value

from bench.horizon_instances import jobs_problem
from nodes.types import Residency
from scheduler.horizon.building import Builder
from scheduler.horizon.checker import check_plan
from scheduler.horizon.in_time import TimeIsUp
from scheduler.horizon.insertion import copied
from scheduler.horizon.instance import compile_instance
from scheduler.horizon.planning import plan_horizon
from scheduler.horizon.preempting import make_way
from scheduler.horizon.types import CarbonRule, Maintenance, Part, RunMode, Running
from scheduler.io.schedule import schedule_of
from scheduler.report.wording import rule_line


def one_hub(*workloads, **more):
    """The hub of two sites alone: 8 A in each of 4 slots."""
    problem = cases.two_sites()
    return replace(
        problem,
        workloads=workloads,
        maintenance=(Maintenance("POOL", 0, 4),),
        best_effort_yields=True,
        **more,
    )


def best_effort(name, milli, slots, **more):
    return replace(cases.work(name, {"A": milli}, slots, (0, 4), best_effort=True), **more)


def where(plan):
    return {p.workload: p.slots for p in plan.placements}


SMALL = cases.work("small", {"A": 500}, 2, (1, 3))


@pytest.mark.parametrize("priority", [0, 9])
def test_large_best_effort_work_gives_way_to_small_work_whatever_its_priority(priority):
    large = best_effort("large", 8000, 4, priority=priority)
    running = (Running("large", 0, (Part("HUB", 1),)),)
    problem = one_hub(large, SMALL, running=running)
    plan = plan_horizon(problem, 5)
    assert check_plan(problem, plan) == ()
    assert where(plan) == {"small": (1, 2)}
    weighed = plan_horizon(replace(problem, best_effort_yields=False), 5)
    assert where(weighed) == {"large": (0, 1, 2, 3)}, "it weighs more"
    assert any("small is left out, but has a place at HUB" in v for v in check_plan(problem, weighed))
    assert plan.rule_nano_cny == plan.value_nano_cny - weighed.value_nano_cny > 0
    told = rule_line(schedule_of(cases.START, problem, plan))
    assert told.endswith("the gap is against plans that keep the rule")


def test_work_that_may_pause_is_split_around_what_it_gives_way_to():
    pausing = best_effort("pausing", 8000, 2, mode=RunMode.PREEMPTIBLE)
    problem = one_hub(pausing, SMALL, running=(Running("pausing", 0, (Part("HUB", 1),)),))
    plan = plan_horizon(problem, 5)
    assert where(plan) == {"small": (1, 2), "pausing": (0, 3)}
    assert plan.moves == ()


def test_only_what_is_in_the_way_gives_way_and_priority_counts():
    problem = one_hub(
        best_effort("low", 4000, 4), best_effort("high", 4000, 4, priority=2), replace(SMALL, id="need")
    )
    plan = plan_horizon(problem, 5)
    assert check_plan(problem, plan) == ()
    assert where(plan) == {"need": (1, 2), "high": (0, 1, 2, 3)}


@pytest.mark.parametrize("mode", list(RunMode))
def test_a_cap_on_carbon_is_not_used_up_by_best_effort_work(mode):
    # at night the hub is cheap and dirty; by day the cap has room for one of them
    small = replace(cases.work("small", {"A": 1000}, 1, (0, 4)), mode=mode)
    problem = one_hub(best_effort("large", 3500, 1, priority=9), small, carbon=CarbonRule(cap_g=400))
    pool, hub = problem.sites
    problem = replace(problem, sites=(pool, replace(hub, carbon_g_per_kwh=(100, 100, 800, 800))))
    plan = plan_horizon(problem, 5)
    assert check_plan(problem, plan) == ()
    assert where(plan) == {"small": (0,)}
    weighed = plan_horizon(replace(problem, best_effort_yields=False), 5)
    assert where(weighed) == {"large": (0,)}
    assert any("small is left out, but has a place at HUB" in v for v in check_plan(problem, weighed))


def test_running_work_that_could_stay_is_kept_in_its_place():
    # nobody may move: the ordinary one stays, or is left out for the large one
    ours = Running("ours", 0, (Part("HUB", 1),))
    problem = one_hub(
        best_effort("large", 8000, 4, priority=9),
        cases.work("ours", {"A": 50}, 4, (0, 4)),
        running=(ours,),
        moves_max=0,
    )
    plan = plan_horizon(problem, 5)
    assert check_plan(problem, plan) == ()
    assert where(plan) == {"ours": (0, 1, 2, 3)}
    weighed = plan_horizon(replace(problem, best_effort_yields=False), 5)
    assert where(weighed) == {"large": (0, 1, 2, 3)}
    assert any("ours is left out, but has a place at HUB" in v for v in check_plan(problem, weighed))


def test_moves_are_not_taken_from_best_effort_work():
    # the first one's move to the hub gains, but only one may move, and the last one must for the second
    problem = replace(
        cases.two_sites(),
        workloads=(
            best_effort("first", 1000, 4, priority=1),
            cases.work("second", {"A": 3000}, 4, (0, 4), latency_ms=10.0),
            cases.work("last", {"A": 2000}, 4, (0, 4)),
        ),
        running=(Running("first", 0, (Part("POOL", 1),)), Running("last", 0, (Part("POOL", 1),))),
        best_effort_yields=True,
        moves_max=1,
    )
    plan = plan_horizon(problem, 5)
    assert check_plan(problem, plan) == ()
    assert {p.workload: p.parts[0].site for p in plan.placements} == {
        "first": "POOL",
        "second": "POOL",
        "last": "HUB",
    }


def ruled(seed):
    """A tiny problem in which large best-effort work of the highest priority stands against ordinary work."""
    problem = cases.tiny(seed, workloads_max=4)
    anywhere = {"latency_ms_max": float("inf"), "residency": Residency.ANY, "budget_micro_cny": None}
    mixed = tuple(
        replace(w, best_effort=True, priority=9, **anywhere)
        if n % 2 == seed % 2
        else replace(w, best_effort=False, priority=0, gang_size=1, **anywhere)
        for n, w in enumerate(problem.workloads)
    )
    gang = {w.id: w.gang_size for w in mixed}
    running = tuple(replace(r, parts=(Part(r.parts[0].site, gang[r.workload]),)) for r in problem.running)
    # a cap so tight binds far more often than the rule does
    carbon = problem.carbon if seed % 5 == 0 else replace(problem.carbon, cap_g=None)
    return replace(problem, workloads=mixed, running=running, carbon=carbon, best_effort_yields=True)


BINDING = (22, 138, 188, 269, 318, 487, 572, 645, 656, 816, 830, 866, 960, 993, 1051, 1100, 1350, 1486)
"""Seeds where the rule costs something: beside plain work some with labels, data on lines, moves or a cap."""


def test_where_the_rule_binds_the_plan_is_proved_the_best_that_keeps_it():
    for seed in BINDING:
        problem = ruled(seed)
        plan, least = plan_horizon(problem, 30, gap_target=0), least_value(problem)
        assert check_plan(problem, plan) == (), seed
        assert plan.lower_bound_nano_cny == least == plan.value_nano_cny, seed


@pytest.mark.soak
@pytest.mark.parametrize("block", range(20))
def test_no_plan_that_keeps_the_rule_is_below_the_bound(block):
    for seed in range(2000 + 50 * block, 2050 + 50 * block):
        problem = ruled(seed)
        plan, least = plan_horizon(problem, 30, gap_target=0), least_value(problem)
        assert check_plan(problem, plan) == (), seed
        assert plan.lower_bound_nano_cny <= least <= plan.value_nano_cny, seed


def crowd(count, load):
    """Jobs for so many times what there is, every other one best-effort."""
    problem = jobs_problem(count, load, 2)
    mixed = tuple(replace(w, best_effort=n % 2 == 0) for n, w in enumerate(problem.workloads))
    return replace(problem, workloads=mixed, best_effort_yields=True)


def test_a_crowd_keeps_the_rule():
    problem = crowd(60, 1.3)
    plan = plan_horizon(problem, 1)
    assert plan.unplaced
    assert check_plan(problem, plan) == ()


def test_without_time_there_is_a_plan_that_keeps_the_rule():
    problem = one_hub(best_effort("large", 8000, 4, priority=9), SMALL)
    plan = plan_horizon(problem, 1e-9)
    assert check_plan(problem, plan) == ()
    assert where(plan) == {"small": (1, 2)}


def test_out_of_time_a_plan_is_as_it_was():
    problem = crowd(60, 6)
    instance = compile_instance(problem)
    builder = Builder(instance)
    # best-effort work first, so that the other half waits
    state = builder.in_order(np.argsort([not w.best_effort for w in problem.workloads], kind="stable"))
    before = copied(state)
    with pytest.raises(TimeIsUp):
        make_way(problem, instance, builder.lookup, state, {}, deadline=0)
    assert all(np.array_equal(was, now) for was, now in zip(before, state, strict=True))
    made, _ = make_way(problem, instance, builder.lookup, state, {})
    assert (made.site != state.site).any(), "with time the others give way"
