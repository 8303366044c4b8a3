"""Zero-intelligence traders: D. K. Gode and S. Sunder, "Allocative Efficiency of Markets with
Zero-Intelligence Traders", Journal of Political Economy 101 (1993), tables 1 and 2.

Six buyers and six sellers, each with the whole list of values or costs, trade single units in the order of
the list. Somebody who can still trade is drawn at random and quotes a random price; a deal is made at the
earlier quote and cancels all others. ZI-U draws from 1 to 200; ZI-C never at a loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from matching.records import Side
from sims.classics.unit_market import UnitMarket

SIDE_TRADERS: Final = 6
PRICE_MAX: Final = 200
QUIET_QUOTES: Final = 2_000
"""The session ends once so many quotes in a row made no deal: then hardly anybody is left who could."""


@dataclass(frozen=True, slots=True)
class UnitLists:
    """What a market's traders have: each buyer the values, each seller the costs, in trading order."""

    name: str
    values: tuple[int, ...]
    costs: tuple[int, ...]
    zi_u: float
    """Published mean efficiency of unconstrained traders, percent."""
    zi_c: float
    """Published mean efficiency of traders that make no loss, percent."""


MARKETS: Final = (
    UnitLists("M1", (102, 97, 92, 87, 83, 78), (34, 46, 58, 70, 83, 95), 90.0, 99.9),
    UnitLists("M2", (117, 105, 93, 82, 69, 58), (49, 54, 59, 65, 69, 75), 90.0, 99.2),
    UnitLists("M3", (133, 95, 90), (90, 95, 100), 76.7, 99.0),
    UnitLists("M4", (180, 175, 170, 165, 160), (90, 140, 170, 190, 199), 48.8, 98.2),
)


def best_surplus(lists: UnitLists) -> int:
    """Return the largest surplus that any allocation of the units gives."""
    gains = (v - c for v, c in zip(sorted(lists.values, reverse=True), sorted(lists.costs), strict=True))
    return SIDE_TRADERS * sum(gain for gain in gains if gain > 0)


def session(lists: UnitLists, constrained: bool, random: np.random.Generator) -> float:
    """Return the efficiency of one session, percent of the best surplus."""
    market = UnitMarket(2 * SIDE_TRADERS, 1, PRICE_MAX)
    traded = np.zeros(2 * SIDE_TRADERS, np.int64)
    units = len(lists.values)
    surplus, quiet = 0, 0
    while quiet < QUIET_QUOTES:
        able = np.flatnonzero(traded < units)
        if not _may_deal(lists, traded, constrained):
            break
        trader = int(able[random.integers(len(able))])
        buys = trader < SIDE_TRADERS
        own = (lists.values if buys else lists.costs)[int(traded[trader])]
        low, high = (1, PRICE_MAX) if not constrained else (1, own) if buys else (own, PRICE_MAX)
        deal = market.quote(trader, Side.BUY if buys else Side.SELL, int(random.integers(low, high + 1)))
        quiet += 1
        if deal is None:
            continue
        quiet = 0
        buyer, seller = (deal.taker, deal.maker) if buys else (deal.maker, deal.taker)
        surplus += lists.values[int(traded[buyer])] - lists.costs[int(traded[seller])]
        traded[buyer] += 1
        traded[seller] += 1
        market.clear()
    return 100 * surplus / best_surplus(lists)


def _may_deal(lists: UnitLists, traded: np.ndarray, constrained: bool) -> bool:
    """Return whether any buyer and seller could still make a deal."""
    units = len(lists.values)
    values = [lists.values[int(n)] for n in traded[:SIDE_TRADERS] if n < units]
    costs = [lists.costs[int(n)] for n in traded[SIDE_TRADERS:] if n < units]
    if not values or not costs:
        return False
    return not constrained or max(values) >= min(costs)
