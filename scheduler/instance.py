"""A problem as arrays: work that cannot be told apart as one class, and its possible options.

Two workloads are of one class when they have the same demand vectors, priority, eligible sites, transfer and
carbon costs: swapping them changes neither feasibility nor cost. An *option* is (class, site, demand vector)
that latency, residency and the site's size allow; impossible ones are never built, which is the biggest lever
on solving time. A *resource* is one grade at one site, with a convex price curve: free reserved
cards first, then reservations that could be sold on and offers from the cheapest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.types import Problem

PENALTY_FACTOR = 10
"""Leaving work out counts this many times its demand at the highest list price of its grades.

So a workload is left out only where serving it would cost more than ten times that, by itself or by what it
displaces. Each step of priority adds as much again. Capacity and offers do not change the penalty.
"""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Supply:
    """Resources and their price curves. R resources, K price steps sorted by (resource, price)."""

    index: Mapping[tuple[str, str], int]
    """(site code, grade) → resource, in the order of the sites and their grades."""
    reserved: Ints
    """(R,) milli-cards already bought that nobody else would pay for: free to use."""
    step_resource: Ints
    """(K,) resource of the step."""
    step_price: Ints
    """(K,) nano-CNY per milli-card for the slot: an offer's price, or what a reservation would fetch."""
    step_milli: Ints
    """(K,) milli-cards of the step."""

    @property
    def capacity(self) -> Ints:
        """(R,) milli-cards there are: free ones and all steps."""
        offered = np.zeros_like(self.reserved)
        np.add.at(offered, self.step_resource, self.step_milli)
        return self.reserved + offered

    @property
    def step_start(self) -> Ints:
        """(R + 1,) where each resource's steps begin."""
        return np.searchsorted(self.step_resource, np.arange(len(self.reserved) + 1))


@dataclass(frozen=True, eq=False, slots=True)
class Instance:
    """C classes, O options sorted by class, and what each option needs: N entries over the R resources."""

    supply: Supply
    workload_class: Ints
    """(N,) class of each workload of the problem; empty in an instance that stands for a part of another."""
    count: Ints
    """(C,) how many workloads."""
    penalty: Ints
    """(C,) nano-CNY for leaving one out."""
    option_start: Ints
    """(C + 1,) where each class's options begin."""
    option_site: Ints
    """(O,) row of the site."""
    option_alternative: Ints
    """(O,) index of the demand vector."""
    option_cost: Ints
    """(O,) nano-CNY for moving one workload's data there and for the carbon of running it there."""
    need_start: Ints
    """(O + 1,) where each option's needs begin."""
    need_resource: Ints
    """(N,) resource."""
    need_milli: Ints
    """(N,) milli-cards."""

    @property
    def option_class(self) -> Ints:
        """(O,) class of each option."""
        return np.repeat(np.arange(len(self.count)), np.diff(self.option_start))

    @property
    def need_option(self) -> Ints:
        """(N,) option of each need."""
        return np.repeat(np.arange(len(self.option_site)), np.diff(self.need_start))

    def usage(self, amount: Ints) -> Ints:
        """(R,) milli-cards that ``amount`` (O,) workloads on each option take."""
        taken = amount[self.need_option] > 0
        resource, option = self.need_resource[taken], self.need_option[taken]
        used = np.zeros(len(self.supply.reserved), dtype=np.int64)
        np.add.at(used, resource, self.need_milli[taken] * amount[option])
        return used


def supply_of(problem: Problem) -> Supply:
    """The resources of a problem with their price curves."""
    pairs = [(site.code, g.grade) for site in problem.sites for g in site.grades]
    index = {pair: row for row, pair in enumerate(pairs)}
    reserved = np.zeros(len(pairs), dtype=np.int64)
    for item in problem.reservations:
        if not item.worth_micro_cny:
            reserved[index[item.site, item.grade]] += item.milli_cards
    # at one price reserved cards come before offers, those that were cheaper before dearer ones
    steps = [
        (index[item.site, item.grade], item.worth_micro_cny, 0, item.paid_micro_cny, row, item.milli_cards)
        for row, item in enumerate(problem.reservations)
        if item.worth_micro_cny and item.milli_cards
    ]
    steps += [
        (index[offer.site, offer.grade], offer.price_micro_cny, 1, 0, row, offer.milli_cards)
        for row, offer in enumerate(problem.offers)
        if offer.milli_cards
    ]
    # each column in one piece: compiled loops know one layout only
    columns = np.array(sorted(steps), dtype=np.int64).reshape(-1, 6).T.copy()
    resource, price, *_, milli = columns
    return Supply(index, reserved, resource, price * problem.slot_hours, milli)
