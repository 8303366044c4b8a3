"""The rule of pre-emption in the exact model: whoever is left out has no place even without best-effort work.

For each place (site, alternative, slots) of ordinary work that is left out, other ordinary work must be in
the way: in a cell of it that work uses more than what the cell has less what the place needs there; or the
line, the carbon cap or a label is taken so far that the place cannot be had. That follows from the rule as
`scheduler.horizon.checker` verifies it, where even the dearest cards cost less than leaving the work out.
Places that cost more, that depend on the bound on moves, or need a line and may pause, are not looked at. So
no plan that keeps the rule is cut off: the bound holds for all of them.
"""

import math
from collections.abc import Hashable, Iterator

import numpy as np
from ortools.sat.python import cp_model

from scheduler.horizon.exact_model import ExactModel, Uses, Var, used
from scheduler.horizon.supply import Bools

Needs = list[tuple[int, int]]
"""Cells of slot 0, and milli-cards."""


def add_rule(exact: ExactModel, gives_way: Bools) -> None:
    """Cut off plans that break the rule; ``gives_way`` (J,) is best-effort and expected work."""
    instance = exact.instance
    if not gives_way.any():
        return
    rule = _Rule(exact, gives_way)
    alike: dict[tuple[int, int, int], list[int]] = {}
    for j in np.flatnonzero(~gives_way).tolist():
        key = int(instance.kind[j]), int(instance.together[j]), int(instance.apart[j])
        alike.setdefault(key, []).append(j)
    for (k, together, apart), rows in alike.items():
        if instance.moves_max is None or not instance.kinds.could_stay[k]:
            rule.add_kind(k, together, apart, rows)


class _Rule:
    """One literal for each thing that ordinary work may leave too little of."""

    def __init__(self, exact: ExactModel, gives_way: Bools) -> None:
        self.exact = exact
        self.model = exact.model
        self.gives_way = gives_way
        self.dearest = _dearest(exact)
        self.usable: list[int] = exact.instance.supply.usable.tolist()
        self.levels: dict[Hashable, tuple[Var, int]] = {}
        self.lacking: dict[tuple[Hashable, int], Var] = {}

    def add_kind(self, k: int, together: int, apart: int, rows: list[int]) -> None:
        """Where any of these workloads is left out, none of its places is free; they are of one kind."""
        kinds, missing = self.exact.instance.kinds, self.model.new_bool_var("")
        for j in rows:
            self.model.add_implication(self.exact.outs[j], missing)
        for a, row, needs in self._places(k):
            s, gang, duration = int(kinds.site[row]), int(kinds.gang[k]), int(kinds.duration[a])
            good = [members >= gang for members in self.exact.room(a, s)]
            closed = {t: self._closed(needs, s, t, apart) for t, fits in enumerate(good) if fits}
            always = self._elsewhere(together, s)
            if kinds.preemptible[k]:
                window = [t for t in closed if kinds.earliest[k] <= t < kinds.end[k]]
                if len(window) >= duration:
                    always += self._beyond_cap(needs, window, duration)
                    self._close_pausing([closed[t] for t in window], duration, always, missing)
                continue
            for start in self.exact.starts(k, a, good):
                if not self.exact.sends(k, row, start):
                    continue
                run = range(start, start + duration)
                taken = {var.index: var for t in run for var in closed[t]}
                over = [*self._line_full(k, row, start), *self._beyond_cap(needs, run, duration)]
                self.model.add_bool_or([*always, *taken.values(), *over]).only_enforce_if(missing)

    def _places(self, k: int) -> Iterator[tuple[int, int, Needs]]:
        """Alternatives, rows of sites and needs that cost less than leaving out, whatever else is there."""
        kinds, slots = self.exact.instance.kinds, self.exact.instance.supply.slots
        late = max(0, int(kinds.end[k]) - int(kinds.due[k])) * int(kinds.late[k])
        for a in range(kinds.alternative_start[k], kinds.alternative_start[k + 1]):
            for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
                s = int(kinds.site[row])
                if not kinds.affordable[a, s] or (kinds.link[row] >= 0 and kinds.preemptible[k]):
                    continue
                needs = self.exact.needs(a, s, int(kinds.gang[k]))
                hourly = sum(milli * self.dearest[cell // slots] for cell, milli in needs)
                cost = hourly * int(kinds.duration[a]) + late
                if cost + int(kinds.transfer[row]) + int(kinds.migration[k]) < kinds.penalty[k]:
                    yield a, row, needs

    def _lacks(self, what: Hashable, uses: Uses, room: int, need: int) -> Var:
        """A literal that holds only if ordinary work leaves less of something than a place needs."""
        if (what, need) not in self.lacking:
            lacks = self.lacking[what, need] = self.model.new_bool_var("")
            level, unit = self._level(what, uses, room)
            self.model.add(level >= -(-(room - need + 1) // unit) * lacks)
        return self.lacking[what, need]

    def _level(self, what: Hashable, uses: Uses, room: int) -> tuple[Var, int]:
        """No more than what ordinary work uses of something, and the unit it is counted in."""
        if what not in self.levels:
            firm = self._firm(uses)
            unit = math.gcd(*(weight for *_, weight in firm)) or 1
            level = self.model.new_int_var(0, room // unit, "")
            self.model.add(level <= used(firm, unit))
            self.levels[what] = level, unit
        return self.levels[what]

    def _firm(self, uses: Uses) -> Uses:
        return [use for use in uses if not self.gives_way[use[0]]]

    def _closed(self, needs: Needs, s: int, slot: int, apart: int) -> list[Var]:
        """Literals of which one must hold where a place cannot be had in a slot."""
        exact = self.exact
        found = [var for _, var, _ in self._firm(exact.apart.get((apart, s, slot), []))]
        for first, milli in needs:
            cell = first + slot
            found.append(self._lacks(cell, exact.cells.get(cell, []), self.usable[cell], milli))
        return found

    def _elsewhere(self, together: int, s: int) -> list[Var]:
        """Whether one it must be together with is at another site."""
        sites = range(len(self.exact.instance.supply.sites)) if together >= 0 else ()
        return [
            var
            for other in sites
            if other != s
            for _, var, _ in self._firm(self.exact.together.get((together, other), []))
        ]

    def _line_full(self, k: int, row: int, slot: int) -> list[Var]:
        instance = self.exact.instance
        link, gb = int(instance.kinds.link[row]), int(instance.kinds.data_gb[k])
        if link < 0:
            return []
        uses, room = self.exact.lines.get((link, slot), []), int(instance.link_room[link, slot])
        return [self._lacks((link, slot), uses, room, gb)]

    def _beyond_cap(self, needs: Needs, slots: list[int] | range, duration: int) -> list[Var]:
        """Whether a run in the slots of most carbon would go beyond the cap."""
        cap, carbon = self.exact.instance.carbon_cap_ug, self.exact.instance.supply.carbon
        if cap is None:
            return []
        each = [sum(milli * int(carbon[first + t]) for first, milli in needs) for t in slots]
        most = sum(sorted(each)[-duration:])
        return [self._lacks("carbon", self.exact.carbon, cap, most)]

    def _close_pausing(self, closed: list[list[Var]], duration: int, always: list[Var], missing: Var) -> None:
        """Too few slots of the window are free, or one of the literals holds."""
        few = self.model.new_bool_var("")
        self.model.add_bool_or([*always, few]).only_enforce_if(missing)
        taken = [self._any(literals) for literals in closed]
        self.model.add(cp_model.LinearExpr.sum(taken) >= (len(closed) - duration + 1) * few)

    def _any(self, literals: list[Var]) -> Var:
        """A literal that holds only if one of these does."""
        either = self.model.new_bool_var("")
        self.model.add_bool_or([either.Not(), *literals])
        return either


def _dearest(exact: ExactModel) -> list[int]:
    """Nano-CNY of each resource's dearest milli-card in any slot, running it included."""
    supply = exact.instance.supply
    dearest = supply.running.copy()
    cells = np.repeat(np.arange(len(dearest)), np.diff(supply.step_start))
    np.maximum.at(dearest, cells, supply.step_price + supply.running[cells])
    most: list[int] = dearest.reshape(-1, supply.slots).max(axis=1).tolist()
    return most
