"""Planning again: what runs now, and what the new plan changes."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from scheduler.io.carrying import begun_after, next_start
from scheduler.io.changes import Changes
from scheduler.io.planfile import PlanFile, is_plan, read_plan
from scheduler.io.running import Begun, earliest_begin, read_running
from scheduler.io.workloads import Span, WorkloadRow
from scheduler.report.wording import change_lines

SHOWN_MAX: Final = 10


@dataclass(frozen=True, eq=False, slots=True)
class Earlier:
    """Where what runs now is told: a plan file, or a table, or nowhere."""

    path: Path | None = None
    plan: PlanFile | None = None

    def start(self) -> datetime | None:
        """When the plan after the last one begins; None where there is none."""
        return None if self.plan is None else next_start(self.plan)

    def span(self, start: datetime, hours: int) -> Span:
        """The new plan's span: work may have begun before it."""
        if self.plan is not None:
            zero = self.plan.zero or self.plan.start
            return Span(start, hours, since=min(zero, start), zero=zero)
        if self.path is None:
            return Span(start, hours)
        begun = earliest_begin(self.path, start)
        return Span(start, hours, since=start - timedelta(hours=ceil(-begun)))

    def begun(
        self, rows: Sequence[WorkloadRow], sites: Collection[str], start: datetime
    ) -> tuple[Begun, ...]:
        """What has begun by then. Raises `FaultyInput`."""
        if self.path is None:
            return ()
        if self.plan is not None:
            return begun_after(self.path, self.plan, start)
        return read_running(self.path, rows, sites, start)


def earlier_of(path: Path | None) -> Earlier:
    """A plan file is told from a table by what it holds. Raises `FaultyInput`."""
    if path is None:
        return Earlier()
    return Earlier(path, read_plan(path) if is_plan(path) else None)


# telling


def show_changes(changes: Changes, start: datetime, console: Console) -> None:
    """Print what the new plan changes for work that had begun, and what can no longer end in time."""
    if changes == Changes():
        return
    counts = (
        (changes.goes_on, "go on as they were"),
        (len(changes.moved), "move"),
        (len(changes.paused), "pause"),
        (len(changes.stopped), "stop"),
        (len(changes.waits), "go on again"),
        (len(changes.ended), "had ended"),
        (len(changes.expired), "can no longer end in time"),
        (len(changes.withdrawn), "are not asked for any more"),
    )
    told = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    console.print(f"[bold]What changes[/bold]: {told}", highlight=False)
    lines = change_lines(changes, start)
    for line in lines[:SHOWN_MAX]:
        console.print(f"  {line}", highlight=False, markup=False)
    if len(lines) > SHOWN_MAX:
        console.print(f"  and {len(lines) - SHOWN_MAX:,} more: see --json", highlight=False)


def changes_json(changes: Changes) -> dict[str, Any]:
    """The same as JSON values; nothing where nothing had begun."""
    return {} if changes == Changes() else {"changes": _plain(asdict(changes))}


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [item._asdict() if hasattr(item, "_asdict") else item for item in value]
        if isinstance(value, tuple)
        else value
        for name, value in found.items()
    }
