"""Worths and knapsacks: the fast search finds what a plain one finds, and what they prove holds."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import scheduler_instances as cases
from ortools.linear_solver import pywraplp

import scheduler.searching
from scheduler.checker import certified_bound, check_plan
from scheduler.compiling import compile_instance
from scheduler.knapsacks import NANO, bench_for, gains, items_of
from scheduler.parts import independent
from scheduler.placing import place
from scheduler.plan import Certificate
from scheduler.worths import Climb, suits, worth_bound


def drawn(seed):
    """A small problem and random worths of its classes in nano-CNY."""
    problem = cases.known_grades_only(cases.tiny(seed)) if seed % 2 else cases.crowd(seed, 40)
    instance = compile_instance(problem)
    share = np.random.default_rng(seed).uniform(0, 0.3, len(instance.count))
    return problem, instance, (share * instance.penalty).astype(np.int64)


@pytest.mark.parametrize("seed", range(40))
def test_the_search_around_a_price_packs_as_well_as_the_plain_programme(seed):
    _, instance, worth = drawn(seed)
    items = items_of(instance)
    fast = instance.count @ worth / NANO - gains(items, bench_for(items), worth / NANO).sum()
    assert fast == pytest.approx(worth_bound(instance, items, worth) / NANO, abs=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_the_checker_finds_the_same_bound_and_no_plan_is_below_it(seed):
    problem, instance, start = drawn(seed)
    items = items_of(instance)
    climb = Climb(instance, items, start)
    climb.go_on()
    bound = worth_bound(instance, items, climb.worth())
    certificate = Certificate((), 0, tuple(climb.worth()[instance.workload_class].tolist()))
    assert certified_bound(problem, certificate) == bound >= worth_bound(instance, items, start)
    assert bound == pytest.approx(climb.bound * NANO, abs=1e-6 * NANO)
    if seed % 2:
        assert bound <= cases.brute_force(problem)


def bound_of_all_sets(instance, items):
    """The best bound by worths, CNY: a linear program over every set of workloads that fits a resource."""
    solver = pywraplp.Solver.CreateSolver("GLOP")
    out = [solver.NumVar(0, solver.infinity(), "") for _ in instance.count]
    rows = list(out)
    costs = [
        variable * penalty / NANO for variable, penalty in zip(out, instance.penalty.tolist(), strict=True)
    ]
    for r in range(len(items.room)):
        here = range(items.start[r], items.start[r + 1])
        chosen = []
        for picked in itertools.chain.from_iterable(itertools.combinations(here, n) for n in range(9)):
            units = sum(items.size[k] for k in picked)
            if units <= items.room[r]:
                weight = solver.NumVar(0, 1, "")
                chosen.append(weight)
                cost = sum(items.cost[k] for k in picked) + items.curve[items.curve_start[r] + units]
                costs.append(weight * float(cost))
                for k in picked:
                    rows[items.group[k]] += weight
        solver.Add(sum(chosen) <= 1)
    for row, count in zip(rows, instance.count.tolist(), strict=True):
        solver.Add(row >= count)
    solver.Minimize(sum(costs))
    assert solver.Solve() == solver.OPTIMAL
    return solver.Objective().Value()


@pytest.mark.parametrize("seed", range(8))
def test_the_climb_ends_at_the_best_bound_that_worths_can_prove(seed):
    instance = compile_instance(cases.crowded(seed))
    items = items_of(instance)
    climb = Climb(instance, items, instance.penalty // 10)
    while climb.go_on():
        pass
    assert climb.bound == pytest.approx(bound_of_all_sets(instance, items), rel=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_parts_share_nothing_and_lose_nothing(seed):
    _, instance, _ = drawn(seed)
    parts = independent(instance)
    needed = [set(part.instance.need_resource.tolist()) for part, _ in parts]
    assert sum(len(resources) for resources in needed) == len(set().union(*needed))
    assert sorted(o for part, _ in parts for o in part.option.tolist()) == list(
        range(len(instance.option_site))
    )


@pytest.fixture(scope="module")
def watched():
    """A problem, a plan of it whose bound is proved by worths, and what was told on the way."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(scheduler.searching, "REFINE_OPTIONS_MIN", 0)
        for seed in (4, *range(20)):
            problem, seen, plans = cases.crowd(seed, 60), [], []
            plan = place(problem, 2, on_progress=seen.append, on_plan=plans.append)
            if plan.certificate.worths_nano_cny:
                return problem, plan, seen, plans
        raise LookupError("no problem has a bound by worths")


@pytest.fixture(scope="module")
def bounded(watched):
    return watched[:2]


def test_progress_only_ever_gets_better_and_plans_on_the_way_hold(watched):
    problem, plan, seen, plans = watched
    assert [p.incumbent_nano_cny for p in seen] == sorted((p.incumbent_nano_cny for p in seen), reverse=True)
    assert [p.bound_nano_cny for p in seen] == sorted(p.bound_nano_cny for p in seen)
    assert seen[-1].incumbent_nano_cny == plan.value_nano_cny
    values = [better.value_nano_cny for better in plans]
    assert values == sorted(set(values), reverse=True) and values[-1] >= plan.value_nano_cny
    assert [check_plan(problem, better) for better in plans] == [()] * len(plans)


def test_a_certificate_that_claims_more_than_its_worths_prove_is_caught(bounded):
    problem, plan = bounded
    assert check_plan(problem, plan) == ()
    stated = plan.certificate.bound_nano_cny
    assert certified_bound(problem, plan.certificate) == stated
    worse = replace(plan.certificate, worths_nano_cny=(0,) * len(problem.workloads))
    assert any("proves" in line for line in check_plan(problem, replace(plan, certificate=worse)))
    assert certified_bound(problem, worse) == 0 < stated
    short = replace(plan.certificate, worths_nano_cny=(0,))
    assert any("1 worths" in line for line in check_plan(problem, replace(plan, certificate=short)))


@pytest.mark.parametrize(
    ("sizes", "workloads", "capacity"),
    [
        # units of 1 milli-card: a knapsack of a billion cards
        ((300, 301), 1, 10**12),
        # what ten workloads might gain in three ways is beyond 64 bits
        ((10**6, 2 * 10**6, 3 * 10**6), 10, 10**8),
    ],
)
def test_knapsacks_too_large_are_never_laid_out(sizes, workloads, capacity):
    sites = (cases.site("HUB", {"A": capacity}, list_price=10**3 * cases.CNY),)
    network = cases.Network(("EAST",), ("HUB",), np.array([[1.0]]))
    ways = tuple((cases.Need("A", size),) for size in sizes)
    jobs = tuple(replace(cases.work(f"w{n}", {"A": 1}), alternatives=ways) for n in range(workloads))
    offers = (cases.Offer("o", "HUB", "A", capacity, cases.CNY),)
    problem = cases.Problem(jobs, (cases.Origin("EAST", "EAST", ""),), sites, network, (), offers)
    instance = compile_instance(problem)
    assert not suits(instance)
    assert place(problem, 1.0).placements


def test_certified_intervals_of_related_problems_never_contradict(bounded, monkeypatch):
    """Shuffled input has the same optimum, more to buy never costs more, a tighter bound never less."""
    monkeypatch.setattr(scheduler.searching, "REFINE_OPTIONS_MIN", 0)
    problem, plan = bounded
    shuffled = place(replace(problem, workloads=problem.workloads[::-1]), 0.5)
    assert plan.lower_bound_nano_cny <= shuffled.value_nano_cny
    assert shuffled.lower_bound_nano_cny <= plan.value_nano_cny
    more = tuple(replace(offer, milli_cards=offer.milli_cards * 11 // 10) for offer in problem.offers)
    sites = tuple(
        replace(s, grades=tuple(replace(g, capacity_milli_cards=10**7) for g in s.grades))
        for s in problem.sites
    )
    assert place(replace(problem, sites=sites, offers=more), 0.5).lower_bound_nano_cny <= plan.value_nano_cny
    tighter = tuple(replace(w, latency_ms_max=w.latency_ms_max / 2) for w in problem.workloads)
    assert plan.lower_bound_nano_cny <= place(replace(problem, workloads=tighter), 0.5).value_nano_cny
