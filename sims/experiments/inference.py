"""Means with confidence intervals, and paired tests, on few dozen to many thousand runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import pi, sqrt, tan
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sims.engine.streams import stream

LEVEL: Final = 0.05
FLIPS: Final = 4_000
EXACT_MAX: Final = 12
"""Pairs up to which all flips are counted: 2 ** 12 of them."""
_STRETCH: Final = 256


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and its confidence interval of 1 − LEVEL."""

    mean: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True, slots=True)
class Paired:
    """A difference of paired runs, candidate − base."""

    difference: Estimate
    p_value: float
    """Of a sign-flip test of mean 0, two-sided."""

    @property
    def significant(self) -> bool:
        """Whether the test rejects at LEVEL, for this one figure."""
        return self.p_value <= LEVEL


def t_quantile(p: float, degrees: int) -> float:
    """Return a quantile of Student's t: exact for 1 and 2 degrees of freedom (two and three runs), above by
    Cornish and Fisher's expansion to fourth order, at 3 degrees within 0.2 % (Abramowitz and Stegun 26.7.5).
    """
    if degrees == 1:
        return tan(pi * (p - 0.5))
    if degrees == 2:
        return (2 * p - 1) / sqrt(2 * p * (1 - p))
    z = NormalDist().inv_cdf(p)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return float(sum(term / degrees**power for power, term in enumerate(terms)))


def values_of(runs: Iterable[float]) -> NDArray[np.float64]:
    """Return the values of runs as the tests take them."""
    return np.fromiter(runs, np.float64)


def estimate(values: NDArray[np.float64]) -> Estimate:
    """Return the mean of independent runs with its interval; unbounded for a single run."""
    mean, runs = float(np.mean(values)), len(values)
    if runs < 2:
        return Estimate(mean, -np.inf, np.inf, runs)
    half = t_quantile(1 - LEVEL / 2, runs - 1) * float(np.std(values, ddof=1)) / runs**0.5
    return Estimate(mean, mean - half, mean + half, runs)


def paired(base: NDArray[np.float64], candidate: NDArray[np.float64]) -> Paired:
    """Compare runs of two scenarios under common seeds, in the same order.

    If a rule changes nothing, each difference is as likely as its negative: the p-value is the share of
    sign flips whose mean is at least as far from 0. Up to EXACT_MAX pairs these are all that there are, above
    a sample from a stream of its own, with what was found as one of it (Phipson and Smyth 2010). Up to five
    pairs no difference is significant: 2 of 32 flips are as far at least.
    """
    differences = candidate - base
    if not differences.any():
        return Paired(Estimate(0.0, 0.0, 0.0, len(differences)), 1.0)
    rounding = 1e-12 * float(np.abs(differences).sum())
    exact = len(differences) <= EXACT_MAX
    sums = _all_sums(differences) if exact else _flipped_sums(differences)
    as_far = int(np.count_nonzero(np.abs(sums) >= abs(differences.sum()) - rounding))
    p_value = as_far / len(sums) if exact else (1 + as_far) / (1 + len(sums))
    return Paired(estimate(differences), p_value)


def _all_sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of the values under all 2 ** n choices of signs."""
    sums: NDArray[np.float64] = np.zeros(1)
    for value in values.tolist():
        sums = np.concatenate((sums + value, sums - value))
    return sums


def _flipped_sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return FLIPS sums of the values under random signs; a stretch of values at a time bounds the memory."""
    bits = stream(0, "sign flips")
    kept: NDArray[np.float64] = np.zeros(FLIPS)
    for begin in range(0, len(values), _STRETCH):
        some = values[begin : begin + _STRETCH]
        drawn = np.frombuffer(bits.bytes(len(some) * FLIPS // 8), np.uint8).reshape(len(some), -1)
        kept += some @ np.unpackbits(drawn, axis=1)
    return 2 * kept - float(values.sum())


def readable(value: float) -> str:
    """Return a figure as people read it: four digits, or whole numbers from ten thousand on."""
    if abs(value) >= 9_999.5:
        return f"{value:,.0f}"
    return f"{value:,.4g}" if abs(value) >= 1e-4 else f"{value:z.6f}".rstrip("0").rstrip(".")


def chance(p_value: float) -> str:
    """Return a p-value, for people."""
    return f"{p_value:.3f}" if p_value >= 0.001 else "<0.001"


def interval(found: Estimate) -> str:
    """Return a mean with its interval, for people."""
    if found.runs < 2 or found.low == found.high:
        return readable(found.mean)
    return f"{readable(found.mean)} [{readable(found.low)}, {readable(found.high)}]"
