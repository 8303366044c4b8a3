"""Planning again over HTTP: what an accepted plan has begun by the start of the next one."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from exchange.api.codes import RequestCode, refuse
from exchange.api.plans import PlannedRun
from exchange.planning.jobs import Job
from scheduler.io.following import begun_of
from scheduler.io.running import Begun
from scheduler.io.schedule import Run
from scheduler.types import Need, milli_cards


class _Runs(msgspec.Struct, frozen=True):
    """What of a result tells what runs."""

    runs: list[PlannedRun]


def begun_by(job: Job, start: datetime) -> tuple[Begun, ...]:
    """What has begun when the plan was followed until then. Raises RequestRefused PLAN_NOT_FOLLOWED."""
    if job.open or job.result is None:
        why = f"Plan {job.plan_id} is {job.state}, without a final result to follow."
    elif not (job.accepted or job.nominated):
        why = f"Nothing of plan {job.plan_id} is accepted or nominated, so nothing of it runs."
    elif not job.start <= start <= job.start + timedelta(hours=job.hours):
        why = f"Plan {job.plan_id} spans {job.days} days from {job.first_day}; begin within them."
    else:
        runs = msgspec.json.decode(bytes(job.result), type=_Runs).runs
        passed = round((start - job.start).total_seconds() / 3600)
        return begun_of(job.begun, tuple(map(_run, runs)), passed)
    raise refuse(RequestCode.PLAN_NOT_FOLLOWED, why)


def _run(planned: PlannedRun) -> Run:
    needs = tuple(Need(grade, milli_cards(cards)) for grade, cards in planned.cards.items())
    hours = (planned.first_hour, planned.end_hour)
    return Run(planned.workload, "", "", planned.hub, *hours, planned.members, needs, planned.round_trip_ms)
