"""Damaged data files are refused, with file, place and what was expected."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from nodes.catalogue import CatalogueError, read_catalogue


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "data"
    shutil.copytree(str(files("nodes").joinpath("data")), copy)
    return copy


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text("utf-8")
    assert old in text, f"{old!r} is not in {name}"
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")


def test_an_untouched_copy_is_accepted(folder: Path) -> None:
    assert len(read_catalogue(folder).hubs) == 23


WRONG = [
    ("hubs.csv", "hub,kind,name_en", "hub,sort,name_en", "the header is"),
    ("hubs.csv", "WUHU,cluster,", "WUHU,mill,", "kind is 'mill', expected one of cluster, edge_pool"),
    ("hubs.csv", "WUHU,cluster,", "GUIAN,cluster,", "expected a value not yet used in hubs.csv line"),
    ("hubs.csv", "31.33,118.38", "118.38,31.33", "latitude_deg is '118.38', expected a number in 18..54"),
    ("hubs.csv", "118.38,AH,", "118.38,ATLANTIS,", "tariff is 'ATLANTIS', expected one of BJ"),
    ("hubs.csv", "ANHUI,WUHU,east", "ANHUI,HEFEI,east", "WUHU lies in YRD/ANHUI/HEFEI, which places.csv"),
    ("hubs.csv", "WUHU,cluster,Wuhu,芜湖集群", "WUHU,cluster,,芜湖集群", "name_en is '', expected a text"),
    ("hubs.csv", "WUHU,cluster,", "WUHU,cluster,more,", "15 cells, expected 14"),
    (
        "figures.csv",
        "GUIAN,pue,1.15,ratio",
        "GUIAN,pue,0.9,ratio",
        "pue of GUIAN is 0.9 ratio, expected ratio in 1..3",
    ),
    ("figures.csv", "GUIAN,pue,1.15,ratio", "GUIAN,pue,1.15,percent", "pue of GUIAN is 1.15 percent"),
    ("figures.csv", "GUIAN,pue,", "GUIAN,eup,", "pue of GUIAN is missing"),
    ("figures.csv", "GUIAN,pue,1.15", "GUIAN,pue,nan", "value is 'nan', expected a number in"),
    ("figures.csv", "GUIAN,pue,1.15", "GUIAN,pue,many", "value is 'many', expected a number"),
    ("figures.csv", "GUIAN,pue_cap,", "GUIAN,pue,", "expected one value for GUIAN"),
    (
        "figures.csv",
        "GUIAN,pue,1.15,ratio,,AS,",
        "GUIAN,pue,1.15,ratio,,S999,",
        "expected codes of sources.csv",
    ),
    ("figures.csv", "AS,assumption", "AS,certain", "confidence is 'certain', expected one of read"),
    ("places.csv", "\nYRD/ANHUI/WUHU,city,YRD/ANHUI", "\nYRD/ANHUI/WUHU,city,YRD", "one level wider"),
    ("places.csv", "\nYRD/ANHUI,province,YRD,", "\nGBA/ANHUI,province,YRD,", "a path that begins with YRD/"),
    ("places.csv", "\nYRD/ANHUI,province,YRD,", "\nYRD/ANHUI,province,,", "the place it lies in"),
    ("places.csv", ",GUIAN,AS,", ",TIANFU,AS,", "no site delivers for GUIAN"),
    ("tariff_hours.csv", "GZ,1,7,valley,0.4\n", "", "tariff GZ, month 1: no row for"),
    ("tariff_hours.csv", "GZ,1,7,", "GZ,1,8,", "each hour of a season once"),
    ("tariff_hours.csv", "GZ,1,7,valley,", "GZ,1,7,night,", "period is 'night', expected one of sharp"),
    ("tariff_hours.csv", "GZ,1,7,", "GZ,1,7.5,", "hour is '7.5', expected a whole number"),
    ("tariff_hours.csv", "GZ,1,7,", "GZ,1,24,", "hour is '24', expected a number in 0..23"),
    ("tariff_seasons.csv", "GZ,7,1", "GZ,8,1", "expected each month once"),
    ("network.csv", "ip_public,route_factor,", "ip_public,bend,", "no row for"),
    (
        "grades.toml",
        'name_en = "H100',
        'colour = "red"\nname_en = "H100',
        "unknown key colour; allowed: fp16_pflops",
    ),
    ("grades.toml", "memory_gb = 80", "", "missing key memory_gb"),
    ("grades.toml", "memory_gb = 80", "memory_gb = 0", "memory_gb is 0, expected a number in 1..4096"),
    ("grades.toml", 'unit = "kW"', 'unit = "W"', "unit is 'W', expected kW"),
    ("grades.toml", "value = 11.99,", "value = 0.0,", "expected a number in 0.05..1000"),
    ("grades.toml", "[grade.H100]", "[grade.H100", "grades.toml: "),
    ("grades.toml", "[grade.H100]", "[grade.H200]", "no grade H100, the standard unit"),
    ("capacity.toml", "L20 = 9264", "L20 = 9265", "L20 is 9265, expected a multiple of 8"),
    ("capacity.toml", "L20 = 9264", "", "missing key L20"),
    ("capacity.toml", "BEIJING-EDGE = 2", "PARIS-EDGE = 2", "unknown key PARIS-EDGE"),
    ("capacity.toml", '"compute_total"', '"racks_plan"', "racks_plan of GUIAN is missing"),
    ("capacity.toml", "H100 = 0.15", "H100 = 1.5", "H100 is 1.5, expected a number in 0..1"),
    (
        "workload_classes.csv",
        "motion control,工业控制(运动控制),1,",
        "motion control,工业控制(运动控制),0,",
        "rtt_budget_ms",
    ),
    ("holidays.csv", "2026-01-01", "2026-13-01", "date is '2026-13-01', expected a date YYYY-MM-DD"),
    ("prices.csv", ",CNY/card-h,", ",,", "unit is ''"),
    ("national_nodes.csv", "JJJ,", "XXX,", "national_node is 'JJJ', expected one of XXX"),
]


@pytest.mark.parametrize(("name", "old", "new", "sentence"), WRONG)
def test_a_wrong_value_is_refused(folder: Path, name: str, old: str, new: str, sentence: str) -> None:
    edit(folder, name, old, new)
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(folder)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", ["sources.csv", "hubs.csv", "holidays.csv"])
def test_an_empty_table_is_refused(folder: Path, name: str) -> None:
    header = (folder / name).read_text("utf-8").splitlines()[0]
    (folder / name).write_text(header + "\n", "utf-8")
    with pytest.raises(CatalogueError, match=name):
        read_catalogue(folder)
    (folder / name).write_text("", "utf-8")
    with pytest.raises(CatalogueError, match="the header is"):
        read_catalogue(folder)
