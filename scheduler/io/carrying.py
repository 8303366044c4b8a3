"""From one plan file to the next: what of it has run by a later moment."""

from datetime import datetime, timedelta
from pathlib import Path

from scheduler.io.following import begun_of
from scheduler.io.planfile import PlanFile
from scheduler.io.running import Begun
from scheduler.io.schedule import schedule_of
from scheduler.io.tables import refused


def next_start(last: PlanFile) -> datetime:
    """When the plan after this one begins unless it is said otherwise: one hour later."""
    return last.start + timedelta(hours=1)


def begun_after(path: Path, last: PlanFile, start: datetime) -> tuple[Begun, ...]:
    """What has begun when a plan was followed until ``start``; ``path`` names it in faults.

    Raises `FaultyInput` for a start that is before the plan's own, behind its end, or between two hours.
    """
    schedule = schedule_of(last.start, last.problem, last.plan)
    passed, rest = divmod((start - last.start).total_seconds(), 3600)
    if rest or not 0 <= passed <= schedule.hours:
        raise refused(
            path,
            f"it plans {schedule.hours} h from {last.start.isoformat()}; the next plan must start on a full "
            f"hour of it, not at {start.isoformat()}",
        )
    return begun_of(last.begun, schedule.runs, int(passed))
