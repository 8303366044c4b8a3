"""Capacity inequalities every plan fulfils, sharper than capacity itself because workloads are whole.

Take a resource, let b be its free milli-cards plus those of its ``level`` cheapest price steps, and let y be
what is taken beyond them: Σ a·x − y ≤ b. Rounding to a grain w (mixed-integer rounding, Nemhauser & Wolsey
1990), with f = b mod w and d = w − f, gives in integers

    Σ (d·⌊a/w⌋ + max(0, a mod w − f)) · x − y ≤ d·⌊b/w⌋

Example: 12 free H100 and jobs of 8. Capacity alone lets a relaxation place one job and a half; with w = 8 it
reads 4x − y ≤ 4, so the second job needs 4 bought cards (which is the truth), and where none can be bought
only one job fits. With w = 1 the row is plain capacity (f = 0, d = 1).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scheduler.instance import Instance, Ints, Supply

VIOLATION_MIN = 1e-4
"""A row is added when the relaxation breaks it by more than this share of a whole grain."""


class Row(NamedTuple):
    """Which inequality: resource, number of price steps counted as capacity, grain in milli-cards."""

    resource: int
    level: int
    grain: int


def base_rows(supply: Supply) -> list[Row]:
    """Plain capacity of every resource: free cards plus whatever is taken of its steps."""
    return [Row(resource, 0, 1) for resource in range(len(supply.reserved))]


def threshold(supply: Supply, row: Row) -> int:
    """Milli-cards b: free ones, and the ``level`` cheapest price steps."""
    first = int(supply.step_start[row.resource])
    return int(supply.reserved[row.resource] + supply.step_milli[first : first + row.level].sum())


def limit(supply: Supply, row: Row) -> int:
    """The right-hand side d·⌊b/w⌋."""
    whole, rest = divmod(threshold(supply, row), row.grain)
    return (row.grain - rest) * whole


def coefficients(supply: Supply, row: Row, need_milli: Ints) -> Ints:
    """What one workload with each of these needs (milli-cards of the row's resource) counts in the row."""
    rest = threshold(supply, row) % row.grain
    sharp: Ints = (row.grain - rest) * (need_milli // row.grain) + np.maximum(
        need_milli % row.grain - rest, 0
    )
    return sharp


def steps_beyond(supply: Supply, row: Row) -> slice:
    """The price steps whose purchases y relax the row."""
    first, after = supply.step_start[row.resource : row.resource + 2]
    return slice(int(first) + row.level, int(after))


class Needs:
    """The needs of an instance by resource: which options draw on it, and how many milli-cards."""

    def __init__(self, instance: Instance) -> None:
        # 16-bit integers sort by radix
        small = len(instance.supply.reserved) < 2**15
        key = instance.need_resource.astype(np.int16) if small else instance.need_resource
        order = np.argsort(key, kind="stable")
        resources = np.arange(len(instance.supply.reserved) + 1)
        self.start = np.searchsorted(instance.need_resource[order], resources)
        self.option = instance.need_option[order]
        self.milli = instance.need_milli[order]

    def of(self, resource: int) -> tuple[Ints, Ints]:
        """(options, milli-cards) on one resource."""
        part = slice(self.start[resource], self.start[resource + 1])
        return self.option[part], self.milli[part]


def violated(
    supply: Supply, needs: Needs, amount: NDArray[np.float64], bought: NDArray[np.float64], per_resource: int
) -> list[Row]:
    """The rows that a fractional solution breaks most: at most ``per_resource`` of each resource.

    ``amount`` (O,) are workloads on options, ``bought`` (K,) milli-cards of each price step. Grains tried are
    the sizes in use.
    """
    found = []
    for resource in range(len(supply.reserved)):
        options, milli = needs.of(resource)
        used = amount[options] > 1e-9
        if used.any():
            broken = _broken(supply, resource, milli[used], amount[options[used]], bought)
            found += [row for _, row in sorted(broken, reverse=True)[:per_resource]]
    return found


def _broken(
    supply: Supply, resource: int, milli: Ints, amount: NDArray[np.float64], bought: NDArray[np.float64]
) -> list[tuple[float, Row]]:
    levels = int(supply.step_start[resource + 1] - supply.step_start[resource]) + 1
    grains = np.unique(milli).tolist()
    broken = []
    for row in (Row(resource, level, grain) for level in range(levels) for grain in grains):
        used = float(coefficients(supply, row, milli) @ amount)
        excess = used - float(bought[steps_beyond(supply, row)].sum()) - limit(supply, row)
        whole = row.grain - threshold(supply, row) % row.grain
        if excess > VIOLATION_MIN * whole:
            broken.append((excess / whole, row))
    return broken
