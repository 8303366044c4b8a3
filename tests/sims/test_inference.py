"""Statistics of experiments: tests that keep their level and find what is there, intervals that cover."""

import math
from itertools import product

import numpy as np
import pytest
from sim_markets import EVERYBODY, small_jobs

from sims.experiments.inference import LEVEL, chance, estimate, paired, readable, t_quantile
from sims.experiments.job import run_job


def rejections(tests: int, pairs: int) -> int:
    """How often one market is told from itself on disjoint seeds."""
    values = [
        run_job(job, "test").outcome.metrics["mispricing"]
        for job in small_jobs(2 * tests * pairs, population=EVERYBODY[:3], wake_seconds=7_200)
    ]
    halves = np.array(values).reshape(tests, 2, pairs)
    return sum(paired(base, candidate).significant for base, candidate in halves)


def binomial_bound(tests: int) -> int:
    """The most rejections that a test of this level gives, but for one time in a thousand."""
    chance, count = 0.0, -1
    while chance < 0.999:
        count += 1
        chance += math.comb(tests, count) * LEVEL**count * (1 - LEVEL) ** (tests - count)
    return count


def test_a_placebo_is_rejected_no_more_often_than_the_level_allows() -> None:
    assert rejections(6, 6) <= binomial_bound(6)


@pytest.mark.soak
def test_a_placebo_at_length() -> None:
    assert rejections(200, 12) <= binomial_bound(200)


def test_the_paired_test_on_normal_numbers_keeps_its_level_and_finds_what_is_there() -> None:
    draws = np.random.default_rng(1).standard_normal((400, 2, 15))
    rejected = sum(paired(base, candidate).significant for base, candidate in draws)
    assert 5 <= rejected <= binomial_bound(400)
    shifted = sum(paired(base, candidate + 2).significant for base, candidate in draws)
    assert shifted > 390


def test_few_pairs_are_tested_against_every_flip_and_five_tell_nothing() -> None:
    found = np.array([3.0, -1.0, 2.0, 2.0, 0.5, -0.5, 4.0, 1e9, -1e9])
    sums = [abs(np.dot(signs, found)) for signs in product((1, -1), repeat=len(found))]
    slow = sum(of >= abs(found.sum()) * (1 - 1e-9) for of in sums) / len(sums)
    assert paired(np.zeros(len(found)), found).p_value == slow
    assert paired(np.zeros(6), np.arange(1.0, 7.0)).p_value == 2 / 64
    assert paired(np.zeros(5), np.full(5, 9.0)).p_value == 2 / 32 > LEVEL
    more = np.random.default_rng(4).normal(0.5, 1.0, 13)
    nearly = (paired(np.zeros(12), more[:12]).p_value, paired(np.zeros(13), np.append(more[:12], 0)).p_value)
    assert nearly[0] == pytest.approx(nearly[1], abs=0.03), "a pair without difference changes nothing"


@pytest.mark.parametrize(
    ("degrees", "published"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042), (199, 1.972)],
)
def test_students_quantiles_are_the_published_ones(degrees: int, published: float) -> None:
    assert t_quantile(0.975, degrees) == pytest.approx(published, rel=0.005)


@pytest.mark.parametrize("runs", [2, 5, 30])
def test_an_interval_covers_a_known_mean_as_often_as_it_says(runs: int) -> None:
    draws = np.random.default_rng(2).normal(3.0, 2.0, (2_000, runs))
    covered = sum(found.low <= 3.0 <= found.high for found in map(estimate, draws))
    assert abs(covered - 1_900) <= 3.3 * math.sqrt(2_000 * 0.95 * 0.05), "its own binomial interval, 99.9 %"


def test_an_interval_of_skewed_runs_covers_a_little_less_and_a_single_run_says_nothing() -> None:
    draws = np.random.default_rng(3).exponential(1.0, (2_000, 40))
    covered = sum(found.low <= 1.0 <= found.high for found in map(estimate, draws))
    assert 0.91 * 2_000 < covered < 0.96 * 2_000
    alone = estimate(np.array([7.0]))
    assert (alone.mean, alone.low, alone.high) == (7.0, -math.inf, math.inf)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (12_345.6, "12,346"),
        (1_234.56, "1,235"),
        (-0.06, "-0.06"),
        (0.000025, "0.000025"),
        (0.0, "0"),
        (-1e-9, "0"),
    ],
)
def test_figures_are_told_with_four_digits_and_nothing_has_no_sign(value: float, told: str) -> None:
    assert readable(value) == told


def test_a_p_value_is_never_told_as_nothing() -> None:
    assert [chance(p) for p in (1.0, 0.0314, 0.001, 1 / 4_001)] == ["1.000", "0.031", "0.001", "<0.001"]
