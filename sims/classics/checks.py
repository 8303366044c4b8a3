"""Published figures, ours, and the bands in which ours must lie.

Bands come from the papers and from sampling, never from what this program gives; each says why it is as wide
as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from sims.classics import cliff, gode_sunder, poisson_flow, stylised

ZIP_ALPHA: Final = (15.6, 5.0, 2.9, 2.0, 1.5, 1.2, 1.2, 1.2, 1.2, 1.2, 4.4, 2.2, 1.3)
"""Cliff's chart 1: Smith's α of days 1 to 13, the limits rising by 0.50 before day 11."""
SMITH_HUMANS: Final = (11.8, 8.1, 5.2, 5.5, 3.5)
"""V. L. Smith, Journal of Political Economy 70 (1962), test 1: α of five periods with people."""
SHOCK_DAY: Final = 10
SPREAD_SCALES: Final = (20.0, 40.0, 80.0)
SPREAD_EPSILONS: Final = (0.02, 0.05, 0.1, 0.2, 0.4)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table."""

    source: str
    what: str
    paper: float
    ours: float
    low: float
    high: float
    why: str
    """Why the band is as wide as it is."""

    @property
    def holds(self) -> bool:
        """Whether ours lies in the band, ends included."""
        return self.low <= self.ours <= self.high


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is simulated."""

    sessions: int
    """Gode and Sunder's sessions of each kind."""
    runs: int
    """Cliff's experiments of each kind."""
    events: int
    """Events of each random book after it has filled."""
    markets: int
    """Runs of the full mix."""
    days: int
    """Days of each that are looked at."""


FULL: Final = Sizes(sessions=100, runs=100, events=40_000, markets=4, days=6)
QUICK: Final = Sizes(sessions=12, runs=12, events=6_000, markets=1, days=3)

Part = Callable[[Sizes, int], Iterator[Check]]


def efficiency(sizes: Sizes, seed: int) -> Iterator[Check]:
    """Check the efficiency of zero-intelligence traders."""
    for place, market in enumerate(gode_sunder.MARKETS):
        for constrained in (False, True):
            ours = [
                gode_sunder.session(market, constrained, np.random.default_rng([seed, 1, place, run]))
                for run in range(sizes.sessions)
            ]
            paper = market.zi_c if constrained else market.zi_u
            width, why = (
                (1.5, "the paper has few sessions, and its traders stop after half a minute")
                if constrained
                else (0.06, "arithmetic: all units trade; the paper rounds to a tenth")
            )
            yield Check(
                "Gode & Sunder 1993",
                f"efficiency, {market.name}, {'ZI-C' if constrained else 'ZI-U'}, %",
                paper,
                float(np.mean(ours)),
                paper - width,
                min(100.0, paper + width),
                why,
            )


def convergence(sizes: Sizes, seed: int) -> Iterator[Check]:
    """Check how fast ZIP traders find the equilibrium and find it again after a shock."""
    runs = [
        cliff.experiment(
            cliff.zip_crowd,
            cliff.CHART_1,
            cliff.CHART_1,
            len(ZIP_ALPHA),
            np.random.default_rng([seed, 2, run]),
            shock_after=SHOCK_DAY,
            shock=50,
        )
        for run in range(sizes.runs)
    ]
    alphas = [
        float(np.mean([run[day].alpha(cliff.EQUILIBRIUM + (50 if day >= SHOCK_DAY else 0)) for run in runs]))
        for day in range(len(ZIP_ALPHA))
    ]
    for day, paper in enumerate(ZIP_ALPHA):
        width = 2.0 + 0.3 * paper
        yield Check(
            "Cliff 1997",
            f"ZIP, α of day {day + 1}{', limits +0.50' if day == SHOCK_DAY else ''}",
            paper,
            alphas[day],
            max(0.0, paper - width),
            paper + width,
            "read off a chart of one set of random learning rates: 2 points and 30 %",
        )
    for day, paper, low in ((0, 95.1, 90.0), (SHOCK_DAY - 1, 100.0, 98.0)):
        ours = float(np.mean([run[day].efficiency for run in runs]))
        yield Check(
            "Cliff 1997", f"ZIP, efficiency of day {day + 1}, %", paper, ours, low, 100.0, "the same chart"
        )
    humans = SMITH_HUMANS[-1] / SMITH_HUMANS[0]
    yield Check(
        "Smith 1962",
        "α of day 5 ÷ day 1; the paper's are people",
        humans,
        alphas[4] / alphas[0],
        0.0,
        2 * humans,
        "one session of people: ours must converge, at least half as far",
    )


def controls(sizes: Sizes, seed: int) -> Iterator[Check]:
    """Check what must not converge: traders that don't learn."""
    runs = [
        cliff.experiment(cliff.ZiC, cliff.CHART_1, cliff.CHART_1, 5, np.random.default_rng([seed, 3, run]))
        for run in range(sizes.runs)
    ]
    last = float(np.mean([run[-1].alpha(cliff.EQUILIBRIUM) for run in runs]))
    yield Check(
        "Cliff 1997",
        "ZI-C, α of day 5",
        23.5,
        last,
        20.0,
        27.0,
        "23 to 24 in the paper; one day's α varies by 6",
    )
    flat = (cliff.EQUILIBRIUM,) * len(cliff.CHART_1)
    days = [
        cliff.experiment(cliff.ZiC, cliff.CHART_1, flat, 1, np.random.default_rng([seed, 4, run]))[0]
        for run in range(sizes.runs)
    ]
    mean = float(np.mean([np.mean(day.prices) for day in days]))
    yield Check(
        "Cliff 1997",
        "ZI-C with flat supply at 200: mean price",
        233.0,
        mean,
        228.0,
        238.0,
        "233 ± 5 in the paper: not the equilibrium of 200",
    )


def spreads(sizes: Sizes, seed: int) -> Iterator[Check]:
    """Check the spread law of a book with random orders."""
    rates = [poisson_flow.Rates(scale, e) for scale in SPREAD_SCALES for e in SPREAD_EPSILONS]
    measured = [
        poisson_flow.mean_spread(one, sizes.events, np.random.default_rng([seed, 5, place]))
        for place, one in enumerate(rates)
    ]
    law = np.log([one.predicted_spread for one in rates])
    ours = np.log(measured)
    slope = float(np.polyfit(law, ours, 1)[0])
    fit = float(np.corrcoef(law, ours)[0, 1] ** 2)
    source = "Farmer et al. 2005"
    yield Check(
        source, "spread against the law, log-log slope", 1.0, slope, 0.85, 1.1, "0.99 ± 0.10 on real stocks"
    )
    yield Check(source, "the same, R²", 0.96, fit, 0.95, 1.0, "0.96 on real stocks")


def stylised_facts(sizes: Sizes, seed: int) -> Iterator[Check]:
    """Check the returns of a market of everybody who trades for gain."""
    runs = [
        stylised.returns(sizes.days, int(np.random.default_rng([seed, 6, run]).integers(1 << 31)))
        for run in range(sizes.markets)
    ]
    facts = stylised.facts_of(runs)
    source = "Cont 2001"
    yield Check(
        source,
        "full mix, tail index of returns (Hill, top 5 %)",
        3.0,
        facts.tail,
        2.0,
        5.0,
        "2 to 5 in the paper: a variance, and tails fatter than an exponential's",
    )
    yield Check(
        source,
        "|returns|, exponent of the decay of autocorrelation",
        0.3,
        facts.decay.exponent,
        0.2,
        0.4,
        "0.2 to 0.4 in the paper",
    )
    yield Check(
        source,
        "the same, R² of the power law over lags 1 to 100",
        1.0,
        facts.decay.fit,
        0.5,
        1.0,
        "most of the variation is the line's; noise without clusters seldom reaches 0.4",
    )
    yield Check(
        source,
        "returns, lags 11 to 50 correlated beyond the 95 % band, %",
        5.0,
        100 * facts.later,
        0.0,
        15.0,
        "5 % of 40 lags by chance; 7 or more have a chance of 0.3 %",
    )


PARTS: Final[dict[str, Part]] = {
    "efficiency": efficiency,
    "convergence": convergence,
    "controls": controls,
    "spreads": spreads,
    "stylised facts": stylised_facts,
}
"""Independent parts, in the order of the table."""
