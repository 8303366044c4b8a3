"""The many-slot problem of files."""

from datetime import datetime

import pytest

from exchange.planning.places import catalogue_places
from scheduler.horizon.supply import supply_of
from scheduler.horizon.types import Alternative, GangScope, Maintenance, RunMode
from scheduler.horizon.validation import faults
from scheduler.io.horizons import many_slots
from scheduler.io.supply import read_supply
from scheduler.io.supply_rows import SupplyFiles, SupplyRows
from scheduler.io.tables import rows_of
from scheduler.io.workloads import Span, workloads_of
from scheduler.io.world import world_of
from scheduler.types import Need

START = datetime.fromisoformat("2026-12-04T00:00:00+08:00")
DAY = Span(START, 24)
PLACES = catalogue_places(START)
JOB = {"id": "a", "origin": "Shanghai", "grade": "A100", "cards": 8, "instead": {"H100": 2.5}}


def problem(*items, slot_hours=1, supply=None):
    rows = workloads_of(rows_of("jobs.json", list(items)), PLACES, DAY).rows
    found = many_slots(world_of(PLACES, supply or SupplyRows(), DAY), rows, slot_hours)
    assert faults(found) == []
    return found


def test_a_job_takes_less_time_on_a_faster_grade_and_a_service_fewer_cards():
    job, service = problem(
        JOB | {"hours": 6, "earliest": 2, "latest": 20, "preemptible": True, "gang": 4, "gang_scope": "city"},
        JOB | {"id": "b", "earliest": 2, "latest": 20},
    ).workloads
    assert (job.earliest, job.latest_end, job.mode) == (2, 20, RunMode.PREEMPTIBLE)
    assert (job.gang_size, job.gang_scope) == (4, GangScope.CITY)
    assert job.alternatives == (Alternative((Need("A100", 8000),), 6), Alternative((Need("H100", 8000),), 3))
    assert service.alternatives == (
        Alternative((Need("A100", 8000),), 18),
        Alternative((Need("H100", 4000),), 18),
    )


def test_wider_slots_shrink_windows_and_round_durations_up():
    (job,) = problem(JOB | {"hours": 5, "earliest": 2, "latest": 23}, slot_hours=4).workloads
    assert (job.earliest, job.latest_end) == (1, 5)
    assert [way.slots for way in job.alternatives] == [2, 1]
    with pytest.raises(ValueError, match="do not divide"):
        problem(JOB, slot_hours=5)


def test_hours_become_slots_by_least_capacity_and_mean_price(tmp_path):
    (tmp_path / "capacity.csv").write_text("site,grade,cards,from,to\nGUIAN,H100,3,2,3\n", encoding="utf-8")
    (tmp_path / "prices.csv").write_text("site,grade,price,from,to\nGUIAN,H100,1,0,1\n", encoding="utf-8")
    (tmp_path / "links.csv").write_text(
        "origin,site,rtt_ms,price_per_gb,gb_per_hour\nBEIJING,GUIAN,30,0.05,7\n", encoding="utf-8"
    )
    files = SupplyFiles(
        capacity=tmp_path / "capacity.csv", prices=tmp_path / "prices.csv", links=tmp_path / "links.csv"
    )
    found = problem(JOB, slot_hours=2, supply=read_supply(files, PLACES, DAY))
    (guian,) = (s for s in found.sites if s.code == "GUIAN")
    (h100,) = (g for g in guian.grades if g.grade == "H100")
    assert isinstance(h100.capacity_milli_cards, tuple)
    assert h100.capacity_milli_cards[1] == 3000 < h100.capacity_milli_cards[0]
    (usual,) = (g.list_price_micro_cny for s in PLACES.sites if s.code == "GUIAN" for g in s.grades[:1])
    assert h100.list_price_micro_cny == round((23 * usual + 1_000_000) / 24)
    assert isinstance(guian.power_micro_cny_per_kwh, tuple)
    (link,) = found.links
    assert (link.gb_per_slot, link.price_micro_cny_per_gb) == (14, 50_000)


def test_maintenance_electricity_and_lines_come_by_the_hour(tmp_path):
    tables = {
        "maintenance": "site,grade,cards,from,to\nGUIAN,H100,3,2,5\nGUIAN,,,23,\n",
        "electricity": "site,power_price,pue,gco2,from,to\nGUIAN,0.2,,500,0,1\nGUIAN,,1.5,,2,4\n",
        "links": "origin,site,rtt_ms,gb_per_hour,from,to\nBEIJING,GUIAN,30,7,0,2\nBEIJING,GUIAN,,9,4,6\n",
        "sites": "site,grade,cards,price,gco2,pue,metered\nGUIAN,H100,8,9,600,1.2,true\n",
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    files = SupplyFiles(**{name: tmp_path / f"{name}.csv" for name in tables})
    found = problem(
        JOB | {"grade": "H100", "instead": {}}, slot_hours=2, supply=read_supply(files, PLACES, DAY)
    )
    assert found.maintenance == (Maintenance("GUIAN", 1, 3, "H100", 3000), Maintenance("GUIAN", 11, 12))
    (guian,) = found.sites
    assert guian.power_metered
    assert guian.pue_milli == (1200, 1500, *(1200,) * 10)
    assert guian.carbon_g_per_kwh == (550, *(600,) * 11)
    (link,) = found.links
    assert link.gb_per_slot[0] == 14
    assert link.gb_per_slot[2] == 18
    assert min(link.gb_per_slot[1], link.gb_per_slot[3]) >= 10**8, "no limit"
    supply = supply_of(found)
    assert supply.usable.tolist() == [8000, 5000, 5000, *(8000,) * 8, 0]
