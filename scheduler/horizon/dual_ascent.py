"""Good prices for the certificate: ascent on the dual, each price at its own pace.

The dual function is concave and piecewise linear with one price a cell, line and slot, and for the carbon
cap; its supergradient is what everyone would use at these prices less what there is. Steps follow Adam
(Kingma and Ba 2015): they depend on how steadily a price is pushed one way and not on how far use is off,
which suits prices whose cells differ a hundredfold in size. Any prices give a valid bound; the best one seen
is kept.
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.horizon.instance import Instance
from scheduler.horizon.pricing import Prices, no_prices, priced
from scheduler.horizon.supply import PENALTY_FACTOR, Ints

Floats = NDArray[np.float64]

FIRST_STEP, LAST_STEP = 0.2, 0.001
"""Steps as shares of a typical price, falling geometrically."""
MOMENTUM, MEMORY = 0.8, 0.9
PUSH_MIN = 0.02
"""Use this share of capacity off or less moves a price by less than a whole step."""


@dataclass(frozen=True, eq=False, slots=True)
class Ascent:
    """The best prices found and the bound (nano-CNY) they prove."""

    prices: Prices
    bound: int


def ascend(
    instance: Instance, start: Prices, rounds: int, deadline: float, first_step: float = FIRST_STEP
) -> Ascent:
    """Improve prices for so many rounds, or until ``deadline`` (`time.monotonic`); one round at least."""
    return _Climber(instance, start).climb(rounds, deadline, first_step)


class _Climber:
    """All prices as one vector: cells, then lines and slots, then carbon."""

    def __init__(self, instance: Instance, start: Prices) -> None:
        self.instance = instance
        self.cells = len(start.capacity)
        self.lines = start.link.size
        self.x = np.concatenate([start.capacity, start.link.reshape(-1), [start.carbon]]).astype(np.float64)
        self.scale = _scales(instance)
        cap = [instance.carbon_cap_ug or 0]
        self.room = np.concatenate([instance.supply.usable, instance.link_room.reshape(-1), cap])
        self.held = self.room > 0
        if instance.carbon_cap_ug is not None:
            self.held[-1] = True
        supply = instance.supply
        self.cell_of_step = np.repeat(np.arange(self.cells), np.diff(supply.step_start))
        self.best = Ascent(no_prices(instance), 0)

    def climb(self, rounds: int, deadline: float, first_step: float) -> Ascent:
        """Adam with the supergradient."""
        mean, square = np.zeros(len(self.x)), np.zeros(len(self.x))
        for n in range(1, rounds + 1):
            step = first_step * (LAST_STEP / FIRST_STEP) ** (n / rounds)
            push = self._push()
            mean = MOMENTUM * mean + (1 - MOMENTUM) * push
            square = MEMORY * square + (1 - MEMORY) * push * push
            pace = np.sqrt(square / (1 - MEMORY**n)) + PUSH_MIN
            self.x = np.maximum(self.x + step * self.scale * mean / (1 - MOMENTUM**n) / pace, 0)
            if time.monotonic() > deadline:
                break
        return self.best

    def _push(self) -> Floats:
        """The supergradient as a share of each room, the one nearest to 0 where it is a range."""
        prices = self._prices()
        found = priced(self.instance, prices)
        if found.bound > self.best.bound:
            self.best = Ascent(prices, found.bound)
        least, most = self._taken(prices.capacity)
        use = np.concatenate([found.use, found.link_use.reshape(-1), [found.carbon_ug]]).astype(np.float64)
        low = np.concatenate([least, self.room[self.cells :]])
        high = np.concatenate([most, self.room[self.cells :]])
        off = np.maximum(use - high, 0) + np.minimum(use - low, 0)
        push: Floats = np.where(self.held, off / np.maximum(self.room, 1), 0.0)
        return push

    def _prices(self) -> Prices:
        whole = np.where(self.held, np.rint(self.x), 0).astype(np.int64)
        link = whole[self.cells : self.cells + self.lines].reshape(self.instance.link_room.shape)
        return Prices(whole[: self.cells], link, int(whole[-1]))

    def _taken(self, price: Ints) -> tuple[Floats, Floats]:
        """(N,) milli-cards of the steps cheaper than a cell's price, and of those no dearer."""
        supply = self.instance.supply
        at = price[self.cell_of_step]
        least, most = np.zeros(self.cells), np.zeros(self.cells)
        np.add.at(least, self.cell_of_step, np.where(supply.step_price < at, supply.step_milli, 0))
        np.add.at(most, self.cell_of_step, np.where(supply.step_price <= at, supply.step_milli, 0))
        return least, most


def _scales(instance: Instance) -> Floats:
    """What a typical price is: of a milli-card, of a GB, of a gram."""
    supply, kinds = instance.supply, instance.kinds
    listed = supply.list_price[supply.held] * supply.hours
    card = max(float(np.median(listed)) if len(listed) else 0.0, 1.0)
    carbon = supply.carbon[supply.carbon > 0]
    gram = card / (float(np.median(carbon)) / 1e6) if len(carbon) else 1.0
    moving = kinds.data_gb > 0
    worth = kinds.penalty[moving] / (PENALTY_FACTOR * np.maximum(kinds.data_gb[moving], 1))
    gigabyte = max(float(np.median(worth)) / 10, 1.0) if len(worth) else 1.0
    sizes = (len(supply.usable), instance.link_room.size, 1)
    return np.repeat([card, gigabyte, gram], sizes)
