"""What populations share that need cards: a city each, and up to what they pay."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from matching.records import Records
from sims.agents.crowd import Moment, RowCrowd, Seats
from sims.engine.world import BASIS
from sims.scenario.populations import Buyer

URGENCY_EARLY = 0.3
"""Before a contract's last trading day they pay so much of their premium at most."""
ALL_BUT = 0.9
"""Who should hold more than this share of its need wants all of it."""


class Buyers(RowCrowd):
    """Members with a need, each in one city; those of a city share its tasks."""

    member_kind = "enterprise"

    def __init__(self, spec: Buyer, seats: Seats) -> None:
        super().__init__(spec.name, seats)
        world = seats.world
        cities = spec.cities or world.catalogue.edge_cities
        self.cities = [cities[i % len(cities)] for i in range(self.size)]
        self._premium = seats.draws.random(self.size) * (spec.premium / BASIS)
        self._hedge = spec.hedge / BASIS

    @property
    def commands_max(self) -> int:
        """One a member and row."""
        return self.size * self._rows_max

    @abstractmethod
    def balance(self, members: list[int], grade: str) -> tuple[int, int]:
        """Return the lot-hours of a grade that members needed and got of the periods traded out."""

    @property
    def homes(self) -> list[str]:
        """Region of each member's city."""
        catalogue = self.world.catalogue
        return [catalogue.edge_pool_of(city).region.value for city in self.cities]

    def unit_worth(self, contracts: Records) -> NDArray[np.float64]:
        """What the same cards cost it elsewhere."""
        worth: NDArray[np.float64] = self.world.outside[contracts["good"]] * (1 + self._premium[:, None])
        return worth

    def due(self, now: Moment, row: int) -> float:
        """Return the share of its need for a row's period that each should hold by now."""
        early = self._hedge / max(1, int(now.days_left[row]))
        due = max(0.3, now.progress) if now.last_day[row] else early
        return 1.0 if due > ALL_BUT else due

    def ceilings(self, now: Moment) -> NDArray[np.float64]:
        """Return the highest price that each member pays in each row, ticks, shape (members, rows)."""
        goods = self.board.rows["good"]
        urgency = now.progress * np.where(now.last_day, 1.0, URGENCY_EARLY)
        premium = self._premium[:, None] * urgency[None, :]
        fee = max(0.0, self.world.dearer.taking)
        ceilings: NDArray[np.float64] = self.world.outside[goods][None, :] * ((1 + premium) * (1 - fee))
        return ceilings

    def reach(self) -> NDArray[np.bool_]:
        """Return which goods each member can get at while some hubs are cut off, shape (members, goods)."""
        world = self.world
        cities = [world.catalogue.hub(good.hub).city for good in world.goods]
        near = np.array([[city == own for city in cities] for own in self.cities])
        reach: NDArray[np.bool_] = near | ~world.far[world.hub_of][None, :]
        return reach
