"""The rule of pre-emption in the exact model: whoever is left out has no place even without best-effort work.

For each place (site, alternative, slots) of ordinary work that is left out, other ordinary work must fill a
cell of it: use more than what the cell has less what the place needs there. That follows from the rule as
`scheduler.horizon.checker` verifies it, since nothing else stands in the way of the places looked at here: no
label, line, budget, cap or bound on moves, and even the dearest cards cost less than leaving the work out.
Other places are not looked at, so no plan that keeps the rule is cut off: the bound holds for all of them.
"""

import math
from collections.abc import Iterator

import numpy as np
from ortools.sat.python import cp_model

from scheduler.horizon.exact_model import ExactModel, Terms, Var, weighted
from scheduler.horizon.supply import Bools, Ints


def add_rule(exact: ExactModel, gives_way: Bools) -> None:
    """Cut off plans that break the rule; ``gives_way`` (J,) is best-effort and expected work."""
    instance = exact.instance
    if instance.carbon_cap_ug is not None or not gives_way.any():
        return
    rule = _Rule(exact, gives_way)
    plain = ~gives_way & (instance.together < 0) & (instance.apart < 0)
    for k in np.unique(instance.kind[plain]).tolist():
        if instance.moves_max is None or not instance.kinds.could_stay[k]:
            rule.add_kind(k, np.flatnonzero(plain & (instance.kind == k)).tolist())


class _Rule:
    """One literal a cell and need: ordinary work leaves less room than that."""

    def __init__(self, exact: ExactModel, gives_way: Bools) -> None:
        self.exact = exact
        self.model = exact.model
        self.firm: dict[int, Terms] = {
            cell: [(var, milli) for j, var, milli in uses if not gives_way[j]]
            for cell, uses in exact.uses.items()
        }
        self.dearest = _dearest(exact)
        self.full: dict[tuple[int, int], Var] = {}

    def add_kind(self, k: int, rows: list[int]) -> None:
        """Where any of these workloads of one kind is left out, none of its places is free."""
        kinds, missing = self.exact.instance.kinds, self.model.new_bool_var("")
        for j in rows:
            self.model.add_implication(self.exact.outs[j], missing)
        for a, row in self._sites(k):
            s, gang = int(kinds.site[row]), int(kinds.gang[k])
            good = [members >= gang for members in self.exact.room(a, s)]
            full = {t: self._full(a, s, t, gang) for t, fits in enumerate(good) if fits}
            if kinds.preemptible[k]:
                self._close_pausing(k, a, full, missing)
                continue
            for start in self.exact.starts(k, a, good):
                run = range(start, start + int(kinds.duration[a]))
                literals = {var.index: var for t in run for var in full[t]}
                self.model.add_bool_or([missing.Not(), *literals.values()])

    def _sites(self, k: int) -> Iterator[tuple[int, int]]:
        """Alternatives and rows of sites that cost less than leaving out, whatever else is there."""
        kinds, slots = self.exact.instance.kinds, self.exact.instance.supply.slots
        late = max(0, int(kinds.end[k]) - int(kinds.due[k])) * int(kinds.late[k])
        for a in range(kinds.alternative_start[k], kinds.alternative_start[k + 1]):
            for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
                s = int(kinds.site[row])
                if not kinds.affordable[a, s] or kinds.link[row] >= 0:
                    continue
                hourly = sum(
                    milli * int(self.dearest[cell : cell + slots].max())
                    for cell, milli in self.exact.needs(a, s, int(kinds.gang[k]))
                )
                cost = hourly * int(kinds.duration[a]) + late
                if cost + int(kinds.transfer[row]) + int(kinds.migration[k]) < kinds.penalty[k]:
                    yield a, row

    def _full(self, a: int, s: int, slot: int, gang: int) -> list[Var]:
        """Literals of which one must hold where a place cannot be had in a slot."""
        return [self._lacks(cell + slot, milli) for cell, milli in self.exact.needs(a, s, gang)]

    def _lacks(self, cell: int, milli: int) -> Var:
        if (cell, milli) not in self.full:
            lacks = self.full[cell, milli] = self.model.new_bool_var("")
            terms = self.firm.get(cell, [])
            unit = math.gcd(*(weight for _, weight in terms)) or 1
            least = -(-(int(self.exact.instance.supply.usable[cell]) - milli + 1) // unit)
            used = weighted([(var, weight // unit) for var, weight in terms])
            self.model.add(used >= least * lacks)
        return self.full[cell, milli]

    def _close_pausing(self, k: int, a: int, full: dict[int, list[Var]], missing: Var) -> None:
        """Too few slots of the window are free."""
        kinds = self.exact.instance.kinds
        window = [t for t in full if kinds.earliest[k] <= t < kinds.end[k]]
        least = len(window) - int(kinds.duration[a]) + 1
        if least > 0:
            closed = [self._any(full[t]) for t in window]
            self.model.add(cp_model.LinearExpr.sum(closed) >= least * missing)

    def _any(self, literals: list[Var]) -> Var:
        """A literal that holds only if one of these does."""
        if len(literals) == 1:
            return literals[0]
        either = self.model.new_bool_var("")
        self.model.add_bool_or([either.Not(), *literals])
        return either


def _dearest(exact: ExactModel) -> Ints:
    """(N,) nano-CNY of each cell's dearest milli-card, running it included."""
    supply = exact.instance.supply
    dearest = supply.running.copy()
    cells = np.repeat(np.arange(len(dearest)), np.diff(supply.step_start))
    np.maximum.at(dearest, cells, supply.step_price + supply.running[cells])
    return dearest
