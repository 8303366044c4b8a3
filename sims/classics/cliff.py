"""Zero-intelligence-plus traders: D. Cliff, "Minimal-Intelligence Agents for Bargaining Behaviors in
Market-Based Environments", HP Laboratories HPL-97-91 (1997); and ZI-C traders, who must not converge.

Eleven buyers and eleven sellers have one unit each a day. A trader drawn at random shouts a price; among
those of the other side who would deal at it one is drawn, and the deal is made at the shouted price. A
ZIP trader moves its margin towards the last shout by Widrow and Hoff's rule with momentum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from matching.records import Side
from sims.agents.zip_rule import Zip
from sims.classics.unit_market import UnitMarket

CHART_1: Final = tuple(325 - 25 * step for step in range(11))
"""Limit prices of one side, ticks (fen): 3.25 down to 0.75; the other side's are the same."""
EQUILIBRIUM: Final = 200
PRICE_MAX: Final = 400
FAILS_MAX: Final = 100
"""A day ends after so many shouts in a row that nobody took (Cliff's MAX_FAILS)."""


class Crowd(Protocol):
    """Traders' prices: buyers come first, sellers after them."""

    def price(self, trader: int) -> int:
        """Return what a trader would shout, or deal at, now; ticks."""
        ...

    def learn(self, buys: bool, price: int, dealt: bool, active: NDArray[np.bool_]) -> None:
        """Take in a shout, after which `active` (bool, one a trader) may still trade."""
        ...


class ZiC:
    """Prices drawn at random, never at a loss."""

    def __init__(self, limits: NDArray[np.int64], buyers: int, random: np.random.Generator) -> None:
        self._limits, self._buyers, self._random = limits, buyers, random

    def price(self, trader: int) -> int:
        """Draw a price."""
        limit = int(self._limits[trader])
        low, high = (1, limit) if trader < self._buyers else (limit, PRICE_MAX)
        return int(self._random.integers(low, high + 1))

    def learn(self, buys: bool, price: int, dealt: bool, active: NDArray[np.bool_]) -> None:
        """Learn nothing."""


def zip_crowd(limits: NDArray[np.int64], buyers: int, random: np.random.Generator) -> Zip:
    """Return traders that learn; buyers come first."""
    return Zip(limits, np.arange(len(limits)) < buyers, random)


MakeCrowd = Callable[[NDArray[np.int64], int, np.random.Generator], Crowd]


@dataclass(frozen=True, slots=True)
class Day:
    """One day's deals, ticks, and the share of the best surplus that they gave, percent."""

    prices: tuple[int, ...]
    efficiency: float

    def alpha(self, equilibrium: float) -> float:
        """Return Smith's α: 100 × root mean square deviation of the prices ÷ equilibrium price."""
        deviations = np.array(self.prices, np.float64) - equilibrium
        return float(100 * np.sqrt(np.mean(deviations**2)) / equilibrium)


def trade_day(crowd: Crowd, limits: NDArray[np.int64], buyers: int, random: np.random.Generator) -> Day:
    """Trade one day; everybody has one unit."""
    market = UnitMarket(len(limits), 1, 2 * PRICE_MAX)
    active = np.ones(len(limits), bool)
    is_buyer = np.arange(len(limits)) < buyers
    prices: list[int] = []
    surplus, fails = 0, 0
    while fails < FAILS_MAX and (active & is_buyer).any() and (active & ~is_buyer).any():
        buys = bool(random.integers(2))
        own, others = np.flatnonzero(active & (is_buyer == buys)), np.flatnonzero(active & (is_buyer != buys))
        shouter = int(own[random.integers(len(own))])
        shout = crowd.price(shouter)
        willing = [
            int(t) for t in others if (crowd.price(int(t)) <= shout) == buys or crowd.price(int(t)) == shout
        ]
        market.quote(shouter, Side.BUY if buys else Side.SELL, shout)
        deal = None
        if willing:
            taker = willing[int(random.integers(len(willing)))]
            deal = market.quote(taker, Side.SELL if buys else Side.BUY, shout, stays=False)
        if deal is not None:
            active[[deal.maker, deal.taker]] = False
            buyer, seller = (shouter, deal.taker) if buys else (deal.taker, shouter)
            surplus += int(limits[buyer] - limits[seller])
            prices.append(deal.price)
        fails = 0 if deal is not None else fails + 1
        crowd.learn(buys, shout, deal is not None, active)
        market.clear()
    return Day(tuple(prices), 100 * surplus / _best(limits, buyers))


def _best(limits: NDArray[np.int64], buyers: int) -> int:
    gains = np.sort(limits[:buyers])[::-1] - np.sort(limits[buyers:])
    return int(gains[gains > 0].sum())


def experiment(
    make: MakeCrowd,
    values: Sequence[int],
    costs: Sequence[int],
    days: int,
    random: np.random.Generator,
    *,
    shock_after: int | None = None,
    shock: int = 0,
) -> list[Day]:
    """Trade some days; after `shock_after` of them every limit price rises by `shock`."""
    limits = np.array([*values, *costs], np.int64)
    crowd = make(limits, len(values), random)
    results = []
    for number in range(days):
        if number == shock_after:
            limits += shock
            if isinstance(crowd, Zip):
                crowd.limits += shock
        results.append(trade_day(crowd, limits, len(values), random))
    return results
