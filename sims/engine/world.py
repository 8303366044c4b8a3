"""What is true in a simulation besides the market: what goods are worth, what power costs, what broke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.domain.contracts import Contract, PeriodKind
from exchange.domain.hours import MONTHS, HourSet
from exchange.service.state import State
from matching.records import Records
from nodes.catalogue import Catalogue
from nodes.types import Profile, Region
from sims.scenario.schema import Fee, Scenario

BASIS: Final = 10_000
COSTING: Final = np.dtype(
    [
        ("good", "<i8"),  # number of grade × hub in the scenario
        ("power", "<f8"),  # ticks per lot-hour on the mean of the hours that it delivers, before shocks
    ]
)
"""What a population must know of a contract to say what it is worth or costs; a board's rows have it, too."""


@dataclass(frozen=True, slots=True)
class Dearer:
    """How much dearer trading is than at the usual fees (those of a scenario that says nothing), as a share
    of value; negative if cheaper. At the usual fees margins and limits of populations are as they are told.
    """

    making: float
    taking: float

    @property
    def worse(self) -> float:
        """What a member loses besides if it doesn't know whether it will make or take; 0 at least, so that
        nobody goes beyond what a good is worth to it.
        """
        return max(0.0, self.making, self.taking)


@dataclass(frozen=True, slots=True)
class Good:
    """A grade at a hub."""

    grade: str
    hub: str

    def __str__(self) -> str:
        return f"{self.grade}.{self.hub}"


class World:
    """Arrays by good, in the scenario's order; money in ticks (fen) per lot-hour.

    `worth` wanders and is shocked; `outside` is what cards cost off this market, which only shocks to all of
    a grade move.
    """

    def __init__(self, scenario: Scenario, catalogue: Catalogue) -> None:
        self.scenario = scenario
        self.catalogue = catalogue
        pairs = [(grade, hub) for part in scenario.goods for grade in part.grades for hub in part.hubs]
        self.goods = [Good(*pair) for pair in dict.fromkeys(pairs)]
        self.grades = list(dict.fromkeys(good.grade for good in self.goods))
        self.hubs = list(dict.fromkeys(good.hub for good in self.goods))
        self.grade_of = np.array([self.grades.index(good.grade) for good in self.goods], np.int32)
        self.hub_of = np.array([self.hubs.index(good.hub) for good in self.goods], np.int32)
        self.west = self.in_region(Region.WEST.value)
        prices = [catalogue.reference_price_ticks(good.grade, good.hub) for good in self.goods]
        self.reference: NDArray[np.float64] = np.array(prices, np.float64)
        self.cards_per_lot = np.array([catalogue.grade(good.grade).cards_per_lot for good in self.goods])
        self.power_cny: NDArray[np.float64] = np.array(
            [catalogue.power_cny_of_year(good.hub, good.grade) for good in self.goods]
        )
        """Price of a card-hour's power by the hub's tariff, CNY, shape (goods, 12 months, 24 hours)."""
        self.worth = self.reference.copy()
        self.outside = self.reference.copy()
        self.power_factor = np.ones(len(self.goods))
        self.subsidy = np.zeros(len(self.goods))
        self.lost_basis_points = np.zeros(len(self.hubs), np.int64)
        """Share of a hub's cards that deliver nothing."""
        self.far = np.zeros(len(self.hubs), np.bool_)
        """Hubs that can't be reached from other cities."""
        self.demand = 1.0
        self.dead: set[int] = set()
        """Accounts that trade no more and deliver nothing."""

    @property
    def dearer(self) -> Dearer:
        """What fees add, as the rules are now."""
        fee, usual = self.scenario.fee, Fee()
        return Dearer((fee.maker - usual.maker) / BASIS, (fee.taker - usual.taker) / BASIS)

    def in_region(self, region: str) -> NDArray[np.bool_]:
        """Return which goods stand at hubs of a region: east, west or central."""
        return np.array([self.catalogue.hub(good.hub).region.value == region for good in self.goods])

    def capacity_lots(self, good: int) -> int:
        """Return the lots that the catalogue has of a good."""
        here = self.goods[good]
        return self.catalogue.default_capacity_cards(here.hub, here.grade) // int(self.cards_per_lot[good])

    def wander(self, draws: NDArray[np.float64], share_of_day: float) -> None:
        """Move what goods are worth by standard normal draws, shape (grades + goods,): half of the variance
        is common to a grade.
        """
        scale = self.scenario.volatility / BASIS * np.sqrt(share_of_day / 2)
        common = draws[: len(self.grades)][self.grade_of]
        self.worth *= np.maximum(0.5, 1 + scale * (common + draws[len(self.grades) :]))

    def power_over(self, good: int, delivery: HourSet) -> float:
        """Return what power costs before shocks, the mean over a delivery's hours, ticks per lot-hour."""
        first, hours = delivery.grid()
        days = np.datetime64(first, "D") + np.arange(len(hours))
        months = days.astype("M8[M]").astype(np.int64) % MONTHS  # since January 1970
        return float(self.power_cny[good, months][hours].mean()) * 100 * int(self.cards_per_lot[good])


def days_traded_out(state: State) -> list[Contract]:
    """Return the contracts of whole days that trade no more."""
    active, whole = state.contract_table.rows["active"], (PeriodKind.DAY, Profile.BASE)
    return [of for of in state.contracts if (of.kind, of.profile) == whole and not active[of.index]]


def costing(state: State, world: World, contracts: NDArray[Any]) -> Records:
    """Return what the delivery of contracts, by contract index, costs depends on (dtype COSTING)."""
    found = np.zeros(len(contracts), COSTING)
    found["good"] = goods_of(state, world, contracts)
    pairs = zip(found["good"].tolist(), contracts.tolist(), strict=True)
    found["power"] = [world.power_over(good, state.contracts[index].delivery) for good, index in pairs]
    return found


def goods_of(state: State, world: World, contracts: NDArray[Any]) -> NDArray[np.int64]:
    """Return the number of each contract's good, by contract index."""
    numbers = {(good.grade, good.hub): number for number, good in enumerate(world.goods)}
    named = [state.contracts[index] for index in contracts.tolist()]
    return np.array([numbers[contract.grade, contract.hub] for contract in named], np.int64)
