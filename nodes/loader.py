"""Building the catalogue's objects from its tables, checking every value on the way."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from importlib.resources.abc import Traversable
from typing import Any

from nodes.opening import CapacityRule
from nodes.tables import CatalogueError, Row, expect_keys, index, read_csv, read_toml
from nodes.types import (
    Confidence,
    Figure,
    Grade,
    Hub,
    HubKind,
    NationalNode,
    NetworkTier,
    Place,
    PlaceLevel,
    Point,
    Region,
    Residency,
    Source,
    Tariff,
    TariffPeriod,
    TierModel,
    WorkloadClass,
)

Figures = Mapping[tuple[str, str], Figure]

STANDARD_GRADE = "H100"
LARGE_LOT_BELOW_CNY = 5.0
CARDS_PER_LARGE_LOT = 8
MONTHS = range(1, 13)
HOURS = range(24)
# China with its surroundings: a swapped latitude and longitude can't pass
LATITUDE_RANGE = (18.0, 54.0)
LONGITUDE_RANGE = (73.0, 136.0)


def read_sources(folder: Traversable) -> dict[str, Source]:
    """Sources by code."""
    rows = index(read_csv(folder, "sources.csv", "source what address year strength"), "source")
    return {
        code: Source(code, row.text("what"), row.text("address"), row.text("year"), row.text("strength"))
        for code, row in rows.items()
    }


def cited(row: Row, column: str, sources: Mapping[str, Source]) -> str:
    """The sources a row cites, one or several with spaces between; all must exist."""
    codes = row.text(column)
    for code in codes.split(" "):
        if code not in sources:
            row.refuse(column, "codes of sources.csv")
    return codes


def read_figures(folder: Traversable, sources: Mapping[str, Source]) -> dict[tuple[str, str], Figure]:
    """Figures by entity (a hub, a national node or CHINA) and name."""
    figures: dict[tuple[str, str], Figure] = {}
    for row in read_csv(folder, "figures.csv", "entity figure value unit year source confidence note"):
        figure = _figure(row, row.text("entity"), row.text("figure"), sources)
        if figures.setdefault((figure.entity, figure.name), figure) is not figure:
            row.refuse("figure", f"one value for {figure.entity}")
    return figures


def _figure(row: Row, entity: str, name: str, sources: Mapping[str, Source]) -> Figure:
    return Figure(
        entity=entity,
        name=name,
        value=row.number("value", -1e12, 1e12),
        unit=row.text("unit"),
        year=row.text_or_empty("year"),
        source=cited(row, "source", sources),
        confidence=row.choice("confidence", Confidence),
        note=row.text_or_empty("note"),
    )


def read_prices(folder: Traversable, sources: Mapping[str, Source]) -> tuple[Figure, ...]:
    """Quoted and assumed price levels and card powers, as figures whose entity is the item."""
    rows = read_csv(folder, "prices.csv", "item figure value unit year source confidence note")
    return tuple(_figure(row, row.text("item"), row.text("figure"), sources) for row in rows)


def read_national_nodes(folder: Traversable, sources: Mapping[str, Source]) -> dict[str, NationalNode]:
    """The eight national nodes by code."""
    rows = read_csv(folder, "national_nodes.csv", "node name_en name_zh region role_zh role_source")
    for row in rows:
        cited(row, "role_source", sources)
    return {
        code: NationalNode(
            code, row.text("name_en"), row.text("name_zh"), row.choice("region", Region), row.text("role_zh")
        )
        for code, row in index(rows, "node").items()
    }


def read_hubs(
    folder: Traversable,
    figures: Figures,
    nodes: Mapping[str, NationalNode],
    tariffs: Mapping[str, Tariff],
    sources: Mapping[str, Source],
) -> dict[str, Hub]:
    """The hubs by code, with their figures."""
    columns = (
        "hub kind name_en name_zh national_node province city region latitude_deg longitude_deg "
        "tariff source confidence note"
    )
    hubs: dict[str, Hub] = {}
    for code, row in index(read_csv(folder, "hubs.csv", columns), "hub").items():
        cited(row, "source", sources)
        row.choice("confidence", Confidence)
        hubs[code] = Hub(
            code=code,
            kind=row.choice("kind", HubKind),
            name_en=row.text("name_en"),
            name_zh=row.text("name_zh"),
            national_node=row.one_of("national_node", nodes) if row.cells["national_node"] else "",
            province=row.text("province"),
            city=row.text("city"),
            region=row.choice("region", Region),
            point=_point(row),
            tariff=row.one_of("tariff", tariffs),
            **_hub_figures(code, figures),
        )
    return hubs


def _point(row: Row) -> Point:
    return Point(row.number("latitude_deg", *LATITUDE_RANGE), row.number("longitude_deg", *LONGITUDE_RANGE))


# field of Hub, name in figures.csv, unit, lowest and highest value that can be meant
HUB_FIGURES = (
    ("pue", "pue", "ratio", 1.0, 3.0),
    ("tou_floating_cny_per_kwh", "tou_floating_part", "CNY/kWh", 0.05, 2.0),
    ("tou_fixed_cny_per_kwh", "tou_fixed_part", "CNY/kWh", 0.0, 1.0),
    ("demand_charge_cny_per_kwh", "demand_charge", "CNY/kWh", 0.0, 0.5),
    ("all_in_cny_per_kwh", "all_in_constant_load", "CNY/kWh", 0.1, 2.0),
    ("planning_price_cny_per_kwh", "planning_price", "CNY/kWh", 0.1, 2.0),
    ("grid_factor_kg_per_kwh", "grid_factor", "kgCO2/kWh", 0.0, 1.5),
    ("green_target_new_dc", "green_target_new_dc", "fraction", 0.0, 1.0),
)


def _hub_figures(code: str, figures: Figures) -> dict[str, Any]:
    values: dict[str, Any] = {
        field: _hub_figure(code, name, unit, low, high, figures)
        for field, name, unit, low, high in HUB_FIGURES
    }
    green = (code, "green_share") in figures
    share = _hub_figure(code, "green_share", "fraction", 0.0, 1.0, figures) if green else None
    return values | {"green_share": share}


def _hub_figure(code: str, name: str, unit: str, low: float, high: float, figures: Figures) -> float:
    figure = figures.get((code, name))
    if figure is None or figure.unit != unit or not low <= figure.value <= high:
        found = f"{figure.value:g} {figure.unit}" if figure else "missing"
        raise CatalogueError(
            f"figures.csv: {name} of {code} is {found}, expected {unit} in {low:g}..{high:g}"
        )
    return figure.value


def read_places(
    folder: Traversable, hubs: Mapping[str, Hub], sources: Mapping[str, Source]
) -> dict[str, Place]:
    """The place tree by path; parents come before children and are exactly one level wider."""
    columns = "place level parent name_en name_zh latitude_deg longitude_deg hub source confidence note"
    places: dict[str, Place] = {}
    for code, row in index(read_csv(folder, "places.csv", columns), "place").items():
        cited(row, "source", sources)
        row.choice("confidence", Confidence)
        places[code] = _place(code, row, hubs)
        _expect_parent(row, places[code], places)
    return places


def _place(code: str, row: Row, hubs: Mapping[str, Hub]) -> Place:
    level = row.choice("level", PlaceLevel)
    located = level in (PlaceLevel.CITY, PlaceLevel.SITE)
    return Place(
        code=code,
        level=level,
        parent=row.text_or_empty("parent"),
        name_en=row.text("name_en"),
        name_zh=row.text("name_zh"),
        point=_point(row) if located else None,
        hub=row.one_of("hub", hubs) if level is PlaceLevel.SITE else "",
    )


def _expect_parent(row: Row, place: Place, places: Mapping[str, Place]) -> None:
    levels = list(PlaceLevel)
    if not place.parent:
        # provinces outside the eight national nodes are roots as well
        if place.level not in (PlaceLevel.NATIONAL_NODE, PlaceLevel.PROVINCE) or "/" in place.code:
            row.refuse("parent", "the place it lies in")
        return
    parent = places.get(place.parent)
    if parent is None or levels.index(parent.level) != levels.index(place.level) - 1:
        row.refuse("parent", "a place listed above it, one level wider")
    if place.code != f"{place.parent}/{place.name}":
        row.refuse("place", f"a path that begins with {place.parent}/")


def read_tariffs(folder: Traversable, sources: Mapping[str, Source]) -> dict[str, Tariff]:
    """Time-of-use tariffs by code; each has every month and hour exactly once."""
    columns = (
        "tariff province_zh document floating_base floating_base_confidence hours_source hours_confidence "
        "ratio_source ratio_confidence note"
    )
    seasons = _tariff_seasons(folder)
    hours = _tariff_hours(folder)
    tariffs: dict[str, Tariff] = {}
    for code, row in index(read_csv(folder, "tariffs.csv", columns), "tariff").items():
        cited(row, "hours_source", sources)
        cited(row, "ratio_source", sources)
        for column in ("floating_base_confidence", "hours_confidence", "ratio_confidence"):
            row.choice(column, Confidence)
        by_month = [_hours_of_month(code, month, seasons, hours) for month in MONTHS]
        tariffs[code] = Tariff(
            code,
            row.text("province_zh"),
            row.text("document"),
            periods=tuple(tuple(period for period, _ in month) for month in by_month),
            multipliers=tuple(tuple(multiplier for _, multiplier in month) for month in by_month),
        )
    return tariffs


def _tariff_seasons(folder: Traversable) -> dict[tuple[str, int], int]:
    seasons: dict[tuple[str, int], int] = {}
    for row in read_csv(folder, "tariff_seasons.csv", "tariff month season"):
        key = row.text("tariff"), row.integer("month", 1, 12)
        if key in seasons:
            row.refuse("month", "each month once")
        seasons[key] = row.integer("season", 1, 12)
    return seasons


def _tariff_hours(folder: Traversable) -> dict[tuple[str, int, int], tuple[TariffPeriod, float]]:
    hours: dict[tuple[str, int, int], tuple[TariffPeriod, float]] = {}
    for row in read_csv(folder, "tariff_hours.csv", "tariff season hour period multiplier"):
        key = row.text("tariff"), row.integer("season", 1, 12), row.integer("hour", 0, 23)
        if key in hours:
            row.refuse("hour", "each hour of a season once")
        hours[key] = row.choice("period", TariffPeriod), row.number("multiplier", 0.05, 5.0)
    return hours


def _hours_of_month(
    code: str,
    month: int,
    seasons: Mapping[tuple[str, int], int],
    hours: Mapping[tuple[str, int, int], tuple[TariffPeriod, float]],
) -> list[tuple[TariffPeriod, float]]:
    try:
        season = seasons[code, month]
        return [hours[code, season, hour] for hour in HOURS]
    except KeyError as error:
        raise CatalogueError(f"tariff {code}, month {month}: no row for {error.args[0]}") from error


def read_tiers(folder: Traversable, sources: Mapping[str, Source]) -> dict[NetworkTier, TierModel]:
    """The latency line of each network tier."""
    values: dict[tuple[str, str], float] = {}
    for row in read_csv(folder, "network.csv", "tier figure value unit source confidence note"):
        cited(row, "source", sources)
        row.choice("confidence", Confidence)
        values[row.text("tier"), row.text("figure")] = row.number("value", 0.0, 1e5)
    try:
        ms_per_km = values["fibre", "ms_per_km_one_way"]
        return {
            tier: TierModel(tier, values[tier, "route_factor"], values[tier, "equipment_rtt_ms"], ms_per_km)
            for tier in NetworkTier
        }
    except KeyError as error:
        raise CatalogueError(f"network.csv: no row for {error.args[0]}") from error


def read_grades(folder: Traversable, sources: Mapping[str, Source]) -> dict[str, Grade]:
    """Grades by code, in the order of the file."""
    table = expect_keys("grades.toml", read_toml(folder, "grades.toml"), "grade").cells["grade"]
    rows = {code: _grade_row(code, entry, sources) for code, entry in table.items()}
    if STANDARD_GRADE not in rows:
        raise CatalogueError("grades.toml: no grade H100, the standard unit")
    h100_pflops = rows[STANDARD_GRADE].number("fp16_pflops", 1e-4, 100)
    return {code: _grade(code, row, h100_pflops) for code, row in rows.items()}


def _grade_row(code: str, entry: Any, sources: Mapping[str, Source]) -> Row:
    place = f"grades.toml grade {code}"
    row = expect_keys(
        place,
        entry,
        "name_en name_zh minimum minimum_fp16_gflops memory_gb power_kw fp16_pflops reference_price",
    )
    values = {
        key: _sourced(f"{place} {key}", row.cells[key], unit, sources)
        for key, unit in (
            ("power_kw", "kW"),
            ("fp16_pflops", "PFLOPS"),
            ("reference_price", "CNY/card-h"),
        )
    }
    return Row(place, {**row.cells, **values})


def _sourced(place: str, entry: Any, unit: str, sources: Mapping[str, Source]) -> float:
    row = expect_keys(place, entry, "value unit source confidence", "note")
    cited(row, "source", sources)
    row.choice("confidence", Confidence)
    if row.cells["unit"] != unit:
        row.refuse("unit", unit)
    return row.number("value", 0.0, 1e6)


def _grade(code: str, row: Row, h100_pflops: float) -> Grade:
    price = row.number("reference_price", 0.05, 1000)
    pflops = row.number("fp16_pflops", 1e-4, 100)
    return Grade(
        code=code,
        name_en=row.text("name_en"),
        name_zh=row.text("name_zh"),
        minimum=row.text("minimum"),
        memory_gb=row.integer("memory_gb", 1, 4096),
        cards_per_lot=CARDS_PER_LARGE_LOT if price < LARGE_LOT_BELOW_CNY else 1,
        power_kw=row.number("power_kw", 0.01, 20),
        fp16_pflops=pflops,
        h100_equivalent=pflops / h100_pflops,
        reference_price_cny_per_card_hour=price,
        minimum_fp16_gflops=row.integer("minimum_fp16_gflops", 0, 10**8),
    )


def read_workload_classes(folder: Traversable, sources: Mapping[str, Source]) -> dict[str, WorkloadClass]:
    """Workload classes by code, in the order of the file."""
    columns = (
        "class name_en name_zh rtt_budget_ms end_to_end_low_ms end_to_end_high_ms residency residency_note "
        "shiftable_hours placement_note data_note source confidence note"
    )
    classes: dict[str, WorkloadClass] = {}
    for code, row in index(read_csv(folder, "workload_classes.csv", columns), "class").items():
        cited(row, "source", sources)
        classes[code] = WorkloadClass(
            code=code,
            name_en=row.text("name_en"),
            name_zh=row.text("name_zh"),
            rtt_budget_ms=row.number("rtt_budget_ms", 0.01, 10_000),
            residency=row.choice("residency", Residency),
            shiftable_hours=row.integer("shiftable_hours", 0, 24 * 31),
            placement_note=row.text("placement_note"),
            confidence=row.choice("confidence", Confidence),
        )
    return classes


def read_holidays(folder: Traversable, sources: Mapping[str, Source]) -> frozenset[date]:
    """The public holidays on which nothing trades."""
    rows = read_csv(folder, "holidays.csv", "date name source confidence")
    for row in rows:
        cited(row, "source", sources)
        row.choice("confidence", Confidence)
    return frozenset(row.day("date") for row in rows)


def read_capacity(
    folder: Traversable, grades: Mapping[str, Grade], hubs: Mapping[str, Hub], figures: Figures
) -> CapacityRule:
    """The rule for the capacity of the demonstration day."""
    name = "capacity.toml"
    top = expect_keys(name, read_toml(folder, name), "cards_posted edge_share cluster_scale edge_weight")
    codes = " ".join(grades)
    cards = expect_keys(f"{name} cards_posted", top.cells["cards_posted"], codes)
    share = expect_keys(f"{name} edge_share", top.cells["edge_share"], codes)
    clusters = _codes(hubs.values(), HubKind.CLUSTER)
    pools = _codes(hubs.values(), HubKind.EDGE_POOL)
    scale = expect_keys(f"{name} cluster_scale", top.cells["cluster_scale"], "", clusters)
    weight = expect_keys(f"{name} edge_weight", top.cells["edge_weight"], "", pools)
    return CapacityRule(
        cards_posted={code: _whole_lots(cards, grade) for code, grade in grades.items()},
        edge_share={code: share.number(code, 0.0, 1.0) for code in grades},
        weight={
            **_cluster_weights(scale, clusters.split(), figures),
            **{code: weight.number(code, 0, 100) if code in weight.cells else 1.0 for code in pools.split()},
        },
    )


def _codes(hubs: Iterable[Hub], kind: HubKind) -> str:
    return " ".join(hub.code for hub in hubs if hub.kind is kind)


def _whole_lots(cards: Row, grade: Grade) -> int:
    count = cards.integer(grade.code, 0, 10_000_000)
    if count % grade.cards_per_lot:
        cards.refuse(grade.code, f"a multiple of {grade.cards_per_lot}")
    return count


def _cluster_weights(scale: Row, clusters: list[str], figures: Figures) -> dict[str, float]:
    pflops: dict[str, float] = defaultdict(float)
    for code, names in scale.cells.items():
        for name in names:
            pflops[code] += _hub_figure(code, name, "PFLOPS", 0, 1e7, figures)
    if not pflops:
        raise CatalogueError(f"{scale.place}: no cluster has a scale")
    # a cluster that publishes nothing is taken to be as small as the smallest that does
    smallest = min(pflops.values())
    return {code: math.sqrt(pflops.get(code, smallest)) for code in clusters}
