"""A hub fails: everything it ran or was to run goes elsewhere at once, the tightest latency first.

The plan is kept in arrays, so that nothing is compiled or solved anew: only displaced work is placed, where
it is cheapest at that moment. Where there is no room, best-effort work gives way, largest first, and is then
placed where room is left; a plan that keeps the rule of pre-emption still does. Everything else stays as it
is; `plan_horizon` improves on it when there is time.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scheduler.horizon.accounting import HorizonBooks
from scheduler.horizon.assembly import assembled
from scheduler.horizon.dual_ascent import Ascent
from scheduler.horizon.gangs import Split, book_split, take_out
from scheduler.horizon.insertion import (
    NO_GUIDE,
    OUT,
    SPLIT,
    STAYS,
    empty_state,
    lookup_of,
    put_all,
    sweep,
)
from scheduler.horizon.instance import Instance, compile_instance, milli_of_member
from scheduler.horizon.plan import HorizonPlacement, HorizonPlan
from scheduler.horizon.preempting import make_way
from scheduler.horizon.pricing import Prices, priced
from scheduler.horizon.supply import Ints
from scheduler.horizon.types import HorizonProblem, Maintenance
from scheduler.horizon.validation import checked
from scheduler.horizon.warming import compile_horizon_loops
from scheduler.horizon.yielding import make_room
from scheduler.plan import Timings

FAILOVER = "failover"
RELAXING_S = 0.3
"""How long a repair looks for what would place the work that it lost."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What a failure led to: the problem as it is now, its plan, and who was displaced, lost, or gave way.

    ``lost`` had a place before and has none now; ``gave_way`` was moved or left out for displaced work.
    """

    problem: HorizonProblem
    plan: HorizonPlan
    displaced: tuple[str, ...]
    lost: tuple[str, ...]
    gave_way: tuple[str, ...]


class LivePlan:
    """A problem and its plan in arrays, ready for a failure."""

    def __init__(self, problem: HorizonProblem, plan: HorizonPlan) -> None:
        compile_horizon_loops()
        self.problem = checked(problem)
        self.instance = compile_instance(problem)
        self.lookup = lookup_of(self.instance)
        self.prices = _prices(self.instance, plan)
        self.state = empty_state(self.instance)
        self.splits: dict[int, Split] = {}
        self._load(plan.placements)

    def _load(self, placed: Sequence[HorizonPlacement]) -> None:
        instance, state = self.instance, self.state
        kinds, rows = instance.kinds, {w.id: j for j, w in enumerate(self.problem.workloads)}
        books = HorizonBooks(self.problem, instance.supply)
        jobs, sites, picked = [], [], []
        for p in placed:
            j = rows[p.workload]
            k = int(instance.kind[j])
            a = int(kinds.alternative_start[k]) + p.alternative
            stays = kinds.stay_alternative[k] == a and books.stays(p)
            state.slots[j, : len(p.slots)] = p.slots
            if not stays and len(p.parts) > 1:
                parts = tuple((self._row(k, books.site_row[part.site]), part.members) for part in p.parts)
                book_split(instance, self.lookup, state, j, a, p.slots, parts)
                self.splits[j] = parts
                continue
            jobs.append(j)
            sites.append(STAYS if stays else books.site_row[p.parts[0].site])
            picked.append(a)
        put_all(kinds, self.lookup, state, *(np.array(x, dtype=np.int64) for x in (jobs, picked, sites)))

    def _row(self, k: int, s: int) -> int:
        kinds = self.instance.kinds
        begin = int(kinds.site_start[k])
        sites: list[int] = kinds.site[begin : kinds.site_start[k + 1]].tolist()
        return begin + sites.index(s)

    def fail(self, site: str) -> Repair:
        """A site is gone for the whole horizon; raises ``ValueError`` for one that the problem has not."""
        if site not in self.instance.supply.sites:
            raise ValueError(f"unknown site {site!r}; there are {', '.join(self.instance.supply.sites)}")
        started = time.monotonic()
        s = self.instance.supply.sites.index(site)
        displaced = self._displaced(s)
        take_out(self.instance, self.lookup, self.state, self.splits, np.array(displaced, dtype=np.int64))
        self._close(s, site)
        workloads = self.problem.workloads
        urgency = [(workloads[j].latency_ms_max, -workloads[j].priority, j) for j in displaced]
        order = np.array([j for *_, j in sorted(urgency)], dtype=np.int64)
        sweep(self.instance.kinds, self.lookup, self.state, NO_GUIDE, order)
        gave_way = self._make_room([j for j in order.tolist() if self.state.site[j] == OUT])
        return self._repair(displaced, sorted({*gave_way, *self._keep_rule()}), started)

    def _displaced(self, s: int) -> list[int]:
        instance, kinds, state = self.instance, self.instance.kinds, self.state
        part_kind = np.repeat(np.arange(len(kinds.size)), np.diff(kinds.stay_start))
        stays_here = np.zeros(len(kinds.size), dtype=np.bool_)
        stays_here[part_kind[kinds.stay_site == s]] = True
        found = (state.site == s) | ((state.site == STAYS) & stays_here[instance.kind])
        split = [j for j, parts in self.splits.items() if any(kinds.site[row] == s for row, _ in parts)]
        return sorted([*np.flatnonzero(found).tolist(), *split])

    def _close(self, s: int, code: str) -> None:
        """Nothing can be used there any more, and staying there is no option."""
        supply, kinds = self.instance.supply, self.instance.kinds
        size = len(supply.grades) * supply.slots
        gone = slice(s * size, (s + 1) * size)
        usable, milli = supply.usable.copy(), supply.step_milli.copy()
        usable[gone] = 0
        milli[supply.step_start[gone.start] : supply.step_start[gone.stop]] = 0
        here = np.zeros(len(kinds.size), dtype=np.bool_)
        part_kind = np.repeat(np.arange(len(kinds.size)), np.diff(kinds.stay_start))
        here[part_kind[kinds.stay_site == s]] = True
        stays = np.where(here, -1, kinds.stay_alternative)
        kinds = kinds._replace(stay_alternative=stays, could_stay=kinds.could_stay & ~here)
        self.instance = replace(
            self.instance, supply=replace(supply, usable=usable, step_milli=milli), kinds=kinds
        )
        self.lookup = lookup_of(self.instance)
        down = Maintenance(code, 0, self.problem.horizon.slots)
        self.problem = replace(self.problem, maintenance=(*self.problem.maintenance, down))
        self.prices = replace(self.prices, capacity=np.where(usable > 0, self.prices.capacity, 0))

    def _make_room(self, waiting: Sequence[int]) -> list[int]:
        """Best-effort work gives way to what found no room, and goes where room is left."""
        kinds, lookup = self.instance.kinds, self.lookup
        best_effort = np.array([w.gives_way for w in self.problem.workloads], dtype=np.bool_)
        whole = np.flatnonzero(best_effort & (self.state.site != OUT) & (self.state.site != SPLIT))
        yielding = whole[np.argsort(-_cards(self.instance, whole), kind="stable")]
        needy = np.array([j for j in waiting if not best_effort[j]], dtype=np.int64)
        taken = make_room(kinds, lookup, self.state, needy, yielding)
        sweep(kinds, lookup, self.state, NO_GUIDE, taken)
        given: list[int] = taken.tolist()
        return given

    def _keep_rule(self) -> list[int]:
        """Where work is still left out against the rule of pre-emption: best-effort work, gangs over several
        sites too, gives way; who did.
        """
        before, splits = self.state, self.splits
        self.state, kept = make_way(self.problem, self.instance, self.lookup, before, splits)
        self.splits = dict(kept)
        after = self.state
        differs = (before.site != after.site) | (before.alternative != after.alternative)
        differs |= (before.slots != after.slots).any(axis=1)
        spread = [j for j, parts in splits.items() if self.splits.get(j) != parts]
        return [*np.flatnonzero(differs & (before.site != OUT)).tolist(), *spread]

    def _repair(self, displaced: Sequence[int], gave_way: Sequence[int], started: float) -> Repair:
        names = [w.id for w in self.problem.workloads]
        bound = max(priced(self.instance, self.prices).bound, 0)
        plan = assembled(
            self.problem,
            self.instance,
            self.state,
            self.splits,
            Ascent(self.prices, bound),
            model=FAILOVER,
            why=f"{len(displaced)} displaced workloads placed by latency; everything else as it was",
            out_of_time=False,
            relaxing_s=RELAXING_S,
        )
        took_s = time.monotonic() - started
        return Repair(
            self.problem,
            replace(plan, timings=Timings(0.0, took_s, took_s)),
            tuple(names[j] for j in displaced),
            tuple(names[j] for j in sorted({*displaced, *gave_way}) if self.state.site[j] == OUT),
            tuple(names[j] for j in gave_way),
        )


def _cards(instance: Instance, jobs: Ints) -> Ints:
    """Milli-cards of each workload's first alternative."""
    kinds, k = instance.kinds, instance.kind[jobs]
    cards: Ints = milli_of_member(kinds)[kinds.alternative_start[k]] * kinds.gang[k]
    return cards


def _prices(instance: Instance, plan: HorizonPlan) -> Prices:
    """The certificate's prices as arrays."""
    supply = instance.supply
    capacity = np.zeros_like(supply.usable)
    sites = {code: s for s, code in enumerate(supply.sites)}
    grades = {grade: g for g, grade in enumerate(supply.grades)}
    for price in plan.certificate.capacity:
        resource = supply.resource(sites[price.site], grades[price.grade])
        capacity[resource * supply.slots + price.slot] = price.nano_cny
    return Prices(capacity, np.zeros_like(instance.link_room), plan.certificate.carbon_nano_cny_per_g)
