"""Checks of single figures that every table shares."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from scheduler.types import Fault, Need


def not_integer_in(value: object, least: int, most: int) -> str:
    """What is wrong with a figure that should be an integer in ``least … most``; empty if nothing is."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        return f"{value!r} is not an integer"
    return "" if least <= value <= most else f"{value} is outside {least} … {most}"


def repeated(table: str, field: str, names: Iterable[str]) -> Iterator[Fault]:
    """A fault for each name that an earlier row has."""
    seen: dict[str, int] = {}
    for row, name in enumerate(names):
        if name in seen:
            yield Fault(table, row, name, field, f"row {seen[name]} has the same {field}")
        seen.setdefault(name, row)


def latency_faults(row: int, key: str, bound_ms: object) -> Iterator[Fault]:
    """What is wrong with a workload's bound on the round trip: a number ≥ 0, infinite for none."""
    number = () if isinstance(bound_ms, bool) else (int, float, np.integer, np.floating)
    if not (isinstance(bound_ms, number) and bound_ms >= 0):
        yield Fault("workloads", row, key, "latency_ms_max", f"{bound_ms} is not a figure ≥ 0")


def per_slot_faults(
    table: str, row: int, key: str, field: str, value: object, most: int, slots: int, least: int = 0
) -> Iterator[Fault]:
    """What is wrong with a figure for every slot or a tuple of one a slot, each in ``least … most``."""
    if isinstance(value, tuple):
        if len(value) != slots:
            yield Fault(table, row, key, field, f"{len(value)} figures for {slots} slots")
        for slot, figure in enumerate(value):
            if wrong := not_integer_in(figure, least, most):
                yield Fault(table, row, key, f"{field}[{slot}]", wrong)
    elif wrong := not_integer_in(value, least, most):
        yield Fault(table, row, key, field, wrong)


def vector_faults(
    row: int, key: str, field: str, needs: Sequence[Need], grades: set[str], milli_max: int
) -> Iterator[Fault]:
    """What is wrong with one demand vector of a workload: ``grades`` are those that there are."""
    if not needs:
        yield Fault("workloads", row, key, field, "an empty demand vector")
    for fault in repeated("", "grade", (need.grade for need in needs)):
        yield Fault("workloads", row, key, field, f"grade {fault.key!r} is given twice")
    for need in needs:
        if need.grade not in grades:
            known = ", ".join(sorted(grades))
            yield Fault("workloads", row, key, field, f"unknown grade {need.grade!r}; known: {known}")
        if wrong := not_integer_in(need.milli_cards, 1, milli_max):
            yield Fault("workloads", row, key, f"{field}[{need.grade}]", wrong)
