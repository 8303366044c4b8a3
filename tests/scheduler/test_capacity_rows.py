"""Every capacity row holds for every whole placement, and the bounds they prove hold for every plan."""

import itertools

import numpy as np
import pytest
import scheduler_instances as cases
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.capacity_rows import Needs, Row, coefficients, limit, steps_beyond, threshold
from scheduler.checker import certified_bound
from scheduler.compiling import compile_instance
from scheduler.instance import Supply
from scheduler.lagrangian import lower_bound
from scheduler.plan import Certificate, CertificateRow
from scheduler.solution import purchases


def one_resource(reserved, steps):
    prices = sorted(range(1, len(steps) + 1))
    return Supply(
        {("S", "A"): 0},
        np.array([reserved]),
        np.zeros(len(steps), dtype=np.int64),
        np.array(prices, dtype=np.int64),
        np.array(steps, dtype=np.int64),
    )


sizes = st.integers(1, 30)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 40),
    st.lists(st.integers(1, 20), max_size=3),
    st.lists(sizes, min_size=1, max_size=3),
    st.integers(1, 30),
)
def test_a_row_holds_for_every_whole_placement(reserved, steps, needs, grain):
    supply = one_resource(reserved, steps)
    milli = np.array(needs, dtype=np.int64)
    for amount in itertools.product(range(4), repeat=len(needs)):
        used = int(milli @ np.array(amount))
        if used > reserved + sum(steps):
            continue
        bought = purchases(supply, np.array([used]))
        for level in range(len(steps) + 1):
            row = Row(0, level, grain)
            left = int(coefficients(supply, row, milli) @ np.array(amount))
            assert left - int(bought[steps_beyond(supply, row)].sum()) <= limit(supply, row)


def test_the_example_of_the_docstring():
    supply = one_resource(12, [20])
    eight = np.array([8])
    assert threshold(supply, Row(0, 0, 8)) == 12
    assert coefficients(supply, Row(0, 0, 8), eight).tolist() == [4]
    assert limit(supply, Row(0, 0, 8)) == 4
    # grain 1 is plain capacity
    assert coefficients(supply, Row(0, 0, 1), eight).tolist() == [8]
    assert limit(supply, Row(0, 0, 1)) == 12


@pytest.mark.parametrize("seed", range(150))
def test_any_prices_give_a_valid_bound_and_the_checker_computes_the_same(seed):
    problem = cases.known_grades_only(cases.tiny(seed))
    instance = compile_instance(problem)
    draw = np.random.default_rng(seed)
    resources = list(instance.supply.index)
    starts = instance.supply.step_start
    rows = [
        Row(resource, int(draw.integers(0, starts[resource + 1] - starts[resource] + 1)), int(grain))
        for resource in range(len(resources))
        for grain in draw.choice([1, 300, 500, 1000], 2)
    ]
    prices = [int(price) for price in draw.integers(0, 10**5, len(rows))]
    bound = lower_bound(instance, Needs(instance), rows, prices)
    assert bound <= cases.brute_force(problem)
    named = tuple(
        CertificateRow(*resources[row.resource], row.level, row.grain, price)
        for row, price in zip(rows, prices, strict=True)
    )
    assert certified_bound(problem, Certificate(named, 0)) == bound
