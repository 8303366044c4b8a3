"""Stylised facts: estimators on series whose answer is known, and traders that make volatility cluster."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sim_markets import scenario

from sims.classics import checks, stylised
from sims.classics.checks import Sizes
from sims.engine.simulation import Simulation

LENGTH = 40_000
LAGS = stylised.DECAY_LAGS
SMALL = Sizes(sessions=1, runs=1, events=1, markets=1, days=1)


def draws(seed: int) -> np.random.Generator:
    return np.random.default_rng([31, seed])


def long_memory(seed: int, exponent: float) -> stylised.Floats:
    """A Gaussian series whose autocorrelation decays by a power law: the spectral density of lag^−β goes
    with frequency^(β − 1).
    """
    noise = np.fft.rfft(draws(seed).standard_normal(4 * LENGTH))
    frequencies = np.arange(len(noise)) / (4 * LENGTH)
    frequencies[0] = np.inf
    series: stylised.Floats = np.fft.irfft(noise * frequencies ** ((exponent - 1) / 2))[:LENGTH]
    return series


def garch(seed: int) -> stylised.Floats:
    """A GARCH(1, 1) series: volatility clusters, returns aren't correlated; |r| decays exponentially."""
    shocks, variance, found = draws(seed).standard_normal(LENGTH), 1.0, np.zeros(LENGTH)
    for at, shock in enumerate(shocks.tolist()):
        found[at] = shock * variance**0.5
        variance = 0.05 + 0.15 * found[at] ** 2 + 0.8 * variance
    return found


@pytest.mark.parametrize("index", [2.0, 3.0, 4.0])
def test_the_tail_index_of_a_power_tail_is_found(index: float) -> None:
    pareto = draws(1).pareto(index, LENGTH) + 1
    assert stylised.tail_index(pareto * draws(2).choice([-1, 1], LENGTH)) == pytest.approx(index, rel=0.08)


def test_a_student_tail_lies_in_the_band_and_a_normal_one_above_it() -> None:
    students = [stylised.tail_index(draws(seed).standard_t(3, LENGTH)) for seed in range(4)]
    assert all(2.3 < index < 3.3 for index in students), students
    assert stylised.tail_index(draws(5).standard_normal(LENGTH)) > 5


def test_an_autocorrelation_is_what_the_plain_sum_gives() -> None:
    series = draws(6).standard_normal(200).cumsum()
    centred = series - series.mean()
    plain = [
        sum(centred[at] * centred[at + lag] for at in range(200 - lag)) / (200 - lag) / centred.var()
        for lag in (1, 7)
    ]
    assert stylised.autocorrelation(series, np.array([1, 7])) == pytest.approx(plain)


def test_a_power_law_is_read_exactly_and_correlations_below_nothing_are_left_out() -> None:
    law: stylised.Floats = 0.3 * LAGS.astype(np.float64) ** -0.35
    assert stylised.decay_of(law, LAGS) == pytest.approx((0.35, 1.0))
    law[-2:] = -0.01
    assert stylised.decay_of(law, LAGS) == pytest.approx((0.35, 1.0))
    assert stylised.decay_of(-law[:5], LAGS[:5]) == (np.inf, 0.0)


@pytest.mark.parametrize(("exponent", "too_much"), [(0.2, 0.12), (0.3, 0.08), (0.6, 0.05)])
def test_the_decay_of_a_series_with_long_memory_is_found(exponent: float, too_much: float) -> None:
    """The mean is taken off, which lowers far correlations the more the longer the memory is."""
    series = [stylised.autocorrelation(long_memory(seed, exponent), LAGS) for seed in range(4)]
    found = stylised.decay_of(np.mean(series, axis=0), LAGS)
    assert exponent - 0.05 < found.exponent < exponent + too_much and found.fit > 0.95


def test_clusters_that_die_out_fast_are_no_power_law_within_the_band() -> None:
    runs = [garch(seed) for seed in range(3)]
    facts = stylised.facts_of(runs)
    assert facts.decay.exponent > 0.4
    assert facts.later <= 0.15  # clusters alone aren't taken for correlated returns


def test_noise_without_clusters_is_rejected() -> None:
    fits = [stylised.facts_of([draws(seed).standard_t(3, LENGTH)]).decay.fit for seed in range(10, 30)]
    assert sum(fit >= 0.5 for fit in fits) <= 2, fits


def test_returns_with_a_trend_are_found_correlated() -> None:
    shocks = draws(40).standard_normal(LENGTH)
    assert stylised.share_beyond([shocks], stylised.LATER_LAGS) <= 0.15
    slow = shocks + 0.03 * np.convolve(shocks, np.ones(60))[:LENGTH]
    assert stylised.share_beyond([slow], stylised.LATER_LAGS) > 0.5


def test_the_market_of_the_facts_has_tails_fatter_than_normal_and_clusters() -> None:
    tail, _decay, _fit, later = checks.stylised_facts(SMALL, 1)
    assert 2 < tail.ours < 7  # a normal tail has 8 or more
    assert later.holds


def blocks(feedback: int) -> NDArray[np.int64]:
    """Lots that 300 reactive traders take from makers in every ten wakes of a day."""
    maker = {"kind": "market-maker", "count": 1, "position_max": 5_000, "cash_cny": 10**10}
    near, far = {"name": "near", "half_spread": 10, "lots": 1}, {"name": "far", "half_spread": 60, "lots": 40}
    crowd = {"kind": "reactive", "name": "tried", "count": 300, "activity": 200, "horizon_max": 200}
    people: list[dict[str, Any]] = [maker | near, maker | far, crowd | {"feedback": feedback}]
    market = scenario(
        people,
        wake_seconds=15,
        goods=[{"grades": ["A910B"], "hubs": ["GUIAN"]}],
        periods=["month"],
        days_ahead=31,
        limit={"daily": 3_000},
    )
    lots: list[int] = []
    Simulation(market, 1, watch=lambda run: lots.append(int(run.board.rows["lots"].sum()))).run()
    return np.diff(lots[100:-100:10])


def test_feedback_bunches_what_reactive_traders_do() -> None:
    alone, reacting = blocks(0), blocks(10_000)
    assert alone.sum() > 1_000 and reacting.sum() > 1_000
    assert reacting.var() / reacting.mean() > 2 * alone.var() / alone.mean()
