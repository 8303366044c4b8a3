"""Planning again: what has run is taken off, what runs is known, and tables of it are checked."""

from datetime import datetime, timedelta

import orjson
import pytest
from typer.testing import CliRunner

from exchange.planning.places import catalogue_places
from scheduler.commands.judging import comparison_of
from scheduler.commands.plan import app
from scheduler.horizon.checker import check_plan
from scheduler.horizon.plan import MoveReason
from scheduler.horizon.planning import plan_horizon
from scheduler.horizon.types import Part
from scheduler.io.carrying import begun_after, next_start
from scheduler.io.changes import changes_of
from scheduler.io.failures import failed_rows
from scheduler.io.faults import FaultyInput
from scheduler.io.following import begun_of
from scheduler.io.front_door import Before, problem_of
from scheduler.io.planfile import PlanFile, read_plan, write_plan
from scheduler.io.running import Begun, earliest_begin, left_of, read_running
from scheduler.io.schedule import schedule_of
from scheduler.io.supply import read_supply
from scheduler.io.supply_rows import SupplyFiles
from scheduler.io.tables import rows_of
from scheduler.io.workloads import Span, workloads_of
from scheduler.io.world import world_of
from scheduler.placing import place
from scheduler.report.page import report_html

START = datetime.fromisoformat("2026-12-04T00:00:00+08:00")
PLACES = catalogue_places(START)
SITES = "site,grade,cards,price\nGUIAN,H100,16,10\nGUIAN,A100,16,6\nZHONGWEI,H100,16,11\n"
JOB = {"id": "a", "origin": "Beijing", "grade": "H100", "cards": 8, "hours": 6}


def span_at(hour, hours=24):
    return Span(START + timedelta(hours=hour), hours, since=START, zero=START)


def world_at(folder, span, prices=""):
    files = {"sites": folder / "sites.csv"}
    files["sites"].write_text(SITES, encoding="utf-8")
    if prices:
        files["prices"] = folder / "prices.csv"
        files["prices"].write_text("site,grade,price,from,to\n" + prices, encoding="utf-8")
    return world_of(PLACES, read_supply(SupplyFiles(**files), PLACES, span), span)


def planned(folder, items, hour=0, begun=(), hours=24, **more):
    """The plan at an hour, as a file, and what is left of the work."""
    span, before = span_at(hour, hours), {"migration_micro_cny": more.pop("migration", 0)}
    before["moves_max"] = more.pop("moves_max", None)
    file = workloads_of(rows_of("jobs.json", list(items)), PLACES, span)
    assert file.faults.found == []
    left = left_of(file.rows, begun, file.ids)
    problem = problem_of(world_at(folder, span, **more), left.rows, before=Before(left.begun, **before))
    plan = plan_horizon(problem, 3)
    assert check_plan(problem, plan) == ()
    return PlanFile(span.start, problem, plan, begun=left.begun, zero=START), left


def sites_of(file):
    return {p.workload: p.parts[0].site for p in file.plan.placements}


def test_what_ran_is_taken_off_and_what_runs_goes_on(tmp_path):
    items = [JOB, JOB | {"id": "service", "hours": None}, JOB | {"id": "later", "earliest": 3}]
    items[1].pop("hours")
    first, _ = planned(tmp_path, items)
    begun = begun_after(tmp_path / "plan.json", first, START + timedelta(hours=2))
    second, left = planned(tmp_path, items, 2, begun)
    slots = {w.id: (w.alternatives[0].slots, w.earliest, w.latest_end) for w in second.problem.workloads}
    assert slots == {"a": (4, 0, 24), "service": (24, 0, 24), "later": (6, 1, 24)}
    assert {r.workload for r in second.problem.running} == {"a", "service"}
    assert changes_of(second.problem, second.plan, left).goes_on == 2
    begun = begun_after(tmp_path / "plan.json", second, START + timedelta(hours=8))
    third, left = planned(tmp_path, [*items[:2], items[2] | {"latest": 12}], 8, begun)
    assert left.ended == ("a",)
    assert third.plan.unplaced == ()


def test_a_move_is_told_with_what_it_gains(tmp_path):
    first, _ = planned(tmp_path, [JOB])
    assert sites_of(first) == {"a": "GUIAN"}
    begun = begun_after(tmp_path / "plan.json", first, START + timedelta(hours=1))
    cheap = "ZHONGWEI,H100,4,1,24\n"
    # five hours of 8 cards at 4 in place of 10 CNY gain 240
    for migration, moved in ((239, True), (241, False)):
        again, left = planned(tmp_path, [JOB], 1, begun, prices=cheap, migration=migration * 10**6)
        found = changes_of(again.problem, again.plan, left)
        assert bool(found.moved) is moved
        assert found.goes_on == (not moved)
    dear = JOB | {"migration_cny": 100}
    again, left = planned(tmp_path, [dear], 1, begun, prices=cheap)
    (move,) = changes_of(again.problem, again.plan, left).moved
    assert (move.before, move.after, move.reason) == ("GUIAN", "ZHONGWEI", MoveReason.GAIN)
    assert (move.gain_fen, move.cost_fen) == (24_000, 10_000)
    text = report_html(again, comparison_of(again.problem, again.plan), PLACES.points)
    assert "<li>a moves GUIAN → ZHONGWEI at 04 Dec" in text
    assert "it gains ¥240.00, moving costs ¥100.00</li>" in text
    held, _ = planned(tmp_path, [dear], 1, begun, prices=cheap, moves_max=0)
    assert held.plan.moves == ()


def test_work_on_another_grade_stays_with_it(tmp_path):
    job = JOB | {"instead": {"A100": 0.5}, "cards": 4}
    first, _ = planned(tmp_path, [job], prices="GUIAN,A100,1,,\n")
    assert first.problem.workloads[0].alternatives[first.plan.placements[0].alternative].slots == 12
    begun = begun_after(tmp_path / "plan.json", first, START + timedelta(hours=5))
    assert begun == (Begun("a", (Part("GUIAN", 0),), ("A100",), 5, running=True),)
    again, _ = planned(tmp_path, [job], 5, begun)
    (w,) = again.problem.workloads
    assert [(way.needs[0].grade, way.slots) for way in w.alternatives] == [("A100", 7)]


def test_hours_on_its_own_grade_count_once_work_goes_on_on_another(tmp_path):
    job = JOB | {"instead": {"A100": 2}}
    stopped = Begun("a", (Part("GUIAN", 0),), ("H100",), 2, running=False)
    # four hours are left, or two at twice the speed
    second, _ = planned(tmp_path, [job], 2, (stopped,), prices="GUIAN,A100,1,,\n")
    begun = begun_after(tmp_path / "plan.json", second, START + timedelta(hours=3))
    assert begun == (Begun("a", (Part("GUIAN", 0),), ("A100",), 1, running=True, own_hours=2),)
    third, left = planned(tmp_path, [job], 3, begun)
    assert left.ended == ()
    (w,) = third.problem.workloads
    assert [(way.needs[0].grade, way.slots) for way in w.alternatives] == [("A100", 1)]


def test_work_that_pauses_keeps_its_place_and_stopped_work_goes_on_anywhere(tmp_path):
    row = Begun("a", (Part("GUIAN", 0),), (), 2, running=True)
    idle = begun_of((row,), (), 1)
    assert idle == (row._replace(running=False),)
    for pauses, running in ((True, 1), (False, 0)):
        file, left = planned(tmp_path, [JOB | {"preemptible": pauses}], 2, idle)
        assert len(file.problem.running) == running
        assert file.problem.workloads[0].alternatives[0].slots == 4
        assert len(changes_of(file.problem, file.plan, left).waits) == 1 - running


def test_what_can_no_longer_end_in_time_and_what_is_withdrawn_is_said(tmp_path):
    row = Begun("a", (Part("GUIAN", 0),), (), 2, running=True)
    late, gone = JOB | {"id": "late", "latest": 8}, row._replace(workload="gone")
    _, left = planned(tmp_path, [JOB, late], 5, (row, gone))
    assert (left.expired, left.withdrawn) == (("late",), ("gone",))


def test_a_plan_of_one_slot_can_be_the_last_plan(tmp_path):
    item = JOB | {"gang": 2, "cards": 4}
    item.pop("hours")
    span = span_at(0)
    rows = workloads_of(rows_of("jobs.json", [item]), PLACES, span).rows
    problem = problem_of(world_at(tmp_path, span), rows)
    file = PlanFile(START, problem, place(problem, 2), zero=START)
    assert len(schedule_of(START, problem, file.plan).runs) == 1
    begun = begun_after(tmp_path / "plan.json", file, START + timedelta(hours=1))
    again, left = planned(tmp_path, [item], 1, begun)
    assert again.problem.running[0].parts == (Part("GUIAN", 2),)
    assert changes_of(again.problem, again.plan, left).goes_on == 1
    assert again.problem.horizon.slot_hours == 24
    assert [next_start(plan) for plan in (file, again)] == [START + timedelta(hours=n) for n in (1, 2)]
    with pytest.raises(FaultyInput, match="must start on a full hour of it"):
        begun_after(tmp_path / "plan.json", file, START + timedelta(hours=25))


def table(folder, text):
    path = folder / "now.csv"
    path.write_text("id,site,members,grade,since,ran_hours\n" + text, encoding="utf-8")
    gang = JOB | {"id": "gang", "gang": 3, "gang_scope": "city", "instead": {"A100": 2}}
    rows = workloads_of(rows_of("jobs.json", [JOB, gang]), PLACES, Span(START, 24)).rows
    return path, rows


def test_a_table_says_what_runs(tmp_path):
    path, rows = table(tmp_path, "a,GUIAN,,,-3,\ngang,GUIAN,2,a100,-9,4\ngang,ZHONGWEI,1,A100,,4\n")
    assert read_running(path, rows, {"GUIAN": 1, "ZHONGWEI": 1}, START) == (
        Begun("a", (Part("GUIAN", 0),), (), 3, running=True),
        Begun("gang", (Part("GUIAN", 2), Part("ZHONGWEI", 1)), ("A100",), 4, running=True),
    )
    assert earliest_begin(path, START) == -9
    path.write_text("id,site,since\na,GUIAN,-1e12\n", encoding="utf-8")
    assert earliest_begin(path, START) == -8784, "a slip is told when the table is read"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b,GUIAN,,,,\n", "now.csv line 2 (b), id: no workload of the plan has this id"),
        ("a,MARS,,,,\n", "now.csv line 2 (a), site: unknown site 'MARS'; known: GUIAN, ZHONGWEI"),
        ("a,GUIAN,,T4,,\n", "now.csv line 2 (a), grade: a may not run on 'T4'; it may on H100"),
        ("a,GUIAN,,,2,\n", "now.csv line 2 (a), since: 2 h after the plan's start: it does not run yet"),
        ("a,GUIAN,,,-1e12,\n", "since: 1000000000000 h before the plan's start, more than 8784"),
        ("a,GUIAN,,,,\na,GUIAN,,,,\n", "now.csv line 3 (a), members: a site is named twice"),
        ("gang,GUIAN,2,,,\n", "now.csv line 2 (gang), members: its rows have 2 members; the gang has 3"),
        ("gang,GUIAN,2,,,1\ngang,ZHONGWEI,1,,,\n", "not the same grade and hours as now.csv line 2"),
    ],
)
def test_a_faulty_table_is_named(tmp_path, text, expected):
    path, rows = table(tmp_path, text)
    with pytest.raises(FaultyInput) as raised:
        read_running(path, rows, {"GUIAN": 1, "ZHONGWEI": 1}, START)
    assert expected in str(raised.value)


def test_a_failed_hub_is_left_at_once(tmp_path):
    file, _ = planned(tmp_path, [JOB, JOB | {"id": "b", "cards": 16}])
    write_plan(tmp_path / "plan.json", file)

    def fail(*words, status):
        found = CliRunner().invoke(app, ["fail", str(tmp_path / "plan.json"), *words])
        assert found.exit_code == status, found.output
        return found

    out = tmp_path / "after.json"
    told = fail("GUIAN", "--out", str(out), status=0).stdout
    assert "displaced" in told and "→ ZHONGWEI" in told
    after = read_plan(out)
    assert set(sites_of(after).values()) == {"ZHONGWEI"}
    assert check_plan(after.problem, after.plan) == ()
    gone = orjson.loads(fail("GUIAN", "ZHONGWEI", "--json", status=3).stdout)
    assert gone["lost"] == ["a", "b"]
    assert "unknown site 'MARS'" in fail("MARS", status=2).stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GUIAN", (0, 24)),
        ("GUIAN@2-30", (2, 24)),
        ("GUIAN@5-", (5, 24)),
        ("GUIAN@2026-12-04T01:30+08:00/2026-12-04T02:10+08:00", (1, 3)),
        ("MARS", "failed hub 1 (MARS): unknown site 'MARS'"),
        ("GUIAN@4-2", "failed hub 1 (GUIAN@4-2): expected HUB, or HUB@FROM-UNTIL"),
        ("GUIAN@soon-late", "expected HUB"),
        ("GUIAN@2026-12-04T01:30/2026-12-04T02:10", "expected HUB"),
    ],
)
def test_hubs_that_failed(text, expected):
    if isinstance(expected, tuple):
        (row,) = failed_rows([text], ["GUIAN"], Span(START, 24))
        assert (row.site, tuple(row.hours)) == ("GUIAN", expected)
        return
    with pytest.raises(FaultyInput) as raised:
        failed_rows([text], ["GUIAN"], Span(START, 24))
    assert expected in str(raised.value)
