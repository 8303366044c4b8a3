"""Pairs of resources: their work is shared out as well as can be, and a plan never gets worse."""

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


@pytest.mark.parametrize("seed", range(20))
def test_two_sites_too_small_are_shared_out_as_well_as_possible(seed):
    # where all costs less than a CNY, hundredths of one matter
    problem = cases.crowded(seed, unit=cases.CNY if seed % 2 else cases.CNY // 1000)
    pairs, _ = searched(compile_instance(problem), 5)
    assert pairs.value == cases.brute_force(problem)


@pytest.mark.parametrize("seed", range(40))
def test_a_plan_never_gets_worse_nor_better_than_the_optimum(seed):
    problem = cases.known_grades_only(cases.tiny(seed))
    instance = compile_instance(problem)
    pairs, before = searched(instance, 2)
    assert fits(instance, pairs.amount)
    assert cases.brute_force(problem) <= pairs.value == value(instance, pairs.amount) <= before
