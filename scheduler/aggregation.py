"""Classes that differ only in size, merged: the relaxation of a hundred thousand workloads becomes small.

Two classes with the same options whose needs, transfer costs and penalty are all in one proportion are the
same to a linear relaxation: only their total matters. Merged, they count *units*: the greatest common divisor
of everything one workload of a class needs and costs. Prices of the merged relaxation are those of the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scheduler.instance import Instance, Ints
from scheduler.linear_model import Floats


@dataclass(frozen=True, eq=False, slots=True)
class Aggregate:
    """The merged instance, and of each of the C classes its merged class (-1: no option) and its units."""

    instance: Instance
    group: Ints
    units: Ints


def aggregate(instance: Instance) -> Aggregate:
    """Merge the classes of an instance."""
    units = _units(instance)
    keys: dict[tuple[bytes, ...], int] = {}
    group = np.full(len(instance.count), -1)
    first: list[int] = []
    for number in np.flatnonzero(units).tolist():
        key = _key(instance, number, int(units[number]))
        group[number] = keys.setdefault(key, len(keys))
        if len(first) < len(keys):
            first.append(number)
    return Aggregate(_merged(instance, group, units, first), group, units)


def _units(instance: Instance) -> Ints:
    """(C,) greatest common divisor of a class's needs, transfer costs and penalty; 0 without options."""
    units = np.zeros_like(instance.count)
    has = np.diff(instance.option_start) > 0
    if has.any():
        options = instance.option_start[:-1][has]
        needs = np.gcd.reduceat(instance.need_milli, instance.need_start[options])
        costs = np.gcd(instance.penalty[has], np.gcd.reduceat(instance.option_transfer, options))
        units[has] = np.gcd(needs, costs)
    return units


def _key(instance: Instance, number: int, unit: int) -> tuple[bytes, ...]:
    options = slice(*instance.option_start[number : number + 2])
    start, end = instance.need_start[options.start], instance.need_start[options.stop]
    columns = (
        instance.option_site[options],
        instance.option_alternative[options],
        instance.option_transfer[options] // unit,
        instance.need_start[options] - start,
        instance.need_resource[start:end],
        instance.need_milli[start:end] // unit,
        instance.penalty[number : number + 1] // unit,
    )
    return tuple(column.tobytes() for column in columns)


def _merged(instance: Instance, group: Ints, units: Ints, first: Sequence[int]) -> Instance:
    count = np.zeros(len(first), dtype=np.int64)
    has = group >= 0
    np.add.at(count, group[has], (instance.count * units)[has])
    spans = [np.arange(*instance.option_start[number : number + 2]) for number in first]
    option = np.concatenate([np.empty(0, dtype=np.int64), *spans])
    need_spans = [np.arange(*instance.need_start[o : o + 2]) for o in option.tolist()]
    need = np.concatenate([np.empty(0, dtype=np.int64), *need_spans])
    unit = np.repeat(units[list(first)], [len(span) for span in spans])
    lengths = [len(span) for span in need_spans]
    return Instance(
        instance.supply,
        ((),) * len(first),
        count,
        instance.penalty[list(first)] // units[list(first)],
        _starts([len(span) for span in spans]),
        instance.option_site[option],
        instance.option_alternative[option],
        instance.option_transfer[option] // unit,
        _starts(lengths),
        instance.need_resource[need],
        instance.need_milli[need] // np.repeat(unit, lengths),
    )


def _starts(lengths: Sequence[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def spread(instance: Instance, merged: Aggregate, amount: Floats) -> Ints:
    """Whole workloads (O,) that follow a fractional answer of the merged instance without exceeding it.

    Largest workloads first, each on the option of its class with the most left to fill.
    """
    left = np.floor(amount + 1e-6).astype(np.int64).tolist()
    placed = [0] * len(instance.option_site)
    start, merged_start = instance.option_start.tolist(), merged.instance.option_start.tolist()
    count, unit, group = instance.count.tolist(), merged.units.tolist(), merged.group.tolist()
    for number in np.argsort(-merged.units, kind="stable").tolist():
        if group[number] < 0:
            continue
        options = range(merged_start[group[number]], merged_start[group[number] + 1])
        offset = start[number] - options.start
        for _ in range(count[number]):
            best = max(options, key=left.__getitem__)
            if left[best] < unit[number]:
                break
            left[best] -= unit[number]
            placed[best + offset] += 1
    return np.array(placed, dtype=np.int64)
