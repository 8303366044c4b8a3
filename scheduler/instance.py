"""A problem compiled into arrays: work that cannot be told apart as one class, and its possible options.

Two workloads are of one class when they have the same demand vectors, priority, eligible sites and transfer
costs: swapping them changes neither feasibility nor cost. An *option* is (class, site, demand vector) that
latency, residency and the site's size allow; impossible ones are never built, which is the biggest lever
on solving time. A *resource* is one grade at one site, with a convex price curve: reserved cards first, at
nothing, then the offers from the cheapest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, eq=False, slots=True)
class Supply:
    """Resources and their price curves. R resources, K price steps sorted by (resource, price, offer)."""

    index: Mapping[tuple[str, str], int]
    """(site code, grade) → resource, in the order of the sites and their grades."""
    reserved: Ints
    """(R,) milli-cards already bought."""
    step_resource: Ints
    """(K,) resource of the step."""
    step_price: Ints
    """(K,) nano-CNY per milli-card for the whole slot."""
    step_milli: Ints
    """(K,) milli-cards of the step."""
    step_offer: Ints
    """(K,) row of the offer."""

    @property
    def capacity(self) -> Ints:
        """(R,) milli-cards there are: reserved and offered."""
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
        reserved[index[item.site, item.grade]] += item.milli_cards
    steps = sorted(
        (index[offer.site, offer.grade], offer.price_micro_cny * problem.slot_hours, row, offer.milli_cards)
        for row, offer in enumerate(problem.offers)
        if offer.milli_cards
    )
    resource, price, offer_row, milli = np.array(steps, dtype=np.int64).reshape(-1, 4).T
    return Supply(index, reserved, resource, price, milli, offer_row)


def compile_instance(problem: Problem) -> Instance:
    """Group the workloads of a validated problem into classes and build their options."""
    supply = supply_of(problem)
    eligibility = Eligibility(problem)
    classes: dict[tuple[Alternatives, int, bytes, bytes], list[int]] = {}
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


def _assemble(
    problem: Problem, supply: Supply, classes: Mapping[tuple[Alternatives, int, bytes, bytes], Sequence[int]]
) -> Instance:
    templates = _Templates(problem, supply)
    starts, sites, alternatives, transfers = [0], [], [], []
    need_starts, resources, millis = [0], [], []
    penalties = []
    for vectors, priority, eligible_bytes, transfer_bytes in classes:
        eligible = np.frombuffer(eligible_bytes, dtype=np.bool_)
        transfer = np.frombuffer(transfer_bytes, dtype=np.int64)
        worst_transfer = int(transfer.max(initial=0))
        penalties.append((1 + priority) * PENALTY_FACTOR * (templates.worth(vectors) + worst_transfer))
        for site, alternative, needs in templates.options(vectors):
            if eligible[site]:
                sites.append(site)
                alternatives.append(alternative)
                transfers.append(int(transfer[site]))
                resources += [resource for resource, _ in needs]
                millis += [milli for _, milli in needs]
                need_starts.append(len(millis))
        starts.append(len(sites))
    members = tuple(tuple(rows) for rows in classes.values())
    columns = ([len(rows) for rows in members], penalties, starts, sites, alternatives, transfers)
    return Instance(supply, members, *map(_ints, (*columns, need_starts, resources, millis)))


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


class _Templates:
    """The options and the worth of each demand vector, before any workload's own limits; computed once."""

    def __init__(self, problem: Problem, supply: Supply) -> None:
        self.problem = problem
        self.supply = supply
        self.capacity = supply.capacity.tolist()
        self.found: dict[Alternatives, list[tuple[int, int, list[tuple[int, int]]]]] = {}
        self.dearest: dict[str, int] = {}
        for site in problem.sites:
            for g in site.grades:
                self.dearest[g.grade] = max(self.dearest.get(g.grade, 0), g.list_price_micro_cny)

    def options(self, vectors: Alternatives) -> list[tuple[int, int, list[tuple[int, int]]]]:
        """(site, alternative, [(resource, milli-cards)]) wherever the whole demand fits the empty site."""
        if vectors not in self.found:
            self.found[vectors] = [
                (row, alternative, needs)
                for row, site in enumerate(self.problem.sites)
                for alternative, vector in enumerate(vectors)
                if (needs := self._needs(site.code, vector)) is not None
            ]
        return self.found[vectors]

    def _needs(self, site: str, vector: tuple[Need, ...]) -> list[tuple[int, int]] | None:
        needs = []
        for grade, milli in vector:
            resource = self.supply.index.get((site, grade))
            if resource is None or self.capacity[resource] < milli:
                return None
            needs.append((resource, milli))
        return needs

    def worth(self, vectors: Alternatives) -> int:
        """Nano-CNY of the demand itself (the first vector) at the dearest list price; ≥ 1 a milli-card."""
        hours = self.problem.slot_hours
        return sum(max(self.dearest.get(grade, 0) * hours, 1) * milli for grade, milli in vectors[0])
