"""Workloads as columns: the same as a sequence of `Workload`, without an object a workload.

A `Problem` takes either. Everything the package computes reads a `WorkloadTable`; plain `Workload` objects
are turned into one first, so there is one model and not two. The table itself reads like a sequence of
`Workload`, made one at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from nodes.types import Residency
from scheduler.types import Need, Workload

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shape = tuple[tuple[str, ...], ...]
"""The grades of each alternative, e.g. ``(("A100", "CPU64"), ("H100", "CPU64"))``."""

RESIDENCIES: tuple[Residency, ...] = tuple(Residency)
"""What the numbers of `WorkloadTable.residency` mean."""

Name = TypeVar("Name")


@dataclass(frozen=True, eq=False, slots=True)
class WorkloadTable(Sequence[Workload]):
    """N workloads, one a row, in order of arrival. Columns mean what the fields of `Workload` mean."""

    ids: Sequence[str]
    """(N,) names."""
    cities: tuple[str, ...]
    """What ``origin`` numbers."""
    origin: Ints
    """(N,) row of ``cities``."""
    latency_ms_max: Floats
    """(N,) ms, round trip."""
    shapes: tuple[Shape, ...]
    """What ``shape`` numbers."""
    shape: Ints
    """(N,) row of ``shapes``."""
    need_start: Ints
    """(N + 1,) where each workload's needs begin."""
    need_milli: Ints
    """Milli-cards in the order of the shape: alternative by alternative, grade by grade."""
    residency: Ints
    """(N,) row of `RESIDENCIES`."""
    latency_classes: tuple[str, ...]
    """What ``latency_class`` numbers, in order of first arrival."""
    latency_class: Ints
    """(N,) row of ``latency_classes``."""
    priority: Ints
    """(N,) 0 to 9."""
    hours: Ints
    """(N,) running hours."""
    data_gb: Ints
    """(N,) GB to move to the site."""

    def __post_init__(self) -> None:
        count = len(self.ids)
        numbering = (
            ("origin", self.origin, len(self.cities)),
            ("shape", self.shape, len(self.shapes)),
            ("residency", self.residency, len(RESIDENCIES)),
            ("latency_class", self.latency_class, len(self.latency_classes)),
        )
        for name, column, most in numbering:
            if len(column) and not 0 <= int(column.min()) <= int(column.max()) < most:
                raise ValueError(f"column {name}: a number outside 0 … {most - 1}")
        for name in ("latency_ms_max", "priority", "hours", "data_gb", *(name for name, *_ in numbering)):
            if len(getattr(self, name)) != count:
                raise ValueError(f"column {name} has {len(getattr(self, name))} rows, expected {count}")
        widths = np.array([sum(map(len, shape)) for shape in self.shapes], dtype=np.int64)
        if len(self.need_start) != count + 1 or (np.diff(self.need_start) != widths[self.shape]).any():
            raise ValueError("column need_start does not give each workload as many needs as its shape names")
        if len(self.need_milli) != self.need_start[-1]:
            raise ValueError(f"column need_milli has {len(self.need_milli)} rows, not {self.need_start[-1]}")

    @classmethod
    def of(cls, workloads: Sequence[Workload]) -> "WorkloadTable":
        """The workloads as columns; a table is returned as it is."""
        if isinstance(workloads, WorkloadTable):
            return workloads
        cities: dict[str, int] = {}
        shapes: dict[Shape, int] = {}
        classes: dict[str, int] = {}
        known: dict[object, tuple[int, list[int]]] = {}
        shape, needs, lengths = [], [], [0]
        for w in workloads:
            if w.alternatives not in known:
                grades = tuple(tuple(need.grade for need in vector) for vector in w.alternatives)
                milli = [need.milli_cards for vector in w.alternatives for need in vector]
                known[w.alternatives] = (shapes.setdefault(grades, len(shapes)), milli)
            number, milli = known[w.alternatives]
            shape.append(number)
            needs += milli
            lengths.append(len(milli))
        residencies = {residency: row for row, residency in enumerate(RESIDENCIES)}
        origin = [cities.setdefault(w.origin, len(cities)) for w in workloads]
        latency_class = [classes.setdefault(w.latency_class, len(classes)) for w in workloads]
        return cls(
            [w.id for w in workloads],
            tuple(cities),
            _ints(origin),
            np.array([w.latency_ms_max for w in workloads], dtype=np.float64),
            tuple(shapes),
            _ints(shape),
            np.cumsum(_ints(lengths)),
            _ints(needs),
            _ints([residencies[w.residency] for w in workloads]),
            tuple(classes),
            _ints(latency_class),
            _ints([w.priority for w in workloads]),
            _ints([w.hours for w in workloads]),
            _ints([w.data_gb for w in workloads]),
        )

    @classmethod
    def of_one_grade(
        cls,
        *,
        ids: Sequence[str],
        cities: Sequence[str],
        origin: Ints,
        latency_ms_max: Floats,
        grades: Sequence[str],
        grade: Ints,
        milli_cards: Ints,
        latency_classes: Sequence[str] = ("",),
        columns: Mapping[str, Ints] | None = None,
    ) -> "WorkloadTable":
        """Workloads with one demand each, so many milli-cards of one grade (a row of ``grades``).

        ``columns`` may give ``residency`` (any), ``latency_class`` (0), ``priority`` (0), ``hours`` (24) and
        ``data_gb`` (0).
        """
        count = len(ids)
        defaults = {
            "residency": RESIDENCIES.index(Residency.ANY),
            "latency_class": 0,
            "priority": 0,
            "hours": 24,
            "data_gb": 0,
        }
        filled = {name: np.full(count, value, dtype=np.int64) for name, value in defaults.items()}
        return cls(
            ids=ids,
            cities=tuple(cities),
            origin=origin,
            latency_ms_max=latency_ms_max,
            shapes=tuple(((name,),) for name in grades),
            shape=grade,
            need_start=np.arange(count + 1),
            need_milli=milli_cards,
            latency_classes=tuple(latency_classes),
            **(filled | dict(columns or {})),
        )

    def taken(self, rows: Ints) -> "WorkloadTable":
        """The table of these rows only, in the order given."""
        start, length = self.need_start[rows], np.diff(self.need_start)[rows]
        names = self.ids
        return WorkloadTable(
            [names[row] for row in rows.tolist()],
            self.cities,
            self.origin[rows],
            self.latency_ms_max[rows],
            self.shapes,
            self.shape[rows],
            np.concatenate([[0], np.cumsum(length)]).astype(np.int64),
            self.need_milli[spans(start, length)],
            self.residency[rows],
            self.latency_classes,
            self.latency_class[rows],
            self.priority[rows],
            self.hours[rows],
            self.data_gb[rows],
        )

    def alternatives(self, row: int) -> tuple[tuple[Need, ...], ...]:
        """The demand vectors of one workload."""
        milli = iter(self.need_milli[self.need_start[row] : self.need_start[row + 1]].tolist())
        return tuple(
            tuple(Need(grade, next(milli)) for grade in grades) for grades in self.shapes[self.shape[row]]
        )

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, row: int) -> Workload: ...
    @overload
    def __getitem__(self, row: slice) -> "WorkloadTable": ...
    def __getitem__(self, row: int | slice) -> "Workload | WorkloadTable":
        if isinstance(row, slice):
            return self.taken(np.arange(*row.indices(len(self))))
        row = range(len(self))[row]
        return Workload(
            self.ids[row],
            self.cities[self.origin[row]],
            float(self.latency_ms_max[row]),
            self.alternatives(row),
            RESIDENCIES[self.residency[row]],
            self.latency_classes[self.latency_class[row]],
            int(self.priority[row]),
            int(self.hours[row]),
            int(self.data_gb[row]),
        )

    def __iter__(self) -> Iterator[Workload]:
        return (self[row] for row in range(len(self)))


def spans(start: Ints, length: Ints) -> Ints:
    """All indices of the ranges ``start[i] … start[i] + length[i] − 1``, one range after the other."""
    before = np.cumsum(length) - length
    found: Ints = np.arange(int(length.sum())) + np.repeat(start - before, length)
    return found


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)
