"""What there is, as arrays: R = sites × grades resources in T slots, with a price curve in every cell."""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.horizon.types import HorizonProblem, SlotOffer, SlotReservation, per_slot

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Rank = tuple[int, int, int, int, int]
"""A step: price, 1 if it is offered, what was paid, row, milli-cards; sorted they make a curve."""
EVERYTHING = 1 << 60
"""More milli-cards than any cell has."""
PENALTY_FACTOR = 10
"""Leaving work out counts this many times its demand at the highest list price of its grades."""
BEST_EFFORT_FACTOR = 1
RUNNING_FACTOR = 100
"""The same for work that runs already (unless it is best-effort): it is stopped only as a last resort."""


@dataclass(frozen=True, eq=False, slots=True)
class Supply:
    """Cells are numbered ``resource × T + slot``, resources ``site × G + grade``; N = R·T cells, K steps."""

    sites: tuple[str, ...]
    grades: tuple[str, ...]
    slots: int
    hours: int
    held: Bools
    """(R,) whether the site has the grade at all."""
    usable: Ints
    """(N,) milli-cards there are: 0 in maintenance."""
    step_start: Ints
    """(N + 1,) where each cell's steps begin, cheapest first, reserved before offered."""
    step_price: Ints
    """(K,) nano-CNY per milli-card for the slot: an offer's price, or what a reservation would fetch."""
    step_milli: Ints
    """(K,) milli-cards."""
    step_item: Ints
    """(K,) row of the reservation, or ``len(reservations) + row`` of the offer."""
    running: Ints
    """(N,) nano-CNY per milli-card in use for metered power and the carbon rule's price."""
    power: Ints
    """(N,) nano-CNY per milli-card in use for all electricity."""
    metered: Ints
    """(N,) nano-CNY per milli-card in use for metered power."""
    carbon: Ints
    """(N,) µg per milli-card in use."""
    list_price: Ints
    """(R,) micro-CNY per card-hour."""

    def resource(self, site: int, grade: int) -> int:
        """Number of a resource."""
        return site * len(self.grades) + grade


def supply_of(problem: HorizonProblem) -> Supply:
    """The supply of a validated problem."""
    grades = tuple(sorted({g.grade for site in problem.sites for g in site.grades}))
    slots, hours = problem.horizon.slots, problem.horizon.slot_hours
    shape = (len(problem.sites), len(grades), slots)
    figures = {name: np.zeros(shape, dtype=np.int64) for name in ("power", "metered", "carbon", "charge")}
    held = np.zeros(shape[:2], dtype=np.bool_)
    list_price = np.zeros(shape[:2], dtype=np.int64)
    for s, site in enumerate(problem.sites):
        for g in site.grades:
            cell = (s, grades.index(g.grade))
            held[cell], list_price[cell] = True, g.list_price_micro_cny
            if not g.watts:
                continue
            for t in range(slots):
                power, carbon = site.power_micro_cny(g, t), site.carbon_mg(g, t)
                figures["power"][*cell, t] = power
                figures["metered"][*cell, t] = power if site.power_metered else 0
                figures["carbon"][*cell, t] = carbon
                charge = carbon * problem.carbon.price_micro_cny_per_kg
                figures["charge"][*cell, t] = (charge + 500_000) // 1_000_000
    flat = {name: figure.reshape(-1) * hours for name, figure in figures.items()}
    start, price, milli, item = _steps(problem, grades)
    cells = np.repeat(np.arange(held.size * slots), np.diff(start))
    usable = np.zeros(held.size * slots, dtype=np.int64)
    np.add.at(usable, cells, milli)
    return Supply(
        sites=tuple(site.code for site in problem.sites),
        grades=grades,
        slots=slots,
        hours=hours,
        held=held.reshape(-1),
        usable=usable,
        step_start=start,
        step_price=price,
        step_milli=milli,
        step_item=item,
        running=flat["metered"] + flat["charge"],
        power=flat["power"],
        metered=flat["metered"],
        carbon=flat["carbon"],
        list_price=list_price.reshape(-1),
    )


def _steps(problem: HorizonProblem, grades: tuple[str, ...]) -> tuple[Ints, Ints, Ints, Ints]:
    """Where each cell's steps begin, and the steps' prices, milli-cards and items."""
    slots, hours = problem.horizon.slots, problem.horizon.slot_hours
    site = {s.code: row for row, s in enumerate(problem.sites)}
    number = {grade: row for row, grade in enumerate(grades)}
    # order within a cell: price, reserved before offered, those bought cheaper first, row
    found: dict[int, list[Rank]] = defaultdict(list)
    items: tuple[SlotReservation | SlotOffer, ...] = (*problem.reservations, *problem.offers)
    for row, item in enumerate(items):
        if isinstance(item, SlotReservation):
            rank = (item.worth_micro_cny * hours, 0, item.paid_micro_cny, row, item.milli_cards)
        else:
            rank = (item.price_micro_cny * hours, 1, 0, row, item.milli_cards)
        resource = site[item.site] * len(grades) + number[item.grade]
        for slot in range(item.first, item.end):
            if item.milli_cards:
                found[resource * slots + slot].append(rank)
    curves = {cell: sorted(ranks) for cell, ranks in found.items()}
    for cell, down in down_milli_cards(problem, grades).items():
        curves[cell] = _without(curves.get(cell, []), down)
    cells = len(problem.sites) * len(grades) * slots
    sizes = [len(curves.get(cell, ())) for cell in range(cells)]
    ranks = [rank for cell in range(cells) for rank in curves.get(cell, ())]
    price, _, _, row_of, milli = np.array(ranks, dtype=np.int64).reshape(-1, 5).T
    start = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    return start, np.ascontiguousarray(price), np.ascontiguousarray(milli), np.ascontiguousarray(row_of)


def _without(curve: list[Rank], down: int) -> list[Rank]:
    """A cell's steps, their last ``down`` milli-cards taken off."""
    kept = list(curve)
    while kept and down:
        price, offered, paid, row, milli = kept.pop()
        if milli > down:
            kept.append((price, offered, paid, row, milli - down))
        down -= min(milli, down)
    return kept


def down_milli_cards(problem: HorizonProblem, grades: tuple[str, ...]) -> dict[int, int]:
    """Milli-cards in maintenance by cell, `EVERYTHING` where all are; ``grades`` as in `Supply`."""
    slots, found = problem.horizon.slots, Counter[int]()
    rows = {site.code: (s, [g.grade for g in site.grades]) for s, site in enumerate(problem.sites)}
    for m in problem.maintenance:
        s, held = rows[m.site]
        for grade in held if m.grade == "" else (m.grade,):
            resource = s * len(grades) + grades.index(grade)
            for slot in range(m.first, m.end):
                found[resource * slots + slot] += EVERYTHING if m.milli_cards is None else m.milli_cards
    return found


def link_rooms(problem: HorizonProblem) -> Ints:
    """(links, T) GB that each link takes in each slot."""
    rows = [per_slot(link.gb_per_slot, problem.horizon.slots) for link in problem.links]
    return np.array(rows, dtype=np.int64).reshape(len(rows), problem.horizon.slots)
