"""What one would do without a plan: each workload in turn, by a rule a person could follow.

Every baseline obeys latency, residency and (but for the one named unlimited) the same reservations and offers
as the plan, and takes workloads whole.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from nodes.types import Region
from scheduler.greedy import Greedy
from scheduler.instance import Eligibility, Instance
from scheduler.plan import Placement
from scheduler.types import Problem, Workload

ALL_EAST = "all_east"
ALL_EAST_UNLIMITED = "all_east_unlimited"
CHEAPEST_FIRST = "cheapest_first"
REGRET = "regret"

DESCRIPTIONS = {
    ALL_EAST: "the origin city's own pool, else the nearest eastern hub with room, in order of arrival",
    ALL_EAST_UNLIMITED: "the same with unlimited capacity at list prices there, for what the plan serves",
    CHEAPEST_FIRST: "wherever it is cheapest at that moment, in order of arrival",
    REGRET: "the same, those first that lose most per card by their second-best site",
}


class Served(NamedTuple):
    """A baseline's placements; ``unlimited`` if it assumes capacity beyond the offers, at list prices."""

    name: str
    placements: tuple[Placement, ...]
    unlimited: bool = False


def all_baselines(problem: Problem, instance: Instance, served: Iterable[str]) -> tuple[Served, ...]:
    """Every baseline, in the order of `DESCRIPTIONS`; ``served`` are the ids that the plan serves."""
    return (
        all_east(problem, instance),
        all_east_unlimited(problem, served),
        cheapest_first(problem, instance),
        regret(problem, instance),
    )


def cheapest_first(problem: Problem, instance: Instance) -> Served:
    """Cheapest feasible option in order of arrival: reserved cards first, then the cheapest offers left."""
    return Served(CHEAPEST_FIRST, _in_order(problem, instance, range(len(problem.workloads))))


def regret(problem: Problem, instance: Instance) -> Served:
    """Cheapest feasible option, in order of regret per card on empty sites, most first, then of arrival."""
    urgency = _regret_per_card(instance)
    group = _groups(problem, instance)
    order = sorted(range(len(problem.workloads)), key=lambda row: -urgency[group[row]])
    return Served(REGRET, _in_order(problem, instance, order))


def all_east(problem: Problem, instance: Instance) -> Served:
    """The origin city's pool if it has room, else eastern hubs from the nearest, in order of arrival."""
    preference = _EastFirst(problem)
    greedy = Greedy(instance)
    group = _groups(problem, instance)
    chosen: list[int | None] = []
    for row, w in enumerate(problem.workloads):
        ranks = preference.ranks(w)
        options = range(instance.option_start[group[row]], instance.option_start[group[row] + 1])
        ranked = sorted((ranks[site], o) for o in options if (site := int(instance.option_site[o])) in ranks)
        chosen += greedy.run([group[row]], _first_that_fits(greedy, [o for _, o in ranked]))
    return Served(ALL_EAST, _placements(problem, instance, range(len(chosen)), chosen))


def all_east_unlimited(problem: Problem, served: Iterable[str]) -> Served:
    """The first choice of `all_east` as if it had room for everyone, for the given workloads only."""
    preference = _EastFirst(problem)
    wanted = set(served)
    choices = (preference.first(w) for w in problem.workloads if w.id in wanted)
    placements = tuple(choice for choice in choices if choice is not None)
    return Served(ALL_EAST_UNLIMITED, placements, unlimited=True)


class _EastFirst:
    """In which order a workload would try sites if the west did not exist for it."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.eligibility = Eligibility(problem)
        self.homes = {origin.city: origin.home_site for origin in problem.origins}
        self.known: dict[tuple[object, ...], dict[int, int]] = {}

    def ranks(self, w: Workload) -> dict[int, int]:
        """Row of each site it would try → rank: home pool first, then eastern sites from the nearest."""
        alike = (w.origin, w.latency_ms_max, w.residency)
        if alike not in self.known:
            rtt_ms, sites = self.eligibility.rtt_ms[w.origin], self.problem.sites
            eligible = np.flatnonzero(self.eligibility.sites(w)).tolist()
            home = [row for row in eligible if sites[row].code == self.homes[w.origin]]
            east = [row for row in eligible if sites[row].region == Region.EAST and row not in home]
            order = [*home, *sorted(east, key=lambda row: (rtt_ms[row], row))]
            self.known[alike] = {row: rank for rank, row in enumerate(order)}
        return self.known[alike]

    def first(self, w: Workload) -> Placement | None:
        """The first site that has every grade of one of its demand vectors at all."""
        for row in self.ranks(w):
            site = self.problem.sites[row]
            grades = {g.grade for g in site.grades}
            for alternative, vector in enumerate(w.alternatives):
                if all(need.grade in grades for need in vector):
                    return Placement(w.id, site.code, alternative, vector)
        return None


def _first_that_fits(greedy: Greedy, options: list[int]) -> Callable[[int], int | None]:
    return lambda _group: next((option for option in options if greedy.cost(option) is not None), None)


def _groups(problem: Problem, instance: Instance) -> list[int]:
    """Class of each workload."""
    group = np.zeros(len(problem.workloads), dtype=np.int64)
    for number, members in enumerate(instance.members):
        group[list(members)] = number
    numbers: list[int] = group.tolist()
    return numbers


def _in_order(problem: Problem, instance: Instance, rows: Iterable[int]) -> tuple[Placement, ...]:
    group, order = _groups(problem, instance), list(rows)
    chosen = Greedy(instance).run([group[row] for row in order])
    return _placements(problem, instance, order, chosen)


def _placements(
    problem: Problem, instance: Instance, rows: Iterable[int], chosen: Iterable[int | None]
) -> tuple[Placement, ...]:
    placed = []
    for row, option in zip(rows, chosen, strict=True):
        if option is not None:
            w, alternative = problem.workloads[row], int(instance.option_alternative[option])
            site = problem.sites[instance.option_site[option]].code
            placed.append(Placement(w.id, site, alternative, w.alternatives[alternative]))
    return tuple(placed)


def _regret_per_card(instance: Instance) -> list[float]:
    """Per class: second-cheapest way minus cheapest per milli-card, at each resource's lowest offer."""
    supply = instance.supply
    price = np.zeros(len(supply.reserved))
    # written backwards, so that the cheapest step of a resource stays
    price[supply.step_resource[::-1]] = supply.step_price[::-1]
    cost = instance.option_transfer.astype(np.float64)
    np.add.at(cost, instance.need_option, price[instance.need_resource] * instance.need_milli)
    size = np.zeros(len(cost))
    np.add.at(size, instance.need_option, instance.need_milli)
    urgency = []
    for group, penalty in enumerate(instance.penalty.tolist()):
        part = slice(instance.option_start[group], instance.option_start[group + 1])
        ways = sorted([*cost[part].tolist(), float(penalty)])
        urgency.append((ways[1] - ways[0]) / size[part].min() if len(ways) > 1 else 0.0)
    return urgency
