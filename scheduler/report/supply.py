"""What each grade at each site offers by hour, from a problem of either model: for curves and prices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.anyplan import AnyProblem
from scheduler.horizon.supply import Supply, down_milli_cards
from scheduler.horizon.supply import supply_of as usable_supply
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
    """What maintenance takes is in none of the figures."""
    slots, width = problem.horizon.slots, problem.horizon.slot_hours
    usable = usable_supply(problem)
    down = down_milli_cards(problem, usable.grades)
    found = {}
    for row, site in enumerate(problem.sites):
        for g in site.grades:
            first = usable.resource(row, usable.grades.index(g.grade)) * slots
            there = np.array(per_slot(g.capacity_milli_cards, slots), np.int64)
            there -= [min(down.get(first + slot, 0), int(there[slot])) for slot in range(slots)]
            reserved, steps = _curves(problem, usable, first)
            found[site.code, g.grade] = GradeSupply(
                capacity=np.repeat(there, width),
                reserved=np.repeat(reserved, width),
                power=np.repeat([site.power_micro_cny(g, slot) for slot in range(slots)], width),
                list_price=g.list_price_micro_cny,
                steps=[(price, np.repeat(cards, width)) for price, cards in steps],
            )
    return found


def _curves(problem: HorizonProblem, usable: Supply, first: int) -> tuple[Hourly, list[tuple[int, Hourly]]]:
    """Reserved milli-cards by slot and offers as (price, milli-cards by slot), of cells from ``first`` on."""
    slots, bought = problem.horizon.slots, len(problem.reservations)
    reserved = np.zeros(slots, np.int64)
    offered: dict[int, Hourly] = {}
    for slot in range(slots):
        for step in range(usable.step_start[first + slot], usable.step_start[first + slot + 1]):
            item, milli = int(usable.step_item[step]), usable.step_milli[step]
            if item < bought:
                reserved[slot] += milli
            else:
                offered.setdefault(item - bought, np.zeros(slots, np.int64))[slot] = milli
    prices = {item: problem.offers[item].price_micro_cny for item in offered}
    return reserved, [
        (prices[item], offered[item]) for item in sorted(offered, key=lambda item: prices[item])
    ]
