"""What each grade at each site offers by hour, from a problem of either model: for curves and prices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.anyplan import AnyProblem
from scheduler.horizon.types import HorizonProblem, per_slot
from scheduler.types import Problem

Hourly = NDArray[np.int64]


@dataclass(eq=False, slots=True)
class GradeSupply:
    """One grade at one site: milli-cards and micro-CNY per card-hour by hour of the plan.

    ``steps`` are offers as (price, cards by hour), cheapest first. ``power`` is micro-CNY per card-hour.
    """

    capacity: Hourly
    reserved: Hourly
    power: Hourly
    list_price: int
    steps: list[tuple[int, Hourly]]

    def next_price(self, used: Hourly) -> list[int | None]:
        """Price of one more card in each hour; None where there is none: 0 while a reservation is free."""
        lacking = used - self.reserved
        prices: list[int | None] = [None] * len(used)
        for hour in range(len(used)):
            beyond = int(lacking[hour])
            if beyond < 0:
                prices[hour] = 0
                continue
            for price, cards in self.steps:
                beyond -= int(cards[hour])
                if beyond < 0:
                    prices[hour] = price
                    break
        return prices


Resource = tuple[str, str]


def supply_of(problem: AnyProblem) -> dict[Resource, GradeSupply]:
    """Supply by (site, grade)."""
    return _many(problem) if isinstance(problem, HorizonProblem) else _one(problem)


def _one(problem: Problem) -> dict[Resource, GradeSupply]:
    hours = problem.slot_hours
    found = {
        (site.code, g.grade): GradeSupply(
            capacity=np.full(hours, g.capacity_milli_cards, np.int64),
            reserved=np.zeros(hours, np.int64),
            power=np.full(hours, g.power_micro_cny, np.int64),
            list_price=g.list_price_micro_cny,
            steps=[],
        )
        for site in problem.sites
        for g in site.grades
    }
    for item in problem.reservations:
        found[item.site, item.grade].reserved += item.milli_cards
    for offer in sorted(problem.offers, key=lambda o: o.price_micro_cny):
        cards = np.full(hours, offer.milli_cards, np.int64)
        found[offer.site, offer.grade].steps.append((offer.price_micro_cny, cards))
    return found


def _many(problem: HorizonProblem) -> dict[Resource, GradeSupply]:
    slots, width = problem.horizon.slots, problem.horizon.slot_hours
    found = {}
    for site in problem.sites:
        for g in site.grades:
            found[site.code, g.grade] = GradeSupply(
                capacity=np.repeat(np.array(per_slot(g.capacity_milli_cards, slots), np.int64), width),
                reserved=np.zeros(slots * width, np.int64),
                power=np.repeat([site.power_micro_cny(g, slot) for slot in range(slots)], width),
                list_price=g.list_price_micro_cny,
                steps=[],
            )
    for item in problem.reservations:
        found[item.site, item.grade].reserved[item.first * width : item.end * width] += item.milli_cards
    for offer in sorted(problem.offers, key=lambda o: o.price_micro_cny):
        cards = np.zeros(slots * width, np.int64)
        cards[offer.first * width : offer.end * width] = offer.milli_cards
        found[offer.site, offer.grade].steps.append((offer.price_micro_cny, cards))
    return found
