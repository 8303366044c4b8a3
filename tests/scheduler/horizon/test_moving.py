"""What a move gains: the checker's value of the plan with it, and with going on instead."""

from collections import Counter
from dataclasses import replace

import horizon_instances as cases
import numpy as np
from brute_force import ways

from scheduler.horizon.assembly import assembled
from scheduler.horizon.building import Builder
from scheduler.horizon.checker import check_placements, check_plan, value_of
from scheduler.horizon.checker.facts import Facts
from scheduler.horizon.dual_ascent import Ascent
from scheduler.horizon.gangs import split_gangs
from scheduler.horizon.instance import compile_instance
from scheduler.horizon.plan import MoveReason
from scheduler.horizon.planning import plan_horizon
from scheduler.horizon.pricing import no_prices
from scheduler.horizon.types import Part, RunMode, Running


def in_order(problem):
    """A plan without a search: each where it is cheapest in its turn."""
    instance = compile_instance(problem)
    builder = Builder(instance)
    state = builder.in_order(np.arange(len(problem.workloads)))
    splits = split_gangs(problem, instance, builder.lookup, state)
    ascent = Ascent(no_prices(instance), 0)
    more = {"model": "", "why": "", "out_of_time": False, "relaxing_s": 0}
    return assembled(problem, instance, state, splits, ascent, **more)


def enumerated(problem, plan, move):
    """What the new place costs, moving included, and the least that going on would; None where it cannot."""
    facts = Facts(problem)
    (place,) = (p for p in plan.placements if p.workload == move.workload)
    others = [p for p in plan.placements if p is not place]
    w = facts.workloads[move.workload]
    without = value_of(problem, others) - facts.penalty(w)
    stays = [
        value_of(problem, [*others, way]) - without
        for way in ways(problem, w)
        if facts.stays(way) and check_placements(problem, [*others, way]) == ()
    ]
    return value_of(problem, plan.placements) - without, min(stays, default=None)


def test_it_gains_what_the_checker_says():
    reasons = Counter()
    for seed in range(250):
        problem = cases.tiny(seed, workloads_max=6, slots_max=4)
        if any(w.mode is RunMode.PREEMPTIBLE for w in problem.workloads):
            # under a cap only the cheapest slots are looked at
            problem = replace(problem, carbon=replace(problem.carbon, cap_g=None))
        plan = in_order(problem)
        assert check_plan(problem, plan) == ()
        for move in plan.moves:
            reasons[move.reason] += 1
            told = (move.go_nano_cny + move.cost_nano_cny, move.stay_nano_cny)
            assert told == enumerated(problem, plan, move), (seed, move)
    assert set(reasons) == set(MoveReason)


def test_work_that_a_label_keeps_from_its_site_gives_way():
    problem = cases.two_sites()
    # only the hub is large enough for its mate, beside which there is room, but not for one with its label
    mate = cases.work("mate", {"A": 5000}, 4, (0, 4), apart="x")
    running = cases.work("running", {"A": 1000}, 4, (0, 4), apart="x")
    problem = replace(problem, workloads=(mate, running), running=(Running("running", 0, (Part("HUB", 1),)),))
    plan = plan_horizon(problem, 5)
    assert check_plan(problem, plan) == ()
    (move,) = plan.moves
    assert (move.reason, move.after) == (MoveReason.GIVES_WAY, (Part("POOL", 1),))
    assert (move.stay_nano_cny, move.gain_nano_cny) == (None, None)
