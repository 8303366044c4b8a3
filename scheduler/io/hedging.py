"""How much to buy now and how much to leave to the spot market, under uncertain demand and prices.

A two-stage stochastic program (Dantzig 1955; Birge and Louveaux, *Introduction to Stochastic Programming*,
chapter 1): forward lots are bought before the scenario is known, spot cards are bought and surplus is resold
after it. The value of the stochastic solution is what deciding by scenarios saves against deciding by their
mean, both paid for in all scenarios.

Floats: what it advises becomes state only as orders in whole lots.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt.python import mathopt

from scheduler.io.covering import Order, order_of
from scheduler.io.venue import Level
from scheduler.types import MILLI

SCENARIOS: Final = 200
TICKS_PER_CNY: Final = 100
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is thought of the future: lognormal factors on today's demand and on the spot price.

    The spot price is on average ``spot_premium`` above the book's best; without one nothing is bought ahead.
    ``demand_spread`` and ``price_spread`` are standard deviations of the factors' logarithms;
    ``resale_share`` is what a surplus card fetches of the spot price. A ``seed`` always gives one answer.
    """

    demand_spread: float = 0.25
    price_spread: float = 0.20
    spot_premium: float = 0.10
    resale_share: float = 0.80
    seed: int = 1


class Scenarios(NamedTuple):
    """Equally likely futures of one contract: lots needed and spot price in CNY a lot, both (scenarios,)."""

    demand: Floats
    spot: Floats


class Hedge(NamedTuple):
    """Advice for one contract; money is expected cost in CNY over all scenarios.

    ``buy`` has whole lots and a limit; its lots may be 0. ``resell_lots`` is the expected surplus.
    ``mean_value_cny`` is the expected cost of what one would buy by mean demand and mean price alone.
    """

    buy: Order
    expected_cny: float
    mean_value_cny: float
    resell_lots: float

    @property
    def value_of_stochastic_solution_cny(self) -> float:
        """What deciding by scenarios saves; never negative but for rounding."""
        return self.mean_value_cny - self.expected_cny


def sampled(order: Order, book: Sequence[Level], outlook: Outlook) -> Scenarios:
    """Scenarios of one contract; factors have mean 1, so that today is the mean of all futures."""
    draw = np.random.default_rng([outlook.seed, *order.symbol.encode()])
    lots = order.needed_cards / book[0].cards_per_lot
    best = min(level.price_ticks for level in book) / TICKS_PER_CNY
    spot = best * (1 + outlook.spot_premium) * book[0].hours
    return Scenarios(
        lots * _factors(draw, outlook.demand_spread), spot * _factors(draw, outlook.price_spread)
    )


def _factors(draw: np.random.Generator, spread: float) -> Floats:
    """Lognormal factors in mirrored pairs, scaled to a mean of exactly 1."""
    normal = draw.standard_normal(SCENARIOS // 2)
    factors: Floats = np.exp(spread * np.concatenate([normal, -normal]))
    scaled: Floats = factors / factors.mean()
    return scaled


def hedge(order: Order, book: Sequence[Level], outlook: Outlook) -> Hedge:
    """Whole lots to buy forward now, from the levels of one contract's book.

    Raises ``ValueError`` where a resale share is not in 0 … 1: above it buying to resell would have no end.
    """
    if not 0 <= outlook.resale_share <= 1:
        raise ValueError(f"the resale share must be in 0 … 1, not {outlook.resale_share}")
    levels = sorted(book, key=lambda level: level.price_ticks)
    futures = sampled(order, levels, outlook)
    mean = Scenarios(np.array([futures.demand.mean()]), np.array([futures.spot.mean()]))
    lots = forward_lots(levels, futures, outlook.resale_share)
    by_mean = forward_lots(levels, mean, outlook.resale_share)
    surplus = np.maximum(0, lots - futures.demand)
    used = min(order.needed_cards, lots * levels[0].cards_per_lot) * MILLI
    return Hedge(
        buy=order_of(levels, lots, [used] * levels[0].hours),
        expected_cny=expected_cny(levels, lots, futures, outlook.resale_share),
        mean_value_cny=expected_cny(levels, by_mean, futures, outlook.resale_share),
        resell_lots=float(surplus.mean()),
    )


def forward_lots(levels: Sequence[Level], futures: Scenarios, resale_share: float) -> int:
    """The stochastic program with whole forward lots, solved to optimality by HiGHS."""
    hours = levels[0].hours
    chance = 1 / len(futures.demand)
    model = mathopt.Model()
    bought = [model.add_integer_variable(lb=0, ub=level.lots) for level in levels]
    forward = mathopt.fast_sum(bought)
    cost = [level.price_ticks / TICKS_PER_CNY * hours * v for level, v in zip(levels, bought, strict=True)]
    for demand, spot in zip(futures.demand.tolist(), futures.spot.tolist(), strict=True):
        short, surplus = model.add_variable(lb=0), model.add_variable(lb=0)
        model.add_linear_constraint(forward + short - surplus == demand)
        cost += [chance * spot * short, -chance * resale_share * spot * surplus]
    model.minimize(mathopt.fast_sum(cost))
    # HiGHS stops at a gap of 0.0001 by default, which is more than what is compared here
    limits = mathopt.SolveParameters(relative_gap_tolerance=0.0)
    result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=limits)
    lots: float = sum(result.variable_values(bought))
    return round(lots)


def expected_cny(levels: Sequence[Level], lots: int, futures: Scenarios, resale_share: float) -> float:
    """What buying so many lots forward costs on average, spot purchases and resale included."""
    left, now = lots, 0.0
    for level in sorted(levels, key=lambda level: level.price_ticks):
        taken = min(left, level.lots)
        left -= taken
        now += taken * level.price_ticks / TICKS_PER_CNY * levels[0].hours
    short = np.maximum(0, futures.demand - lots)
    surplus = np.maximum(0, lots - futures.demand)
    return now + float((futures.spot * (short - resale_share * surplus)).mean())
