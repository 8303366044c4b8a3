"""The class model: a linear program over kinds, sites and slots, whose duals are the prices of everything.

Variables: how many workloads (or, of work that may pause, slots of workloads) each column takes, how many of
each kind are left out, and cards bought of each price step. Rows: every kind adds up, work that may pause
runs in no slot more often than there are workloads, and capacity, lines and carbon. It is a relaxation:
stays, labels and the bound on moves are left out, and so is where exactly pauses lie. Solved by HiGHS through
MathOpt, whose duals are right; prices become the certificate only after `scheduler.horizon.pricing` has
computed what they prove.
"""

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from scheduler.horizon.class_columns import Columns, columns_of, entry_count
from scheduler.horizon.instance import Instance
from scheduler.horizon.pricing import Prices, no_prices
from scheduler.horizon.supply import Ints
from scheduler.types import MILLI

NANO = 1e9
UG_PER_KG = 1e9
ENTRIES_MAX = 300_000
"""Beyond that the program alone takes longer than prices found by ascent are worth."""
WORKLOADS_PER_KIND_MIN = 4
Floats = NDArray[np.float64]


def suits(instance: Instance) -> bool:
    """Whether workloads share kinds, and the program stays small."""
    alike = WORKLOADS_PER_KIND_MIN * len(instance.kinds.size) <= len(instance.kind)
    return alike and entry_count(instance) <= ENTRIES_MAX


def class_prices(instance: Instance, time_limit_s: float) -> Prices | None:
    """The relaxation's prices; None if the time limit came first."""
    program = _Program(instance, columns_of(instance))
    parameters = mathopt.SolveParameters(
        time_limit=timedelta(seconds=max(time_limit_s, 0.01)), lp_algorithm=mathopt.LPAlgorithm.DUAL_SIMPLEX
    )
    model = mathopt.Model.from_model_proto(program.model)
    result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=parameters)
    if not result.has_dual_feasible_solution():
        return None
    found = result.dual_values()
    duals = np.array([found[row] for row in sorted(found, key=lambda row: row.id)])
    return program.prices(duals)


class _Program:
    """The program in bulk: one proto, no variable touched one by one. Cards, CNY, GB and kg keep figures near
    1.
    """

    def __init__(self, instance: Instance, columns: Columns) -> None:
        self.instance = instance
        self.columns = columns
        self.model = model_pb2.ModelProto()
        supply, kinds = instance.supply, instance.kinds
        self.cells = len(supply.usable)
        self.p, self.c = len(columns.kind), len(kinds.size)
        self.pauses = np.flatnonzero(kinds.preemptible[columns.kind])
        self._add_variables()
        self._add_rows()

    def _add_variables(self) -> None:
        supply, kinds, columns = self.instance.supply, self.instance.kinds, self.columns
        size = kinds.size[columns.kind]
        upper = np.concatenate([size, kinds.size, supply.step_milli / MILLI])
        cost = np.concatenate([columns.cost, kinds.penalty, supply.step_price * float(MILLI)]) / NANO
        model = self.model
        model.variables.ids.extend(range(len(upper)))
        model.variables.lower_bounds.extend([0.0] * len(upper))
        model.variables.upper_bounds.extend(upper.astype(np.float64).tolist())
        model.variables.integers.extend([False] * len(upper))
        model.objective.linear_coefficients.ids.extend(np.flatnonzero(cost).tolist())
        model.objective.linear_coefficients.values.extend(cost[cost != 0].tolist())

    def _add_rows(self) -> None:
        """Rows: kinds, cells, lines and slots, carbon, then each pausing kind's slots."""
        instance, kinds, columns = self.instance, self.instance.kinds, self.columns
        supply, slots = instance.supply, instance.supply.slots
        links = instance.link_room.size
        first_step = self.p + self.c
        carbon_row = self.c + self.cells + links
        column_of_entry = np.repeat(np.arange(self.p), np.diff(columns.start))
        step_cell = np.repeat(np.arange(self.cells), np.diff(supply.step_start))
        lined = np.flatnonzero(columns.link >= 0)
        per_slot = carbon_row + 1 + columns.kind[self.pauses] * slots + columns.slot[self.pauses]
        per_slot_rows, per_slot_row = np.unique(per_slot, return_inverse=True)
        parts = (
            (columns.kind, np.arange(self.p), 1 / columns.share),
            (np.arange(self.c), self.p + np.arange(self.c), np.ones(self.c)),
            (self.c + columns.cell, column_of_entry, columns.milli / MILLI),
            (self.c + step_cell, first_step + np.arange(len(step_cell)), -np.ones(len(step_cell))),
            (
                self.c + self.cells + columns.link[lined] * slots + columns.slot[lined],
                lined,
                kinds.data_gb[columns.kind[lined]].astype(np.float64),
            ),
            (np.full(self.p, carbon_row), np.arange(self.p), columns.carbon / UG_PER_KG),
            (carbon_row + 1 + per_slot_row, self.pauses, np.ones(len(self.pauses))),
        )
        cap = np.inf if instance.carbon_cap_ug is None else instance.carbon_cap_ug / UG_PER_KG
        limits = (
            kinds.size,
            np.zeros(self.cells),
            instance.link_room.reshape(-1),
            [cap],
            kinds.size[(per_slot_rows - carbon_row - 1) // slots],
        )
        high = np.concatenate(limits).astype(np.float64)
        low = np.concatenate([kinds.size, np.full(len(high) - self.c, -np.inf)])
        self._fill(parts, low, high)

    def _fill(self, parts: tuple[tuple[Ints, Ints, Floats], ...], low: Floats, high: Floats) -> None:
        model = self.model
        model.linear_constraints.ids.extend(range(len(high)))
        model.linear_constraints.lower_bounds.extend(low.tolist())
        model.linear_constraints.upper_bounds.extend(high.tolist())
        row, column, value = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        kept = value != 0
        row, column, value = row[kept], column[kept], value[kept]
        order = np.lexsort((column, row))
        model.linear_constraint_matrix.row_ids.extend(row[order].tolist())
        model.linear_constraint_matrix.column_ids.extend(column[order].tolist())
        model.linear_constraint_matrix.coefficients.extend(value[order].tolist())

    def prices(self, duals: Floats) -> Prices:
        """The rows' duals as the certificate's integers, dust cut off."""
        blank = no_prices(self.instance)
        links = blank.link.size
        cells, lines, carbon = np.split(
            np.maximum(-duals[self.c : self.c + self.cells + links + 1], 0), [self.cells, self.cells + links]
        )
        capped = self.instance.carbon_cap_ug is not None
        return Prices(
            np.rint(cells * NANO / MILLI).astype(np.int64),
            np.rint(lines * NANO).astype(np.int64).reshape(blank.link.shape),
            int(np.rint(carbon[0] * NANO / 1000)) if capped else 0,
        )
