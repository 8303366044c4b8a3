"""The process that plans: what it is given and the lines that it writes."""

import io
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from exchange.api.plans import PlanResult
from exchange.planning.task import Line, Task
from exchange.planning.worker import run
from scheduler.io.venue import Stock

pytestmark = pytest.mark.xdist_group("plan jobs")
"""One process of tests compiles the loops by the hour, not two at once."""

START = datetime.fromisoformat("2026-12-06T00:00:00+08:00")
JOB = {"id": "a", "origin": "Shanghai", "grade": "H100", "cards": 1, "hours": 20}


def lines(**more: Any) -> list[Line]:
    """What it writes about a day that has no asks."""
    plain: dict[str, Any] = {"start": START, "hours": 24, "stock": Stock((), ()), "zero": START}
    task = Task(**plain | {"time_limit_s": 1.0, "skip_faulty": False} | more)
    out = io.BytesIO()
    run(task, out)
    return [msgspec.json.decode(line, type=Line) for line in out.getvalue().splitlines()]


def test_what_can_no_longer_end_is_told_where_a_plan_went_before_and_nothing_had_begun() -> None:
    # on the second day six hours are left of its window
    late = JOB | {"latest": 30}
    told = lines(workloads=[late, JOB | {"id": "b"}], zero=START - timedelta(days=1), begun=())
    result = msgspec.json.decode(told[-1].result, type=PlanResult)
    assert result.changes is not None
    assert result.changes.expired == ["a"]
    assert [left.workload for left in result.left_out] == ["b"]


def test_no_more_work_is_expected_than_can_be_planned() -> None:
    expected = [JOB | {"id": str(n), "probability": 1, "count": 1000} for n in range(3)]
    (told,) = lines(workloads=[JOB], zero=START, forecast=expected)
    assert told.refused == ["forecast, count: 3,000 may come, expected at most 2,000: lower the counts"]


def test_what_only_the_model_refuses_is_named_by_row_and_left_out_on_request() -> None:
    much = JOB | {"id": "much", "cards": 1_000_000}
    *_, told = lines(workloads=[JOB, much])
    why = "workloads row 2 (much), demand: more than 10000000000 milli-card-slots over its members and slots"
    assert told.refused == [why]
    odd = "workloads row 3 (odd), cards: -1 is outside 0 … 1000000"
    found = lines(workloads=[JOB, much, JOB | {"id": "odd", "cards": -1}], skip_faulty=True)
    assert [line.faults for line in found if line.faults] == [[odd], [odd, why]]
    result = msgspec.json.decode(found[-1].result, type=PlanResult)
    assert [left.workload for left in result.left_out] == ["a"]
    assert sum(one.workloads for one in result.classes) == 1
