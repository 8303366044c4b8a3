"""Classes that a relaxation can treat as one: the same options at nearly the same cost for their size.

A cluster of classes acts as one divisible class: its needs, transfer costs and penalty are its members' sums.
What the relaxation of the merged instance places is feasible for the whole one, every member getting the same
mixture of options; so its value is never too low, and its prices are as good as the members are alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.instance import Instance, Ints
from scheduler.integers import SAFE, numbered, starts
from scheduler.workload_table import spans

Hashes = NDArray[np.uint64]

CLUSTERS_MAX = 8_000
"""The finest of the groupings below that stays under this many clusters is where refining begins."""
DIRECTION_LEVELS = 16
"""Transfer costs of the options, against the dearest, are compared in so many levels."""


@dataclass(frozen=True, eq=False, slots=True)
class Merged:
    """A merged instance (each cluster a class with one workload), and where classes and options went."""

    instance: Instance
    cluster: Ints
    """(C,) merged class of each class."""
    option: Ints
    """(O,) merged option of each option."""


def first_clusters(instance: Instance) -> Ints:
    """(C,) a first grouping: by options, then by direction and size of transfer costs where few enough."""
    options = _option_lists(instance)
    direction, octave = _transfer_shape(instance)
    finer = ((direction, octave), (octave,), ())
    for columns in finer:
        found = numbered(options, *columns)
        if not len(found) or found.max() < CLUSTERS_MAX:
            break
    return found


def merged(instance: Instance, cluster: Ints) -> Merged:
    """Merge classes by ``cluster`` (C,), numbers from 0; members must have the same options in order."""
    _, first = np.unique(cluster, return_index=True)
    lengths = np.diff(instance.option_start)[first]
    option_start = starts(lengths)
    group = instance.option_class
    option = option_start[cluster[group]] + _place(instance.option_start)
    model = spans(instance.option_start[first], lengths)
    need_lengths = np.diff(instance.need_start)[model]
    need_start = starts(need_lengths)
    need_option = instance.need_option
    need = need_start[option[need_option]] + _place(instance.need_start)
    together = Instance(
        supply=instance.supply,
        workload_class=np.zeros(0, dtype=np.int64),
        count=np.ones(len(first), dtype=np.int64),
        penalty=_summed(cluster, instance.penalty * instance.count, len(first)),
        option_start=option_start,
        option_site=instance.option_site[model],
        option_alternative=instance.option_alternative[model],
        option_cost=_summed(option, instance.option_cost * instance.count[group], len(model)),
        need_start=need_start,
        need_resource=instance.need_resource[spans(instance.need_start[model], need_lengths)],
        need_milli=_summed(
            need, instance.need_milli * instance.count[group][need_option], int(need_start[-1])
        ),
    )
    return Merged(together, cluster, option)


def _place(start: Ints) -> Ints:
    """Position of each entry within its own run."""
    return np.arange(int(start[-1])) - np.repeat(start[:-1], np.diff(start))


def _summed(number: Ints, values: Ints, length: int) -> Ints:
    # floats, since a cluster's sum may go beyond int64; a relaxation needs no more digits than they have
    total = np.bincount(number, weights=values, minlength=length)
    return np.rint(np.minimum(total, SAFE)).astype(np.int64)


def _option_lists(instance: Instance) -> Ints:
    """(C,) the same number for classes with the same options, by a 64-bit hash."""
    code = _mixed(instance.option_site.astype(np.uint64) * np.uint64(1 << 20))
    code = _mixed(code + instance.option_alternative.astype(np.uint64))
    if len(code):
        needs = _mixed(instance.need_resource.astype(np.uint64) + np.uint64(1))
        code = _mixed(code ^ _mixed(np.add.reduceat(needs, instance.need_start[:-1])))
    code = _mixed(code + _place(instance.option_start).astype(np.uint64))
    return numbered(_per_class(instance, code))


def _transfer_shape(instance: Instance) -> tuple[Ints, Ints]:
    """Per class: the proportions of its options' transfers, and the octave of the dearest per size."""
    has = np.diff(instance.option_start) > 0
    dearest = np.zeros(len(has), dtype=np.int64)
    if has.any():
        dearest[has] = np.maximum.reduceat(instance.option_cost, instance.option_start[:-1][has])
    share = instance.option_cost / np.maximum(dearest, 1)[instance.option_class]
    level = np.rint(share * DIRECTION_LEVELS).astype(np.uint64)
    code = _mixed(_mixed(level) + _place(instance.option_start).astype(np.uint64))
    direction = numbered(np.where(dearest > 0, _per_class(instance, code), np.uint64(0)))
    ratio = dearest / np.maximum(instance.penalty, 1)
    octave = np.where(dearest > 0, np.floor(np.log2(np.maximum(ratio, 2.0**-60))), -61.0).astype(np.int64)
    return direction, octave


def _per_class(instance: Instance, code: Hashes) -> Hashes:
    has = np.diff(instance.option_start) > 0
    total = np.zeros(len(has), dtype=np.uint64)
    if has.any():
        total[has] = np.add.reduceat(code, instance.option_start[:-1][has])
    return total


def _mixed(code: Hashes) -> Hashes:
    """A bijection that scatters bits (splitmix64's finaliser, Steele, Lea & Flood 2014)."""
    code = code + np.uint64(0x9E3779B97F4A7C15)
    code = (code ^ (code >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    code = (code ^ (code >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return code ^ (code >> np.uint64(31))
