"""Very many workloads: clusters change neither bound nor rules, whole workloads stay within every limit."""

import time
from dataclasses import replace

import numpy as np
import pytest
import scheduler_instances as cases

import scheduler.searching
from scheduler.capacity_rows import Needs, base_rows
from scheduler.checker import check_plan
from scheduler.clusters import first_clusters, merged
from scheduler.compiling import compile_instance
from scheduler.ejecting import ejected
from scheduler.greedy import filled
from scheduler.linear_model import build, solve
from scheduler.placing import place
from scheduler.refining import refine
from scheduler.relaxation import mathopt
from scheduler.searching import REFINED
from scheduler.solution import fits, left_out, value
from scheduler.spreading import spread


def with_data_to_move(problem):
    """The crowd again, most workloads with GB to move at a price of its own a site."""
    prices = np.array([[0, 1, 2, 3, 4], [4, 3, 2, 1, 0]]) * cases.CNY // 7
    moved = tuple(replace(w, data_gb=n * 37 % 101) for n, w in enumerate(problem.workloads))
    network = replace(problem.network, transfer_micro_cny_per_gb=prices)
    return replace(problem, workloads=moved, network=network)


def drawn(seed):
    if seed % 3 == 2:
        return cases.known_grades_only(cases.tiny(seed))
    return with_data_to_move(cases.crowd(seed, 80)) if seed % 3 else cases.crowd(seed, 80)


def plain_relaxation(instance):
    """The value of the linear relaxation of every class by itself."""
    rows = base_rows(instance.supply)
    model = build(instance, Needs(instance), rows, integer=False)
    answer = solve(model, instance, rows, mathopt.SolverType.GLOP, 30)
    out = instance.count - np.bincount(
        instance.option_class, weights=answer.amount, minlength=len(instance.count)
    )
    return (
        answer.amount @ instance.option_cost
        + answer.bought @ instance.supply.step_price
        + out @ instance.penalty
    )


@pytest.mark.parametrize("seed", range(45))
def test_refining_finds_the_value_of_the_whole_relaxation(seed):
    instance = compile_instance(drawn(seed))
    found = refine(instance, Needs(instance), time.monotonic() + 30)
    assert found.relaxation.bound == pytest.approx(plain_relaxation(instance), rel=1e-5, abs=1e7)


@pytest.mark.parametrize("seed", range(45))
def test_whole_workloads_stay_within_every_limit_and_only_get_better(seed):
    instance = compile_instance(drawn(seed))
    needs = Needs(instance)
    found = refine(instance, needs, time.monotonic() + 30)
    whole = spread(instance, found.merged, found.amount, found.relaxation.shadow.astype(float))
    assert fits(instance, whole)
    more = filled(instance, whole)
    assert fits(instance, more)
    assert value(instance, more) <= value(instance, whole)
    best = ejected(instance, needs, more, found.relaxation.shadow, time.monotonic() + 30)
    assert fits(instance, best)
    assert found.relaxation.bound <= value(instance, best) <= value(instance, more)


def test_local_search_repairs_a_bad_start():
    instance = compile_instance(with_data_to_move(cases.crowd(4, 400)))
    nothing = np.zeros_like(instance.option_site)
    needs = Needs(instance)
    found = refine(instance, needs, time.monotonic() + 30)
    best = ejected(instance, needs, nothing, found.relaxation.shadow, time.monotonic() + 30)
    assert fits(instance, best)
    assert value(instance, best) < value(instance, nothing) / 2
    assert left_out(instance, best).sum() < instance.count.sum() / 2


def test_clusters_are_fewer_than_classes_and_hold_everything():
    instance = compile_instance(with_data_to_move(cases.crowd(1, 400)))
    together = merged(instance, first_clusters(instance)).instance
    assert len(together.count) < len(instance.count) / 2
    assert together.penalty.sum() == instance.penalty @ instance.count


@pytest.mark.parametrize("seed", range(60))
def test_the_refined_model_is_checked_and_honest(seed, monkeypatch):
    monkeypatch.setattr(scheduler.searching, "REFINE_OPTIONS_MIN", 0)
    problem = cases.known_grades_only(cases.tiny(seed))
    plan = place(problem, 2)
    assert plan.model == REFINED
    assert check_plan(problem, plan) == ()
    assert plan.lower_bound_nano_cny <= cases.brute_force(problem) <= plan.value_nano_cny


def test_the_refined_model_honours_the_shortest_limit(monkeypatch):
    monkeypatch.setattr(scheduler.searching, "REFINE_OPTIONS_MIN", 0)
    problem = with_data_to_move(cases.crowd(5))
    for limit_s in (1.0, 1e-9):
        assert check_plan(problem, place(problem, time_limit_s=limit_s)) == ()


@pytest.mark.parametrize("seed", range(4))
def test_certified_intervals_of_related_problems_never_contradict(seed, monkeypatch):
    """Shuffled input has the same optimum, more capacity never costs more, wider latency never costs more."""
    monkeypatch.setattr(scheduler.searching, "REFINE_OPTIONS_MIN", 0)
    # intervals must not contradict each other however wide they are
    monkeypatch.setattr(scheduler.searching, "SHARPEN_OPTIONS_MAX", 0)
    problem = with_data_to_move(cases.crowd(seed, 120))
    order = np.random.default_rng(seed).permutation(len(problem.workloads)).tolist()
    sites = tuple(
        replace(
            s,
            grades=tuple(replace(g, capacity_milli_cards=10 * g.capacity_milli_cards) for g in s.grades),
        )
        for s in problem.sites
    )
    more = tuple(replace(offer, milli_cards=offer.milli_cards * 11 // 10) for offer in problem.offers)
    wider = tuple(replace(w, latency_ms_max=2 * w.latency_ms_max) for w in problem.workloads)
    plan = place(problem, 10)
    same = place(replace(problem, workloads=tuple(problem.workloads[row] for row in order)), 10)
    assert same.lower_bound_nano_cny <= plan.value_nano_cny
    assert plan.lower_bound_nano_cny <= same.value_nano_cny
    for eased in (replace(problem, sites=sites, offers=more), replace(problem, workloads=wider)):
        assert place(eased, 10).lower_bound_nano_cny <= plan.value_nano_cny
