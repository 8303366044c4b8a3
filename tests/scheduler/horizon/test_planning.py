"""The front door over many slots: right on what can be enumerated, honest about everything else."""

import random
from dataclasses import replace

import horizon_instances as cases
import numpy as np
import pytest
from brute_force import least_value, ways

from bench.horizon_instances import jobs_problem
from scheduler.horizon.accounting import HorizonBooks
from scheduler.horizon.checker import certified_bound, check_placements, check_plan
from scheduler.horizon.checker.facts import Facts
from scheduler.horizon.insertion import empty_state
from scheduler.horizon.instance import compile_instance
from scheduler.horizon.plan import HorizonReason
from scheduler.horizon.planning import plan_horizon
from scheduler.horizon.relaxing import Relaxer, changed
from scheduler.horizon.types import Horizon, Link, Part, RunMode, Running
from scheduler.plan import PlanStatus
from scheduler.types import InvalidProblem


def planned_and_enumerated(seed):
    """What the front door makes of a tiny instance (faults, value, status), and what it has to be."""
    problem = cases.tiny(seed, workloads_max=3 + seed % 2)
    plan = plan_horizon(problem, 30, gap_target=0)
    return (
        (check_plan(problem, plan), plan.value_nano_cny, plan.status),
        ((), least_value(problem), PlanStatus.OPTIMAL),
    )


@pytest.mark.parametrize("block", range(8))
def test_brute_force_agrees(block):
    for seed in range(50 * block, 50 * block + 50):
        planned, enumerated = planned_and_enumerated(seed)
        assert planned == enumerated, seed


@pytest.mark.soak
@pytest.mark.parametrize("block", range(100))
def test_brute_force_agrees_at_length(block):
    for seed in range(10_000 + 60 * block, 10_000 + 60 * block + 60):
        planned, enumerated = planned_and_enumerated(seed)
        assert planned == enumerated, seed


def test_the_hand_example():
    problem = cases.two_sites()
    plan = plan_horizon(problem, 5)
    where = {p.workload: (p.parts[0].site, p.slots) for p in plan.placements}
    assert where == {"near": ("POOL", (0, 1)), "far": ("HUB", (2, 3)), "pausing": ("HUB", (2, 3))}
    # 2 × 12 × 2 + 3 × 6 × 2 + 1 × 6 × 2 CNY
    assert plan.totals.cost_fen == 9600
    assert plan.gap == 0
    assert sum(p.milli_cards for p in plan.purchases if p.offer == "night") == 2 * 4000


def test_progress_only_ever_gets_better():
    seen = []
    plan = plan_horizon(jobs_problem(400, 0.9, 1), 3, on_progress=seen.append)
    assert [p.incumbent_nano_cny for p in seen] == sorted((p.incumbent_nano_cny for p in seen), reverse=True)
    assert [p.bound_nano_cny for p in seen] == sorted(p.bound_nano_cny for p in seen)
    assert (seen[-1].incumbent_nano_cny, seen[-1].bound_nano_cny) == (
        plan.value_nano_cny,
        plan.lower_bound_nano_cny,
    )


def test_a_short_time_limit_still_gives_a_sound_plan():
    problem = jobs_problem(2000, 0.9, 2)
    plan = plan_horizon(problem, 0.05)
    assert check_plan(problem, plan) == ()
    with pytest.raises(ValueError, match="above 0"):
        plan_horizon(problem, 0)


@pytest.mark.parametrize("mode", list(RunMode))
def test_a_crowd_is_planned_well_and_soundly(mode):
    problem = jobs_problem(1000, 0.75, 3, mode)
    plan = plan_horizon(problem, 8)
    assert check_plan(problem, plan) == ()
    assert plan.gap < 0.5


def test_the_order_of_the_input_contradicts_nothing():
    problem = jobs_problem(300, 0.8, 4)
    mixed = list(problem.workloads)
    random.Random(0).shuffle(mixed)
    one = plan_horizon(problem, 2)
    other = plan_horizon(replace(problem, workloads=tuple(mixed)), 2)
    assert one.lower_bound_nano_cny <= other.value_nano_cny
    assert other.lower_bound_nano_cny <= one.value_nano_cny


@pytest.mark.parametrize("seed", range(4))
def test_more_capacity_never_costs_more_and_less_latency_never_less(seed):
    problem = jobs_problem(200, 0.95, seed)
    plan = plan_horizon(problem, 2)
    richer = replace(
        problem,
        sites=tuple(
            replace(s, grades=tuple(replace(g, capacity_milli_cards=10**9) for g in s.grades))
            for s in problem.sites
        ),
        offers=(*problem.offers, replace(problem.offers[0], id="more", milli_cards=10**6)),
    )
    assert plan_horizon(richer, 2).lower_bound_nano_cny <= plan.value_nano_cny
    tighter = replace(
        problem, workloads=tuple(replace(w, latency_ms_max=w.latency_ms_max - 5) for w in problem.workloads)
    )
    assert plan.lower_bound_nano_cny <= plan_horizon(tighter, 2).value_nano_cny


def test_no_prices_prove_more_than_what_a_plan_costs():
    problem = jobs_problem(60, 0.9, 5)
    plan = plan_horizon(problem, 2)
    draw = np.random.default_rng(0)
    for _ in range(5):
        prices = tuple(
            price._replace(nano_cny=int(price.nano_cny * draw.uniform(0, 2)))
            for price in plan.certificate.capacity
        )
        certificate = replace(plan.certificate, capacity=prices)
        assert certified_bound(problem, certificate) <= plan.value_nano_cny


def test_running_work_stays_unless_moving_pays():
    problem = cases.two_sites()
    moving = replace(problem, workloads=(replace(problem.workloads[1], latest_end=2),))
    # staying costs 3 × 12 × 2 CNY, the hub 3 × 8 × 2: 24 CNY less
    for migration_cny, moved in ((23, ("far",)), (25, ())):
        running = (Running("far", 0, (Part("POOL", 1),), migration_cny * cases.CNY),)
        plan = plan_horizon(replace(moving, running=running), 5)
        assert check_plan(replace(moving, running=running), plan) == ()
        assert plan.moved == moved


def test_no_more_running_work_is_moved_than_allowed():
    problem = cases.two_sites()
    far = replace(problem.workloads[1], alternatives=problem.workloads[2].alternatives)
    crowd = tuple(replace(far, id=f"w{n}") for n in range(4))
    running = tuple(Running(w.id, 0, (Part("POOL", 1),)) for w in crowd)
    for most in (0, 1, 3, None):
        given = replace(problem, workloads=crowd, running=running, moves_max=most)
        plan = plan_horizon(given, 5)
        assert check_plan(given, plan) == ()
        assert len(plan.moved) == (4 if most is None else most)


def test_what_cannot_be_placed_says_why():
    problem = cases.two_sites()
    (near, far, _) = problem.workloads
    odd = (
        replace(far, id="latency", latency_ms_max=4.0),
        replace(far, id="residency", residency="site", latency_ms_max=40.0, origin="WEST"),
        replace(far, id="large", alternatives=cases.work("x", {"A": 8001}, 1, (0, 4)).alternatives),
        replace(far, id="budget", budget_micro_cny=1),
        replace(far, id="link", data_gb=11, latency_ms_max=40.0),
        replace(near, id="capacity", alternatives=cases.work("x", {"A": 4000}, 2, (0, 2)).alternatives),
    )
    network = cases.Network(("EAST", "WEST"), ("POOL", "HUB"), np.array([[5.0, 30.0], [50.0, 20.0]]))
    given = replace(
        problem,
        workloads=(replace(near, priority=9), *odd),
        origins=(*problem.origins, cases.Origin("WEST", "ELSEWHERE", "")),
        network=network,
        links=(Link("EAST", "HUB", 10), Link("EAST", "POOL", 0)),
    )
    plan = plan_horizon(given, 5)
    assert check_plan(given, plan) == ()
    assert {u.workload: u.reason for u in plan.unplaced} == {
        name: HorizonReason(reason)
        for name, reason in (
            ("latency", "latency"),
            ("residency", "residency"),
            ("large", "too_large"),
            ("budget", "budget"),
            ("link", "link"),
            ("capacity", "capacity"),
        )
    }
    relaxed = {u.workload: dict(way[0] for way in u.relaxed) for u in plan.unplaced}
    assert relaxed["latency"]["latency_ms_max"] == "5.0"
    assert relaxed["budget"]["budget_micro_cny"] == "60000000", "6 card-hours at the list price of 10 CNY"
    assert relaxed["large"]["cards"] == "95%"
    assert relaxed["link"]["data_gb"] == "10"


def test_work_that_costs_more_than_leaving_it_out_is_told_what_it_would_have_to_be_worth():
    two = cases.two_sites()
    far = two.workloads[1]
    # leaving out counts ten times the list price of 10 CNY, and as much again for each step of priority
    dear = tuple(replace(offer, price_micro_cny=250 * cases.CNY) for offer in two.offers)
    given = replace(two, workloads=(far,), offers=dear)
    plan = plan_horizon(given, 5)
    assert check_plan(given, plan) == ()
    (left,) = plan.unplaced
    assert left.reason is HorizonReason.TOO_DEAR
    assert "where it costs at least 1,500.00 CNY" in left.detail
    assert left.relaxed == ((("priority", "2"),),)
    for priority, placed in ((1, 0), (2, 1)):
        raised = replace(given, workloads=(replace(far, priority=priority),))
        assert len(plan_horizon(raised, 5).placements) == placed


@pytest.mark.parametrize("seed", range(50))
def test_each_smallest_change_places_the_workload_in_what_is_left(seed):
    problem = replace(cases.tiny(seed, workloads_max=4), running=(), moves_max=None)
    plan = plan_horizon(problem, 10)
    for u in plan.unplaced:
        (w,) = (w for w in problem.workloads if w.id == u.workload)
        for way in u.relaxed:
            assert placeable(problem, plan, w, way), (u.workload, way)
            for at, step in enumerate(way):
                if step.field in ("latest_end", "earliest", "slots") and problem.carbon.cap_g is None:
                    less = int(step.value) + (1 if step.field != "latest_end" else -1)
                    smaller = (*way[:at], step._replace(value=str(less)), *way[at + 1 :])
                    assert not placeable(problem, plan, w, smaller), (u.workload, smaller)


def placeable(problem, plan, w, way):
    """Whether a changed workload fits at one site at less than leaving it out, the others as they are."""
    for step in way:
        w = changed(w, step)
    given = replace(problem, workloads=tuple(w if other.id == w.id else other for other in problem.workloads))
    books, penalty = HorizonBooks(given), Facts(given).penalty(w)
    most = books.totals(plan.placements).influenced_nano_cny + penalty
    return any(
        check_placements(given, both) == () and books.totals(both).influenced_nano_cny < most
        for option in ways(given, w)
        if len(option.parts) == 1
        for both in [[*plan.placements, option]]
    )


def test_two_changes_are_looked_for_where_one_does_not_help_and_time_is_kept():
    problem = cases.two_sites()
    # the hub is too far away, and in use by others until slot 2; the pool is too small
    first = replace(problem.workloads[1], latest_end=2)
    odd = cases.work("odd", {"A": 8000}, 2, (0, 2), latency_ms=10.0)
    problem = replace(problem, workloads=(first, odd))
    (u,) = plan_horizon(problem, 5).unplaced
    assert u.relaxed == ((("latest_end", "4"), ("latency_ms_max", "30.0")), (("cards", "50%"),))
    instance = compile_instance(problem)
    relaxer = Relaxer(problem, instance, empty_state(instance), until=0.0)
    assert relaxer.find(1) is None


def test_faulty_input_is_refused():
    with pytest.raises(InvalidProblem):
        plan_horizon(replace(cases.two_sites(), horizon=Horizon(cases.START, 0)))
