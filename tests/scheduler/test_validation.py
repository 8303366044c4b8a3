"""Bad input is named with table, row and field; the rest can still be planned."""

import math
from dataclasses import replace

import numpy as np
import pytest
import scheduler_instances as cases
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.checker import check_plan
from scheduler.placing import place
from scheduler.types import (
    Fault,
    InvalidProblem,
    Need,
    Reservation,
    alternatives_of,
    micro_cny,
    micro_cny_from_ticks,
    milli_cards,
)
from scheduler.validation import checked, faults, without_faulty_workloads


def with_workload(**change):
    problem = cases.two_sites()
    return replace(problem, workloads=(problem.workloads[0], replace(problem.workloads[1], **change)))


FAULTY = (
    ({"origin": "ATLANTIS"}, "origin", "unknown origin city 'ATLANTIS'"),
    ({"latency_ms_max": math.nan}, "latency_ms_max", "nan"),
    ({"latency_ms_max": -1.0}, "latency_ms_max", "-1.0"),
    ({"latency_ms_max": None}, "latency_ms_max", "None"),
    ({"alternatives": ()}, "alternatives", "no demand vector"),
    ({"alternatives": ((),)}, "alternatives[0]", "empty"),
    ({"alternatives": ((Need("A", 0),),)}, "alternatives[0][A]", "outside 1"),
    ({"alternatives": ((Need("A", -5),),)}, "alternatives[0][A]", "outside 1"),
    ({"alternatives": ((Need("A", math.nan),),)}, "alternatives[0][A]", "nan is not an integer"),
    ({"alternatives": ((Need("A", 1.5),),)}, "alternatives[0][A]", "not an integer"),
    ({"alternatives": ((Need("A", 1), Need("A", 1)),)}, "alternatives[0]", "twice"),
    ({"alternatives": ((Need("Z9", 1),),)}, "alternatives[0]", "unknown grade 'Z9'; known: A"),
    ({"residency": "planet"}, "residency", "none of"),
    ({"priority": 10}, "priority", "outside 0 … 9"),
    ({"hours": 25}, "hours", "outside 1 … 24"),
    ({"hours": 0}, "hours", "outside 1 … 24"),
    ({"data_gb": -1}, "data_gb", "outside 0"),
    ({"data_gb": True}, "data_gb", "not an integer"),
)
"""A change that makes a workload faulty, the field at fault, and words that say so."""


@pytest.mark.parametrize(
    ("change", "field", "words"), [*FAULTY, ({"id": "near"}, "id", "row 0 has the same id")]
)
def test_a_faulty_workload_is_named(change, field, words):
    (fault,) = faults(with_workload(**change))
    assert (fault.table, fault.row, fault.field) == ("workloads", 1, field)
    assert words in fault.message


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.integers(0, 7), st.sampled_from(FAULTY), min_size=1))
def test_every_faulty_row_is_named_at_once_and_the_rest_is_planned(planted):
    problem = cases.crowd(0, 8)
    wrong = [
        replace(w, **planted[row][0]) if row in planted else w for row, w in enumerate(problem.workloads)
    ]
    rest, found = without_faulty_workloads(replace(problem, workloads=tuple(wrong)))
    assert [(f.table, f.row, f.key, f.field) for f in found] == [
        ("workloads", row, f"w{row}", planted[row][1]) for row in sorted(planted)
    ]
    assert rest.workloads == tuple(w for row, w in enumerate(problem.workloads) if row not in planted)
    assert check_plan(rest, place(rest)) == ()


GARBAGE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
FIGURES = ("origin", "latency_ms_max", "residency", "priority", "hours", "data_gb")


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(FIGURES), GARBAGE, min_size=1))
def test_garbage_is_named_by_row_and_field_and_never_raises(change):
    found = faults(with_workload(**change))
    assert {(f.table, f.row) for f in found} <= {("workloads", 1)}
    assert {f.field for f in found} <= change.keys()
    rest, _ = without_faulty_workloads(with_workload(**change))
    assert faults(rest) == []


@pytest.mark.parametrize("name", ["slot_hours", "carbon_price_micro_cny_per_kg"])
@pytest.mark.parametrize("value", [None, "1", math.nan, 1.5, True, -1])
def test_a_slot_that_is_none_is_named_before_anything_else(name, value):
    (fault,) = faults(replace(with_workload(hours=25), **{name: value}))
    assert (fault.table, fault.field) == ("problem", name)


def site_with(**change):
    problem = cases.two_sites()
    grade = replace(problem.sites[0].grades[0], **change)
    return replace(problem, sites=(replace(problem.sites[0], grades=(grade,)), problem.sites[1]))


HUGE = 10**13


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda p: replace(p, slot_hours=0), ("problem", 0, "slot_hours")),
        (lambda p: replace(p, origins=p.origins * 2), ("origins", 1, "city")),
        (lambda p: replace(p, origins=(replace(p.origins[0], home_site="X"),)), ("origins", 0, "home_site")),
        (lambda p: replace(p, sites=(*p.sites, p.sites[0])), ("sites", 2, "code")),
        (lambda p: replace(p, offers=p.offers[:1] * 2), ("offers", 1, "id")),
        (lambda p: replace(p, offers=(replace(p.offers[0], site="X"),)), ("offers", 0, "site")),
        (lambda p: replace(p, offers=(replace(p.offers[0], grade="X"),)), ("offers", 0, "grade")),
        (
            lambda p: replace(p, offers=(replace(p.offers[0], price_micro_cny=-1),)),
            ("offers", 0, "price_micro_cny"),
        ),
        (
            lambda p: replace(p, offers=(replace(p.offers[0], milli_cards=HUGE),)),
            ("offers", 0, "milli_cards"),
        ),
        (
            lambda p: replace(p, reservations=(Reservation("r", "HUB", "A", 1, HUGE),), offers=()),
            ("reservations", 0, "paid_micro_cny"),
        ),
        (
            lambda p: replace(p, reservations=(Reservation("r", "HUB", "A", 1, 0),)),
            ("sites", 1, "grades[A].capacity_milli_cards"),
        ),
        (
            lambda p: replace(p, network=replace(p.network, rtt_ms=np.array([[5.0, np.nan]]))),
            ("network", 0, "rtt_ms[HUB]"),
        ),
        (lambda p: replace(p, network=replace(p.network, rtt_ms=np.zeros((2, 2)))), ("network", 0, "rtt_ms")),
        (
            lambda p: replace(p, network=replace(p.network, transfer_micro_cny_per_gb=np.array([[0, -1]]))),
            ("network", 0, "transfer_micro_cny_per_gb[HUB]"),
        ),
        (
            lambda p: replace(p, network=replace(p.network, transfer_micro_cny_per_gb=np.array([[0.5, 1]]))),
            ("network", 0, "transfer_micro_cny_per_gb"),
        ),
        (lambda p: replace(p, network=replace(p.network, sites=("POOL", "X"))), ("network", 0, "sites")),
        (lambda p: replace(p, network=replace(p.network, origins=("X",))), ("network", 0, "origins")),
        (lambda _: site_with(kgco2=math.nan), ("sites", 0, "grades[A].kgco2")),
        (lambda _: site_with(list_price_micro_cny=0.5), ("sites", 0, "grades[A].list_price_micro_cny")),
        (lambda _: site_with(power_micro_cny=-1), ("sites", 0, "grades[A].power_micro_cny")),
    ],
)
def test_every_table_names_row_and_field(make, fault):
    assert fault in [(f.table, f.row, f.field) for f in faults(make(cases.two_sites()))]


def test_a_sound_problem_has_no_fault():
    assert faults(cases.two_sites()) == []
    for seed in range(50):
        assert faults(cases.known_grades_only(cases.tiny(seed))) == []


def test_all_faults_are_reported_at_once_and_long_lists_are_cut():
    problem = cases.two_sites()
    many = tuple(replace(problem.workloads[0], id=f"w{n}", hours=0) for n in range(30))
    with pytest.raises(InvalidProblem, match="and 10 more") as caught:
        checked(replace(problem, workloads=many))
    assert len(caught.value.faults) == 30
    assert str(caught.value.faults[3]) == "workloads row 3 (w3), hours: 0 is outside 1 … 24"


def test_the_rest_can_be_planned_without_faulty_workloads():
    sound, found = without_faulty_workloads(with_workload(hours=0))
    assert [w.id for w in sound.workloads] == ["near"]
    assert found == (Fault("workloads", 1, "far", "hours", "0 is outside 1 … 24"),)
    assert len(place(sound).placements) == 1
    with pytest.raises(InvalidProblem, match="slot_hours"):
        without_faulty_workloads(replace(with_workload(hours=0), slot_hours=0))


def test_units():
    assert milli_cards(0.46) == 460
    assert milli_cards(0.0005) == 1
    assert micro_cny(1.68) == 1_680_000
    assert micro_cny_from_ticks(1344, 8) == 1_680_000
    assert micro_cny_from_ticks(1, 8) == 1250
    with pytest.raises(ValueError, match="whole number"):
        micro_cny_from_ticks(1, 3)
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite"):
            milli_cards(bad)


def test_alternatives_follow_allowed_grades_and_speed():
    assert alternatives_of({"L20": 0.46}) == ((Need("L20", 460),),)
    assert alternatives_of({"A100": 2, "CPU64": 0.1}, {"A100": {"H100": 2}}) == (
        (Need("A100", 2000), Need("CPU64", 100)),
        (Need("H100", 1000), Need("CPU64", 100)),
    )
    # a gang of 3 whole cards stays whole; a share is divided exactly
    assert alternatives_of({"T4": 3}, {"T4": {"L20": 2}})[1] == (Need("L20", 2000),)
    assert alternatives_of({"T4": 0.5}, {"T4": {"L20": 1.5}})[1] == (Need("L20", 334),)
