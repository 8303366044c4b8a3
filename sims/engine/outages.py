"""Outages of single providers, from random streams of their own: nothing else is drawn anew for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exchange.domain.hours import HOURS_PER_DAY
from sims.engine.streams import stream
from sims.engine.world import BASIS
from sims.scenario.populations import Provider


class Outages:
    """When how many cards of a population's members are down. A day can be asked for at any time, and is the
    same each time.
    """

    def __init__(self, spec: Provider, seed: int) -> None:
        self._spec = spec
        self._seed = seed

    def serving(self, day: int) -> NDArray[np.int64]:
        """Return the share of its cards that each member serves in each hour of a day (days since
        1970-01-01), basis points, shape (members, 24). Shares that are down at the same time add up.
        """
        spec = self._spec
        before = -(-(spec.outage_hours - 1) // HOURS_PER_DAY)
        begun = np.hstack([self._begun(of) for of in range(day - before, day + 1)])
        lasting = np.lib.stride_tricks.sliding_window_view(begun, spec.outage_hours, axis=1).sum(axis=2)
        going_on = lasting[:, -HOURS_PER_DAY:]
        serving: NDArray[np.int64] = np.maximum(0, BASIS - spec.outage_lost * going_on)
        return serving

    def _begun(self, day: int) -> NDArray[np.int64]:
        """Return how many outages begin at each member in each hour of a day, shape (members, 24)."""
        draws = stream(self._seed, f"outages {self._spec.name} {day}")
        return draws.poisson(self._spec.outages_per_day / HOURS_PER_DAY, (self._spec.count, HOURS_PER_DAY))
