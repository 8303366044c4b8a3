"""The catalogue's places for the scheduler: 13 origin cities, 23 hubs, the modelled network.

Contributed through the entry-point group `dongxi.places`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache

from nodes.catalogue import Catalogue, load_catalogue
from nodes.energy import SHANGHAI, cny_per_kwh
from nodes.types import Hub, Point
from scheduler.io.places import Facility, LatencyClass, Places
from scheduler.types import Network, Origin, Site, SiteGrade, micro_cny, milli_cards

PRODUCT_NAMES = {
    "H100": ("NVIDIA-H100-80GB-HBM3", "NVIDIA-H100-PCIe", "NVIDIA-H800", "H800"),
    "A100": ("NVIDIA-A100-SXM4-80GB", "NVIDIA-A100-SXM4-40GB", "NVIDIA-A100-PCIE-40GB", "NVIDIA-A800"),
    "A910B": ("Ascend910B", "Ascend-910B"),
    "L20": ("NVIDIA-L20", "NVIDIA-GeForce-RTX-4090", "RTX4090"),
    "T4": ("Tesla-T4", "NVIDIA-T4", "Tesla-V100-SXM2-16GB", "V100"),
}
"""Names under which Kubernetes' GPU discovery labels cards of a grade."""


def catalogue_places(at: datetime) -> Places:
    """Places of the installed catalogue, power prices of the month of ``at`` (any time zone).

    Capacity is the demonstration's, list prices are the opening reference prices: docs/catalogue.md.
    """
    return _places_in(at.astimezone(SHANGHAI).month)


@cache
def _places_in(month: int) -> Places:
    catalogue = load_catalogue()
    origins = tuple(_origin(catalogue, city) for city in catalogue.edge_cities)
    sites = tuple(_site(catalogue, hub) for hub in catalogue.hubs.values())
    network = Network.from_function(
        [origin.city for origin in origins], [site.code for site in sites], catalogue.round_trip_ms
    )
    return Places(
        origins=origins,
        sites=sites,
        network=network,
        city_names=dict(_city_names(catalogue)),
        classes={
            kind.code: LatencyClass(kind.rtt_budget_ms, kind.residency)
            for kind in catalogue.workload_classes.values()
        },
        cards_per_lot={grade.code: grade.cards_per_lot for grade in catalogue.grades.values()},
        grade_names={name.casefold(): code for code, names in PRODUCT_NAMES.items() for name in names},
        points=dict(_points(catalogue)),
        watts={grade.code: round(grade.power_kw * 1000) for grade in catalogue.grades.values()},
        facilities={hub.code: _facility(catalogue, hub, month) for hub in catalogue.hubs.values()},
    )


def _origin(catalogue: Catalogue, city: str) -> Origin:
    home = catalogue.edge_pool_of(city)
    return Origin(city=city, province=home.province, home_site=home.code)


def _city_names(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Every name of a city that has an edge pool."""
    for code in catalogue.edge_cities:
        place = catalogue.city(code)
        for name in (code, place.name_en, place.name_zh):
            yield name.casefold(), code


def _points(catalogue: Catalogue) -> Iterator[tuple[str, Point]]:
    for city in catalogue.edge_cities:
        point = catalogue.city(city).point
        if point is not None:
            yield city, point
    for hub in catalogue.hubs.values():
        yield hub.code, hub.point


def _site(catalogue: Catalogue, hub: Hub) -> Site:
    grades = tuple(
        SiteGrade(
            grade=code,
            capacity_milli_cards=milli_cards(catalogue.default_capacity_cards(hub.code, code)),
            list_price_micro_cny=micro_cny(catalogue.reference_price_cny_per_card_hour(code, hub.code)),
            power_micro_cny=micro_cny(catalogue.mean_power_cny_per_card_hour(hub.code, code)),
            kgco2=catalogue.kgco2_per_card_hour(hub.code, code),
        )
        for code in catalogue.grades
    )
    return Site(hub.code, hub.city, hub.province, hub.region, hub.kind, grades)


def _facility(catalogue: Catalogue, hub: Hub, month: int) -> Facility:
    # a tariff knows months and hours only, so any year and day will do
    hours = (datetime(2026, month, 1, hour, tzinfo=SHANGHAI) for hour in range(24))
    tariff = catalogue.tariffs[hub.tariff]
    return Facility(
        micro_cny_per_kwh=tuple(micro_cny(cny_per_kwh(hub, tariff, at)) for at in hours),
        pue_milli=round(hub.pue * 1000),
        carbon_g_per_kwh=round(hub.grid_factor_kg_per_kwh * 1000),
    )
