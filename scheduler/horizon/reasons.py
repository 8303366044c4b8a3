"""Why a workload is left out: the first reason that applies to it alone on empty sites, with the figures."""

from functools import cached_property

import numpy as np

from scheduler.horizon.fitting import FITS, HAS, IN_WINDOW, SENDABLE, ways_of
from scheduler.horizon.insertion import (
    NO_GUIDE,
    NO_LIMIT,
    Lookup,
    State,
    best_option,
    empty_state,
    lookup_of,
)
from scheduler.horizon.instance import Eligibility, Instance, Kinds
from scheduler.horizon.plan import HorizonReason, HorizonUnplaced
from scheduler.horizon.running_slots import NEVER
from scheduler.horizon.supply import Bools, Ints
from scheduler.horizon.types import HorizonProblem, HorizonWorkload
from scheduler.reasons import too_dear
from scheduler.types import MILLI

SITES_NAMED_MAX = 3
Way = tuple[int, int]
"""Alternative and site."""


class HorizonExplainer:
    """Looks up one problem; workloads of one kind share their reason."""

    def __init__(self, problem: HorizonProblem, instance: Instance) -> None:
        self.problem = problem
        self.instance = instance
        self.eligibility = Eligibility(problem)
        supply = instance.supply
        self.usable = supply.usable.reshape(len(supply.sites), len(supply.grades), supply.slots)
        names = [site.city for site in problem.sites]
        self.city = np.array([names.index(name) for name in names], dtype=np.int64)
        self.carbon = supply.carbon.reshape(self.usable.shape)
        self.known: dict[int, tuple[HorizonReason, str]] = {}

    def explain(self, j: int) -> HorizonUnplaced:
        """The reason for one workload (by row) that is left out."""
        k = int(self.instance.kind[j])
        w = self.problem.workloads[j]
        if k not in self.known:
            self.known[k] = self._reason(w, k)
        return HorizonUnplaced(w.id, *self.known[k])

    def _reason(self, w: HorizonWorkload, k: int) -> tuple[HorizonReason, str]:
        near = self.eligibility.near(w)
        if not near.any():
            return HorizonReason.LATENCY, self._nearest(w)
        eligible = near & self.eligibility.resident(w)
        if not eligible.any():
            detail = f"data may not leave its {w.residency}; near enough are {self._names(near)}"
            return HorizonReason.RESIDENCY, detail
        flags = ways_of(self.instance.kinds, self.usable, self.instance.link_room, self.city, k)
        if not (flags & HAS).any():
            return HorizonReason.NO_GRADE, f"needs {_or(w)}; never on sale at {self._names(eligible)}"
        if not (flags & FITS).any():
            detail = f"needs {_or(w)}; {self._names(eligible)} cannot hold that so long even empty"
            return HorizonReason.TOO_LARGE, detail
        return self._beyond_room(w, k, flags)

    def _beyond_room(self, w: HorizonWorkload, k: int, flags: Ints) -> tuple[HorizonReason, str]:
        """Why something that some empty site holds at some time is left out."""
        if not (flags & IN_WINDOW).any():
            detail = f"fits empty sites at other times, but not within slots {w.earliest} … {w.latest_end}"
            return HorizonReason.WINDOW, detail
        kinds = self.instance.kinds
        sites = kinds.site[kinds.site_start[k] : kinds.site_start[k + 1]]
        alternatives = slice(int(kinds.alternative_start[k]), int(kinds.alternative_start[k + 1]))
        flags = np.where(kinds.allowed[alternatives][:, sites], flags, 0)
        if not (flags & IN_WINDOW).any():
            detail = f"every option costs more than {(w.budget_micro_cny or 0) / 1e6:.2f} CNY at list price"
            return HorizonReason.BUDGET, detail
        if not (flags & SENDABLE).any():
            return HorizonReason.LINK, f"no line to a site takes {w.data_gb} GB in a slot it could begin in"
        ways = [(alternatives.start + a, int(sites[i])) for a, i in np.argwhere(flags & SENDABLE).tolist()]
        return self._for_want_of_room(w, k, ways)

    def _for_want_of_room(self, w: HorizonWorkload, k: int, ways: list[Way]) -> tuple[HorizonReason, str]:
        cap = self.instance.carbon_cap_ug
        if cap is not None and (least := min(self._carbon(w, k, way) for way in ways)) > cap:
            return HorizonReason.CARBON, f"emits at least {least / 1e9:.2f} kg; the cap is {cap / 1e9:.2f} kg"
        sites = np.zeros(len(self.usable), dtype=np.bool_)
        sites[[s for _, s in ways]] = True
        where, counts = self._names(sites), int(self.instance.kinds.penalty[k])
        if not self.instance.kinds.spread[k] and (cost := self._cost_alone(k)) >= counts:
            return HorizonReason.TOO_DEAR, too_dear(where, cost, counts)
        detail = f"would fit alone at {where}; beside the others it costs more than leaving it out"
        return HorizonReason.CAPACITY, detail

    def _cost_alone(self, k: int) -> int:
        """The least cost on empty sites, whatever the cap on carbon and the bound on moves."""
        kinds, lookup, empty = self._empty
        slots = np.empty(self.instance.supply.slots, dtype=np.int64)
        return int(best_option(kinds, lookup._replace(kind=np.array([k])), empty, NO_GUIDE, 0, slots)[0])

    @cached_property
    def _empty(self) -> tuple[Kinds, Lookup, State]:
        """Empty sites where leaving work out is no choice; most plans leave nobody out and never ask."""
        kinds, nobody, unlimited = self.instance.kinds, np.array([-1]), np.array([0, NO_LIMIT])
        dearest = kinds._replace(penalty=np.full_like(kinds.penalty, NEVER - 1))
        lookup = lookup_of(self.instance)._replace(together=nobody, apart=nobody)
        return dearest, lookup, empty_state(self.instance)._replace(carbon=unlimited, moves=unlimited)

    def _carbon(self, w: HorizonWorkload, k: int, way: Way) -> int:
        """The least carbon (µg) of any slots in the window, capacity aside."""
        kinds, (a, s) = self.instance.kinds, way
        sites = [s]
        if kinds.spread[k]:
            rows = kinds.site[kinds.site_start[k] : kinds.site_start[k + 1]].tolist()
            cities = self.problem.sites
            sites = [m for m in rows if cities[m].city == cities[s].city and self._holds_grades(a, m)]
        needs = slice(int(kinds.need_start[a]), int(kinds.need_start[a + 1]))
        grades, milli = kinds.need_grade[needs], kinds.need_milli[needs]
        each = np.min([milli @ self.carbon[site][grades] for site in sites], axis=0)
        window = np.sort(each[w.earliest : w.latest_end])[: kinds.duration[a]]
        return int(window.sum()) * w.gang_size

    def _holds_grades(self, a: int, s: int) -> bool:
        kinds, supply = self.instance.kinds, self.instance.supply
        grades = kinds.need_grade[kinds.need_start[a] : kinds.need_start[a + 1]]
        return bool(supply.held.reshape(self.usable.shape[:2])[s, grades].all())

    def _names(self, sites: Bools) -> str:
        codes = [self.problem.sites[row].code for row in np.flatnonzero(sites).tolist()]
        more = len(codes) - SITES_NAMED_MAX
        return ", ".join(codes[:SITES_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")

    def _nearest(self, w: HorizonWorkload) -> str:
        rtt_ms = self.eligibility.rtt_ms[w.origin]
        if not len(rtt_ms):
            return "there is no site"
        nearest = int(np.argmin(rtt_ms))
        code = self.problem.sites[nearest].code
        return f"{code}, the nearest, is {rtt_ms[nearest]:.1f} ms away; the bound is {w.latency_ms_max:g} ms"


def _or(w: HorizonWorkload) -> str:
    each = f" for each of {w.gang_size} members" if w.gang_size > 1 else ""
    vectors = (
        " + ".join(f"{need.milli_cards / MILLI:g} {need.grade}" for need in needs) + f" for {slots} slots"
        for needs, slots in w.alternatives
    )
    return " or ".join(vectors) + each
