"""What one would do over many slots without a plan: each workload in turn, by a rule a person could follow.

Every baseline obeys every rule that the plan obeys and is checked by the same checker, but for the one named
unlimited, which knows latency, residency, grades and windows only: no capacity, budgets, labels, lines or
bound on moves. What runs stays where it is if it can, and nobody is split.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nodes.types import Region
from scheduler.baselines import (
    ALL_EAST,
    ALL_EAST_UNLIMITED,
    CHEAPEST_FIRST,
    FAILOVER,
    FIRST_FIT,
    REGRET,
)
from scheduler.horizon.insertion import (
    NO_GUIDE,
    OUT,
    STAYS,
    Lookup,
    State,
    at_site,
    empty_state,
    lookup_of,
    put,
    staying,
    sweep,
)
from scheduler.horizon.instance import Eligibility, Instance, Kinds
from scheduler.horizon.plan import HorizonPlacement
from scheduler.horizon.running_slots import NEVER
from scheduler.horizon.solution import placements
from scheduler.horizon.supply import Ints
from scheduler.horizon.types import HorizonProblem, Part

Floats = NDArray[np.float64]

DESCRIPTIONS = {
    ALL_EAST: "the origin's own pool, else the nearest eastern hub with room, in order of arrival",
    ALL_EAST_UNLIMITED: "the first of these as if it had room, at list prices, for what the plan serves",
    CHEAPEST_FIRST: "wherever and whenever it is cheapest at that moment, in order of arrival",
    REGRET: "the same, those first that lose most per card by their second-best site",
    FAILOVER: "sites ranked once by price on an empty system, each tried in turn, in order of arrival",
    FIRST_FIT: "the first site in the order given with room, its cheapest slots, in order of arrival",
}


class HorizonServed(NamedTuple):
    """A baseline's placements; ``unlimited`` if it assumes capacity beyond what there is."""

    name: str
    placements: tuple[HorizonPlacement, ...]
    unlimited: bool = False


def all_baselines(
    problem: HorizonProblem, instance: Instance, served: Iterable[str]
) -> tuple[HorizonServed, ...]:
    """Every baseline, in the order of `DESCRIPTIONS`; ``served`` are the ids that the plan serves."""
    rules = _Rules(problem, instance)
    order = np.arange(len(instance.kind))
    regret_first = np.argsort(-rules.regret()[instance.kind], kind="stable")
    return (
        rules.one_by_one(ALL_EAST, rules.east_ranks()),
        rules.unlimited_east(set(served)),
        rules.cheapest(CHEAPEST_FIRST, order),
        rules.cheapest(REGRET, regret_first),
        rules.one_by_one(FAILOVER, rules.price_ranks()),
        rules.one_by_one(FIRST_FIT, [list(range(len(problem.sites)))] * len(instance.kinds.size)),
    )


class _Rules:
    """The rules on one instance."""

    def __init__(self, problem: HorizonProblem, instance: Instance) -> None:
        self.problem = problem
        self.instance = instance
        self.lookup: Lookup = lookup_of(instance)
        self.eligibility = Eligibility(problem)
        _, self.first_row = np.unique(instance.kind, return_index=True)
        self.example = [problem.workloads[row] for row in self.first_row.tolist()]

    def cheapest(self, name: str, order: Ints) -> HorizonServed:
        """Cheapest option at that moment."""
        state = empty_state(self.instance)
        sweep(self.instance.kinds, self.lookup, state, NO_GUIDE, order)
        return HorizonServed(name, placements(self.problem, self.instance, state, {}))

    def one_by_one(self, name: str, ranks: Sequence[Sequence[int]]) -> HorizonServed:
        """The first site of each kind's list with room, in its cheapest slots there."""
        state = empty_state(self.instance)
        start = np.concatenate([[0], np.cumsum([len(sites) for sites in ranks], dtype=np.int64)])
        listed = np.array([s for sites in ranks for s in sites], dtype=np.int64)
        _first_with_room(self.instance.kinds, self.lookup, state, start, listed)
        return HorizonServed(name, placements(self.problem, self.instance, state, {}))

    def east_ranks(self) -> list[list[int]]:
        """Per kind: the origin's own pool, then eastern sites from the nearest."""
        origins = {origin.city: origin.home_site for origin in self.problem.origins}
        ranks = []
        for k, w in enumerate(self.example):
            home = [s for s in self._sites(k) if self.problem.sites[s].code == origins[w.origin]]
            rtt_ms = self.eligibility.rtt_ms[w.origin]
            east = [
                s for s in self._sites(k) if self.problem.sites[s].region == Region.EAST and s not in home
            ]
            ranks.append([*home, *sorted(east, key=lambda s: (rtt_ms[s], s))])
        return ranks

    def _sites(self, k: int) -> list[int]:
        kinds = self.instance.kinds
        sites: list[int] = kinds.site[kinds.site_start[k] : kinds.site_start[k + 1]].tolist()
        return sites

    def unlimited_east(self, served: set[str]) -> HorizonServed:
        """The first site of `east_ranks` that has the grades, from the earliest slot, as if it had room."""
        ranks, kinds = self.east_ranks(), self.instance.kinds
        held = self.instance.supply.held.reshape(len(self.problem.sites), -1)
        found = []
        for j, w in enumerate(self.problem.workloads):
            k = int(self.instance.kind[j])
            begin = int(kinds.alternative_start[k])
            ways = (
                (s, a)
                for s in ranks[k]
                for a in range(len(w.alternatives))
                if w.alternatives[a].slots <= w.latest_end - w.earliest
                and held[
                    s, kinds.need_grade[kinds.need_start[begin + a] : kinds.need_start[begin + a + 1]]
                ].all()
            )
            if w.id in served and (way := next(ways, None)) is not None:
                slots = tuple(range(w.earliest, w.earliest + w.alternatives[way[1]].slots))
                part = Part(self.problem.sites[way[0]].code, w.gang_size)
                found.append(HorizonPlacement(w.id, way[1], slots, (part,)))
        return HorizonServed(ALL_EAST_UNLIMITED, tuple(found), unlimited=True)

    def price_ranks(self) -> list[list[int]]:
        """Per kind: its sites by what they would cost the workload if it were alone."""
        costs = self._alone()
        return [[s for _, s in sorted(zip(costs[k], self._sites(k), strict=True))] for k in range(len(costs))]

    def regret(self) -> Floats:
        """(C,) second-cheapest way less the cheapest, per milli-card and slot, on empty sites."""
        kinds = self.instance.kinds
        urgency = np.zeros(len(kinds.size))
        for k, costs in enumerate(self._alone()):
            ways = sorted([*costs, int(kinds.penalty[k])])
            first = int(kinds.alternative_start[k])
            milli = int(kinds.need_milli[kinds.need_start[first] : kinds.need_start[first + 1]].sum())
            size = milli * int(kinds.gang[k]) * int(kinds.duration[first])
            urgency[k] = (ways[1] - ways[0]) / size if len(ways) > 1 else 0.0
        return urgency

    def _alone(self) -> list[list[int]]:
        """Per kind: the cost at each of its sites on an empty system, `NEVER` where it does not fit."""
        costs = _costs_alone(self.instance.kinds, self.lookup, empty_state(self.instance), self.first_row)
        start = self.instance.kinds.site_start.tolist()
        flat = costs.tolist()
        return [flat[a:b] for a, b in pairwise(start)]


@njit(cache=True)
def _first_with_room(kinds: Kinds, lookup: Lookup, state: State, start: Ints, listed: Ints) -> None:
    slots = np.empty(lookup.slots, dtype=np.int64)
    for j in range(len(lookup.kind)):
        k = lookup.kind[j]
        if kinds.stay_alternative[k] >= 0:
            if staying(kinds, lookup, state, NO_GUIDE, j, slots) < NEVER:
                put(kinds, lookup, state, j, kinds.stay_alternative[k], STAYS, -1, slots)
                continue
            if state.moves[0] >= state.moves[1]:
                continue
        for n in range(start[k], start[k + 1]):
            for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
                if kinds.site[row] == listed[n] and state.site[j] == OUT:
                    score, a = at_site(kinds, lookup, state, NO_GUIDE, j, row, NEVER, slots)
                    if score < NEVER:
                        put(kinds, lookup, state, j, a, kinds.site[row], row, slots)


@njit(cache=True)
def _costs_alone(kinds: Kinds, lookup: Lookup, state: State, first_row: Ints) -> Ints:
    costs = np.empty(len(kinds.site), dtype=np.int64)
    slots = np.empty(lookup.slots, dtype=np.int64)
    for k in range(len(kinds.size)):
        for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
            costs[row], _ = at_site(kinds, lookup, state, NO_GUIDE, first_row[k], row, NEVER, slots)
    return costs
