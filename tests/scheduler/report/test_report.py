"""The report: one file, drawn by a real browser in light and dark, with figures that agree with the plan."""

import json
import re
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from browser import browsing

from exchange.planning.places import catalogue_places
from scheduler.commands.judging import comparison_of, violations_of
from scheduler.commands.search import search
from scheduler.io.faults import Where
from scheduler.io.horizons import many_slots
from scheduler.io.planfile import PlanFile, read_plan, write_plan
from scheduler.io.problems import one_slot
from scheduler.io.schedule import Shadow, schedule_of
from scheduler.io.supply_rows import Hours, MaintenanceRow, OfferRow, ReservationRow, SupplyRows
from scheduler.io.tables import rows_of
from scheduler.io.workloads import Span, workloads_of
from scheduler.io.world import world_of
from scheduler.report.bridge import bridge_of
from scheduler.report.page import report_html
from scheduler.report.supply import supply_of
from scheduler.report.wording import shadow_rows

START = datetime.fromisoformat("2026-12-04T00:00:00+08:00")
DAY = Span(START, 24)
PLACES = catalogue_places(START)
EVIL = "</script><script>document.title='taken'</script>{{SCRIPT}}"
ROWS = [
    {"id": EVIL, "origin": "Shanghai", "grade": "H100", "cards": 4, "class": "ai_train"},
    {"id": "near", "origin": "Beijing", "grade": "L20", "cards": 3, "latency_ms": 5, "class": "cloud_game"},
    {"id": "huge", "origin": "Beijing", "grade": "H100", "cards": 9000},
]
TIMED = [
    {"id": "night", "origin": "Wuhan", "grade": "A100", "cards": 8, "hours": 5, "earliest": 2},
    {"id": "pause", "origin": "Xian", "grade": "A100", "cards": 16, "hours": 7, "preemptible": True},
]


@pytest.fixture(scope="module")
def plans():
    world = world_of(PLACES, SupplyRows(), DAY)
    made = {}
    for name, rows, build in (("slot", ROWS, one_slot), ("hours", ROWS + TIMED, many_slots)):
        problem = build(world, workloads_of(rows_of("x", rows), PLACES, DAY).rows)
        news = []
        search(problem, 5, news.append)
        made[name] = PlanFile(START, problem, [n for n in news if hasattr(n, "placements")][-1])
    return made


@pytest.mark.parametrize("name", ["slot", "hours"])
def test_a_plan_survives_its_file_and_the_checker(plans, tmp_path, name):
    file = plans[name]
    assert violations_of(file.problem, file.plan) == ()
    write_plan(tmp_path / "plan.json", file)
    again = read_plan(tmp_path / "plan.json")
    assert again.plan == file.plan
    assert violations_of(again.problem, again.plan) == ()


@pytest.mark.parametrize("name", ["slot", "hours"])
def test_the_bridge_adds_up(plans, name):
    file = plans[name]
    schedule = schedule_of(START, file.problem, file.plan)
    steps = bridge_of(file.problem, schedule).steps
    assert sum(s.fen for s in steps[:-1]) == steps[-1].fen == schedule.totals.total_fen


def test_the_bridge_tells_what_is_paid_besides_rent(plans):
    file = plans["hours"]
    schedule = schedule_of(START, file.problem, file.plan)
    totals = schedule.totals
    totals = totals._replace(migration_fen=300, metered_fen=500, total_fen=totals.total_fen + 800)
    steps = {s.label: s.fen for s in bridge_of(file.problem, replace(schedule, totals=totals)).steps}
    assert (steps["moving running work"], steps["electricity on top of the rent"]) == (300, 500)
    before = {s.label: s.fen for s in bridge_of(file.problem, schedule).steps}
    assert {name: steps[name] for name in before} == before | {"the plan": totals.total_fen}


def test_each_card_is_worth_most_in_its_dearest_hours(plans):
    cny = 1_000_000
    shadows = [
        *(Shadow("A", "T4", hour, hour + 1, 5 * cny + hour) for hour in range(3)),
        Shadow("A", "T4", 4, 5, 3 * cny),
        Shadow("B", "T4", 0, 24, 4 * cny),
        Shadow("C", "T4", 0, 24, 4_999),
    ]
    file = plans["hours"]
    schedule = replace(schedule_of(START, file.problem, file.plan), shadows=tuple(shadows))
    assert [list(row.values()) for row in shadow_rows(schedule)] == [
        ["T4 at A", "04 Dec 00:00", "04 Dec 03:00", "5.00"],
        ["T4 at B", "04 Dec 00:00", "05 Dec 00:00", "4.00"],
    ]


def test_the_curves_know_what_is_down():
    down = MaintenanceRow(Where("x", "row", 1), "GUIAN", "", None, Hours(2, 4))
    held = ReservationRow(Where("x", "row", 2), "r", "GUIAN", "T4", 5000, 0, 0, Hours(1, 3))
    offer = OfferRow(Where("x", "row", 3), "o", "GUIAN", "T4", 7000, 600_000, Hours(0, 24))
    world = world_of(PLACES, SupplyRows(maintenance=(down,), reservations=(held,), offers=(offer,)), DAY)
    rows = workloads_of(rows_of("x", ROWS), PLACES, DAY).rows
    there = supply_of(many_slots(world, rows))["GUIAN", "T4"]
    whole = int(there.capacity[0])
    assert there.capacity[:5].tolist() == [whole, whole, 0, 0, whole] != [0] * 5
    assert there.reserved[:4].tolist() == [0, 5000, 0, 0]
    assert there.next_price(np.zeros(24, np.int64))[:5] == [600_000, 0, None, None, 600_000]
    assert there.next_price(np.full(24, 7000))[:3] == [None, 600_000, None]


def test_the_bridge_starts_where_the_baseline_does(plans):
    file = plans["slot"]
    schedule = schedule_of(START, file.problem, file.plan)
    (row,) = (r for r in comparison_of(file.problem, file.plan).rows if r.name == "all_east_unlimited")
    assert bridge_of(file.problem, schedule).steps[0].fen == row.baseline_common.cost_fen


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(("name", "scheme"), [("slot", "light"), ("hours", "dark")])
async def test_a_browser_draws_every_chart(plans, tmp_path, chrome, name, scheme):
    file = plans[name]
    page_text = report_html(file, comparison_of(file.problem, file.plan), PLACES.points)
    head = page_text.split("<script>")[0]
    assert not re.search(r'(?:src|href)="', head), "nothing is loaded from elsewhere"
    (tmp_path / "plan.html").write_text(page_text, encoding="utf-8")
    async with browsing(chrome, scheme) as page:
        await page.goto(f"file://{tmp_path}/plan.html")
        assert (await page.title()).startswith("Plan 2026-12-04")
        for chart in ("map", "bridge", "gantt", "curves"):
            await page.wait_for_selector(f"#{chart} svg.main-svg")
        facts = json.loads(await page.inner_text("#facts") or await page.text_content("#facts"))
        assert {site["site"] for site in facts["gantt"]["sites"]} == {
            r.site for r in schedule_of(START, file.problem, file.plan).runs
        }
        assert "huge" in await page.inner_text("main")
        before = await page.text_content("#curves .ytitle")
        await page.select_option("#hub", index=1)
        assert await page.text_content("#curves .ytitle") == before
