"""How a zero-intelligence-plus trader learns: D. Cliff, HPL-97-91 (1997), section 4."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Zip:
    """Cliff's traders: price = limit × (1 + margin); the margin of a buyer lies in (−1, 0].

    `limits` are ticks, one a trader, or shape (traders, markets) for traders in several markets; `buys` are
    the traders', of a shape that broadcasts to that of `limits`. A trader has one learning rate and one
    momentum, and a margin in each market.
    """

    def __init__(self, limits: NDArray[Any], buys: Bools, random: np.random.Generator) -> None:
        self.limits = limits.astype(np.float64)
        self._buys = buys
        self._random = random
        self._rate = random.uniform(0.1, 0.5, buys.shape)
        self._momentum = random.uniform(0.0, 0.1, buys.shape)
        self._last = np.zeros(limits.shape)
        self._margin = self._first_margins(limits.shape)

    def price(self, trader: int) -> int:
        """Return a trader's price in its one market, to the nearest tick."""
        return int(self.prices()[trader])

    def prices(self) -> Floats:
        """Return what each trader would shout now, to the nearest tick."""
        return np.maximum(np.rint(self.limits * (1 + self._margin)), 1)

    def move_to(self, limits: NDArray[Any], kept: NDArray[np.int64]) -> None:
        """Go on in other markets: `kept` (markets,) says which of the old ones each is; −1: a new one, where
        margins begin afresh.
        """
        fresh, old = self._first_margins(limits.shape), kept >= 0
        if old.any():
            fresh[:, old] = self._margin[:, kept[old]]
        last = np.zeros(limits.shape)
        last[:, old] = self._last[:, kept[old]]
        self.limits, self._margin, self._last = limits.astype(np.float64), fresh, last

    def learn(
        self,
        buys: bool | Bools,
        price: float | NDArray[Any],
        dealt: bool | Bools,
        active: Bools,
        heard: bool | Bools = True,
    ) -> None:
        """Raise or lower margins: a shout to buy or to sell at a price was taken (`dealt`) or not.

        `active` traders may still trade. In several markets each has its own shout, shape (markets,), and
        those without `heard` have none.
        """
        prices = self.prices()
        above, below = prices >= price, prices <= price
        buyers, sellers = self._buys, ~self._buys
        raises = np.logical_and(dealt, (sellers & below) | (buyers & above)) & heard
        taken = np.where(buys, sellers & above, buyers & below)
        refused = np.where(buys, buyers & below, sellers & above)
        lowers = active & np.where(dealt, taken, refused) & heard
        self._move(raises, price, np.where(buyers, -1, 1))
        self._move(lowers & ~raises, price, np.where(buyers, 1, -1))

    def _first_margins(self, shape: tuple[int, ...]) -> Floats:
        margins: Floats = self._random.uniform(0.05, 0.35, shape) * np.where(self._buys, -1, 1)
        return margins

    def _move(self, chosen: Bools, price: float | NDArray[Any], up: NDArray[np.int64]) -> None:
        """Move prices towards a target a little beyond `price`, upwards where `up` is 1."""
        relative = 1 + up * self._random.uniform(0, 0.05, chosen.shape)
        target = relative * price + up * self._random.uniform(0, 5.0, chosen.shape)
        prices = self.prices()
        change = self._rate * (target - prices)
        gamma = self._momentum
        last = np.where(chosen, gamma * self._last + (1 - gamma) * change, self._last)
        margin = (prices + last) / self.limits - 1
        bounded = np.where(self._buys, np.clip(margin, -0.99, 0.0), np.maximum(margin, 0.0))
        self._last = last
        self._margin = np.where(chosen, bounded, self._margin)
