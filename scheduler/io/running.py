"""Work that has begun: what ran where before a plan starts, and the rows that say what is left of it.

A row's fields, a row for each site that a workload is at:

- id: of a row of the workloads file;
- site, members: where it is; ``members`` of a gang, absent: all of it;
- grade: what it runs on where the workload allows several, absent: its own;
- since: since when it runs, a time or hours after the plan's start (so not above 0), absent: just now;
- ran_hours: how long it has run by then, where that is not the time since then.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Final, NamedTuple

from scheduler.horizon.types import HorizonProblem, Part, Running
from scheduler.io.faults import Faults, Where
from scheduler.io.fields import Fields
from scheduler.io.tables import Row, read_table
from scheduler.io.workloads import GANG_MAX, HOURS_MAX, WorkloadRow
from scheduler.types import Need

FIELDS: Final = ("id", "site", "members", "grade", "since", "ran_hours")
ALL: Final = 0
"""In place of a number of members: the whole gang."""


class Begun(NamedTuple):
    """What of a workload ran before a plan's start: where it ran last, on what, and for how long.

    ``running`` if it ran to that moment; work that may pause keeps its place either way. ``grades`` are those
    of its demand vector in use (none: the workload's own), ``hours`` how long it ran on them, ``own_hours``
    how long on its own before that.
    """

    workload: str
    parts: tuple[Part, ...]
    grades: tuple[str, ...]
    hours: int
    running: bool
    own_hours: int = 0

    def has_place(self, row: WorkloadRow) -> bool:
        """Whether it is at home somewhere now; what was stopped may begin again anywhere."""
        return self.running or row.preemptible


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of workloads: rows still to do, and what had begun; who ended, who can no longer end in
    time, and who had begun and is not asked for any more.
    """

    rows: tuple[WorkloadRow, ...]
    begun: tuple[Begun, ...] = ()
    ended: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


def left_of(rows: Iterable[WorkloadRow], begun: Sequence[Begun], ids: Collection[str]) -> Left:
    """Take what has run off the rows; ``ids`` are those of all rows of the file, faulty ones too.

    What has begun on one of several grades stays with it.
    """
    known = {item.workload: item for item in begun}
    kept, going, ended, expired = [], [], [], []
    for row in rows:
        item = known.get(row.id)
        later = row if item is None else _later(row, item)
        if item is not None:
            going.append(item)
        if (later.hours is not None and later.hours <= 0) or (item and row.hours is None and _over(row)):
            ended.append(row.id)
        elif later.latest_hour - later.earliest_hour < (later.hours or 1):
            expired.append(row.id)
        else:
            kept.append(later)
    withdrawn = tuple(item.workload for item in begun if item.workload not in ids)
    return Left(tuple(kept), tuple(going), tuple(ended), tuple(expired), withdrawn)


def _over(row: WorkloadRow) -> bool:
    return row.latest_hour <= row.earliest_hour


def _later(row: WorkloadRow, item: Begun) -> WorkloadRow:
    """What is left of a job; a service runs on throughout its window."""
    if row.hours is None:
        return replace(row, earliest_hour=0)
    demand, hours = row.demand, row.hours - item.own_hours
    for grade, speed in row.instead:
        if item.grades == (grade,):
            demand = (Need(grade, row.demand[0].milli_cards),)
            hours = ceil(Fraction(hours) / Fraction(speed))
    # what was stopped may begin again on any grade, unless it has run on another one than its own
    instead = () if item.has_place(row) or demand != row.demand else row.instead
    return replace(row, earliest_hour=0, demand=demand, instead=instead, hours=hours - item.hours)


def with_running(
    problem: HorizonProblem,
    rows: Sequence[WorkloadRow],
    begun: Sequence[Begun],
    migration_micro_cny: int = 0,
    moves_max: int | None = None,
) -> HorizonProblem:
    """The problem with what runs now. A move costs what the workload's row says, else the same for all."""
    sites = {site.code for site in problem.sites}
    row_of = {row.id: row for row in rows}
    ways = {w.id: [{n.grade for n in way.needs} for way in w.alternatives] for w in problem.workloads}
    running = []
    for item in begun:
        row = row_of.get(item.workload)
        if row is None or not item.has_place(row):
            continue
        grades = set(item.grades) or {need.grade for need in row.demand}
        # a hub that is gone, or a grade that it may not use any more, is no place to stay
        if not all(part.site in sites for part in item.parts) or grades not in ways[row.id]:
            continue
        cost = migration_micro_cny if row.migration_micro_cny is None else row.migration_micro_cny
        parts = tuple(Part(site, members or row.gang) for site, members in item.parts)
        running.append(Running(row.id, ways[row.id].index(grades), parts, cost))
    return replace(problem, running=tuple(running), moves_max=moves_max)


# from a table


def read_running(
    path: Path, rows: Sequence[WorkloadRow], sites: Collection[str], start: datetime
) -> tuple[Begun, ...]:
    """What runs now, from a table; raises `FaultyInput` naming each row and field that is wrong."""
    reader = _Reader({row.id: row for row in rows}, sites, start)
    begun = tuple(reader.all(read_table(path, "running")))
    reader.faults.raise_if_any()
    return begun


def earliest_begin(path: Path, start: datetime) -> Decimal:
    """The first moment at which anything in the table ran, in hours after the start (0 or below)."""
    found = [Decimal(0)]
    for row in read_table(path, "running"):
        fields = Fields(row, Faults())
        since = fields.hours_from("since", start, start) or Decimal(0)
        found += [since, -fields.decimal("ran_hours", "0", "0", str(HOURS_MAX))]
    return max(min(found), Decimal(-HOURS_MAX))


class _Part(NamedTuple):
    """One row."""

    where: Where
    part: Part
    grades: tuple[str, ...]
    hours: int


class _Reader:
    """Reads rows and puts those of one workload together."""

    def __init__(self, rows: Mapping[str, WorkloadRow], sites: Collection[str], start: datetime) -> None:
        self.rows = rows
        self.sites = sites
        self.start = start
        self.faults = Faults()

    def all(self, table: Iterable[Row]) -> Iterator[Begun]:
        found: dict[str, list[_Part]] = {}
        for row in table:
            fields = Fields(row, self.faults)
            read = None if row.broken else self._read(fields)
            if read is not None and not fields.wrong:
                found.setdefault(fields.key, []).append(read)
        for name, parts in found.items():
            if self._agree(self.rows[name], parts):
                sites = tuple(item.part for item in parts)
                yield Begun(name, sites, parts[0].grades, parts[0].hours, running=True)

    def _read(self, fields: Fields) -> _Part:
        name = fields.key = fields.text("id", None)
        fields.known(FIELDS)
        row = self.rows.get(name)
        if name and row is None:
            fields.fault("id", "no workload of the plan has this id")
        site = fields.text("site", None)
        if site and site not in self.sites:
            fields.fault("site", f"unknown site {site!r}; known: {', '.join(self.sites)}")
        grade = fields.text("grade").upper()
        allowed = [other for other, _ in row.instead] + [need.grade for need in row.demand] if row else []
        if grade and row and grade not in allowed:
            fields.fault("grade", f"{name} may not run on {grade!r}; it may on {', '.join(allowed)}")
        members = fields.integer("members", ALL, 1, GANG_MAX) if fields.has("members") else ALL
        other = (grade,) if row and grade in dict(row.instead) else ()
        return _Part(fields.row.where, Part(site, members), other, self._ran(fields))

    def _ran(self, fields: Fields) -> int:
        since = fields.hours_from("since", self.start, self.start) or Decimal(0)
        if since > 0:
            fields.fault("since", f"{since:g} h after the plan's start: it does not run yet")
        if since < -HOURS_MAX:
            fields.fault("since", f"{-since:g} h before the plan's start, more than {HOURS_MAX}")
        if fields.has("ran_hours"):
            return fields.integer("ran_hours", 0, 0, HOURS_MAX)
        return max(0, floor(-since))

    def _agree(self, row: WorkloadRow, parts: list[_Part]) -> bool:
        """Whether the rows of a workload make up its gang, once a site, with one history."""
        first, wrong = parts[0], ""
        members = sum(item.part.members or row.gang for item in parts)
        if len({item.part.site for item in parts}) < len(parts):
            wrong = "a site is named twice for it"
        elif members != row.gang:
            wrong = f"its rows have {members} members; the gang has {row.gang}"
        elif len(parts) > 1 and row.gang_scope == "site":
            wrong = "its members must be at one site"
        elif any((item.grades, item.hours) != (first.grades, first.hours) for item in parts):
            wrong = f"not the same grade and hours as {first.where}"
        if wrong:
            self.faults.add(parts[-1].where, row.id, "members", wrong)
        return not wrong
