"""The catalogue's content: counts, names, the place tree, and figures that must follow from other figures."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import FrozenInstanceError
from importlib.resources import files
from pathlib import Path

import pytest

from nodes.catalogue import Catalogue, load_catalogue
from nodes.types import Confidence, Figure, HubKind, NetworkTier, PlaceLevel, Region, Residency, UnknownName

CLUSTERS = (
    "GUIAN HORINGER ZHANGJIAKOU YRD-DEMO WUHU SHAOGUAN TIANFU CHONGQING QINGYANG ZHONGWEI".split()  # noqa: SIM905
)
EDGE_CITIES = [
    *("SHANGHAI", "HANGZHOU", "NINGBO", "NANJING", "SUZHOU", "BEIJING", "TIANJIN"),
    *("SHENZHEN", "GUANGZHOU", "WUHAN", "XIAN", "CHENGDU", "CHONGQING"),
]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def value(catalogue: Catalogue, entity: str, name: str) -> float:
    return catalogue.figures[entity, name].value


def test_clause_2_1_there_are_eight_nodes_and_23_hubs(catalogue: Catalogue) -> None:
    """Rulebook clause 2.1."""
    assert list(catalogue.national_nodes) == ["JJJ", "YRD", "GBA", "CY", "GZ", "NM", "GS", "NX"]
    assert {hub.code for hub in catalogue.clusters} == set(CLUSTERS)
    assert [hub.code for hub in catalogue.edge_pools] == [f"{city}-EDGE" for city in EDGE_CITIES]
    assert len(catalogue.hubs) == 23
    assert {hub.national_node for hub in catalogue.clusters} == set(catalogue.national_nodes)


def test_only_wuhan_and_xian_lie_outside_the_eight_nodes(catalogue: Catalogue) -> None:
    outside = [hub.code for hub in catalogue.hubs.values() if not hub.national_node]
    assert outside == ["WUHAN-EDGE", "XIAN-EDGE"]
    assert [place.code for place in catalogue.children() if place.level is PlaceLevel.PROVINCE] == [
        "HUBEI",
        "SHAANXI",
    ]


def test_every_site_hangs_under_its_city_province_and_node(catalogue: Catalogue) -> None:
    """Clause 2.2."""
    for place in catalogue.places.values():
        if place.parent:
            assert place in catalogue.children(place.parent)
    for hub in catalogue.hubs.values():
        default = catalogue.sites_of(hub.code)[0]
        assert default.point == hub.point
        path = default.code.split("/")
        assert path[-3:-1] == [hub.province, hub.city]
        assert (path[0] if len(path) == 4 else "") == hub.national_node


def test_the_demonstration_zone_delivers_in_three_provinces(catalogue: Catalogue) -> None:
    sites = [site.code for site in catalogue.sites_of("YRD-DEMO")]
    assert sites == [
        "YRD/SHANGHAI/SHANGHAI/YRD-DEMO-1",
        "YRD/JIANGSU/SUZHOU/WUJIANG",
        "YRD/ZHEJIANG/JIAXING/JIASHAN",
    ]


def test_a_city_answers_to_all_its_names(catalogue: Catalogue) -> None:
    xian = catalogue.cities["XIAN"]
    assert [catalogue.city(name) for name in ("XIAN", "xian", "Xi'an", "西安")] == [xian] * 4
    assert catalogue.edge_pool_of("重庆").code == "CHONGQING-EDGE"


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda c: c.hub("GUIYANG"), "hub"),
        (lambda c: c.grade("B200"), "grade"),
        (lambda c: c.city("Paris"), "city"),
        (lambda c: c.workload_class("email"), "workload class"),
        (lambda c: c.edge_pool_of("ZHONGWEI"), "edge city"),
        (lambda c: c.children("MOON"), "place"),
        (lambda c: c.round_trip_ms("SHANGHAI", "MOON"), "city or hub"),
        (lambda c: c.round_trip_ms("YRD/ZHEJIANG", "GUIAN"), "city, hub or site"),
        (lambda c: c.kgco2_per_card_hour("MOON", "H100"), "hub"),
        (lambda c: c.default_capacity_cards("GUIAN", "B200"), "grade"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(catalogue: Catalogue, ask, kind) -> None:
    with pytest.raises(UnknownName) as caught:
        ask(catalogue)
    assert caught.value.kind == kind
    assert f"unknown {kind} " in str(caught.value)
    assert caught.value.allowed[0] in str(caught.value)


def test_nothing_can_be_changed(catalogue: Catalogue) -> None:
    with pytest.raises(FrozenInstanceError):
        catalogue.hub("GUIAN").pue = 1.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        catalogue.hubs["MOON"] = catalogue.hub("GUIAN")  # type: ignore[index]
    assert load_catalogue() is catalogue


def test_every_source_is_cited_and_every_citation_has_a_source(catalogue: Catalogue) -> None:
    data = files("nodes").joinpath("data")
    cited = set(re.findall(r'source = "(\w+)"', data.joinpath("grades.toml").read_text("utf-8")))
    for table in data.iterdir():
        if table.name.endswith(".csv") and table.name != "sources.csv":
            for row in csv.DictReader(table.read_text("utf-8").splitlines()):
                cited |= {code for column in row if column.endswith("source") for code in row[column].split()}
    assert cited == set(catalogue.sources)


def test_a_confidence_agrees_with_its_source(catalogue: Catalogue) -> None:
    for figure in [*catalogue.figures.values(), *catalogue.prices]:
        if figure.confidence is Confidence.ASSUMPTION:
            assert figure.source == "AS", figure
        if figure.confidence is Confidence.GENERAL_KNOWLEDGE:
            assert figure.source == "GK", figure


def test_the_page_names_every_data_file_and_states_the_tiers_as_they_are(
    catalogue: Catalogue, root: Path
) -> None:
    page = (root / "docs/catalogue.md").read_text("utf-8")
    for table in files("nodes").joinpath("data").iterdir():
        assert f"`{table.name}`" in page
    for tier, model in catalogue.tiers.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{tier}`"))
        assert f"| {model.route_factor:g} | {model.equipment_rtt_ms} ms |" in row
    for grade in catalogue.grades.values():
        assert f"{grade.code} {grade.reference_price_cny_per_card_hour:.2f}" in page
        assert f"{catalogue.capacity_rule.cards_posted[grade.code]:,} {grade.code}" in page


def test_only_single_levels_of_an_index_are_kept(catalogue: Catalogue) -> None:
    index_levels = [f.entity for f in catalogue.prices if "index" in f.entity and f.unit == "USD/card-h"]
    assert sorted(index_levels) == sorted(set(index_levels))


def is_usable(report: Figure) -> bool:
    """A report from memory, or one that only gives a bound ("below 0.3"), is kept but not averaged."""
    return report.confidence is not Confidence.GENERAL_KNOWLEDGE and "below" not in report.note


# --- figures that follow from others (the tolerance is the rounding of the figures themselves)


@pytest.mark.parametrize("code", [*CLUSTERS, *(f"{city}-EDGE" for city in EDGE_CITIES)])
def test_electricity_prices_add_up(catalogue: Catalogue, code: str) -> None:
    parts = ("purchase_price", "td_energy_price", "funds", "losses_and_system_operation_fee")
    flat = value(catalogue, code, "flat_energy_price")
    assert flat == pytest.approx(sum(value(catalogue, code, part) for part in parts), abs=1.1e-4)
    hub = catalogue.hub(code)
    assert hub.tou_floating_cny_per_kwh + hub.tou_fixed_cny_per_kwh == pytest.approx(flat, abs=1.1e-4)
    constant = value(catalogue, code, "constant_load_energy_price")
    demand = value(catalogue, code, "demand_charge")
    assert hub.all_in_cny_per_kwh == pytest.approx(constant + demand, abs=1.1e-4)
    assert demand == pytest.approx(40 / (730 * 0.85), abs=1e-4)


@pytest.mark.parametrize("code", [*CLUSTERS, *(f"{city}-EDGE" for city in EDGE_CITIES)])
def test_constant_load_price_is_the_mean_of_the_tariff(catalogue: Catalogue, code: str) -> None:
    hub = catalogue.hub(code)
    multipliers = [m for month in catalogue.tariffs[hub.tariff].multipliers for m in month]
    assert len(multipliers) == 12 * 24
    prices = [hub.tou_floating_cny_per_kwh * m + hub.tou_fixed_cny_per_kwh for m in multipliers]
    assert math.fsum(prices) / 288 == pytest.approx(
        value(catalogue, code, "constant_load_energy_price"), abs=1e-4
    )
    assert min(prices) == pytest.approx(value(catalogue, code, "lowest_hour_energy_price"), abs=1e-4)
    assert max(prices) == pytest.approx(value(catalogue, code, "highest_hour_energy_price"), abs=1e-4)


@pytest.mark.parametrize("code", [*CLUSTERS, *(f"{city}-EDGE" for city in EDGE_CITIES)])
def test_the_floating_part_is_what_the_tariff_says_floats(catalogue: Catalogue, code: str) -> None:
    floats = catalogue.figures[code, "tou_floating_part"]
    parts = {
        "purchase price": ("purchase_price",),
        "purchase plus td": ("purchase_price", "td_energy_price"),
        "all except funds": ("purchase_price", "td_energy_price", "losses_and_system_operation_fee"),
    }[floats.note.rpartition(": ")[2]]
    assert floats.value == pytest.approx(sum(value(catalogue, code, part) for part in parts), abs=1e-4)


@pytest.mark.parametrize("code", [*CLUSTERS, *(f"{city}-EDGE" for city in EDGE_CITIES)])
def test_planning_price_is_the_mean_of_model_and_reports(catalogue: Catalogue, code: str) -> None:
    reported = [
        figure.value
        for (entity, name), figure in catalogue.figures.items()
        if entity == code and name.startswith("reported_price_") and is_usable(figure)
    ]
    known = [catalogue.hub(code).all_in_cny_per_kwh, *reported]
    assert catalogue.hub(code).planning_price_cny_per_kwh == pytest.approx(
        sum(known) / len(known), abs=1.1e-3
    )


def test_price_levels_that_were_computed_follow_from_their_quotes(catalogue: Catalogue) -> None:
    quotes = {(figure.entity, figure.name): figure.value for figure in catalogue.prices}
    level = {code: grade.reference_price_cny_per_card_hour for code, grade in catalogue.grades.items()}
    node_month = quotes["H100 8-card node in China", "rent"]
    assert level["H100"] == pytest.approx(node_month / 8 / 730, abs=0.005)
    assert quotes["H100 8-card node in China", "rent_card_hour"] == level["H100"]
    assert quotes["H100 neocloud index", "level_cny"] == pytest.approx(
        quotes["H100 neocloud index", "level"] * quotes["CNY per USD", "rate"], abs=0.005
    )
    per_p = (quotes["Ascend 910B per P", "low"] + quotes["Ascend 910B per P", "high"]) / 2
    assert level["A910B"] == pytest.approx(per_p * catalogue.grade("A910B").fp16_pflops / 8760, abs=0.005)
    assert level["A100"] == quotes["A100 campus tariff", "level"]
    assert level["L20"] == quotes["RTX 4090 server", "level"]
    assert level["CPU64"] == pytest.approx(64 * quotes["CPU core-hour", "planning_value"])


def test_reference_powers_follow_from_what_was_read(catalogue: Catalogue) -> None:
    quotes = {(figure.entity, figure.name): figure.value for figure in catalogue.prices}
    power = {code: grade.power_kw for code, grade in catalogue.grades.items()}
    share = quotes["h100 server share", "power_average_mid"]
    assert power["H100"] == share
    over_card = share / (quotes["h100", "power_card"] / 1000)
    assert over_card == pytest.approx(1.5)
    assert power["A910B"] == pytest.approx(quotes["ascend 910b", "power_card"] / 1000 * over_card)
    assert power["L20"] == pytest.approx(quotes["rtx4090", "power_card"] / 1000 * over_card)
    over_nameplate = share / (quotes["dgx h100", "power_nameplate"] / 8)
    assert power["A100"] == pytest.approx(
        quotes["dgx a100", "power_nameplate"] / 8 * over_nameplate, abs=0.005
    )
    assert power["CPU64"] == pytest.approx(64 * quotes["cpu core", "power_core"] / 1000)


def test_clauses_2_3_to_2_6_grades_lots_and_the_standard_unit(catalogue: Catalogue) -> None:
    """Rulebook clause 2.3, clause 2.5, clause 2.6."""
    assert list(catalogue.grades) == ["H100", "A100", "A910B", "L20", "T4", "CPU64"]
    for grade in catalogue.grades.values():
        assert grade.cards_per_lot == (8 if grade.reference_price_cny_per_card_hour < 5 else 1)
        assert grade.h100_equivalent == pytest.approx(grade.p_hours_per_card_hour / 0.989)
    assert catalogue.grade("H100").h100_equivalent == 1.0
    assert catalogue.grade("A910B").p_hours_per_card_hour == 0.32


def test_workload_classes_are_typed(catalogue: Catalogue) -> None:
    assert len(catalogue.workload_classes) == 23
    assert catalogue.workload_class("vr_strong").rtt_budget_ms == 20
    assert catalogue.workload_class("tele_robot").residency is Residency.CITY
    assert catalogue.workload_class("ai_train").shiftable_hours == 72
    live = [w for w in catalogue.workload_classes.values() if w.rtt_budget_ms < 1000]
    assert all(work.shiftable_hours == 0 for work in live)


def test_what_the_data_say_is_not_flattered(catalogue: Catalogue) -> None:
    """Power is far cheaper in the west, yet a small share of a rent; some of its grids are dirty."""
    east = [
        catalogue.mean_power_cny_per_card_hour(f"{c}-EDGE", "H100")
        for c in ("SHANGHAI", "BEIJING", "SHENZHEN")
    ]
    west = [
        catalogue.mean_power_cny_per_card_hour(c, "H100")
        for c in ("GUIAN", "HORINGER", "QINGYANG", "ZHONGWEI")
    ]
    saved = sum(east) / 3 - sum(west) / 4
    assert 0.3 < saved / (sum(east) / 3) < 0.5
    assert saved / catalogue.grade("H100").reference_price_cny_per_card_hour < 0.04
    shenzhen = catalogue.kgco2_per_card_hour("SHENZHEN-EDGE", "H100")
    assert catalogue.kgco2_per_card_hour("HORINGER", "H100") > shenzhen
    assert catalogue.kgco2_per_card_hour("ZHONGWEI", "H100") > shenzhen
    green = catalogue.kgco2_per_card_hour_contracted_green("HORINGER", "H100")
    assert green is not None
    assert green < shenzhen / 4


def test_regions_and_kinds(catalogue: Catalogue) -> None:
    assert catalogue.hub("WUHAN-EDGE").region is Region.CENTRAL
    west = {hub.code for hub in catalogue.clusters if hub.region is Region.WEST}
    assert west == {"TIANFU", "CHONGQING", "GUIAN", "HORINGER", "QINGYANG", "ZHONGWEI"}
    assert all(hub.kind is HubKind.EDGE_POOL for hub in catalogue.edge_pools)
    assert set(catalogue.tiers) == set(NetworkTier)
