"""The exact model of small instances: CP-SAT over integers, every rule stated, nothing relaxed.

One Boolean a workload and option (site, alternative, start) where work may not pause; where it may, one a
slot. Members of a gang that may spread are integers a site. Money is divided by the greatest common divisor
of all costs and cards by that of each cell: every figure stays a small integer and nothing is rounded.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from ortools.sat.python import cp_model

from scheduler.horizon.insertion import SPLIT, STAYS
from scheduler.horizon.instance import NO_SLOT, Instance
from scheduler.horizon.types import HorizonProblem

Var = cp_model.IntVar
Terms = list[tuple[Var, int]]
Uses = list[tuple[int, Var, int]]
"""Which workload (by row) uses how many times what."""
Value = Callable[[Var], int]


class Choice(NamedTuple):
    """Where a workload is: alternative, site (or `STAYS`, `SPLIT`), row, slots, and for `SPLIT` the parts."""

    alternative: int
    site: int
    row: int
    slots: tuple[int, ...]
    parts: tuple[tuple[int, int], ...] = ()


class Way(NamedTuple):
    """A Boolean that is true where a workload goes this way, and how to read the choice from a solution."""

    chosen: Var
    read: Callable[[Value], Choice]


class ExactModel:
    """All variables and rules; `ways` of each workload tell the answer."""

    def __init__(self, problem: HorizonProblem, instance: Instance) -> None:
        self.problem = problem
        self.instance = instance
        self.model = cp_model.CpModel()
        self.cells: dict[int, Uses] = defaultdict(list)
        """Per cell members and milli-cards of each."""
        self.lines: dict[tuple[int, int], Uses] = defaultdict(list)
        """Per link and slot."""
        self.apart: dict[tuple[int, int, int], Uses] = defaultdict(list)
        """Per label, site and slot."""
        self.together: dict[tuple[int, int], Uses] = defaultdict(list)
        """Per label and site."""
        self.carbon: Uses = []
        self.moves: list[Var] = []
        self.costs: Terms = []
        self.ways: list[list[Way]] = []
        self.outs: list[Var] = []
        """Per workload whether it is left out."""
        for j in range(len(instance.kind)):
            self.ways.append([])
            self._add_workload(j)
        self._add_capacity()
        self._add_shared_rules()
        self.grain = math.gcd(*(cost for _, cost in self.costs)) or 1
        variables, costs = [var for var, _ in self.costs], [cost // self.grain for _, cost in self.costs]
        self.model.minimize(cp_model.LinearExpr.weighted_sum(variables, costs))

    def _bool(self) -> Var:
        return self.model.new_bool_var("")

    def _both(self, one: Var, other: Var, both: Var) -> None:
        self.model.add_bool_or([one.Not(), other.Not(), both])
        self.model.add_implication(both, one)
        self.model.add_implication(both, other)

    def _int(self, most: int) -> Var:
        return self.model.new_int_var(0, most, "")

    def _add_workload(self, j: int) -> None:
        kinds, k = self.instance.kinds, int(self.instance.kind[j])
        for a in range(kinds.alternative_start[k], kinds.alternative_start[k + 1]):
            if kinds.spread[k]:
                for rows in self._cities(k):
                    self._add_spread(j, k, a, rows)
                continue
            for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
                if kinds.affordable[a, kinds.site[row]]:
                    self._add_site(j, k, a, row)
        moving = [way.chosen for way in self.ways[j]]
        for chosen in moving:
            self.costs.append((chosen, int(kinds.migration[k])))
        if kinds.stay_alternative[k] >= 0:
            self.moves += moving
            self._add_stay(j, k)
        out = self._bool()
        self.outs.append(out)
        self.costs.append((out, int(kinds.penalty[k])))
        self.model.add_exactly_one([*(way.chosen for way in self.ways[j]), out])

    def _cities(self, k: int) -> Iterable[list[int]]:
        kinds = self.instance.kinds
        cities: dict[str, list[int]] = defaultdict(list)
        for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
            cities[self.problem.sites[kinds.site[row]].city].append(row)
        return cities.values()

    def room(self, a: int, s: int) -> list[int]:
        """(T,) members that the empty site holds in each slot; 0 where it lacks a grade."""
        kinds, supply = self.instance.kinds, self.instance.supply
        usable = supply.usable.reshape(len(supply.sites), len(supply.grades), supply.slots)
        needs = slice(int(kinds.need_start[a]), int(kinds.need_start[a + 1]))
        rows = usable[s, kinds.need_grade[needs]] // kinds.need_milli[needs][:, None]
        members: list[int] = rows.min(axis=0).tolist()
        return members

    def needs(self, a: int, s: int, members: int) -> list[tuple[int, int]]:
        """The cells of slot 0 at a site that an alternative needs, and milli-cards of so many members."""
        kinds, supply = self.instance.kinds, self.instance.supply
        return [
            (
                supply.resource(s, int(kinds.need_grade[n])) * supply.slots,
                int(kinds.need_milli[n]) * members,
            )
            for n in range(kinds.need_start[a], kinds.need_start[a + 1])
        ]

    def sends(self, k: int, row: int, slot: int) -> bool:
        """Whether the empty line takes the data in a slot."""
        kinds, link = self.instance.kinds, int(self.instance.kinds.link[row])
        return link < 0 or bool(self.instance.link_room[link, slot] >= kinds.data_gb[k])

    def _use(self, j: int, a: int, s: int, slot: int, members: Var, each: int) -> None:
        """Count what ``each`` × ``members`` need of a site's cells in a slot, and their carbon and money."""
        supply = self.instance.supply
        for first, milli in self.needs(a, s, each):
            cell = first + slot
            self.cells[cell].append((j, members, milli))
            if supply.running[cell]:
                self.costs.append((members, milli * int(supply.running[cell])))
            if self.instance.carbon_cap_ug is not None and supply.carbon[cell]:
                self.carbon.append((j, members, milli * int(supply.carbon[cell])))

    def _send(self, j: int, k: int, row: int, slot: int, begins: Var) -> None:
        kinds = self.instance.kinds
        if kinds.link[row] >= 0:
            self.lines[int(kinds.link[row]), slot].append((j, begins, int(kinds.data_gb[k])))

    def _label(self, j: int, s: int, slots: Iterable[int], runs: Var) -> None:
        """``runs`` is true where a workload is at a site in these slots."""
        if self.instance.apart[j] >= 0:
            for slot in slots:
                self.apart[int(self.instance.apart[j]), s, slot].append((j, runs, 1))
        if self.instance.together[j] >= 0:
            self.together[int(self.instance.together[j]), s].append((j, runs, 1))

    def _late(self, k: int, end: int) -> int:
        kinds = self.instance.kinds
        return max(0, end - int(kinds.due[k])) * int(kinds.late[k])

    def starts(self, k: int, a: int, good: list[bool]) -> list[int]:
        """The slots from which every slot of a run is good."""
        kinds = self.instance.kinds
        duration = int(kinds.duration[a])
        starts = range(int(kinds.earliest[k]), int(kinds.end[k]) - duration + 1)
        return [t for t in starts if all(good[t : t + duration])]

    def _add_site(self, j: int, k: int, a: int, row: int) -> None:
        """All members at one site."""
        kinds = self.instance.kinds
        s, gang = int(kinds.site[row]), int(kinds.gang[k])
        good = [members >= gang for members in self.room(a, s)]
        if kinds.preemptible[k]:
            self._add_pausing(j, k, a, row, good)
            return
        for start in self.starts(k, a, good):
            if self.sends(k, row, start):
                slots = tuple(range(start, start + int(kinds.duration[a])))
                chosen = self._bool()
                self._run(j, k, a, s, slots, chosen, gang)
                self._send(j, k, row, start, chosen)
                self.costs.append((chosen, int(kinds.transfer[row])))
                self.ways[j].append(_fixed_way(chosen, Choice(a, s, row, slots)))

    def _run(self, j: int, k: int, a: int, s: int, slots: tuple[int, ...], chosen: Var, members: int) -> None:
        for slot in slots:
            self._use(j, a, s, slot, chosen, members)
        self._label(j, s, slots, chosen)
        self.costs.append((chosen, self._late(k, slots[-1] + 1)))

    def _add_pausing(self, j: int, k: int, a: int, row: int, good: list[bool]) -> None:
        kinds = self.instance.kinds
        s = int(kinds.site[row])
        runs = self._pausing_slots(j, k, a, good)
        if runs is None:
            return
        chosen, slots = runs
        for slot, run in slots.items():
            self._use(j, a, s, slot, run, int(kinds.gang[k]))
            if self.instance.apart[j] >= 0:
                self.apart[int(self.instance.apart[j]), s, slot].append((j, run, 1))
        self._label(j, s, (), chosen)
        self.costs.append((chosen, int(kinds.transfer[row])))
        if kinds.link[row] >= 0:
            for slot, begins in self._first_slot(chosen, slots).items():
                if self.sends(k, row, slot):
                    self._send(j, k, row, slot, begins)
                else:
                    self.model.add(begins == 0)
        self.ways[j].append(Way(chosen, lambda value: Choice(a, s, row, _chosen(value, slots))))

    def _pausing_slots(
        self, j: int, k: int, a: int, good: list[bool], begin: int | None = None
    ) -> tuple[Var, dict[int, Var]] | None:
        """Whether it runs at all, and in which slots; None where there are too few. Lateness is counted."""
        kinds = self.instance.kinds
        first = int(kinds.earliest[k]) if begin is None else begin
        window = [t for t in range(first, int(kinds.end[k])) if good[t]]
        duration = int(kinds.duration[a])
        if len(window) < duration:
            return None
        chosen, slots = self._bool(), {t: self._bool() for t in window}
        self.model.add(cp_model.LinearExpr.sum(list(slots.values())) == duration * chosen)
        due = int(kinds.due[k])
        if due < NO_SLOT and window[-1] >= due and kinds.late[k]:
            overdue = self._int(window[-1] + 1 - due)
            for t, run in slots.items():
                if t >= due:
                    self.model.add(overdue >= (t + 1 - due) * run)
            self.costs.append((overdue, int(kinds.late[k])))
        return chosen, slots

    def _first_slot(self, chosen: Var, slots: dict[int, Var]) -> dict[int, Var]:
        first = {t: self._bool() for t in slots}
        self.model.add(cp_model.LinearExpr.sum(list(first.values())) == chosen)
        times = sorted(slots)
        for n, t in enumerate(times):
            self.model.add_implication(first[t], slots[t])
            self.model.add(slots[t] <= cp_model.LinearExpr.sum([first[u] for u in times[: n + 1]]))
        return first

    def _add_stay(self, j: int, k: int) -> None:
        kinds = self.instance.kinds
        a = int(kinds.stay_alternative[k])
        parts = [
            (int(kinds.stay_site[p]), int(kinds.stay_members[p]))
            for p in range(kinds.stay_start[k], kinds.stay_start[k + 1])
        ]
        rooms = [(self.room(a, s), members) for s, members in parts]
        good = [all(room[t] >= m for room, m in rooms) for t in range(self.instance.supply.slots)]
        if kinds.preemptible[k]:
            runs = self._pausing_slots(j, k, a, good, 0)
            if runs is not None:
                chosen, slots = runs
                for s, members in parts:
                    for slot, run in slots.items():
                        self._use(j, a, s, slot, run, members)
                        if self.instance.apart[j] >= 0:
                            self.apart[int(self.instance.apart[j]), s, slot].append((j, run, 1))
                    self._label(j, s, (), chosen)
                self.ways[j].append(Way(chosen, lambda value: Choice(a, STAYS, -1, _chosen(value, slots))))
            return
        duration = int(kinds.duration[a])
        if all(good[:duration]):
            chosen = self._bool()
            fixed = tuple(range(duration))
            for number, (s, members) in enumerate(parts):
                for slot in fixed:
                    self._use(j, a, s, slot, chosen, members)
                self._label(j, s, fixed, chosen)
                if number == 0:
                    self.costs.append((chosen, self._late(k, duration)))
            self.ways[j].append(Way(chosen, lambda _: Choice(a, STAYS, -1, fixed)))

    def _add_spread(self, j: int, k: int, a: int, rows: list[int]) -> None:
        """Members over the sites of one city."""
        kinds = self.instance.kinds
        rows = [row for row in rows if kinds.allowed[a, kinds.site[row]]]
        rooms = {row: self.room(a, int(kinds.site[row])) for row in rows}
        slots = self.instance.supply.slots
        good = [sum(room[t] for room in rooms.values()) >= kinds.gang[k] for t in range(slots)]
        if not rows:
            return
        if kinds.preemptible[k]:
            self._add_spread_pausing(j, k, a, rooms, good)
            return
        for start in self.starts(k, a, good):
            run = tuple(range(start, start + int(kinds.duration[a])))
            chosen = self._bool()
            members = self._members(j, k, a, rooms, chosen)
            for row, (number, here) in members.items():
                s = int(kinds.site[row])
                self.model.add(number <= min(rooms[row][t] for t in run))
                for slot in run:
                    self._use(j, a, s, slot, number, 1)
                self._label(j, s, run, here)
                self._send(j, k, row, start, here)
            self.costs.append((chosen, self._late(k, run[-1] + 1)))
            self.ways[j].append(_split_way(a, run, chosen, members))

    def _members(
        self, j: int, k: int, a: int, rooms: dict[int, list[int]], chosen: Var
    ) -> dict[int, tuple[Var, Var]]:
        """Per site how many members, and whether any; they add up, and their budget holds."""
        kinds, gang = self.instance.kinds, int(self.instance.kinds.gang[k])
        found = {row: (self._int(gang), self._bool()) for row in rooms}
        self.model.add(cp_model.LinearExpr.sum([number for number, _ in found.values()]) == gang * chosen)
        listed: Terms = []
        for row, (number, here) in found.items():
            self.model.add(number <= gang * here)
            self.model.add(number >= here)
            self.costs.append((here, int(kinds.transfer[row])))
            listed += [(number, self._listed(a, int(kinds.site[row]))), (here, int(kinds.transfer[row]))]
        budget = self.problem.workloads[j].budget_micro_cny
        if budget is not None:
            self.model.add(_weighted(listed) <= budget * 1000)
        return found

    def _listed(self, a: int, s: int) -> int:
        """Nano-CNY of one member at list price."""
        kinds, supply = self.instance.kinds, self.instance.supply
        hours = supply.hours * int(kinds.duration[a])
        return (
            sum(
                int(kinds.need_milli[n])
                * int(supply.list_price[supply.resource(s, int(kinds.need_grade[n]))])
                for n in range(kinds.need_start[a], kinds.need_start[a + 1])
            )
            * hours
        )

    def _add_spread_pausing(
        self, j: int, k: int, a: int, rooms: dict[int, list[int]], good: list[bool]
    ) -> None:
        kinds, gang = self.instance.kinds, int(self.instance.kinds.gang[k])
        runs = self._pausing_slots(j, k, a, good)
        if runs is None:
            return
        chosen, slots = runs
        members = self._members(j, k, a, rooms, chosen)
        first = self._first_slot(chosen, slots)
        for row, (number, here) in members.items():
            s = int(kinds.site[row])
            self._label(j, s, (), here)
            for slot, run in slots.items():
                active, present = self._int(gang), self._bool()
                self.model.add(active >= number - gang * (1 - run))
                self.model.add(active <= number)
                self.model.add(active <= gang * run)
                self.model.add(active <= rooms[row][slot])
                self._use(j, a, s, slot, active, 1)
                self._both(here, run, present)
                if self.instance.apart[j] >= 0:
                    self.apart[int(self.instance.apart[j]), s, slot].append((j, present, 1))
                if kinds.link[row] >= 0:
                    sending = self._bool()
                    self._both(here, first[slot], sending)
                    self._send(j, k, row, slot, sending)
        self.ways[j].append(
            Way(chosen, lambda value: Choice(a, SPLIT, -1, _chosen(value, slots), _parts(value, members)))
        )

    def _add_capacity(self) -> None:
        supply = self.instance.supply
        for cell, uses in self.cells.items():
            steps = range(int(supply.step_start[cell]), int(supply.step_start[cell + 1]))
            milli = [int(supply.step_milli[step]) for step in steps]
            unit = math.gcd(*milli, *(weight for *_, weight in uses)) or 1
            bought = [self._int(amount // unit) for amount in milli]
            self.costs += [
                (var, int(supply.step_price[step]) * unit) for var, step in zip(bought, steps, strict=True)
            ]
            self.model.add(used(uses, unit) <= cp_model.LinearExpr.sum(bought))

    def _add_shared_rules(self) -> None:
        instance = self.instance
        for (link, slot), uses in self.lines.items():
            self.model.add(used(uses) <= int(instance.link_room[link, slot]))
        for uses in self.apart.values():
            self.model.add(used(uses) <= 1)
        sites: dict[int, list[Var]] = defaultdict(list)
        for (label, _), uses in self.together.items():
            here = self._bool()
            sites[label].append(here)
            for _, run, _ in uses:
                self.model.add_implication(run, here)
        for here_or_there in sites.values():
            self.model.add_at_most_one(here_or_there)
        if instance.carbon_cap_ug is not None and self.carbon:
            self.model.add(used(self.carbon) <= instance.carbon_cap_ug)
        if instance.moves_max is not None and self.moves:
            self.model.add(cp_model.LinearExpr.sum(self.moves) <= instance.moves_max)


def used(uses: Uses, unit: int = 1) -> cp_model.LinearExpr:
    """What is used altogether, in units that divide all weights."""
    return _weighted([(var, weight // unit) for _, var, weight in uses])


def _weighted(terms: Terms) -> cp_model.LinearExpr:
    return cp_model.LinearExpr.weighted_sum([var for var, _ in terms], [weight for _, weight in terms])


def _fixed_way(chosen: Var, choice: Choice) -> Way:
    return Way(chosen, lambda _: choice)


def _split_way(a: int, run: tuple[int, ...], chosen: Var, members: dict[int, tuple[Var, Var]]) -> Way:
    return Way(chosen, lambda value: Choice(a, SPLIT, -1, run, _parts(value, members)))


def _chosen(value: Value, slots: dict[int, Var]) -> tuple[int, ...]:
    return tuple(sorted(t for t, run in slots.items() if value(run)))


def _parts(value: Value, members: dict[int, tuple[Var, Var]]) -> tuple[tuple[int, int], ...]:
    return tuple((row, n) for row, (number, _) in members.items() if (n := value(number)))


def size_of(instance: Instance) -> int:
    """About how many Booleans the model takes."""
    kinds = instance.kinds
    sites = np.diff(kinds.site_start) * np.diff(kinds.alternative_start)
    window = kinds.end - kinds.earliest
    return int((kinds.size * sites * window).sum())
