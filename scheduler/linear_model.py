"""The model in OR-Tools' terms, built in bulk from arrays: one proto, no variable touched one by one.

Variables, in this order: workloads on each option (O), workloads left out of each class (C), cards bought of
each price step (K). Rows: every class adds up, then the capacity rows. Units are cards and CNY, so that
coefficients stay near 1. MathOpt, since its duals are right with every solver behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from scheduler.capacity_rows import Needs, Row, coefficients, limit, steps_beyond
from scheduler.instance import Instance, Ints
from scheduler.types import MILLI

NANO = 1_000_000_000
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """A solver's answer: ``amount`` (O,), ``bought`` (K,) in milli-cards, and for an LP the rows' duals.

    ``row_price`` is in nano-CNY per milli-card of the row, as floats: candidates for certified prices.
    """

    amount: Floats
    bought: Floats
    row_price: Floats


def build(instance: Instance, needs: Needs, rows: Sequence[Row], integer: bool) -> model_pb2.ModelProto:
    """The model with these capacity rows; ``integer`` asks for whole workloads (purchases stay divisible)."""
    model = model_pb2.ModelProto()
    _add_variables(model, instance, integer)
    classes = len(instance.count)
    limits = [limit(instance.supply, row) / _scale(row) for row in rows]
    count = instance.count.astype(np.float64).tolist()
    model.linear_constraints.ids.extend(range(classes + len(rows)))
    model.linear_constraints.lower_bounds.extend(count + [-np.inf] * len(rows))
    model.linear_constraints.upper_bounds.extend(count + limits)
    _add_matrix(model, instance, needs, rows)
    return model


def _scale(row: Row) -> float:
    # a row's unit is milli-cards times the grain's rounding; cards keep it near the others
    return float(MILLI if row.grain == 1 else row.grain)


def _add_variables(model: model_pb2.ModelProto, instance: Instance, integer: bool) -> None:
    supply = instance.supply
    upper = (instance.count[instance.option_class], instance.count, supply.step_milli / MILLI)
    cost = (instance.option_cost, instance.penalty, supply.step_price * float(MILLI))
    whole, steps = len(instance.option_site) + len(instance.count), len(supply.step_price)
    model.variables.ids.extend(range(whole + steps))
    model.variables.lower_bounds.extend([0.0] * (whole + steps))
    model.variables.upper_bounds.extend(np.concatenate(upper).astype(np.float64).tolist())
    model.variables.integers.extend([integer] * whole + [False] * steps)
    costs = np.concatenate(cost).astype(np.float64) / NANO
    model.objective.linear_coefficients.ids.extend(np.flatnonzero(costs).tolist())
    model.objective.linear_coefficients.values.extend(costs[costs != 0].tolist())


def _add_matrix(model: model_pb2.ModelProto, instance: Instance, needs: Needs, rows: Sequence[Row]) -> None:
    options, classes = len(instance.option_site), len(instance.count)
    row_ids = [instance.option_class, np.arange(classes)]
    columns = [np.arange(options), options + np.arange(classes)]
    values: list[Floats] = [np.ones(options), np.ones(classes)]
    for number, row in enumerate(rows):
        column, value = _row_entries(instance, needs, row)
        row_ids.append(np.full(len(column), classes + number))
        columns.append(column)
        values.append(value)
    row_id, column, value = np.concatenate(row_ids), np.concatenate(columns), np.concatenate(values)
    order = np.lexsort((column, row_id))
    model.linear_constraint_matrix.row_ids.extend(row_id[order].tolist())
    model.linear_constraint_matrix.column_ids.extend(column[order].tolist())
    model.linear_constraint_matrix.coefficients.extend(value[order].tolist())


def _row_entries(instance: Instance, needs: Needs, row: Row) -> tuple[Ints, Floats]:
    option, milli = needs.of(row.resource)
    weight = coefficients(instance.supply, row, milli)
    steps = np.arange(len(instance.supply.step_price))[steps_beyond(instance.supply, row)]
    first_step = len(instance.option_site) + len(instance.count)
    column = np.concatenate([option[weight > 0], first_step + steps])
    value = np.concatenate([weight[weight > 0] / _scale(row), np.full(len(steps), -MILLI / _scale(row))])
    return column, value


def solve(
    model: model_pb2.ModelProto,
    instance: Instance,
    rows: Sequence[Row],
    solver: mathopt.SolverType,
    time_limit_s: float,
) -> Answer | None:
    """Solve; None if the time limit came before any solution. A MIP has no duals: ``row_price`` is empty."""
    parameters = mathopt.SolveParameters(
        time_limit=timedelta(seconds=max(time_limit_s, 0.01)), relative_gap_tolerance=0.0
    )
    result = mathopt.solve(mathopt.Model.from_model_proto(model), solver, params=parameters)
    if not result.has_primal_feasible_solution():
        return None
    values = result.variable_values()
    solution = np.array([values[v] for v in sorted(values, key=lambda v: v.id)])
    options, classes = len(instance.option_site), len(instance.count)
    price = np.empty(0)
    if result.has_dual_feasible_solution():
        duals = result.dual_values()
        price = -np.array([duals[c] for c in sorted(duals, key=lambda c: c.id)])[classes:]
        price = price * NANO / np.array([_scale(row) for row in rows])
    return Answer(solution[:options], solution[options + classes :] * MILLI, price)
