"""From one plan to the next: what of a plan has run by a later moment."""

from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

from scheduler.horizon.types import Part
from scheduler.io.planfile import PlanFile
from scheduler.io.running import ALL, Begun
from scheduler.io.schedule import Run, schedule_of
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


def begun_of(before: tuple[Begun, ...], runs: tuple[Run, ...], passed: int) -> tuple[Begun, ...]:
    """What has begun after so many hours of these runs, where ``before`` had begun at their start."""
    by_name: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_name[run.workload].append(run)
    known = {item.workload: item for item in before}
    found = [_begun(name, known.get(name), by_name[name], passed) for name in {**known, **by_name}]
    return tuple(item for item in found if item is not None)


def _begun(name: str, before: Begun | None, runs: list[Run], passed: int) -> Begun | None:
    stretches = {(run.first_hour, run.end_hour) for run in runs if run.first_hour < passed}
    if not stretches:
        # not yet, or not again: what was running is not any more
        return before and before._replace(running=before.running and passed == 0)
    ran = sum(min(end, passed) - first for first, end in stretches)
    last = max(stretches)
    here = [run for run in runs if (run.first_hour, run.end_hour) == last]
    # one part is the whole gang, however the plan's model counts its members
    members = [ALL] if len(here) == 1 else [run.members for run in here]
    grades = tuple(need.grade for need in here[0].needs)
    on_these, on_own = (before.hours, before.own_hours) if before else (0, 0)
    if before and before.grades != grades:
        on_these, on_own = 0, on_own + on_these
    return Begun(
        workload=name,
        parts=tuple(Part(run.site, count) for run, count in zip(here, members, strict=True)),
        grades=grades,
        hours=ran + on_these,
        running=last[1] >= passed,
        own_hours=on_own,
    )
