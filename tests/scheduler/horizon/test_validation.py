"""Bad input is named with table, row and field, all of it at once, and the rest can be planned."""

from dataclasses import replace
from datetime import datetime

import horizon_instances as cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.horizon.types import (
    Alternative,
    GradeSlots,
    Horizon,
    Link,
    Maintenance,
    Part,
    Running,
    timed_alternatives,
)
from scheduler.horizon.validation import checked, faults, without_faulty_workloads
from scheduler.types import InvalidProblem, Need


def test_sound_problems_pass():
    assert checked(cases.two_sites()) is not None
    for seed in range(200):
        assert faults(cases.tiny(seed)) == [], seed


def with_work(**changes):
    problem = cases.two_sites()
    return replace(problem, workloads=(replace(problem.workloads[1], **changes), *problem.workloads[2:]))


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"origin": "ATLANTIS"}, "origin", "unknown origin city 'ATLANTIS'"),
        ({"latency_ms_max": float("nan")}, "latency_ms_max", "nan is not a figure ≥ 0"),
        ({"alternatives": ()}, "alternatives", "no alternative"),
        ({"alternatives": (Alternative((), 1),)}, "alternatives[0]", "empty"),
        ({"alternatives": (Alternative((Need("A", -1),), 1),)}, "alternatives[0][A]", "-1 is outside 1"),
        (
            {"alternatives": (Alternative((Need("Z", 1),), 1),)},
            "alternatives[0]",
            "unknown grade 'Z'; known: A",
        ),
        ({"alternatives": (Alternative((Need("A", 1),), 0),)}, "alternatives[0].slots", "0 is outside 1"),
        ({"earliest": 3}, "latest_end", "the window of slots 3 … 4 is shorter than its 2 slots"),
        ({"latest_end": 9}, "latest_end", "9 is outside 0 … 4"),
        ({"priority": 10}, "priority", "10 is outside 0 … 9"),
        ({"gang_size": 0}, "gang_size", "0 is outside 1"),
        ({"data_gb": 1.5}, "data_gb", "1.5 is not an integer"),
        ({"mode": "sometimes"}, "mode", "none of contiguous, preemptible"),
        ({"residency": "moon"}, "residency", "none of site, city, province, any"),
        ({"id": "pausing"}, "id", "row 0 has the same id"),
    ],
)
def test_a_faulty_workload_is_named_and_the_rest_can_be_planned(changes, field, words):
    problem = with_work(**changes)
    (fault,) = [f for f in faults(problem) if f.table == "workloads"]
    assert fault.field == field
    assert words in fault.message
    with pytest.raises(InvalidProblem, match=r"workloads row \d"):
        checked(problem)
    rest, found = without_faulty_workloads(problem)
    assert found == (fault,)
    assert len(rest.workloads) == 1
    assert faults(rest) == []


GARBAGE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
FIGURES = (
    "origin", "latency_ms_max", "residency", "mode", "gang_scope", "priority", "gang_size", "data_gb",
    "lateness_micro_cny", "due", "budget_micro_cny", "earliest", "latest_end",
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(FIGURES), GARBAGE, min_size=1))
def test_garbage_is_named_by_row_and_field_and_never_raises(changes):
    found = faults(with_work(**changes))
    assert {(f.table, f.row) for f in found} <= {("workloads", 0)}
    # a gang may be too large for its demand, a window too short for its duration
    assert {f.field for f in found} <= {*changes, "alternatives[0][A]", "latest_end"}
    rest, _ = without_faulty_workloads(with_work(**changes))
    assert faults(rest) == []


def changed(**changes):
    return replace(cases.two_sites(), **changes)


def grades(*given):
    problem = cases.two_sites()
    return changed(sites=(problem.sites[0], replace(problem.sites[1], grades=given)))


@pytest.mark.parametrize(
    ("problem", "table", "field", "words"),
    [
        (changed(horizon=Horizon(datetime(2026, 1, 1), 4)), "horizon", "start", "no time zone"),  # noqa: DTZ001
        (changed(horizon=Horizon(cases.START, 0)), "horizon", "slots", "0 is outside 1"),
        (
            grades(GradeSlots("A", (8000,) * 3, 1)),
            "sites",
            "grades[A].capacity_milli_cards",
            "3 figures for 4",
        ),
        (
            grades(GradeSlots("A", 7999, 1)),
            "sites",
            "grades[A].capacity_milli_cards",
            "add up to 8000 in slot 0",
        ),
        (grades(GradeSlots("A", 8000, -1)), "sites", "grades[A].list_price_micro_cny", "-1 is outside"),
        (changed(maintenance=(Maintenance("HUB", 2, 2),)), "maintenance", "end", "not after first"),
        (changed(maintenance=(Maintenance("HUB", 0, 1, "Z"),)), "maintenance", "grade", "no grade 'Z'"),
        (changed(links=(Link("EAST", "NOWHERE", 1),)), "links", "site", "unknown site"),
        (changed(links=(Link("EAST", "HUB", (1, -1, 1, 1)),)), "links", "gb_per_slot[1]", "-1 is outside"),
        (changed(running=(Running("nobody", 0, ()),)), "running", "workload", "unknown workload"),
        (changed(running=(Running("far", 1, (Part("HUB", 1),)),)), "running", "alternative", "none of its"),
        (changed(running=(Running("far", 0, (Part("HUB", 2),)),)), "running", "parts", "2 is outside 1 … 1"),
        (changed(running=(Running("far", 0, ()),)), "running", "parts", "do not make up its 1 members"),
        (changed(moves_max=-1), "problem", "moves_max", "-1 is outside"),
    ],
)
def test_every_other_table_is_checked_too(problem, table, field, words):
    found = [f for f in faults(problem) if (f.table, f.field) == (table, field)]
    assert found, faults(problem)
    assert words in found[0].message


def test_all_faults_come_at_once():
    problem = with_work(origin="ATLANTIS", priority=-1, data_gb=-1)
    problem = replace(problem, network=replace(problem.network, rtt_ms=np.array([[np.nan, 1.0]])))
    assert {(f.table, f.field) for f in faults(problem)} == {
        ("network", "rtt_ms[POOL]"),
        ("workloads", "origin"),
        ("workloads", "priority"),
        ("workloads", "data_gb"),
    }
    with pytest.raises(InvalidProblem):
        without_faulty_workloads(problem)


def test_a_faster_grade_takes_fewer_slots():
    found = timed_alternatives({"A": 8}, 5, {"B": 2, "C": 0.5})
    assert found == (
        Alternative((Need("A", 8000),), 5),
        Alternative((Need("B", 8000),), 3),
        Alternative((Need("C", 8000),), 10),
    )
    with pytest.raises(ValueError, match="above 0"):
        timed_alternatives({"A": 8}, 5, {"B": 0})
    with pytest.raises(ValueError, match="one grade"):
        timed_alternatives({"A": 8, "CPU": 1}, 5, {"B": 2})
