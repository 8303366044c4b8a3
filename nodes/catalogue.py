"""The catalogue: what can be traded, where it is delivered, and what is known about each place.

`load_catalogue` reads the package's data files once and refuses them if any value is out of place.
Everything it gives is immutable. A name that does not exist raises `nodes.types.UnknownName`, which lists
the names that do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import TypeVar

from nodes import energy, latency, loader, opening, trading_days
from nodes.opening import CapacityRule, HourCounts
from nodes.tables import CatalogueError
from nodes.types import (
    Figure,
    Grade,
    Hub,
    HubKind,
    NationalNode,
    NetworkTier,
    Place,
    PlaceLevel,
    Point,
    PowerBasis,
    Profile,
    Source,
    Tariff,
    TierModel,
    UnknownName,
    WorkloadClass,
)

__all__ = ["Catalogue", "CatalogueError", "load_catalogue", "read_catalogue"]

T = TypeVar("T")


@dataclass(frozen=True)
class Catalogue:
    """Everything known, by code, and the questions that can be asked of it.

    A *city* is the name of a city of the place tree (``SHANGHAI``) or any of its names, in any case
    (``shanghai``, ``上海``). A *hub* is a code of ``hubs`` (``GUIAN``, ``SHANGHAI-EDGE``).
    """

    sources: Mapping[str, Source]
    figures: Mapping[tuple[str, str], Figure]
    prices: tuple[Figure, ...]
    national_nodes: Mapping[str, NationalNode]
    tariffs: Mapping[str, Tariff]
    hubs: Mapping[str, Hub]
    places: Mapping[str, Place]
    tiers: Mapping[NetworkTier, TierModel]
    grades: Mapping[str, Grade]
    workload_classes: Mapping[str, WorkloadClass]
    holidays: frozenset[date]
    capacity_rule: CapacityRule

    # --- names

    def hub(self, code: str) -> Hub:
        """The hub with this code."""
        return _find("hub", code, self.hubs)

    def grade(self, code: str) -> Grade:
        """The grade with this code."""
        return _find("grade", code, self.grades)

    def workload_class(self, code: str) -> WorkloadClass:
        """The workload class with this code."""
        return _find("workload class", code, self.workload_classes)

    def city(self, name: str) -> Place:
        """The city with this name: its code, its English or its Chinese name, in any case."""
        city = self._city_by_name.get(name.casefold())
        if city is None:
            raise UnknownName("city", name, tuple(self.cities))
        return city

    @cached_property
    def cities(self) -> Mapping[str, Place]:
        """Cities of the place tree by name."""
        return {place.name: place for place in self.places.values() if place.level is PlaceLevel.CITY}

    @cached_property
    def edge_cities(self) -> tuple[str, ...]:
        """The thirteen cities that have an edge pool: where users are, in the order of the catalogue."""
        return tuple(hub.city for hub in self.hubs.values() if hub.kind is HubKind.EDGE_POOL)

    @cached_property
    def clusters(self) -> tuple[Hub, ...]:
        """The ten clusters."""
        return tuple(hub for hub in self.hubs.values() if hub.kind is HubKind.CLUSTER)

    @cached_property
    def edge_pools(self) -> tuple[Hub, ...]:
        """The thirteen edge pools."""
        return tuple(hub for hub in self.hubs.values() if hub.kind is HubKind.EDGE_POOL)

    def edge_pool_of(self, city: str) -> Hub:
        """The edge pool of a city; raises `UnknownName` for a city without one."""
        wanted = self.city(city).name
        for hub in self.edge_pools:
            if hub.city == wanted:
                return hub
        raise UnknownName("edge city", city, self.edge_cities)

    def children(self, place: str = "") -> tuple[Place, ...]:
        """The places directly inside a place; without a name, the roots of the tree."""
        if place:
            _find("place", place, self.places)
        return tuple(child for child in self.places.values() if child.parent == place)

    def sites_of(self, hub: str) -> tuple[Place, ...]:
        """The sites that deliver for a hub; the first is its default site."""
        code = self.hub(hub).code
        return tuple(place for place in self.places.values() if place.hub == code)

    @cached_property
    def _city_by_name(self) -> Mapping[str, Place]:
        names: dict[str, Place] = {}
        for code, city in self.cities.items():
            names |= {name.casefold(): city for name in (code, city.name_en, city.name_zh)}
        return names

    # --- network

    def round_trip_ms(
        self,
        origin: str | Hub | Place,
        destination: str | Hub | Place,
        tier: NetworkTier = NetworkTier.IP_PRIVATE,
    ) -> float:
        """Modelled *round trip* in ms. Twice the one-way figure that policy texts give.

        A text is a city, a hub or a place path. Only ``CHONGQING`` is both a city and a hub away from its
        centre: as an origin the city is meant, as a destination the hub.
        """
        start = self._point(origin, cities_first=True)
        end = self._point(destination, cities_first=False)
        return latency.round_trip_ms(start, end, self.tiers[NetworkTier(tier)])

    def _point(self, place: str | Hub | Place, *, cities_first: bool) -> Point:
        if isinstance(place, str):
            place = self._locate(place, cities_first=cities_first)
        if place.point is None:
            raise UnknownName("city, hub or site", place.code, (*self.cities, *self.hubs))
        return place.point

    def _locate(self, name: str, *, cities_first: bool) -> Hub | Place:
        city = self._city_by_name.get(name.casefold())
        found = (city or self.hubs.get(name)) if cities_first else (self.hubs.get(name) or city)
        found = found or self.places.get(name)
        if found is None:
            raise UnknownName("city or hub", name, (*self.cities, *self.hubs))
        return found

    def hubs_within(
        self, city: str, latency_ms: float, tier: NetworkTier = NetworkTier.IP_PRIVATE
    ) -> tuple[tuple[Hub, float], ...]:
        """Hubs at most ``latency_ms`` round trip from a city, each with that round trip, nearest first."""
        origin = self.city(city)
        found = [(hub, self.round_trip_ms(origin, hub, tier)) for hub in self.hubs.values()]
        return tuple(sorted((pair for pair in found if pair[1] <= latency_ms), key=lambda pair: pair[1]))

    def sites_within(
        self, city: str, latency_ms: float, tier: NetworkTier = NetworkTier.IP_PRIVATE
    ) -> tuple[tuple[Place, float], ...]:
        """Sites at most ``latency_ms`` round trip from a city, each with that round trip, nearest first."""
        origin = self.city(city)
        sites = [place for place in self.places.values() if place.level is PlaceLevel.SITE]
        found = [(site, self.round_trip_ms(origin, site, tier)) for site in sites]
        return tuple(sorted((pair for pair in found if pair[1] <= latency_ms), key=lambda pair: pair[1]))

    # --- power and carbon

    def power_cny_per_card_hour(
        self, hub: str, grade: str, at: datetime, basis: PowerBasis = PowerBasis.TARIFF
    ) -> float:
        """Electricity of one card in the hour of ``at`` (any time zone): price × PUE × kW, in CNY."""
        place = self.hub(hub)
        price = energy.cny_per_kwh(place, self.tariffs[place.tariff], at, basis)
        return price * energy.facility_kw(place, self.grade(grade))

    def power_cny_of_year(self, hub: str, grade: str) -> tuple[tuple[float, ...], ...]:
        """The same for every month, January's first, and of it every hour 0–23 (Asia/Shanghai)."""
        place = self.hub(hub)
        draw = energy.facility_kw(place, self.grade(grade))
        prices = energy.cny_per_kwh_of_year(place, self.tariffs[place.tariff])
        return tuple(tuple(price * draw for price in hours) for hours in prices)

    def mean_power_cny_per_card_hour(
        self, hub: str, grade: str, basis: PowerBasis = PowerBasis.TARIFF
    ) -> float:
        """The mean of that for a card that runs all year, months weighing the same."""
        place = self.hub(hub)
        return energy.mean_cny_per_kwh(place, basis) * energy.facility_kw(place, self.grade(grade))

    def kgco2_per_card_hour(self, hub: str, grade: str) -> float:
        """Location-based carbon of a card-hour: the provincial grid's average × PUE × kW, in kg."""
        return energy.kgco2_per_card_hour(self.hub(hub), self.grade(grade))

    def kgco2_per_card_hour_contracted_green(self, hub: str, grade: str) -> float | None:
        """Market-based carbon, where the hub's contracted green share is published; else None."""
        return energy.kgco2_per_card_hour_contracted_green(self.hub(hub), self.grade(grade))

    def kgco2_per_card_hour_if_green_target_met(self, hub: str, grade: str) -> float:
        """A what-if: carbon if the hub met the national 80 % goal for new data centres."""
        return energy.kgco2_per_card_hour_if_green_target_met(self.hub(hub), self.grade(grade))

    def profile_hours(self, hub: str, day: date, profile: Profile) -> tuple[int, ...]:
        """Hours 0–23 (Asia/Shanghai) that a profile delivers at a hub on a day (clause 2.9)."""
        return energy.profile_hours(self.tariffs[self.hub(hub).tariff], day, Profile(profile))

    # --- market opening

    def reference_price_cny_per_card_hour(self, grade: str, hub: str) -> float:
        """Opening reference price of a grade at a hub (clause 2.8), not rounded."""
        return opening.reference_price_cny_per_card_hour(self.grade(grade), self.hub(hub), self.clusters)

    def reference_price_ticks(self, grade: str, hub: str) -> int:
        """The same for one *lot*-hour in ticks of 0.01 CNY, half up (clauses 2.5 and 2.8)."""
        lot_price = self.reference_price_cny_per_card_hour(grade, hub) * self.grade(grade).cards_per_lot
        return opening.to_ticks(lot_price)

    def power_premium_ticks(self, grade: str, hub: str, part: HourCounts, whole: HourCounts) -> int:
        """What power costs more in a part of some hours than in the whole of them, in ticks per lot-hour,
        half up; negative if it costs less (clause 2.12). Hours are counted by (month 1–12, hour 0–23).
        """
        place = self.hub(hub)
        tariff = self.tariffs[place.tariff]
        return opening.power_premium_ticks(self.grade(grade), place, tariff, part, whole)

    def default_capacity_cards(self, hub: str, grade: str) -> int:
        """Cards a hub posts on the demonstration day: whole lots, by the rule of ``capacity.toml``."""
        return self._posted_cards[self.grade(grade).code][self.hub(hub).code]

    @cached_property
    def _posted_cards(self) -> Mapping[str, Mapping[str, int]]:
        hubs = tuple(self.hubs.values())
        return {
            code: opening.posted_cards(grade, hubs, self.capacity_rule) for code, grade in self.grades.items()
        }

    # --- trading days

    def is_trading_day(self, day: date) -> bool:
        """Whether the exchange trades that day."""
        return trading_days.is_trading_day(day, self.holidays)

    def next_trading_day(self, day: date) -> date:
        """The first trading day strictly after ``day``."""
        return trading_days.next_trading_day(day, self.holidays)

    def previous_trading_day(self, day: date) -> date:
        """The last trading day strictly before ``day``."""
        return trading_days.previous_trading_day(day, self.holidays)


def _find(kind: str, code: str, known: Mapping[str, T]) -> T:
    try:
        return known[code]
    except KeyError:
        raise UnknownName(kind, code, tuple(known)) from None


@cache
def load_catalogue() -> Catalogue:
    """The catalogue shipped with the package, read once. Raises `CatalogueError` if its files are damaged."""
    return read_catalogue(files("nodes").joinpath("data"))


def read_catalogue(folder: Traversable) -> Catalogue:
    """A catalogue from a folder of data files. Raises `CatalogueError` naming file, row and column."""
    sources = loader.read_sources(folder)
    figures = loader.read_figures(folder, sources)
    national_nodes = loader.read_national_nodes(folder, sources)
    tariffs = loader.read_tariffs(folder, sources)
    hubs = loader.read_hubs(folder, figures, national_nodes, tariffs, sources)
    places = loader.read_places(folder, hubs, sources)
    grades = loader.read_grades(folder, sources)
    _expect_places_of_hubs(hubs, places)
    return Catalogue(
        sources=MappingProxyType(sources),
        figures=MappingProxyType(figures),
        prices=loader.read_prices(folder, sources),
        national_nodes=MappingProxyType(national_nodes),
        tariffs=MappingProxyType(tariffs),
        hubs=MappingProxyType(hubs),
        places=MappingProxyType(places),
        tiers=MappingProxyType(loader.read_tiers(folder, sources)),
        grades=MappingProxyType(grades),
        workload_classes=MappingProxyType(loader.read_workload_classes(folder, sources)),
        holidays=loader.read_holidays(folder, sources),
        capacity_rule=loader.read_capacity(folder, grades, hubs, figures),
    )


def _expect_places_of_hubs(hubs: Mapping[str, Hub], places: Mapping[str, Place]) -> None:
    sites = {place.hub for place in places.values()}
    for hub in hubs.values():
        path = "/".join(part for part in (hub.national_node, hub.province, hub.city) if part)
        if path not in places:
            raise CatalogueError(f"hubs.csv: {hub.code} lies in {path}, which places.csv does not have")
        if hub.code not in sites:
            raise CatalogueError(f"places.csv: no site delivers for {hub.code}")
