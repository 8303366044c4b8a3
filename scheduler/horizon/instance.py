"""Workloads compiled into arrays: those that cannot be told apart are one *kind*.

A kind has alternatives (demand for all its members, and slots), sites it may go to with what moving its data
there costs, a window, and, for running work, the parts where it could stay. Impossible sites are never built.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from scheduler.eligibility import may_go
from scheduler.horizon.supply import (
    BEST_EFFORT_FACTOR,
    PENALTY_FACTOR,
    RUNNING_FACTOR,
    Bools,
    Ints,
    Supply,
    link_rooms,
    supply_of,
)
from scheduler.horizon.types import (
    GangScope,
    HorizonProblem,
    HorizonWorkload,
    RunMode,
    Running,
)
from scheduler.types import MILLI

NO_SLOT = 10**6
"""Stands for "never due"."""


class Kinds(NamedTuple):
    """C kinds, as plain arrays for compiled loops; a `NamedTuple`, since numba understands those."""

    size: Ints
    """(C,) how many workloads."""
    penalty: Ints
    """(C,) nano-CNY for leaving one out."""
    earliest: Ints
    end: Ints
    due: Ints
    """(C,) slots; `NO_SLOT` where nothing is ever late."""
    late: Ints
    """(C,) nano-CNY for each slot of lateness."""
    preemptible: Bools
    spread: Bools
    """(C,) whether the members may be at several sites of a city."""
    gang: Ints
    """(C,) members."""
    data_gb: Ints
    migration: Ints
    """(C,) nano-CNY for not staying; 0 where nothing runs."""
    could_stay: Bools
    stay_alternative: Ints
    """(C,) number among all alternatives; -1 where nothing could stay."""
    stay_start: Ints
    """(C + 1,) where each kind's parts begin."""
    stay_site: Ints
    stay_members: Ints
    alternative_start: Ints
    """(C + 1,) where each kind's alternatives begin."""
    duration: Ints
    """(A,) slots an alternative takes."""
    need_start: Ints
    """(A + 1,) where each alternative's needs begin."""
    need_grade: Ints
    need_milli: Ints
    """(M,) milli-cards of one member."""
    site_start: Ints
    """(C + 1,) where each kind's sites begin."""
    site: Ints
    transfer: Ints
    """(L,) nano-CNY for moving the data there."""
    link: Ints
    """(L,) the link it takes, or -1 where nothing limits it."""
    allowed: Bools
    """(A, S) whether a site has the alternative's grades and, unless members may spread, the budget allows
    it.
    """
    affordable: Bools
    """(A, S) whether it does with all members there."""


def milli_of_member(kinds: Kinds) -> Ints:
    """(A,) milli-cards that an alternative takes for one member, of all its grades together."""
    summed = np.concatenate([[0], np.cumsum(kinds.need_milli)])
    milli: Ints = summed[kinds.need_start[1:]] - summed[kinds.need_start[:-1]]
    return milli


@dataclass(frozen=True, eq=False, slots=True)
class Instance:
    """A problem in arrays: J workloads in C kinds."""

    supply: Supply
    kinds: Kinds
    kind: Ints
    """(J,) kind of each workload."""
    together: Ints
    """(J,) number of its label, or -1."""
    apart: Ints
    """(J,) number of its label, or -1."""
    labels: tuple[int, int]
    """How many together and how many apart labels there are."""
    link_room: Ints
    """(links, T) GB."""
    carbon_cap_ug: int | None
    moves_max: int | None


def compile_instance(problem: HorizonProblem) -> Instance:
    """Group the workloads of a validated problem into kinds and build what each may do."""
    supply = supply_of(problem)
    running = {item.workload: item for item in problem.running}
    kinds: dict[tuple[object, ...], int] = {}
    first: list[tuple[HorizonWorkload, Running | None]] = []
    kind = np.empty(len(problem.workloads), dtype=np.int64)
    for row, w in enumerate(problem.workloads):
        item = running.get(w.id)
        key = _key(w, item)
        number = kinds.setdefault(key, len(first))
        if number == len(first):
            first.append((w, item))
        kind[row] = number
    size = np.bincount(kind, minlength=len(first)).astype(np.int64)
    together, togethers = _labels([w.together for w in problem.workloads])
    apart, aparts = _labels([w.apart for w in problem.workloads])
    cap = problem.carbon.cap_g
    return Instance(
        supply=supply,
        kinds=_KindBuilder(Eligibility(problem), supply).build(first, size),
        kind=kind,
        together=together,
        apart=apart,
        labels=(togethers, aparts),
        link_room=link_rooms(problem),
        carbon_cap_ug=None if cap is None else cap * 1_000_000,
        moves_max=problem.moves_max,
    )


class OneKind:
    """Kinds of single workloads that need not be the problem's own, as if nothing of them ran."""

    def __init__(self, problem: HorizonProblem, supply: Supply) -> None:
        self.supply = supply
        self.eligibility = Eligibility(problem)

    def of(self, w: HorizonWorkload) -> Kinds:
        """The one kind of a workload."""
        return _KindBuilder(self.eligibility, self.supply).build([(w, None)], np.ones(1, dtype=np.int64))


def _key(w: HorizonWorkload, item: Running | None) -> tuple[object, ...]:
    return (
        w.alternatives,
        w.origin,
        w.latency_ms_max,
        w.residency,
        w.earliest,
        w.latest_end,
        w.mode,
        w.due,
        w.lateness_micro_cny,
        w.priority,
        w.best_effort,
        w.chance_milli,
        w.gang_size,
        w.gang_scope,
        w.data_gb,
        w.budget_micro_cny,
        item and (item.alternative, item.parts, item.migration_micro_cny),
    )


def _labels(names: list[str]) -> tuple[Ints, int]:
    numbers: dict[str, int] = {}
    rows = [numbers.setdefault(name, len(numbers)) if name else -1 for name in names]
    return np.array(rows, dtype=np.int64), len(numbers)


class Eligibility:
    """Where a workload may go by network and residency, and what moving its data there costs."""

    def __init__(self, problem: HorizonProblem) -> None:
        network = problem.network
        row = {city: i for i, city in enumerate(network.origins)}
        column = {code: i for i, code in enumerate(network.sites)}
        columns = [column[site.code] for site in problem.sites]
        self.sites = problem.sites
        self.origins = {origin.city: origin for origin in problem.origins}
        self.rtt_ms = {city: network.rtt_ms[row[city], columns] for city in self.origins}
        self.links = {(link.origin, link.site): number for number, link in enumerate(problem.links)}
        prices = network.transfer_micro_cny_per_gb
        free = np.zeros(len(columns), dtype=np.int64)
        self.gb_price: dict[str, Ints] = {}
        for city in self.origins:
            price = free.copy() if prices is None else prices[row[city], columns].astype(np.int64)
            for s, site in enumerate(problem.sites):
                if (city, site.code) in self.links:
                    price[s] = problem.links[self.links[city, site.code]].price_micro_cny_per_gb
            self.gb_price[city] = price

    def near(self, w: HorizonWorkload) -> Bools:
        """(S,) sites within the latency bound."""
        rtt_ms = self.rtt_ms[w.origin]
        near: Bools = (rtt_ms <= w.latency_ms_max) & np.isfinite(rtt_ms)
        return near

    def resident(self, w: HorizonWorkload) -> Bools:
        """(S,) sites where the data may go."""
        origin = self.origins[w.origin]
        return np.array([may_go(origin, site, w.residency) for site in self.sites], dtype=np.bool_)

    def transfer(self, w: HorizonWorkload) -> Ints:
        """(S,) nano-CNY for moving the workload's data."""
        return self.gb_price[w.origin] * w.data_gb * 1000

    def link(self, w: HorizonWorkload) -> list[int]:
        """Per site the link its data takes, -1 where nothing limits it."""
        if not w.data_gb:
            return [-1] * len(self.sites)
        return [self.links.get((w.origin, site.code), -1) for site in self.sites]


class _KindBuilder:
    """Collects the arrays of `Kinds` one kind after the other."""

    def __init__(self, eligibility: Eligibility, supply: Supply) -> None:
        self.supply = supply
        self.eligibility = eligibility
        self.site_row = {code: row for row, code in enumerate(supply.sites)}
        self.grade_row = {grade: row for row, grade in enumerate(supply.grades)}
        self.held = supply.held.reshape(len(supply.sites), -1)
        self.list_price = supply.list_price.reshape(self.held.shape)
        self.dearest = self.list_price.max(axis=0, initial=0)
        self.profiles: dict[tuple[object, ...], tuple[Bools, Ints, list[int]]] = {}
        self.columns: Mapping[str, list[int]] = {name: [] for name in Kinds._fields}
        self.allowed: list[Bools] = []
        self.affordable: list[Bools] = []

    def build(self, first: list[tuple[HorizonWorkload, Running | None]], size: Ints) -> Kinds:
        """The arrays for one workload of each kind."""
        columns = self.columns
        for name in ("stay_start", "alternative_start", "site_start", "need_start"):
            columns[name].append(0)
        for w, item in first:
            self._add(w, item)
        sites = len(self.supply.sites)
        integers = {name: np.array(column, dtype=np.int64) for name, column in columns.items()}
        yes_or_no = {
            name: integers.pop(name).astype(np.bool_) for name in ("preemptible", "spread", "could_stay")
        }
        yes_or_no["allowed"] = np.array(self.allowed, dtype=np.bool_).reshape(-1, sites)
        yes_or_no["affordable"] = np.array(self.affordable, dtype=np.bool_).reshape(-1, sites)
        arrays: dict[str, Any] = {**integers, **yes_or_no, "size": size}
        return Kinds(**arrays)

    def _profile(self, w: HorizonWorkload) -> tuple[Bools, Ints, list[int]]:
        key = (w.origin, w.latency_ms_max, w.residency, w.data_gb)
        if key not in self.profiles:
            e = self.eligibility
            self.profiles[key] = (e.near(w) & e.resident(w), e.transfer(w), e.link(w))
        return self.profiles[key]

    def _add(self, w: HorizonWorkload, item: Running | None) -> None:
        columns = self.columns
        eligible, transfer, link = self._profile(w)
        never_late = w.due is None or w.lateness_micro_cny == 0
        columns["penalty"].append(self._penalty(w, item is not None, int(transfer.max(initial=0))))
        columns["earliest"].append(w.earliest)
        columns["end"].append(w.latest_end)
        columns["due"].append(NO_SLOT if never_late or w.due is None else w.due)
        columns["late"].append(w.lateness_micro_cny * 1000)
        columns["preemptible"].append(w.mode == RunMode.PREEMPTIBLE)
        columns["spread"].append(w.gang_scope == GangScope.CITY and w.gang_size > 1)
        columns["gang"].append(w.gang_size)
        columns["data_gb"].append(w.data_gb)
        self._add_alternatives(w, transfer)
        self._add_stay(w, item, eligible)
        for site in np.flatnonzero(eligible).tolist():
            columns["site"].append(site)
            columns["transfer"].append(int(transfer[site]))
            columns["link"].append(link[site])
        columns["site_start"].append(len(columns["site"]))

    def _penalty(self, w: HorizonWorkload, running: bool, transfer: int) -> int:
        needs, slots = w.alternatives[0]
        hours = self.supply.hours
        each = sum(max(int(self.dearest[self.grade_row[grade]]) * hours, 1) * milli for grade, milli in needs)
        factor = RUNNING_FACTOR if running else PENALTY_FACTOR
        factor = BEST_EFFORT_FACTOR if w.best_effort else factor
        whole = factor * (1 + w.priority) * (each * w.gang_size * slots + transfer)
        return whole if w.chance_milli is None else whole * w.chance_milli // MILLI

    def _add_alternatives(self, w: HorizonWorkload, transfer: Ints) -> None:
        columns = self.columns
        spread = columns["spread"][-1]
        for needs, duration in w.alternatives:
            rows = [self.grade_row[need.grade] for need in needs]
            held = np.asarray(self.held[:, rows].all(axis=1))
            affordable = held.copy()
            if w.budget_micro_cny is not None:
                hourly = self.list_price[:, rows] @ np.array([n.milli_cards for n in needs])
                cost = hourly * w.gang_size * duration * self.supply.hours + transfer
                affordable &= cost <= w.budget_micro_cny * 1000
            self.allowed.append(held if spread else affordable)
            self.affordable.append(affordable)
            columns["duration"].append(duration)
            columns["need_grade"] += rows
            columns["need_milli"] += [need.milli_cards for need in needs]
            columns["need_start"].append(len(columns["need_milli"]))
        columns["alternative_start"].append(len(columns["duration"]))

    def _add_stay(self, w: HorizonWorkload, item: Running | None, eligible: Bools) -> None:
        columns = self.columns
        stays = item is not None and self._could_stay(w, item, eligible)
        columns["could_stay"].append(stays)
        columns["migration"].append(item.migration_micro_cny * 1000 if item else 0)
        chosen = columns["alternative_start"][-2] + item.alternative if item and stays else -1
        columns["stay_alternative"].append(chosen)
        for part in item.parts if item and stays else ():
            columns["stay_site"].append(self.site_row[part.site])
            columns["stay_members"].append(part.members)
        columns["stay_start"].append(len(columns["stay_site"]))

    def _could_stay(self, w: HorizonWorkload, item: Running, eligible: Bools) -> bool:
        """Whether it could go on as it is if it were alone."""
        needs, duration = w.alternatives[item.alternative]
        sites = [self.site_row[part.site] for part in item.parts]
        rows = [self.grade_row[need.grade] for need in needs]
        if not eligible[sites].all() or not self.held[np.ix_(sites, rows)].all() or duration > w.latest_end:
            return False
        if w.budget_micro_cny is not None:
            hourly = self.list_price[np.ix_(sites, rows)] @ np.array([n.milli_cards for n in needs])
            cards = np.array([part.members for part in item.parts])
            cost = int(hourly @ cards) * duration * self.supply.hours
            if cost > w.budget_micro_cny * 1000:
                return False
        usable = self.supply.usable.reshape(len(self.supply.sites), len(self.supply.grades), -1)
        last = w.latest_end if w.mode == RunMode.PREEMPTIBLE else duration
        good = np.ones(last, dtype=np.bool_)
        for part in item.parts:
            for need in needs:
                row = usable[self.site_row[part.site], self.grade_row[need.grade], :last]
                good &= row >= need.milli_cards * part.members
        return int(good.sum()) >= duration
