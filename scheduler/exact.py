"""The exact model for small instances: CP-SAT over integers, so that what it proves is proved exactly.

Money is divided by the greatest common divisor of all costs and cards by that of each resource's figures:
every figure stays a small integer and no rounding is involved.
"""

import math
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from scheduler.capacity_rows import Needs
from scheduler.instance import Instance, Ints

EXACT_OPTIONS_MAX = 1500
"""The front door tries the exact model up to this many options."""
EXACT_STEPS_MAX = 1500
OBJECTIVE_MAX = 2**53
"""Beyond this a bound, which CP-SAT reports as a double, would no longer be an exact integer."""


@dataclass(frozen=True, eq=False, slots=True)
class ExactAnswer:
    """Workloads on options (O,) and a lower bound in nano-CNY; equal to their value if ``proved``."""

    amount: Ints
    bound: int
    proved: bool


def suits(instance: Instance) -> bool:
    """Whether the exact model is worth trying: few enough options, and figures small enough to stay exact."""
    small = len(instance.option_site) <= EXACT_OPTIONS_MAX
    small = small and len(instance.supply.step_price) <= EXACT_STEPS_MAX
    return bool(small and _objective_size(instance) <= OBJECTIVE_MAX)


def _grain(instance: Instance) -> int:
    figures = (*instance.option_cost.tolist(), *instance.penalty.tolist(), *_step_costs(instance))
    return math.gcd(*figures) or 1


def _step_costs(instance: Instance) -> list[int]:
    units = _units(instance)
    supply = instance.supply
    return [
        price * units[r]
        for price, r in zip(supply.step_price.tolist(), supply.step_resource.tolist(), strict=True)
    ]


def _units(instance: Instance) -> list[int]:
    """Per resource the greatest common divisor of everything counted in its cards."""
    supply, needs = instance.supply, Needs(instance)
    units = []
    for resource, reserved in enumerate(supply.reserved.tolist()):
        steps = supply.step_milli[supply.step_resource == resource].tolist()
        units.append(math.gcd(reserved, *needs.of(resource)[1].tolist(), *steps) or 1)
    return units


def _objective_size(instance: Instance) -> int:
    supply = instance.supply
    pairs = [
        *zip(instance.count.tolist(), instance.penalty.tolist(), strict=True),
        *zip(supply.step_milli.tolist(), supply.step_price.tolist(), strict=True),
        *zip(instance.count[instance.option_class].tolist(), instance.option_cost.tolist(), strict=True),
    ]
    size: int = sum(a * b for a, b in pairs)
    return size // _grain(instance)


def solve_exactly(instance: Instance, start: Ints, time_limit_s: float) -> ExactAnswer | None:
    """Search from ``start`` (O,); None if the time limit came before any answer."""
    model = _ExactModel(instance)
    model.hint(start)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(time_limit_s, 0.01)
    # one worker: the same input gives the same plan
    solver.parameters.num_workers = 1
    status = solver.solve(model.model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    amount = np.array([solver.value(x) for x in model.amount], dtype=np.int64)
    bound = round(solver.best_objective_bound) * model.grain + model.constant
    return ExactAnswer(amount, bound, status == cp_model.OPTIMAL)


class _ExactModel:
    """Variables: workloads on each option, and units of cards bought of each step."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.model = cp_model.CpModel()
        self.grain = _grain(instance)
        count = instance.count[instance.option_class].tolist()
        self.amount = [self.model.new_int_var(0, n, f"amount{o}") for o, n in enumerate(count)]
        penalty = instance.penalty.tolist()
        # leaving everyone out costs this; placing one takes its penalty off
        self.constant = sum(n * p for n, p in zip(instance.count.tolist(), penalty, strict=True))
        self._add_classes()
        bought, unit = self._add_capacity()
        groups, transfers = instance.option_class.tolist(), instance.option_cost.tolist()
        gains = [(t - penalty[c]) // self.grain for c, t in zip(groups, transfers, strict=True)]
        costs = [cost // self.grain for cost in unit]
        terms = [*self.amount, *bought]
        self.model.minimize(cp_model.LinearExpr.weighted_sum(terms, [*gains, *costs]))

    def _add_classes(self) -> None:
        starts = self.instance.option_start.tolist()
        for group, most in enumerate(self.instance.count.tolist()):
            options = self.amount[starts[group] : starts[group + 1]]
            if options:
                self.model.add(cp_model.LinearExpr.sum(options) <= most)

    def _add_capacity(self) -> tuple[list[cp_model.IntVar], list[int]]:
        supply, needs = self.instance.supply, Needs(self.instance)
        units = _units(self.instance)
        start = supply.step_start.tolist()
        bought: list[cp_model.IntVar] = []
        for resource, unit in enumerate(units):
            steps = supply.step_milli[start[resource] : start[resource + 1]].tolist()
            fresh = [self.model.new_int_var(0, milli // unit, f"bought{resource}") for milli in steps]
            bought += fresh
            options, milli = needs.of(resource)
            if len(options):
                terms = [*(self.amount[o] for o in options.tolist()), *fresh]
                weights = [*(m // unit for m in milli.tolist()), *([-1] * len(fresh))]
                used = cp_model.LinearExpr.weighted_sum(terms, weights)
                self.model.add(used <= int(supply.reserved[resource]) // unit)
        return bought, _step_costs(self.instance)

    def hint(self, amount: Ints) -> None:
        """Start the search from a known answer."""
        for variable, number in zip(self.amount, amount.tolist(), strict=True):
            self.model.add_hint(variable, number)
