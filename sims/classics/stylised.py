"""Stylised facts of returns, and how they are measured: R. Cont, "Empirical properties of asset returns:
stylized facts and statistical issues", Quantitative Finance 1 (2001).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims.engine.simulation import Simulation
from sims.scenario.load import load_scenario

Floats = NDArray[np.float64]
TAIL_SHARE: Final = 0.05
"""Largest moves of which the tail index is taken."""
DECAY_LAGS: Final = np.unique(np.rint(np.logspace(0, 2, 20)).astype(np.int64))
"""Lags of the decay, 1 to 100, evenly spread on a logarithmic axis."""
LATER_LAGS: Final = np.arange(11, 51)
"""Lags beyond short ones."""
_SETTLING: Final = 20
"""Wakes at the beginning of a day that aren't looked at: the first orders of an empty book."""


class Decay(NamedTuple):
    """A power law fitted by least squares on logarithms."""

    exponent: float
    fit: float
    """R² of the line."""


class Facts(NamedTuple):
    """What several runs come to."""

    tail: float
    decay: Decay
    later: float
    """Share of `LATER_LAGS` at which returns are correlated beyond a 95 % band."""


def tail_index(returns: Floats, share: float = TAIL_SHARE) -> float:
    """Return the tail index of absolute returns: B. M. Hill, Annals of Statistics 3 (1975), over the largest
    `share` of them.
    """
    sizes = np.sort(np.abs(returns))[::-1]
    top = int(len(sizes) * share)
    return float(1 / np.mean(np.log(sizes[:top] / sizes[top])))


def autocorrelation(series: Floats, lags: NDArray[np.int64]) -> Floats:
    """Return the autocorrelation of a series at each lag ≥ 1."""
    centred = series - series.mean()
    products = [float(np.mean(centred[lag:] * centred[:-lag])) for lag in lags.tolist()]
    correlations: Floats = np.array(products) / centred.var()
    return correlations


def decay_of(correlations: Floats, lags: NDArray[np.int64]) -> Decay:
    """Return the power law of correlations by lag; those that aren't positive have no logarithm and are left
    out. Fewer than three that are left decay at once: exponent ∞, fit 0.
    """
    there = correlations > 0
    if there.sum() < 3:
        return Decay(np.inf, 0.0)
    x, y = np.log(lags[there]), np.log(correlations[there])
    return Decay(-float(np.polyfit(x, y, 1)[0]), float(np.corrcoef(x, y)[0, 1] ** 2))


def share_beyond(runs: list[Floats], lags: NDArray[np.int64]) -> float:
    """Return the share of lags at which the runs' mean autocorrelation lies beyond its 95 % band around 0.

    The band allows for volatility that clusters: F. X. Diebold, "Testing for serial correlation in the
    presence of ARCH" (1986); the variance of ρ(lag) is mean(r²(t) · r²(t + lag)) ÷ (n · variance²).
    """
    means = np.mean([autocorrelation(run, lags) for run in runs], axis=0)
    variances = np.mean([_variances(run, lags) for run in runs], axis=0) / len(runs)
    return float(np.mean(np.abs(means) > 1.96 * np.sqrt(variances)))


def _variances(returns: Floats, lags: NDArray[np.int64]) -> Floats:
    squares = (returns - returns.mean()) ** 2
    products = [
        float(np.mean(squares[lag:] * squares[:-lag])) / (len(squares) - lag) for lag in lags.tolist()
    ]
    variances: Floats = np.array(products) / squares.mean() ** 2
    return variances


def facts_of(runs: list[Floats]) -> Facts:
    """Return the stylised facts of several runs' returns: of the mean correlations, and the mean index."""
    sizes = [autocorrelation(np.abs(run), DECAY_LAGS) for run in runs]
    return Facts(
        float(np.mean([tail_index(run) for run in runs])),
        decay_of(np.mean(sizes, axis=0), DECAY_LAGS),
        share_beyond(runs, LATER_LAGS),
    )


def returns(days: int, seed: int) -> Floats:
    """Return the logarithmic returns from wake to wake of the middle price in the scenario `chain-reaction`.

    Continuous trading only, none from day to day; the first of `days` + 1 days, in which the populations
    learn what is usual, isn't looked at. Raises ValueError if more than one contract trades.
    """
    scenario = load_scenario("chain-reaction", [f"days={days + 1}"])
    by_day: dict[int, list[float]] = {}

    def watch(simulation: Simulation) -> None:
        (row,) = simulation.board.rows
        if row["bid"] and row["ask"] and simulation.continuous:
            by_day.setdefault(simulation.day, []).append((row["bid"] + row["ask"]) / 2)

    Simulation(scenario, seed, watch=watch).run()
    return np.concatenate([np.diff(np.log(by_day[day][_SETTLING:])) for day in range(2, days + 2)])
