"""The class model: a linear program over kinds, pools, sites and slots; its duals price everything.

Variables: what kinds feed into pools and pools have at sites (`scheduler.horizon.class_pools`), how many of
each kind are left out, and cards bought of each price step. Rows: every kind and every pool adds up, work
that may pause runs in no slot more often than there are workloads, and capacity, lines and carbon. It is a
relaxation: stays, labels and the bound on moves are left out, and so is where exactly pauses lie. Solved by
HiGHS through MathOpt, whose duals are right; prices become the certificate only after
`scheduler.horizon.pricing` has computed what they prove.
"""

import time
from datetime import timedelta

import numpy as np
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from scheduler.horizon.class_pools import Feeds, Floats, Spreads, pooled
from scheduler.horizon.instance import Instance
from scheduler.horizon.pricing import Prices, no_prices
from scheduler.horizon.supply import Ints
from scheduler.types import MILLI

NANO = 1e9
UG_PER_KG = 1e9
ENTRIES_MAX = 100_000
"""Beyond that the program takes longer than prices found by ascent."""
KINDS_MAX = 20_000
"""Beyond that collecting its columns alone does."""
WORKLOADS_PER_KIND_MIN = 4


def suits(instance: Instance) -> bool:
    """Whether workloads share kinds, of which there are not too many."""
    kinds = len(instance.kinds.size)
    return WORKLOADS_PER_KIND_MIN * kinds <= len(instance.kind) and kinds <= KINDS_MAX


def class_prices(instance: Instance, time_limit_s: float) -> Prices | None:
    """The relaxation's prices; None if the time limit came first, or the program would be too large."""
    deadline = time.monotonic() + time_limit_s
    feeds, spreads = pooled(instance)
    if len(feeds.kind) + len(spreads.cell) > ENTRIES_MAX:
        return None
    program = _Program(instance, feeds, spreads)
    time_limit_s = max(deadline - time.monotonic(), 0.01)
    parameters = mathopt.SolveParameters(
        time_limit=timedelta(seconds=time_limit_s), lp_algorithm=mathopt.LPAlgorithm.DUAL_SIMPLEX
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

    def __init__(self, instance: Instance, feeds: Feeds, spreads: Spreads) -> None:
        self.instance = instance
        self.feeds, self.spreads = feeds, spreads
        self.model = model_pb2.ModelProto()
        self.kinds, self.cells = len(instance.kinds.size), len(instance.supply.usable)
        self._add_variables()
        self._add_rows()

    def _add_variables(self) -> None:
        """Feeds, those left out, spreads, steps."""
        supply, kinds, feeds, spreads = self.instance.supply, self.instance.kinds, self.feeds, self.spreads
        fed = kinds.size[feeds.kind] * feeds.milli / MILLI
        upper = [fed, kinds.size, np.full(len(spreads.pool), np.inf), supply.step_milli / MILLI]
        card = np.concatenate([spreads.cost + self._used(supply.running), supply.step_price]) * MILLI
        cost = np.concatenate([feeds.cost * MILLI, kinds.penalty, card]) / NANO
        high = np.concatenate(upper).astype(np.float64)
        model = self.model
        model.variables.ids.extend(range(len(high)))
        model.variables.lower_bounds.extend([0.0] * len(high))
        model.variables.upper_bounds.extend(high.tolist())
        model.variables.integers.extend([False] * len(high))
        model.objective.linear_coefficients.ids.extend(np.flatnonzero(cost).tolist())
        model.objective.linear_coefficients.values.extend(cost[cost != 0].tolist())

    def _used(self, figure: Ints) -> Floats:
        """(S,) what a milli-card of each spread comes to, of a figure per milli-card in a cell."""
        spreads = self.spreads
        column = np.repeat(np.arange(len(spreads.pool)), np.diff(spreads.start))
        used = np.zeros(len(spreads.pool))
        np.add.at(used, column, figure[spreads.cell] * spreads.amount)
        return used

    def _add_rows(self) -> None:
        """Rows: kinds, cells, lines and slots, carbon, pools, then slots of kinds that may pause."""
        instance, kinds, feeds, spreads = self.instance, self.instance.kinds, self.feeds, self.spreads
        supply, links = instance.supply, instance.link_room.size
        pools = int(spreads.pool.max(initial=-1)) + 1
        first_cell, first_link = self.kinds, self.kinds + self.cells
        carbon_row = first_link + links
        first_out = len(feeds.kind)
        spread = first_out + self.kinds + np.arange(len(spreads.pool))
        first_step = first_out + self.kinds + len(spreads.pool)
        column = np.repeat(spread, np.diff(spreads.start))
        step_cell = np.repeat(np.arange(self.cells), np.diff(supply.step_start))
        lined = np.flatnonzero(spreads.link >= 0)
        feed = np.arange(first_out)
        # with a single alternative a feed's upper bound says the same
        several = np.diff(kinds.alternative_start) > 1
        pauses = np.flatnonzero((kinds.preemptible & several)[feeds.kind])
        per_slot = feeds.kind[pauses] * supply.slots + feeds.slot[pauses]
        slot_rows, slot_row = np.unique(per_slot, return_inverse=True)
        first_slot = carbon_row + 1 + pools
        parts = (
            (feeds.kind, feed, MILLI / (feeds.milli * feeds.share)),
            (np.arange(self.kinds), first_out + np.arange(self.kinds), np.ones(self.kinds)),
            (first_cell + spreads.cell, column, spreads.amount),
            (first_cell + step_cell, first_step + np.arange(len(step_cell)), -np.ones(len(step_cell))),
            (first_link + spreads.link[lined], spread[lined], spreads.gb[lined] * MILLI),
            (np.full(len(spread), carbon_row), spread, self._used(supply.carbon) * (MILLI / UG_PER_KG)),
            (carbon_row + 1 + feeds.pool, feed, np.ones(len(feed))),
            (carbon_row + 1 + spreads.pool, spread, -np.ones(len(spread))),
            (first_slot + slot_row, pauses, MILLI / feeds.milli[pauses]),
        )
        cap = np.inf if instance.carbon_cap_ug is None else instance.carbon_cap_ug / UG_PER_KG
        limits = (
            kinds.size,
            np.zeros(self.cells),
            instance.link_room.reshape(-1),
            [cap],
            np.zeros(pools),
            kinds.size[slot_rows // supply.slots],
        )
        high = np.concatenate(limits).astype(np.float64)
        low = np.concatenate([kinds.size, np.full(len(high) - self.kinds, -np.inf)])
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
            np.maximum(-duals[self.kinds : self.kinds + self.cells + links + 1], 0),
            [self.cells, self.cells + links],
        )
        capped = self.instance.carbon_cap_ug is not None
        return Prices(
            np.rint(cells * NANO / MILLI).astype(np.int64),
            np.rint(lines * NANO).astype(np.int64).reshape(blank.link.shape),
            int(np.rint(carbon[0] * NANO / 1000)) if capped else 0,
        )
