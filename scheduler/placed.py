"""Placements as columns: which workload is at which site with which demand vector."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from scheduler.instance import Bools, Instance, Ints
from scheduler.integers import first_rows, numbered
from scheduler.plan import Placement
from scheduler.types import Need, Problem
from scheduler.workload_table import WorkloadTable


class Placed(NamedTuple):
    """P placements in order of the workloads: rows of the workload table and the sites, and alternatives."""

    row: Ints
    site: Ints
    alternative: Ints

    def chosen(self, keep: Bools) -> "Placed":
        """Those that ``keep`` (P,) names."""
        return Placed(self.row[keep], self.site[keep], self.alternative[keep])


def placed_by_options(instance: Instance, option: Ints) -> Placed:
    """The placements that options (N,), one a workload and −1 for none, stand for."""
    row = np.flatnonzero(option >= 0)
    return Placed(row, instance.option_site[option[row]], instance.option_alternative[option[row]])


def placed_of(problem: Problem, table: WorkloadTable, placements: Iterable[Placement]) -> Placed:
    """The columns of placements, whose names must be those of the problem."""
    rows = {name: row for row, name in enumerate(table.ids)}
    sites = {site.code: row for row, site in enumerate(problem.sites)}
    columns = [(rows[p.workload], sites[p.site], p.alternative) for p in placements]
    return Placed(*np.array(sorted(columns), dtype=np.int64).reshape(-1, 3).T)


def placements_of(problem: Problem, table: WorkloadTable, placed: Placed) -> tuple[Placement, ...]:
    """The placements one by one; equal demands share their tuple of needs."""
    codes = [site.code for site in problem.sites]
    first, number = first_rows(numbered(table.shape[placed.row], *_demand_columns(table, placed.row)))
    vectors: list[tuple[tuple[Need, ...], ...]] = [
        table.alternatives(row) for row in placed.row[first].tolist()
    ]
    names, columns = table.ids, (placed.row, placed.site, placed.alternative, number)
    return tuple(
        Placement(names[row], codes[site], alternative, vectors[demand][alternative])
        for row, site, alternative, demand in zip(*(column.tolist() for column in columns), strict=True)
    )


def _demand_columns(table: WorkloadTable, rows: Ints) -> Sequence[Ints]:
    start, width = table.need_start[rows], np.diff(table.need_start)[rows]
    last = len(table.need_milli) - 1
    # rows with fewer needs than the widest have 0 in the columns that they lack
    return [
        np.where(k < width, table.need_milli[np.minimum(start + k, last)], 0)
        for k in range(int(width.max(initial=0)))
    ]


class GradeUse(NamedTuple):
    """Cards of one grade that some placements take."""

    grade: str
    at: Ints
    """Positions among the placements."""
    milli: Ints
    """Milli-cards of each."""


def uses(table: WorkloadTable, placed: Placed) -> Iterator[GradeUse]:
    """What the placements take, a grade of a demand vector at a time."""
    shape = table.shape[placed.row]
    for number, vectors in enumerate(table.shapes):
        offset = 0
        for alternative, vector in enumerate(vectors):
            at = np.flatnonzero((shape == number) & (placed.alternative == alternative))
            start = table.need_start[placed.row[at]]
            for grade in vector:
                if len(at):
                    yield GradeUse(grade, at, table.need_milli[start + offset])
                offset += 1
