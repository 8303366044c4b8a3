"""Rows that a model refuses though each is sound by itself: a grade that no site has, too much at once."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from scheduler.io.faults import FaultyInput, FileFault, Where
from scheduler.io.workloads import WorkloadRow
from scheduler.types import Fault, InvalidProblem

FIELDS: Final = {
    "alternatives": "demand",
    "gang_size": "gang",
    "latest_end": "latest",
    "lateness_micro_cny": "lateness_cny",
    "budget_micro_cny": "budget_cny",
}
"""What the models' fields are called in files, where that differs."""
Planned = TypeVar("Planned")


def plan_sound(
    rows: Sequence[WorkloadRow],
    plan: Callable[[Sequence[WorkloadRow]], Planned],
    left_out: Callable[[FileFault], None] | None = None,
) -> Planned:
    """What ``plan`` makes of the rows; with ``left_out`` those that it refuses are told, the others planned.

    Raises `FaultyInput` naming file, row and field, and `InvalidProblem` for what is wrong beside rows.
    """
    try:
        return plan(rows)
    except InvalidProblem as error:
        where = {row.id: row.where for row in rows}
        if any(fault.table != "workloads" or fault.key not in where for fault in error.faults):
            raise
        faults = [_located(fault, where[fault.key]) for fault in error.faults]
    names = {fault.key for fault in faults}
    rest = [row for row in rows if row.id not in names]
    if left_out is None or not rest:
        raise FaultyInput(faults)
    for fault in faults:
        left_out(fault)
    return plan(rest)


def _located(fault: Fault, where: Where) -> FileFault:
    name = fault.field.partition("[")[0]
    return FileFault(where, fault.key, FIELDS.get(name, fault.field), fault.message)
