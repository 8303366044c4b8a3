"""What has begun when a plan's runs were followed for some hours. Nothing here needs the models."""

from collections import defaultdict

from scheduler.horizon.types import Part
from scheduler.io.running import ALL, Begun
from scheduler.io.schedule import Run


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
