"""Workload files: what is read, and what each faulty file is told."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.planning.places import catalogue_places
from nodes.types import Residency
from scheduler.io.faults import FaultyInput
from scheduler.io.tables import rows_of
from scheduler.io.workloads import FIELDS, Span, forecast_of, read_workloads, workloads_of
from scheduler.types import Need

START = datetime.fromisoformat("2026-12-04T00:00:00+08:00")
DAY = Span(START, 24)
PLACES = catalogue_places(START)

PLAIN = {"id": "a", "origin": "Shanghai", "grade": "H100", "cards": 8}


def read(folder: Path, name: str, content: str | bytes):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_workloads(path, PLACES, DAY)


def of(*items, span=DAY):
    return workloads_of(rows_of("jobs.json", list(items)), PLACES, span)


def told(*items):
    return [str(fault) for fault in of(*items).faults.found]


def test_a_row_with_everything():
    (row,) = of(
        PLAIN
        | {
            "class": "ai_train", "latency_ms": 40, "residency": "province", "instead": {"A100": 0.5},
            "gang": 2, "hours": 6, "earliest": "2026-12-04T08:00:00+08:00", "latest": 20,
            "preemptible": True,
            "due": 18.5, "lateness_cny": 2.5, "gang_scope": "city", "best_effort": "yes",
            "priority": 3, "data_gb": 10.2, "budget_cny": "1234.50", "together": "t",
            "apart": "s",
        }
    ).rows  # fmt: skip
    assert (row.id, row.origin, row.latency_class, row.latency_ms_max) == ("a", "SHANGHAI", "ai_train", 40)
    assert row.residency is Residency.PROVINCE
    assert (row.demand, row.instead) == ((Need("H100", 8000),), (("A100", Decimal("0.5")),))
    assert (row.gang, row.gang_scope, row.due_hour, row.lateness_micro_cny) == (2, "city", 18, 2_500_000)
    assert (row.hours, row.earliest_hour, row.latest_hour) == (6, 8, 20)
    assert (row.preemptible, row.best_effort, row.priority, row.data_gb) == (True, True, 3, 11)
    assert (row.budget_micro_cny, row.together, row.apart) == (1_234_500_000, "t", "s")


@pytest.mark.parametrize("latest", ["2026-12-04 20:00:00+08:00", "2026-12-04T12:00:00Z", "20.9", 20])
def test_a_time_is_hours_or_a_moment_as_other_programs_write_it(latest):
    (row,) = of(PLAIN | {"latest": latest}).rows
    assert row.latest_hour == 20


def test_class_gives_latency_and_residency_where_absent():
    (row,) = of(PLAIN | {"class": "tele_robot"}).rows
    assert (row.latency_ms_max, row.residency) == (10, Residency.CITY)
    (row,) = of(PLAIN | {"class": "tele_robot", "latency_ms": 15, "residency": "any"}).rows
    assert (row.latency_ms_max, row.residency) == (15, Residency.ANY)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"latency_ms": 0.5}, "latency_ms: impossible: the site nearest to SHANGHAI is 1.00 ms away"),
        ({"latency_ms": -3}, "latency_ms: -3 is outside 0"),
        ({"latency_ms": "NaN"}, "latency_ms: 'NaN' is not a finite number"),
        ({"cards": -8}, "cards: -8 is outside 0"),
        ({"cards": float("nan")}, "cards: NaN is not a finite number"),
        ({"cards": True}, "cards: True is not a finite number"),
        ({"cards": 0}, "cards: 0 cards"),
        ({"cards": "8 cards"}, "cards: '8 cards' is not a finite number"),
        ({"origin": "Atlantis"}, "origin: unknown city 'Atlantis'; known: SHANGHAI"),
        ({"grade": "H1000"}, "grade: unknown grade 'H1000'; known: A100"),
        ({"class": "gaming"}, "class: unknown class 'gaming'"),
        ({"residency": "moon"}, "residency: 'moon' is none of site, city, province, any"),
        ({"hours": 25}, "hours: the window from hour 0 to hour 24 is shorter than the 25 hours"),
        ({"hours": 6, "earliest": 20}, "hours: the window from hour 20 to hour 24 is shorter"),
        ({"hours": 6, "latest": 5}, "latest: the window from hour 0 to hour 5 is shorter"),
        ({"hours": 1.5}, "hours: 1.5 is not a whole number"),
        ({"earliest": "2026-12-04T08:00:00"}, "earliest: 2026-12-04T08:00:00 has no offset"),
        ({"priority": 10}, "priority: 10 is outside 0 … 9"),
        ({"gang": 0}, "gang: 0 is outside 1"),
        ({"earliest": "2026-12-04"}, "earliest: 2026-12-04 has no offset; write it like 2026-12-04T20:00"),
        ({"latest": "tomorrow"}, "latest: 'tomorrow' is neither hours after the plan's start nor a time"),
        ({"latest": date(2026, 12, 4)}, "latest: datetime.date(2026, 12, 4) is neither hours after"),
        ({"latest": "1e999999999"}, "latest: '1e999999999' is too large for a number"),
        ({"earliest": -(10**18)}, "earliest: -1000000000000000000 is too large for a number"),
        ({"instead": {"A100": 0}}, "instead: the speed 0 of A100 is outside 0.001 … 1000"),
        ({"instead": "A100=1e-999999999"}, "instead: the speed 1E-999999999 of A100 is outside 0.001"),
        ({"instead": "A100"}, "instead: 'A100': expected pairs such as A100=2"),
        ({"demand": {"H100": 1}}, "grade: give either `demand`, or `grade` and `cards`"),
        ({"lattency_ms": 20}, "lattency_ms: no such field; known: id, origin"),
        ({"preemptible": "maybe"}, "preemptible: 'maybe' is neither true nor false"),
        ({"budget_cny": -1}, "budget_cny: -1 is outside 0"),
        ({"id": ""}, "id: it must not be empty"),
        ({"together": "a\nb"}, "together: 'a\\nb' has line breaks"),
    ],
)
def test_each_fault_names_file_row_and_field(change, expected):
    faults = told(PLAIN | {"id": "first"}, PLAIN | change)
    assert len(faults) >= 1
    assert faults[0].startswith("jobs.json row 2"), faults
    assert expected in faults[0]


def test_a_faulty_row_is_left_out_and_the_rest_read():
    file = of(PLAIN, PLAIN | {"id": "b", "cards": -1}, PLAIN | {"id": "c"}, PLAIN)
    assert [row.id for row in file.rows] == ["a", "c"]
    assert [(f.key, f.field) for f in file.faults.found] == [("b", "cards"), ("a", "id")]
    with pytest.raises(FaultyInput, match=r"jobs.json row 2 \(b\), cards"):
        file.faults.raise_if_any()


def test_csv_counts_lines_as_an_editor_does(tmp_path):
    text = 'id,origin,grade,cards,together\n"a",上海,H100,8,\n\nb,nowhere,A100,0.5,x\nc,Beijing\n'
    file = read(tmp_path, "jobs.csv", "\ufeff" + text)
    assert [row.id for row in file.rows] == ["a"]
    assert str(file.faults.found[0]).startswith("jobs.csv line 4 (b), origin: unknown city")
    assert str(file.faults.found[1]) == "jobs.csv line 5: 2 cells under a header of 5"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json", "{", "a.json line 1: not JSON"),
        ("a.json", "{}", "a.json: expected an array of objects, or an object with the key 'workloads'"),
        ("a.json", "3", "a.json: expected an array of objects"),
        ("a.csv", "", "a.csv line 1: no header line"),
        ("a.csv", "id,id\n", "a.csv line 1: the header names 'id' more than once"),
        ("a.csv", b"id\n\xff\xfe", "a.csv: not UTF-8"),
        ("a.parquet", b"PAR1nonsensePAR1", "a.parquet: not a Parquet file"),
        ("a.yaml", "a: [", "a.yaml document 1: not YAML"),
        ("a.txt", "", "its name must end in one of .json"),
    ],
)
def test_a_file_that_is_not_what_it_says(tmp_path, name, content, expected):
    with pytest.raises(FaultyInput) as raised:
        read(tmp_path, name, content)
    assert expected in str(raised.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FaultyInput, match=r"gone\.csv: No such file"):
        read_workloads(tmp_path / "gone.csv", PLACES, DAY)


NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=12)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "origin": st.sampled_from(sorted(PLACES.city_names)),
            "grade": st.sampled_from(PLACES.grades),
            "cards": st.integers(1, 100_000).map(lambda milli: milli / 1000),
        },
        optional={
            "class": st.sampled_from(sorted(PLACES.classes)),
            "latency_ms": st.integers(1, 500),
            "residency": st.sampled_from(list(map(str, Residency))),
            "gang": st.integers(1, 64),
            "hours": st.integers(1, 12),
            "earliest": st.integers(0, 6),
            "latest": st.integers(18, 24),
            "preemptible": st.booleans(),
            "priority": st.integers(0, 9),
            "data_gb": st.integers(0, 1000),
            "together": NAMES,
        },
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=25, deadline=None)
@given(ROWS)
def test_every_format_reads_the_same_rows(tmp_path_factory, drawn):
    folder = tmp_path_factory.mktemp("formats")
    rows = [{"id": f"w{at}"} | row for at, row in enumerate(drawn)]
    columns = [name for name in FIELDS if any(name in row for row in rows)]
    table = pa.table({name: [row.get(name) for row in rows] for name in columns})
    pq.write_table(table, folder / "jobs.parquet")
    lines = [",".join(columns), *(",".join(str(row.get(name, "")) for name in columns) for row in rows)]
    (folder / "jobs.csv").write_text("\n".join(lines), encoding="utf-8")
    (folder / "jobs.json").write_bytes(orjson.dumps({"workloads": rows}))
    (folder / "jobs.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    read = [
        read_workloads(folder / f"jobs.{suffix}", PLACES, DAY)
        for suffix in ("json", "jsonl", "csv", "parquet")
    ]
    for file in read:
        assert file.faults.found == []
        assert len(file.rows) == len(rows)
    plain = [[tuple(getattr(row, n) for n in row.__slots__ if n != "where") for row in f.rows] for f in read]
    assert plain[0] == plain[1] == plain[2] == plain[3]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), JSON_VALUES, max_size=8), max_size=3
    )
)
def test_garbage_in_fields_is_named_and_never_raises(items):
    file = of(*items)
    assert len(file.rows) + len({fault.where for fault in file.faults.found}) == len(items)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["json", "jsonl", "csv", "parquet", "yaml"]))
def test_garbage_files_are_refused_or_read(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("garbage") / f"jobs.{suffix}"
    path.write_bytes(content)
    try:
        read_workloads(path, PLACES, DAY)
    except FaultyInput as refused:
        assert str(refused).startswith(f"jobs.{suffix}")


def test_expected_work_is_as_many_rows_as_may_come_each_with_its_chance():
    row = {"id": "e", "origin": "Beijing", "grade": "H100", "cards": 1, "probability": 0.5, "count": 3}
    file = forecast_of(
        rows_of("forecast", [row, row | {"id": "sure", "probability": 1, "count": 2}]), PLACES, DAY
    )
    assert [(w.id, w.chance_milli) for w in file.rows] == [
        ("e#1", 875), ("e#2", 500), ("e#3", 125), ("sure#1", 1000), ("sure#2", 1000),
    ]  # fmt: skip
    assert len(forecast_of(rows_of("f", [row | {"count": 1000}]), PLACES, DAY).rows) == pytest.approx(
        500, abs=60
    )
    faulty = forecast_of(rows_of("f", [row | {"probability": 0, "count": 1.5}]), PLACES, DAY)
    assert [fault.field for fault in faulty.faults.found] == ["probability", "count"]
