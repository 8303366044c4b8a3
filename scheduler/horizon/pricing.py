"""The certified lower bound: prices on capacity, lines and carbon, exact integers, no solver to be trusted.

For any prices ≥ 0 the value of every plan is at least

    Σ_workloads min(penalty, cheapest option with every use charged)
      − Σ_steps milli · max(0, price of the cell − price of the step) − Σ_links price·GB − carbon price·cap

(Lagrangian duality with capacity, lines and the cap relaxed; Geoffrion 1974, Fisher 1981). An option is a
site, an alternative and slots, so the minimum over all of them is found in closed form. Labels and the bound
on moves are left out, and members of a gang that may spread are charged at the cheapest site of all: both
only lower the bound.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from scheduler.horizon.instance import Instance, Kinds
from scheduler.horizon.running_slots import NEVER, cheapest_slots
from scheduler.horizon.supply import Ints

CARBON_SCALE = 1_000_000
"""The price is per gram, carbon in µg; a charge is rounded down, which only lowers the bound."""


@dataclass(frozen=True, eq=False, slots=True)
class Prices:
    """``capacity`` (N,) nano-CNY per milli-card, ``link`` (links, T) per GB, ``carbon`` per gram."""

    capacity: Ints
    link: Ints
    carbon: int


@dataclass(frozen=True, eq=False, slots=True)
class Priced:
    """What everyone would do at some prices if alone: the bound, and the use of everything priced.

    ``cheapest`` (C,) is each kind's cheapest way in nano-CNY, its penalty included. ``use`` (N,) is in milli-
    cards, ``link_use`` (links, T) in GB, ``carbon_ug`` in µg.
    """

    bound: int
    cheapest: Ints
    use: Ints
    link_use: Ints
    carbon_ug: int


def no_prices(instance: Instance) -> Prices:
    """Everything at 0."""
    return Prices(np.zeros_like(instance.supply.usable), np.zeros_like(instance.link_room), 0)


def priced(instance: Instance, prices: Prices) -> Priced:
    """Evaluate prices: the certified bound, and by how much use and capacity differ."""
    supply = instance.supply
    use = np.zeros_like(supply.usable)
    link_use = np.zeros_like(instance.link_room)
    cheapest, carbon = _price_kinds(instance.kinds, charges_of(instance, prices), use, link_use)
    everyone = sum(n * cost for n, cost in zip(instance.kinds.size.tolist(), cheapest.tolist(), strict=True))
    return Priced(everyone - worth(instance, prices), cheapest, use, link_use, int(carbon))


def worth(instance: Instance, prices: Prices) -> int:
    """What everything priced is worth above its own price, in nano-CNY."""
    supply = instance.supply
    cell = np.repeat(np.arange(len(supply.usable)), np.diff(supply.step_start))
    above = np.maximum(prices.capacity[cell] - supply.step_price, 0)
    total: int = sum(a * m for a, m in zip(above.tolist(), supply.step_milli.tolist(), strict=True))
    lines = zip(prices.link.reshape(-1).tolist(), instance.link_room.reshape(-1).tolist(), strict=True)
    total += sum(price * room for price, room in lines)
    return total + prices.carbon * (instance.carbon_cap_ug or 0) // CARBON_SCALE


class Charges(NamedTuple):
    """What the compiled loops look up: capacity and charges of every cell, lines, and the dimensions."""

    usable: Ints
    charge: Ints
    carbon: Ints
    carbon_price: int
    link_price: Ints
    link_room: Ints
    slots: int
    grades: int


def charges_of(instance: Instance, prices: Prices) -> Charges:
    """What every cell and line charges at these prices."""
    supply = instance.supply
    return Charges(
        supply.usable,
        prices.capacity + supply.running,
        supply.carbon,
        prices.carbon,
        prices.link,
        instance.link_room,
        supply.slots,
        len(supply.grades),
    )


@njit(cache=True)
def _price_kinds(kinds: Kinds, charges: Charges, use: Ints, link_use: Ints) -> tuple[Ints, int]:
    """Each kind's cheapest way; adds what all its members would use, and returns their carbon in µg."""
    cheapest = kinds.penalty.copy()
    carbon = 0
    slots = np.empty(charges.slots, dtype=np.int64)
    for k in range(len(cheapest)):
        best, a, row = _moving(kinds, k, charges, slots)
        if best < cheapest[k]:
            cheapest[k] = best
        if kinds.stay_alternative[k] >= 0:
            other = np.empty(charges.slots, dtype=np.int64)
            stay = _staying(kinds, k, charges, other)
            if stay < NEVER and stay <= cheapest[k]:
                cheapest[k] = stay
                for part in range(kinds.stay_start[k], kinds.stay_start[k + 1]):
                    s, members = kinds.stay_site[part], kinds.stay_members[part]
                    carbon += _take(kinds, k, kinds.stay_alternative[k], s, members, other, charges, use)
                continue
        if best < kinds.penalty[k]:
            carbon += _take(kinds, k, a, kinds.site[row], kinds.gang[k], slots, charges, use)
            if kinds.link[row] >= 0:
                link_use[kinds.link[row], slots[0]] += kinds.size[k] * kinds.data_gb[k]
    return cheapest, carbon


@njit(cache=True)
def _moving(kinds: Kinds, k: int, charges: Charges, slots: Ints) -> tuple[int, int, int]:
    """The cheapest way that is not staying: nano-CNY, alternative, row of the site; fills its slots."""
    best, best_a, best_row = NEVER, -1, -1
    begin, end = kinds.earliest[k], kinds.end[k]
    least = 1 if kinds.spread[k] else kinds.gang[k]
    cost = np.empty(charges.slots, dtype=np.int64)
    first = np.zeros(charges.slots, dtype=np.int64)
    here = np.empty(charges.slots, dtype=np.int64)
    for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
        first_slot_costs(kinds, k, row, charges, first)
        for a in range(kinds.alternative_start[k], kinds.alternative_start[k + 1]):
            if not kinds.allowed[a, kinds.site[row]]:
                continue
            cost[begin:end] = 0
            add_costs(kinds, a, kinds.site[row], kinds.gang[k], least, begin, end, charges, cost)
            total = cheapest_slots(
                cost,
                first,
                begin,
                end,
                kinds.duration[a],
                kinds.preemptible[k],
                kinds.due[k],
                kinds.late[k],
                here,
            )
            if total < NEVER and total + kinds.transfer[row] + kinds.migration[k] < best:
                best, best_a, best_row = total + kinds.transfer[row] + kinds.migration[k], a, row
                slots[: kinds.duration[a]] = here[: kinds.duration[a]]
    return best, best_a, best_row


@njit(cache=True)
def first_slot_costs(kinds: Kinds, k: int, row: int, charges: Charges, first: Ints) -> None:
    """Fill what a kind pays for its line if its data travels in a slot; `NEVER` where that has no room."""
    link, gb = kinds.link[row], kinds.data_gb[k]
    first[kinds.earliest[k] : kinds.end[k]] = 0
    for t in range(kinds.earliest[k], kinds.end[k] if link >= 0 else kinds.earliest[k]):
        first[t] = gb * charges.link_price[link, t] if gb <= charges.link_room[link, t] else NEVER


@njit(cache=True)
def _staying(kinds: Kinds, k: int, charges: Charges, slots: Ints) -> int:
    """What going on as it is costs; fills its slots."""
    a = kinds.stay_alternative[k]
    cost = np.zeros(charges.slots, dtype=np.int64)
    first = np.zeros(charges.slots, dtype=np.int64)
    end = add_staying_costs(kinds, k, charges, cost)
    return cheapest_slots(
        cost, first, 0, end, kinds.duration[a], kinds.preemptible[k], kinds.due[k], kinds.late[k], slots
    )


@njit(cache=True)
def add_staying_costs(kinds: Kinds, k: int, charges: Charges, cost: Ints) -> int:
    """Add what going on at its parts is charged for each slot; returns the end of the slots it may take."""
    a = kinds.stay_alternative[k]
    end = kinds.end[k] if kinds.preemptible[k] else kinds.duration[a]
    for part in range(kinds.stay_start[k], kinds.stay_start[k + 1]):
        members = kinds.stay_members[part]
        add_costs(kinds, a, kinds.stay_site[part], members, members, 0, end, charges, cost)
    return int(end)


@njit(cache=True)
def add_costs(
    kinds: Kinds,
    a: int,
    s: int,
    members: int,
    least: int,
    begin: int,
    end: int,
    charges: Charges,
    cost: Ints,
) -> None:
    """Add what ``members`` at a site are charged for each slot; `NEVER` where ``least`` do not fit."""
    for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
        milli = kinds.need_milli[n]
        cell = (s * charges.grades + kinds.need_grade[n]) * charges.slots
        for t in range(begin, end):
            if cost[t] >= NEVER or charges.usable[cell + t] < milli * least:
                cost[t] = NEVER
                continue
            cost[t] += milli * members * charges.charge[cell + t]
            if charges.carbon_price:
                cost[t] += milli * members * charges.carbon[cell + t] * charges.carbon_price // CARBON_SCALE


@njit(cache=True)
def _take(
    kinds: Kinds, k: int, a: int, s: int, members: int, slots: Ints, charges: Charges, use: Ints
) -> int:
    """Add the use of all of a kind's workloads; returns their carbon in µg."""
    total = 0
    for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
        milli = kinds.need_milli[n] * members * kinds.size[k]
        cell = (s * charges.grades + kinds.need_grade[n]) * charges.slots
        for i in range(kinds.duration[a]):
            use[cell + slots[i]] += milli
            total += milli * charges.carbon[cell + slots[i]]
    return total
