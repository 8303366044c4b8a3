"""What one would do without a plan: each workload in turn, by a rule a person could follow.

Every baseline obeys latency, residency and (but for the one named unlimited) the same reservations and offers
as the plan, and takes workloads whole.
"""

from typing import NamedTuple

import numpy as np

from nodes.types import Region
from scheduler.eligibility import Eligibility
from scheduler.greedy import run, run_ranked
from scheduler.instance import Instance, Ints
from scheduler.placed import Placed, placed_by_options
from scheduler.pricing import Floats, option_costs, priced
from scheduler.types import Problem
from scheduler.workload_table import WorkloadTable

ALL_EAST = "all_east"
ALL_EAST_UNLIMITED = "all_east_unlimited"
CHEAPEST_FIRST = "cheapest_first"
REGRET = "regret"
FAILOVER = "failover"
FIRST_FIT = "first_fit"

DESCRIPTIONS = {
    ALL_EAST: "the origin city's own pool, else the nearest eastern hub with room, in order of arrival",
    ALL_EAST_UNLIMITED: "the same with unlimited capacity at list prices there, for what the plan serves",
    CHEAPEST_FIRST: "wherever it is cheapest at that moment, in order of arrival",
    REGRET: "the same, those first that lose most per card by their second-best site",
    FAILOVER: "each task's own optimum by list price and transfer, the next one where that is full",
    FIRST_FIT: "the first site of the list with room, in order of arrival",
}


class Served(NamedTuple):
    """A baseline's placements; ``unlimited`` if it assumes capacity beyond the offers, at list prices."""

    name: str
    placed: Placed
    unlimited: bool = False


def all_baselines(problem: Problem, instance: Instance, served: Ints) -> tuple[Served, ...]:
    """Every baseline, in the order of `DESCRIPTIONS`; ``served`` are the rows that the plan serves."""
    return (
        all_east(problem, instance),
        all_east_unlimited(problem, served),
        Served(CHEAPEST_FIRST, _cheapest(instance, np.arange(len(instance.workload_class)))),
        Served(REGRET, _cheapest(instance, _most_regret_first(instance))),
        Served(FAILOVER, _ranked(instance, _list_costs(problem, instance))),
        Served(FIRST_FIT, _ranked(instance, np.arange(len(instance.option_site), dtype=np.float64))),
    )


def all_east(problem: Problem, instance: Instance) -> Served:
    """The origin city's pool if it has room, else eastern hubs from the nearest, in order of arrival.

    Workloads of one class may come from different cities, so the order of sites is each city's own.
    """
    table = WorkloadTable.of(problem.workloads)
    ranks = _East(problem, table).ranks()
    chosen = run_ranked(instance, instance.workload_class, ranks, table.origin, instance.option_site)
    return Served(ALL_EAST, placed_by_options(instance, chosen))


def all_east_unlimited(problem: Problem, served: Ints) -> Served:
    """The first choice of `all_east` as if it had room for everyone, for the given workloads (rows) only."""
    table = WorkloadTable.of(problem.workloads)
    site, alternative = _East(problem, table).first_choices(served)
    found = site >= 0
    placed = Placed(served[found], site[found], alternative[found])
    return Served(ALL_EAST_UNLIMITED, placed, unlimited=True)


class _East:
    """In which order workloads would try sites without the west: home pool, then from the nearest."""

    def __init__(self, problem: Problem, table: WorkloadTable) -> None:
        self.problem = problem
        self.table = table
        self.eligibility = Eligibility(problem, table)
        self.homes = {origin.city: origin.home_site for origin in problem.origins}

    def ranks(self) -> Floats:
        """(cities of the table, S) rank of each site, lowest first; inf for sites that are not tried."""
        codes = [site.code for site in self.problem.sites]
        east = np.array([site.region == Region.EAST for site in self.problem.sites], dtype=np.bool_)
        home = np.array(
            [[code == self.homes[city] for code in codes] for city in self.table.cities], dtype=np.bool_
        ).reshape(len(self.table.cities), len(codes))
        by_distance = np.argsort(np.argsort(self.eligibility.rtt_ms, axis=1, kind="stable"), axis=1)
        tried: Floats = np.where(home, -1.0, np.where(east, by_distance.astype(np.float64), np.inf))
        return tried

    def first_choices(self, rows: Ints) -> tuple[Ints, Ints]:
        """Of each row the first site with every grade of one of its demand vectors, and which; −1 if none."""
        table, sites = self.table, self.problem.sites
        open_to = self.eligibility.sites(rows)
        rank = self.ranks()[table.origin[rows]]
        alternative = np.full((len(table.shapes), len(sites)), -1, dtype=np.int64)
        for number, shape in enumerate(table.shapes):
            for row, site in enumerate(sites):
                grades = {g.grade for g in site.grades}
                able = [k for k, vector in enumerate(shape) if grades.issuperset(vector)]
                alternative[number, row] = min(able, default=-1)
        able_sites = alternative[table.shape[rows]]
        rank = np.where(open_to & (able_sites >= 0), rank, np.inf)
        if not rank.size:
            none = np.full(len(rows), -1, dtype=np.int64)
            return none, none
        at, first = np.arange(len(rows)), np.argmin(rank, axis=1)
        return np.where(np.isfinite(rank[at, first]), first, -1), able_sites[at, first]


def _cheapest(instance: Instance, order: Ints) -> Placed:
    used = np.zeros(len(instance.supply.reserved), dtype=np.int64)
    option = np.full(len(order), -1, dtype=np.int64)
    option[order] = run(instance, instance.workload_class[order], used)
    return placed_by_options(instance, option)


def _ranked(instance: Instance, rank: Floats) -> Placed:
    """In order of arrival, each at its lowest-ranked option (O,) with room."""
    same = np.zeros(len(instance.workload_class), dtype=np.int64)
    chosen = run_ranked(instance, instance.workload_class, rank[None, :], same, np.arange(len(rank)))
    return placed_by_options(instance, chosen)


def _list_costs(problem: Problem, instance: Instance) -> Floats:
    """(O,) nano-CNY of each option at list prices."""
    prices = [g.list_price_micro_cny * problem.slot_hours for site in problem.sites for g in site.grades]
    return _costs(instance, np.array(prices, dtype=np.float64))


def _costs(instance: Instance, price: Floats) -> Floats:
    """(O,) nano-CNY of each option at fixed prices (R,)."""
    cost: Floats = option_costs(
        instance.need_start, instance.need_resource, instance.need_milli, instance.option_cost, price
    )
    return cost


def _most_regret_first(instance: Instance) -> Ints:
    """(N,) workloads by second-cheapest way minus cheapest per milli-card, at the lowest offers."""
    supply = instance.supply
    price = np.zeros(len(supply.reserved))
    # written backwards, so that the cheapest step of a resource stays
    price[supply.step_resource[::-1]] = supply.step_price[::-1]
    margin = priced(instance, price)[0].margin
    size = np.add.reduceat(np.append(instance.need_milli, 0), instance.need_start[:-1])
    smallest = np.full(len(instance.count), np.inf)
    np.minimum.at(smallest, instance.option_class, size)
    # a class without any option has no regret: it is left out whatever comes first
    regret = np.where(np.isfinite(margin), margin, 0.0) / smallest
    return np.argsort(-regret[instance.workload_class], kind="stable")
