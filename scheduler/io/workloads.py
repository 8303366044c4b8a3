"""Workloads from files: JSON, CSV, Parquet and Kubernetes manifests, to one typed form.

A row's fields (the same names everywhere, `FIELDS`):

============== =====================================================================================
id             its name, unique
origin         city its users are in: any name the catalogue knows
class          latency class of the catalogue; gives latency_ms and residency where they are absent
latency_ms     longest round trip to its site; absent: none
residency      site, city, province or any
grade, cards   what it needs, e.g. H100 and 8 (0.46 of a card is fine); `demand` for several grades
demand         cards per grade, ``{"H100": 8, "CPU64": 0.5}`` or ``H100=8 CPU64=0.5``
instead        grades allowed in place of ``grade``, with their speed: ``A100=2`` does twice the work, so
               a job takes half the time, and a service (no ``hours``) half the cards
gang           members that run at once, each with this demand; gang_scope: all at one site, or one city
hours          how long it runs; absent: throughout its window
earliest       when it may start, latest: when it must have ended; hours after the plan's start, or a time
due            when it should have ended; lateness_cny is what each hour later counts
preemptible    true: it may pause between hours; best_effort true: it gives way first
priority       0–9; higher is left out last
data_gb        what must be moved to its site
migration_cny  what moving it costs, beside its data, once it runs; absent: what the plan says for all
budget_cny     the most it may cost
together       name of a group that runs at one site; apart: of a group that runs at different sites
============== =====================================================================================

A table of expected work has two fields more (`FORECAST_FIELDS`):

============== =====================================================================================
probability    that each of them comes, above 0, at most 1; absent: 1
count          how many there may be, each with this probability on its own; absent: 1
============== =====================================================================================

It becomes one row for the first to come, one for the second, and so on, the n-th with the chance that at
least n come; below one in a thousand they are left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from math import ceil, comb, floor, fsum
from pathlib import Path
from typing import Final

from nodes.types import Residency
from scheduler.io.faults import Faults, Where
from scheduler.io.fields import Fields
from scheduler.io.kubernetes import SUFFIXES as MANIFESTS
from scheduler.io.kubernetes import read_manifests
from scheduler.io.places import Places
from scheduler.io.tables import Row, read_table
from scheduler.types import PRIORITY_MAX, Need, micro_cny, milli_cards

FIELDS: Final = (
    "id", "origin", "class", "latency_ms", "residency", "grade", "cards", "demand", "instead", "gang",
    "gang_scope", "hours", "earliest", "latest", "due", "lateness_cny", "preemptible", "best_effort",
    "priority", "data_gb", "migration_cny", "budget_cny", "together", "apart",
)  # fmt: skip
FORECAST_FIELDS: Final = ("probability", "count", *FIELDS)
COPIES_MAX: Final = 1_000
CARDS_MAX: Final = "1000000"
SPEED_MIN: Final = Decimal("0.001")
SPEED_MAX: Final = Decimal(1000)
GANG_MAX: Final = 10_000
GANG_SCOPES: Final = ("site", "city")
HOURS_MAX: Final = 24 * 366


@dataclass(frozen=True, slots=True)
class WorkloadRow:
    """One workload as a file gave it, checked and in the plan's units.

    ``demand`` is what *one* of ``gang`` members needs, ``instead`` other grades for it with their speed.
    ``chance_milli`` is the chance in a thousand that it comes, None for work that is there.
    ``hours`` is None for a service that runs throughout its window. ``earliest_hour``, ``latest_hour`` (its
    end) and ``due_hour`` count from the plan's start; ``due_hour`` and ``budget_micro_cny`` may be None.
    """

    where: Where
    id: str
    origin: str
    latency_class: str
    latency_ms_max: float
    residency: Residency
    demand: tuple[Need, ...]
    instead: tuple[tuple[str, Decimal], ...]
    gang: int
    gang_scope: str
    hours: int | None
    earliest_hour: int
    latest_hour: int
    due_hour: int | None
    lateness_micro_cny: int
    preemptible: bool
    best_effort: bool
    priority: int
    data_gb: int
    migration_micro_cny: int | None
    budget_micro_cny: int | None
    together: str
    apart: str
    chance_milli: int | None = None


@dataclass(frozen=True, slots=True)
class WorkloadFile:
    """What a file holds: its sound workloads, the faults of the others, and the ids of all."""

    rows: tuple[WorkloadRow, ...]
    faults: Faults
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Span:
    """The time a plan spans: from ``start`` (with an offset), whole hours.

    Where work has begun before, ``since`` says when at the earliest, and ``zero`` what the files' hours count
    from; otherwise both are the start.
    """

    start: datetime
    hours: int
    since: datetime | None = None
    zero: datetime | None = None

    @property
    def counted_from(self) -> datetime:
        """What hours in files count from."""
        return self.zero or self.start

    @property
    def begun_hours(self) -> int:
        """How long before the start work may have begun."""
        return 0 if self.since is None else ceil((self.start - self.since).total_seconds() / 3600)


def read_workloads(path: Path, places: Places, span: Span) -> WorkloadFile:
    """The workloads of a file. Raises `FaultyInput` when the file as a whole cannot be read."""
    if path.suffix.lower() in MANIFESTS:
        return workloads_of(read_manifests(path), places, span)
    return workloads_of(read_table(path, "workloads"), places, span)


def workloads_of(rows: Iterable[Row], places: Places, span: Span) -> WorkloadFile:
    """Workloads of rows, faults beside them; a faulty row is left out whole."""
    reader = _Reader(places, span)
    sound = tuple(reader.sound(rows))
    return WorkloadFile(sound, reader.faults, frozenset(reader.seen))


def read_forecast(path: Path, places: Places, span: Span) -> WorkloadFile:
    """The expected workloads of a table, each as often as it may come."""
    return forecast_of(read_table(path, "forecast"), places, span)


def forecast_of(rows: Iterable[Row], places: Places, span: Span) -> WorkloadFile:
    """The same of rows."""
    reader = _Reader(places, span, FORECAST_FIELDS)
    expected = tuple(copy for row in reader.sound(rows) for copy in _copies(row, *reader.chances[row.id]))
    return WorkloadFile(expected, reader.faults, frozenset(reader.seen))


def _copies(row: WorkloadRow, probability: Decimal, count: int) -> Iterator[WorkloadRow]:
    """The first, the second … of them, each with the chance that so many come (a binomial tail)."""
    p = float(probability)
    exactly = [comb(count, n) * p**n * (1 - p) ** (count - n) for n in range(count + 1)]
    for n in range(1, count + 1):
        chance = min(1000, floor(1000 * fsum(exactly[n:]) + 1e-6))
        if chance:
            yield replace(row, id=f"{row.id}#{n}", chance_milli=chance)


class _Reader:
    """Reads rows one by one; what many rows share (demand vectors, cities) is made once."""

    def __init__(self, places: Places, span: Span, known: tuple[str, ...] = FIELDS) -> None:
        self.places = places
        self.span = span
        self.known = known
        self.chances: dict[str, tuple[Decimal, int]] = {}
        self.faults = Faults()
        self.seen: dict[str, Where] = {}
        self.demands: dict[tuple[tuple[str, Decimal], ...], tuple[Need, ...]] = {}

    def sound(self, rows: Iterable[Row]) -> Iterator[WorkloadRow]:
        for row in rows:
            fields = Fields(row, self.faults)
            read = None if row.broken else self._read(fields)
            if read is not None and not fields.wrong:
                yield read

    def _read(self, fields: Fields) -> WorkloadRow:
        fields.key = fields.text("id", None)
        fields.known(self.known)
        self._once(fields)
        if self.known is FORECAST_FIELDS:
            probability = fields.decimal("probability", "1", "0.001", "1")
            self.chances[fields.key] = probability, fields.integer("count", 1, 1, COPIES_MAX)
        origin = self._origin(fields)
        latency_class, latency_ms, residency = self._reach(fields, origin)
        hours, earliest, latest = self._window(fields)
        demand, instead = self._needs(fields)
        return WorkloadRow(
            where=fields.row.where,
            id=fields.key,
            origin=origin,
            latency_class=latency_class,
            latency_ms_max=latency_ms,
            residency=residency,
            demand=demand,
            instead=instead,
            gang=fields.integer("gang", 1, 1, GANG_MAX),
            gang_scope=fields.choice("gang_scope", GANG_SCOPES, "site"),
            hours=hours,
            earliest_hour=earliest,
            latest_hour=latest,
            due_hour=self._due(fields),
            lateness_micro_cny=micro_cny(fields.decimal("lateness_cny", "0")),
            best_effort=fields.truth("best_effort", False),
            preemptible=fields.truth("preemptible", False),
            priority=fields.integer("priority", 0, 0, PRIORITY_MAX),
            data_gb=ceil(fields.decimal("data_gb", "0")),
            migration_micro_cny=_money(fields, "migration_cny"),
            budget_micro_cny=_money(fields, "budget_cny"),
            together=fields.text("together"),
            apart=fields.text("apart"),
        )

    def _once(self, fields: Fields) -> None:
        first = self.seen.setdefault(fields.key, fields.row.where)
        if first is not fields.row.where:
            fields.fault("id", f"{first} has the same id")

    def _origin(self, fields: Fields) -> str:
        name = fields.text("origin", None)
        city = self.places.city(name) if name else ""
        if city is None:
            known = ", ".join(origin.city for origin in self.places.origins)
            fields.fault("origin", f"unknown city {name!r}; known: {known}")
        return city or ""

    def _reach(self, fields: Fields, origin: str) -> tuple[str, float, Residency]:
        name = fields.text("class")
        kind = self.places.classes.get(name)
        if name and kind is None:
            fields.fault("class", f"unknown class {name!r}; known: {', '.join(self.places.classes)}")
        latency_ms = kind.rtt_ms if kind else float("inf")
        if fields.has("latency_ms"):
            latency_ms = float(fields.decimal("latency_ms", None))
            nearest = self.places.nearest_ms.get(origin, 0.0)
            if latency_ms < nearest:
                fields.fault(
                    "latency_ms",
                    f"impossible: the site nearest to {origin} is {nearest:.2f} ms away (round trip), "
                    f"{latency_ms:g} ms asked for",
                )
        residency = fields.choice("residency", tuple(Residency), kind.residency if kind else Residency.ANY)
        return name, latency_ms, Residency(residency)

    def _needs(self, fields: Fields) -> tuple[tuple[Need, ...], tuple[tuple[str, Decimal], ...]]:
        demand = self._demand(fields)
        instead = {
            self._grade(fields, "instead", name): speed for name, speed in fields.pairs("instead").items()
        }
        if instead and len(demand) != 1:
            fields.fault("instead", "it speaks of one grade; give one grade and cards")
        for name, speed in instead.items():
            if not SPEED_MIN <= speed <= SPEED_MAX:
                fields.fault("instead", f"the speed {speed} of {name} is outside {SPEED_MIN} … {SPEED_MAX}")
            if name in demand:
                fields.fault("instead", f"{name} is the demand's own grade")
        key = tuple(demand.items())
        if key not in self.demands and not fields.wrong:
            self.demands[key] = tuple(Need(grade, milli_cards(cards)) for grade, cards in key)
        return self.demands.get(key, ()), tuple(instead.items())

    def _demand(self, fields: Fields) -> dict[str, Decimal]:
        if fields.has("demand"):
            for name in ("grade", "cards"):
                if fields.has(name):
                    fields.fault(name, "give either `demand`, or `grade` and `cards`")
            given = fields.pairs("demand")
            if not given:
                fields.fault("demand", "no grade is asked for")
        else:
            given = {fields.text("grade", None): fields.decimal("cards", None, "0", CARDS_MAX)}
        demand: dict[str, Decimal] = {}
        for name, cards in given.items():
            column = "demand" if fields.has("demand") else "grade"
            grade = self._grade(fields, column, name)
            if grade in demand:
                fields.fault(column, f"{grade} is named twice")
            demand[grade] = self._cards(fields, grade, cards)
        return demand

    def _cards(self, fields: Fields, grade: str, cards: Decimal) -> Decimal:
        name = f"demand.{grade}" if fields.has("demand") else "cards"
        if not fields.wrong and not (Decimal(0) < cards <= Decimal(CARDS_MAX) and milli_cards(cards)):
            fields.fault(name, f"{cards} cards: expected 0.001 … {CARDS_MAX}")
        return cards

    def _grade(self, fields: Fields, column: str, name: str) -> str:
        grade = self.places.grade(name)
        if name and grade is None:
            fields.fault(column, f"unknown grade {name!r}; known: {', '.join(self.places.grades)}")
        return grade or name

    def _due(self, fields: Fields) -> int | None:
        due = fields.hours_from("due", self.span.start, self.span.counted_from)
        return None if due is None else max(0, floor(due))

    def _window(self, fields: Fields) -> tuple[int | None, int, int]:
        """Hours of running, first hour and end; the window in whole hours inside what is asked for."""
        start = fields.hours_from("earliest", self.span.start, self.span.counted_from)
        end = fields.hours_from("latest", self.span.start, self.span.counted_from)
        # of work that may have begun before, the window that counts began then
        asked = max(-self.span.begun_hours, ceil(start)) if start is not None else -self.span.begun_hours
        earliest = max(0, asked)
        latest = min(self.span.hours, floor(end)) if end is not None else self.span.hours
        hours = fields.integer("hours", max(1, latest - earliest), 1, HOURS_MAX)
        if not fields.wrong and latest - asked < hours:
            fields.fault(
                "latest" if end is not None else "hours",
                f"the window from hour {asked} to hour {latest} is shorter than the {hours} hours it runs"
                f" (the plan spans {self.span.hours})",
            )
        return hours if fields.has("hours") else None, earliest, latest


def _money(fields: Fields, name: str) -> int | None:
    """An amount in CNY where the row gives one, in micro-CNY."""
    return micro_cny(fields.decimal(name, "0")) if fields.has(name) else None
