"""A problem compiled into arrays: work that cannot be told apart as one class, and its possible options.

Two workloads are of one class when they have the same demand vectors, priority, eligible sites and transfer
costs: swapping them changes neither feasibility nor cost. An *option* is (class, site, demand vector) that
latency, residency and the site's size allow; impossible ones are never built, which is the biggest lever
on solving time. A *resource* is one grade at one site, with a convex price curve: free reserved
cards first, then reservations that could be sold on and offers from the cheapest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodes.types import Residency
from scheduler.types import Need, Origin, Problem, Site, Workload

PENALTY_FACTOR = 10
"""Leaving work out counts this many times its demand at the highest list price of its grades.

So a workload is left out only where serving it would cost more than ten times that, by itself or by what it
displaces. Each step of priority adds as much again. Capacity and offers do not change the penalty.
"""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Alternatives = tuple[tuple[Need, ...], ...]
ClassKey = tuple[Alternatives, int, bytes, bytes]
"""Demand vectors, priority, eligible sites and transfer costs (both as bytes of the arrays)."""


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
    members: tuple[tuple[int, ...], ...]
    """Per class: rows of its workloads, in order of arrival."""
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
    option_transfer: Ints
    """(O,) nano-CNY for moving one workload's data there."""
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
        used = np.zeros(len(self.supply.reserved), dtype=np.int64)
        np.add.at(used, self.need_resource, self.need_milli * amount[self.need_option])
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
    resource, price, *_, milli = np.array(sorted(steps), dtype=np.int64).reshape(-1, 6).T
    return Supply(index, reserved, resource, price * problem.slot_hours, milli)


def compile_instance(problem: Problem) -> Instance:
    """Group the workloads of a validated problem into classes and build their options."""
    supply = supply_of(problem)
    eligibility = Eligibility(problem)
    classes: dict[ClassKey, list[int]] = {}
    profiles: dict[tuple[str, float, Residency, int], tuple[bytes, bytes]] = {}
    for row, w in enumerate(problem.workloads):
        profile = (w.origin, w.latency_ms_max, w.residency, w.data_gb)
        if profile not in profiles:
            profiles[profile] = (eligibility.sites(w).tobytes(), eligibility.transfer(w).tobytes())
        classes.setdefault((w.alternatives, w.priority, *profiles[profile]), []).append(row)
    return _assemble(problem, supply, classes)


class Eligibility:
    """Where a workload may go, and what moving its data there costs: by network and residency alone."""

    def __init__(self, problem: Problem) -> None:
        network = problem.network
        row = {city: i for i, city in enumerate(network.origins)}
        column = {code: i for i, code in enumerate(network.sites)}
        columns = np.array([column[site.code] for site in problem.sites], dtype=np.int64)
        self.sites_given = problem.sites
        self.origins = {origin.city: origin for origin in problem.origins}
        self.rtt_ms = {city: network.rtt_ms[row[city], columns] for city in self.origins}
        prices = network.transfer_micro_cny_per_gb
        free = np.zeros(len(columns), dtype=np.int64)
        self.prices = {
            city: free if prices is None else prices[row[city], columns].astype(np.int64)
            for city in self.origins
        }

    def near(self, w: Workload) -> Bools:
        """(S,) sites within the latency bound; a site that cannot be reached is never near."""
        rtt_ms = self.rtt_ms[w.origin]
        near: Bools = (rtt_ms <= w.latency_ms_max) & np.isfinite(rtt_ms)
        return near

    def resident(self, w: Workload) -> Bools:
        """(S,) sites where the data may go."""
        origin = self.origins[w.origin]
        return np.array([_may_go(origin, site, w.residency) for site in self.sites_given], dtype=np.bool_)

    def sites(self, w: Workload) -> Bools:
        """(S,) sites that latency and residency allow."""
        return self.near(w) & self.resident(w)

    def transfer(self, w: Workload) -> Ints:
        """(S,) nano-CNY for moving the workload's data: micro-CNY per GB × GB × 1,000."""
        return self.prices[w.origin] * w.data_gb * 1000


def _may_go(origin: Origin, site: Site, residency: Residency) -> bool:
    if residency == Residency.SITE:
        return site.code == origin.home_site
    if residency == Residency.CITY:
        return site.city == origin.city
    return residency == Residency.ANY or site.province == origin.province


def _assemble(problem: Problem, supply: Supply, classes: Mapping[ClassKey, Sequence[int]]) -> Instance:
    sites = len(problem.sites)
    eligible = np.array([np.frombuffer(key[2], dtype=np.bool_) for key in classes]).reshape(-1, sites)
    transfer = np.array([np.frombuffer(key[3], dtype=np.int64) for key in classes]).reshape(-1, sites)
    dearest = transfer.max(axis=1, initial=0).tolist()
    worth = _Worth(problem)
    penalties = [
        (1 + key[1]) * PENALTY_FACTOR * (worth.of(key[0]) + move)
        for key, move in zip(classes, dearest, strict=True)
    ]
    members = tuple(tuple(rows) for rows in classes.values())
    count = _ints([len(rows) for rows in members])
    options = _options(problem, supply, [key[0] for key in classes], eligible)
    return Instance(
        supply,
        members,
        count,
        _ints(penalties),
        np.searchsorted(options.group, np.arange(len(count) + 1)),
        options.site,
        options.alternative,
        transfer[options.group, options.site],
        np.searchsorted(options.need_option, np.arange(len(options.group) + 1)),
        options.need_resource,
        options.need_milli,
    )


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


class _Worth:
    """What a demand is worth at the dearest list price of its grades."""

    def __init__(self, problem: Problem) -> None:
        self.hours = problem.slot_hours
        self.dearest: dict[str, int] = {}
        for site in problem.sites:
            for g in site.grades:
                self.dearest[g.grade] = max(self.dearest.get(g.grade, 0), g.list_price_micro_cny)

    def of(self, vectors: Alternatives) -> int:
        """Nano-CNY of the demand itself (the first vector); at least 1 a milli-card."""
        return sum(max(self.dearest.get(grade, 0) * self.hours, 1) * milli for grade, milli in vectors[0])


class _Options(NamedTuple):
    """Options as columns, sorted by (class, site, alternative), and their needs sorted by option."""

    group: Ints
    site: Ints
    alternative: Ints
    need_option: Ints
    need_resource: Ints
    need_milli: Ints


def _options(problem: Problem, supply: Supply, vectors: Sequence[Alternatives], eligible: Bools) -> _Options:
    """Every (class, site, alternative) that is eligible and fits the empty site.

    Classes whose demand vectors name the same grades in the same places are worked on together, as matrices.
    """
    shapes: dict[tuple[tuple[str, ...], ...], list[int]] = {}
    for group, alternatives in enumerate(vectors):
        shape = tuple(tuple(need.grade for need in vector) for vector in alternatives)
        shapes.setdefault(shape, []).append(group)
    finder = _OptionFinder(problem, supply)
    for shape, groups in shapes.items():
        for alternative, grades in enumerate(shape):
            milli = _ints([n.milli_cards for group in groups for n in vectors[group][alternative]])
            finder.add(_ints(groups), alternative, grades, milli.reshape(-1, len(grades)), eligible)
    return finder.sorted()


class _OptionFinder:
    """Collects options of one shape after the other."""

    def __init__(self, problem: Problem, supply: Supply) -> None:
        self.codes = [site.code for site in problem.sites]
        self.index = supply.index
        # a grade that a site does not have: resource -1, which nothing fits
        self.capacity = np.append(supply.capacity, -1)
        self.found: list[tuple[Ints, Ints, Ints]] = []
        self.needs: list[tuple[Ints, Ints, Ints]] = []
        self.total = 0

    def add(
        self, groups: Ints, alternative: int, grades: Sequence[str], milli: Ints, eligible: Bools
    ) -> None:
        """Add the alternative's options of these classes; ``milli`` is (classes, grades)."""
        resources = [_ints([self.index.get((code, grade), -1) for code in self.codes]) for grade in grades]
        fits = eligible[groups].copy()
        for column, resource in enumerate(resources):
            fits &= self.capacity[resource][None, :] >= milli[:, column][:, None]
        row, site = np.nonzero(fits)
        number = self.total + np.arange(len(row))
        self.found.append((groups[row], site, np.full(len(row), alternative)))
        for column, resource in enumerate(resources):
            self.needs.append((number, resource[site], milli[row, column]))
        self.total += len(row)

    def sorted(self) -> _Options:
        """Everything found, in order."""
        group, site, alternative = _stacked(self.found)
        order = np.lexsort((alternative, site, group))
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        option, resource, milli = _stacked(self.needs)
        option = place[option]
        by_option = np.argsort(option, kind="stable")
        needs = (column[by_option] for column in (option, resource, milli))
        return _Options(group[order], site[order], alternative[order], *needs)


def _stacked(parts: Sequence[tuple[Ints, Ints, Ints]]) -> tuple[Ints, Ints, Ints]:
    if not parts:
        return _ints([]), _ints([]), _ints([])
    first, second, third = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return first, second, third
