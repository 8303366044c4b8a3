"""Worths and knapsacks: the fast search finds what a plain one finds, and what they prove holds."""

import time
from dataclasses import replace

import numpy as np
import pytest
import scheduler_instances as cases

import scheduler.placing
from scheduler.checker import certified_bound, check_plan
from scheduler.compiling import compile_instance
from scheduler.knapsacks import NANO, bench_for, items_of, taken_worth
from scheduler.parts import independent
from scheduler.placing import place
from scheduler.plan import Certificate
from scheduler.worths import climbed, worth_bound


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
    fast = instance.count @ worth / NANO - taken_worth(items, bench_for(items), worth / NANO)
    assert fast == pytest.approx(worth_bound(instance, items, worth) / NANO, abs=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_the_checker_finds_the_same_bound_and_no_plan_is_below_it(seed):
    problem, instance, start = drawn(seed)
    items = items_of(instance)
    found = climbed(instance, items, start, time.monotonic() + 0.02)
    certificate = Certificate((), 0, tuple(found.worth[instance.workload_class].tolist()))
    assert certified_bound(problem, certificate) == found.bound >= worth_bound(instance, items, start)
    if seed % 2:
        assert found.bound <= cases.brute_force(problem)


@pytest.mark.parametrize("seed", range(12))
def test_parts_share_nothing_and_lose_nothing(seed):
    _, instance, _ = drawn(seed)
    parts = independent(instance)
    needed = [set(part.instance.need_resource.tolist()) for part, _ in parts]
    assert sum(len(resources) for resources in needed) == len(set().union(*needed))
    assert sorted(o for part, _ in parts for o in part.option.tolist()) == list(
        range(len(instance.option_site))
    )


def test_a_certificate_that_claims_more_than_its_worths_prove_is_caught(monkeypatch):
    monkeypatch.setattr(scheduler.placing, "REFINE_OPTIONS_MIN", 0)
    problem = next(p for p in (cases.crowd(n, 60) for n in range(20)) if _by_worths(p))
    plan = place(problem, 2)
    assert check_plan(problem, plan) == ()
    stated = plan.certificate.bound_nano_cny
    worse = replace(plan.certificate, worths_nano_cny=(0,) * len(problem.workloads))
    assert any("proves" in line for line in check_plan(problem, replace(plan, certificate=worse)))
    assert certified_bound(problem, worse) == 0 < stated


def _by_worths(problem):
    return bool(place(problem, 2).certificate.worths_nano_cny)
