"""Merging classes changes neither bound nor rules, only the size of the relaxation."""

import time
from dataclasses import replace

import numpy as np
import pytest
import scheduler_instances as cases

import scheduler.placing
from scheduler.aggregation import aggregate, spread
from scheduler.capacity_rows import Needs, base_rows
from scheduler.checker import check_plan
from scheduler.instance import compile_instance
from scheduler.linear_model import build, solve
from scheduler.placing import MERGED, SAMPLED, place
from scheduler.relaxation import relax_merged
from scheduler.rounding import fits


def plain_relaxation(instance):
    rows = base_rows(instance.supply)
    model = build(instance, Needs(instance), rows, integer=False)
    return solve(model, instance, rows, scheduler.relaxation.mathopt.SolverType.GLOP, 30)


def with_data_to_move(problem):
    """The crowd again, every second workload with 1 or 2 GB to move at a price of its own a site."""
    prices = np.array([[0, 1, 2, 3, 4], [4, 3, 2, 1, 0]]) * cases.CNY
    moved = tuple(replace(w, data_gb=n % 3) for n, w in enumerate(problem.workloads))
    return replace(
        problem, workloads=moved, network=replace(problem.network, transfer_micro_cny_per_gb=prices)
    )


@pytest.mark.parametrize("seed", range(60))
def test_merged_prices_prove_what_the_whole_relaxation_proves(seed):
    problem = cases.crowd(seed, 60) if seed % 3 else cases.known_grades_only(cases.tiny(seed))
    problem = with_data_to_move(problem) if seed % 3 == 1 else problem
    instance = compile_instance(problem)
    merged = aggregate(instance)
    found = relax_merged(instance, Needs(instance), merged.instance, time.monotonic() + 30)
    answer = plain_relaxation(instance)
    placed = np.add.reduceat(np.append(answer.amount, 0.0), instance.option_start[:-1])
    placed[np.diff(instance.option_start) == 0] = 0
    whole = (
        answer.amount @ instance.option_transfer
        + answer.bought @ instance.supply.step_price
        + (instance.count - placed) @ instance.penalty
    )
    assert found.bound == pytest.approx(whole, rel=1e-6, abs=1e7)
    assert fits(instance, spread(instance, merged, found.amount))


def test_a_crowd_of_sizes_becomes_few_classes():
    instance = compile_instance(cases.crowd(1))
    merged = aggregate(instance).instance
    assert len(merged.count) < len(instance.count) / 2


@pytest.mark.parametrize("seed", range(60))
def test_the_merged_model_is_checked_and_honest(seed, monkeypatch):
    monkeypatch.setattr(scheduler.placing, "MERGE_OPTIONS_MIN", 0)
    problem = cases.known_grades_only(cases.tiny(seed))
    plan = place(problem)
    assert plan.model == MERGED
    assert check_plan(problem, plan) == ()
    assert plan.lower_bound_nano_cny <= cases.brute_force(problem) <= plan.value_nano_cny


def test_the_merged_model_places_a_crowd(monkeypatch):
    monkeypatch.setattr(scheduler.placing, "MERGE_OPTIONS_MIN", 0)
    problem = cases.crowd(5)
    plan = place(problem)
    assert check_plan(problem, plan) == ()
    late = place(problem, time_limit_s=1e-9)
    assert check_plan(problem, late) == ()


@pytest.mark.parametrize("seed", range(60))
def test_the_sampled_model_is_checked_and_honest(seed, monkeypatch):
    monkeypatch.setattr(scheduler.placing, "MERGE_OPTIONS_MIN", 0)
    monkeypatch.setattr(scheduler.placing, "SAMPLE_OPTIONS_MIN", 0)
    problem = (
        with_data_to_move(cases.crowd(seed, 60)) if seed % 2 else cases.known_grades_only(cases.tiny(seed))
    )
    plan = place(problem)
    assert plan.model == SAMPLED
    assert check_plan(problem, plan) == ()
    if not seed % 2:
        assert plan.lower_bound_nano_cny <= cases.brute_force(problem) <= plan.value_nano_cny
