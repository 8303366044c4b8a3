"""Pairs of resources: their work is shared out as well as can be, and a plan never gets worse."""

import itertools

import numpy as np
import pytest
import scheduler_instances as cases

from scheduler.compiling import compile_instance
from scheduler.greedy import filled
from scheduler.knapsacks import items_of
from scheduler.pairing import Pairs
from scheduler.solution import fits, value


def searched(instance, times):
    """A search from the greedy plan, at prices of nothing."""
    amount = filled(instance, np.zeros(len(instance.option_site), dtype=np.int64))
    pairs = Pairs(instance, items_of(instance), amount, np.zeros_like(instance.supply.reserved))
    for _ in range(times):
        pairs.go_on()
    return pairs, value(instance, amount)


def crowded(seed):
    """Eight workloads of one grade, of different sizes and data, at two sites too small for them all."""
    draw = np.random.default_rng(seed)
    sites = tuple(cases.site(code, {"A": int(draw.integers(8, 13)) * 100}) for code in ("ONE", "TWO"))
    network = cases.Network(("EAST",), ("ONE", "TWO"), np.array([[1.0, 2.0]]), np.array([[0, 9 * cases.CNY]]))
    offers = [
        cases.Offer(f"{site.code}/{n}", site.code, "A", 400, int(draw.integers(5, 15)) * cases.CNY)
        for site, n in itertools.product(sites, range(2))
    ]
    jobs = [
        cases.work(f"w{n}", {"A": int(draw.integers(1, 7)) * 50}, data_gb=int(draw.integers(0, 3)))
        for n in range(8)
    ]
    return cases.Problem(tuple(jobs), (cases.Origin("EAST", "EAST", ""),), sites, network, (), tuple(offers))


@pytest.mark.parametrize("seed", range(20))
def test_two_sites_too_small_are_shared_out_as_well_as_possible(seed):
    problem = crowded(seed)
    pairs, _ = searched(compile_instance(problem), 5)
    assert pairs.value == cases.brute_force(problem)


@pytest.mark.parametrize("seed", range(40))
def test_a_plan_never_gets_worse_nor_better_than_the_optimum(seed):
    problem = cases.known_grades_only(cases.tiny(seed))
    instance = compile_instance(problem)
    pairs, before = searched(instance, 2)
    assert fits(instance, pairs.amount)
    assert cases.brute_force(problem) <= pairs.value == value(instance, pairs.amount) <= before
