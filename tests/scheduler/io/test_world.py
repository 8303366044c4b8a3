"""Sites, prices and links from files: what they make, and contradictions between them."""

from datetime import datetime

import numpy as np
import pytest

from exchange.planning.places import catalogue_places
from nodes.types import Region
from scheduler.io.faults import FaultyInput
from scheduler.io.front_door import problem_of
from scheduler.io.problems import one_slot, why_many_slots
from scheduler.io.running import read_running
from scheduler.io.supply import read_supply
from scheduler.io.supply_rows import SupplyFiles, SupplyRows
from scheduler.io.tables import rows_of
from scheduler.io.templates import TEMPLATES
from scheduler.io.workloads import FIELDS, Span, read_forecast, read_workloads, workloads_of
from scheduler.io.world import world_of
from scheduler.placing import place
from scheduler.validation import faults

START = datetime.fromisoformat("2026-12-04T06:00:00+08:00")
DAY = Span(START, 24)
PLACES = catalogue_places(START)

SITES = """\
site,city,province,region,kind,grade,cards,price,power_price,pue,gco2
GUIAN,,,,,H100,16,10.50,,,
GUIAN,,,,,L20,100,1.50,,,
CAVE,Kunming,YUNNAN,west,cluster,H100,8,9,0.3,1.25,100
"""
OFFER = "id,site,grade,cards,price\na,GUIAN,H100,9,1\n"
LINKS = "origin,site,rtt_ms,price_per_gb\nSHANGHAI,CAVE,45.5,0.02\n上海,GUIAN,30,0.01\n"

LINES = """\
origin,site,rtt_ms,price_per_gb,gb_per_hour,from,to
SHANGHAI,GUIAN,30,0.01,5,2,6
SHANGHAI,GUIAN,,,7,6,8
"""


def supply(folder, **tables):
    files = {}
    for name, text in tables.items():
        files[name] = folder / f"{name}.csv"
        files[name].write_text(text, encoding="utf-8")
    return read_supply(SupplyFiles(**files), PLACES, DAY)


def world(folder, **tables):
    return world_of(PLACES, supply(folder, **tables), DAY)


def workloads(*items):
    return workloads_of(rows_of("jobs.json", list(items)), PLACES, DAY).rows


def test_without_files_the_catalogue_is_the_world():
    found = world_of(PLACES, SupplyRows(), DAY)
    assert found.sites == PLACES.sites
    assert len(found.offers) == sum(g.capacity_milli_cards > 0 for s in found.sites for g in s.grades)
    power = found.electricity["GUIAN"].micro_cny_per_kwh
    assert power.tolist()[18:] == list(PLACES.facilities["GUIAN"].micro_cny_per_kwh[:6]), (
        "hour 18 of the plan is 0:00"
    )
    assert np.ptp(power) > 0


def test_files_say_what_there_is(tmp_path):
    found = world(
        tmp_path,
        sites=SITES,
        links=LINKS,
        capacity="site,grade,cards,from,to\nCAVE,H100,0,2026-12-04T08:00:00+08:00,4\n",
        prices="site,grade,price,from,to\nGUIAN,H100,8.25,20,\n",
        reservations="id,site,grade,cards,paid\nr1,GUIAN,H100,4,9.99\n",
    )
    assert [site.code for site in found.sites] == ["GUIAN", "CAVE"]
    assert found.sites[0].region is Region.WEST
    power = found.electricity["CAVE"]
    assert set(power.micro_cny_per_kwh) == {300_000}
    assert (power.pue_milli[0], power.carbon_g_per_kwh[0]) == (1250, 100)
    (cave,) = found.sites[1].grades
    assert (cave.power_micro_cny, cave.kgco2) == (393_750, pytest.approx(0.13125)), "1.05 kW × 1.25"
    assert found.capacity["CAVE", "H100"].tolist() == [8000] * 2 + [0] * 2 + [8000] * 20
    assert found.list_price["GUIAN", "H100"].tolist() == [10_500_000] * 20 + [8_250_000] * 4
    row = found.network.origins.index("SHANGHAI")
    assert found.network.rtt_ms[row].tolist() == [30, 45.5]
    assert found.network.transfer_micro_cny_per_gb is not None
    guian = [o for o in found.offers if (o.site, o.grade) == ("GUIAN", "H100")]
    assert [(o.milli_cards, o.price_micro_cny, tuple(o.hours)) for o in guian] == [
        (12_000, 10_500_000, (0, 20)),
        (12_000, 8_250_000, (20, 24)),
    ]
    cave = [tuple(o.hours) for o in found.offers if o.site == "CAVE"]
    assert cave == [(0, 2), (4, 24)]


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (
            {"capacity": "site,grade,cards,from,to\nGUIAN,H100,8,0,12\nGUIAN,H100,9,11,24\n"},
            "capacity.csv line 3 (GUIAN), cards: contradicts capacity.csv line 2 about H100 at GUIAN "
            "in hours 11 to 12",
        ),
        (
            {"prices": "site,grade,price\nGUIAN,H100,20000\n"},
            "prices.csv line 2 (GUIAN), price: 20000 is outside 0 … 10000",
        ),
        (
            {"capacity": "site,grade,cards\nGUIAN,H100,8\n", "offers": OFFER},
            "offers.csv line 2 (a), cards: with the rows before it 9 cards of H100 at GUIAN in hour 0, "
            "where the site has 8",
        ),
        (
            {"reservations": "id,site,grade,cards\na,GUIAN,H100,1\na,GUIAN,H100,1\n"},
            "reservations.csv line 3 (a), id: reservations.csv line 2 has the same id",
        ),
        (
            {"prices": "site,grade,price\nGUIAN,H100,8\nGUIAN,H100,9\n"},
            "prices.csv line 3 (GUIAN), price: contradicts prices.csv line 2",
        ),
        (
            {"sites": SITES + "GUIAN,Kunming,,,,T4,1,1,,,\n", "links": LINKS},
            "sites.csv line 5 (GUIAN), city: 'Kunming'",
        ),
        (
            {"sites": SITES + "GUIAN,,,,,H100,1,1,,,\n", "links": LINKS},
            "sites.csv line 5 (GUIAN), grade: sites.csv line 2",
        ),
        ({"sites": SITES}, "sites.csv line 4 (CAVE), site: no line leads there"),
        (
            {"links": LINKS.replace("CAVE", "GUIAN")},
            "links.csv line 3 (SHANGHAI), rtt_ms: links.csv line 2 tells otherwise of this line",
        ),
        (
            {"links": LINES + "SHANGHAI,GUIAN,,,8,5,7\n"},
            "links.csv line 4 (SHANGHAI), gb_per_hour: contradicts links.csv line 3 about the line from "
            "SHANGHAI to GUIAN in hours 6 to 7",
        ),
        (
            {"electricity": "site,power_price,pue,gco2\nGUIAN,0.3,,\nGUIAN,,0.9,\nGUIAN,,,\n"},
            "electricity.csv line 3 (GUIAN), pue: 0.9 is outside 1 … 10\n"
            "electricity.csv line 4 (GUIAN), power_price: give at least one of",
        ),
        (
            {"electricity": "site,gco2,from,to\nGUIAN,500,0,6\nGUIAN,400,5,7\n"},
            "electricity.csv line 3 (GUIAN), gco2: contradicts electricity.csv line 2 about GUIAN in hours 5",
        ),
        (
            {"maintenance": "site,grade,cards,from,to\nGUIAN,,8,0,2\nMARS,,,,\nGUIAN,H100,x,,\n"},
            "maintenance.csv line 2 (GUIAN), cards: give the grade that so many cards are of, or leave both "
            "out\n"
            "maintenance.csv line 3 (MARS), site: unknown site 'MARS'",
        ),
        ({"offers": OFFER.replace("GUIAN", "MARS")}, "offers.csv line 2 (a), site: unknown site 'MARS'"),
        (
            {"sites": SITES, "links": LINKS, "capacity": "site,grade,cards\nCAVE,T4,1\n"},
            "site CAVE has no grade 'T4'",
        ),
        ({"prices": "site,grade,price\nGUIAN,H100,nan\n"}, "price: 'nan' is not a finite number"),
        ({"capacity": "site,grade,cards,from,to\nGUIAN,H100,1,5,3\n"}, "to: the end is not after"),
    ],
)
def test_contradictions_and_faults_are_named(tmp_path, tables, expected):
    with pytest.raises(FaultyInput) as raised:
        world(tmp_path, **tables)
    assert expected in str(raised.value)


def test_maintenance_takes_every_hour_that_it_touches(tmp_path):
    table = "site,grade,cards,from,to\nGUIAN,,,2.5,3.2\nGUIAN,,,-1.5,1\nGUIAN,,,25,30\n"
    found = world(tmp_path, maintenance=table)
    assert [row.hours for row in found.maintenance[:2]] == [(2, 4), (0, 1)]
    assert found.maintenance[2].hours.start == found.maintenance[2].hours.end, "after the plan"


def test_every_template_is_read_without_a_fault(tmp_path):
    files = {name: tmp_path / f"{name}.csv" for name in TEMPLATES}
    for name, path in files.items():
        path.write_text(TEMPLATES[name], encoding="utf-8")
    read = read_workloads(files.pop("workloads"), PLACES, DAY)
    assert read.faults.found == []
    assert TEMPLATES["workloads"].splitlines()[0].split(",") == list(FIELDS)
    assert [row.id for row in read.rows] == ["service", "training", "batch"]
    assert len(read_forecast(files.pop("forecast"), PLACES, DAY).rows) > 10
    known = {"training": None, "GUIAN": None}
    assert read_running(files.pop("running"), read.rows, known, START)[0].hours == 2
    rows = read_supply(SupplyFiles(**files), PLACES, DAY)
    assert rows.faults.found == []
    assert all(getattr(rows, name) for name in files), "each holds a row"


def test_one_slot_plans_what_needs_no_more(tmp_path):
    found = world(tmp_path, sites=SITES, links=LINKS)
    rows = workloads(
        {"id": "a", "origin": "Shanghai", "grade": "H100", "cards": 4, "gang": 2},
        {"id": "b", "origin": "Shanghai", "grade": "L20", "cards": 0.5, "latency_ms": 35},
    )
    assert why_many_slots(found, rows) == ""
    problem = one_slot(found, rows)
    assert faults(problem) == []
    plan = place(problem, time_limit_s=5)
    assert {p.workload: p.site for p in plan.placements} == {"a": "CAVE", "b": "GUIAN"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hours": 3}, "a runs 3 of 24 hours"),
        ({"earliest": 3}, "a has a window"),
        ({"together": "g"}, "a is bound to others"),
        ({"budget_cny": 5}, "a has a budget"),
    ],
)
def test_what_needs_more_than_one_slot(tmp_path, change, reason):
    found = world(tmp_path, sites=SITES, links=LINKS)
    rows = workloads({"id": "a", "origin": "Shanghai", "grade": "H100", "cards": 4} | change)
    assert reason in why_many_slots(found, rows)


def test_a_span_too_long_for_hours_is_refused_with_what_asks_for_hours():
    long = Span(START, 24 * 60)
    found = world_of(PLACES, SupplyRows(), long)
    item = {"id": "a", "origin": "Shanghai", "grade": "H100", "cards": 4}
    service = workloads_of(rows_of("jobs.json", [item]), PLACES, long).rows
    job = workloads_of(rows_of("jobs.json", [item | {"hours": 3}]), PLACES, long).rows
    assert problem_of(found, service).slot_hours == 24 * 60
    with pytest.raises(FaultyInput, match=r"horizon: 1440 h; .* at most 31 days, .* a runs 3 of 1440 hours"):
        problem_of(found, job)
