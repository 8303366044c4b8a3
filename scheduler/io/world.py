"""What there is to place work on, hour by hour: places and supply files in one, contradictions named."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from scheduler.horizon.types import GB_MAX
from scheduler.io.faults import Faults, Where
from scheduler.io.places import Facility, Places
from scheduler.io.supply_rows import (
    CapacityRow,
    ElectricityRow,
    Hours,
    LinkRow,
    MaintenanceRow,
    OfferRow,
    PriceRow,
    ReservationRow,
    SiteRow,
    SupplyRows,
)
from scheduler.io.workloads import Span
from scheduler.types import MILLI, Network, Origin, Site, SiteGrade, scaled

HOURS_A_DAY = 24
SHANGHAI = ZoneInfo("Asia/Shanghai")
Resource = tuple[str, str]
"""(site, grade)."""
ByHour = NDArray[np.int64]
"""One figure an hour of the plan, shape (hours,)."""
NOWHERE = Where("", "row", 0)


@dataclass(frozen=True, eq=False, slots=True)
class Electricity:
    """A site's electricity by the hour: micro-CNY per kWh, PUE in thousandths, carbon in g per kWh.

    ``changes`` if a table gave hours of their own, ``metered`` if it is paid for on top of the rent.
    """

    micro_cny_per_kwh: ByHour
    pue_milli: ByHour
    carbon_g_per_kwh: ByHour
    changes: bool
    metered: bool


@dataclass(frozen=True, eq=False, slots=True)
class World:
    """Sites by hour. Capacity in milli-cards, list price in micro-CNY per card-hour.

    ``watts`` is what a card of each grade draws; ``gb_per_hour`` holds the links with a bandwidth limit, by
    (origin, site), `GB_MAX` in hours without one.
    """

    span: Span
    origins: tuple[Origin, ...]
    sites: tuple[Site, ...]
    network: Network
    capacity: Mapping[Resource, ByHour]
    list_price: Mapping[Resource, ByHour]
    electricity: Mapping[str, Electricity]
    watts: Mapping[str, int]
    gb_per_hour: Mapping[tuple[str, str], ByHour]
    maintenance: tuple[MaintenanceRow, ...]
    reservations: tuple[ReservationRow, ...]
    offers: tuple[OfferRow, ...]


def world_of(places: Places, supply: SupplyRows, span: Span, *, at_list_price: bool = True) -> World:
    """Put them together. Raises `FaultyInput` for the supply's own faults and for every contradiction.

    Without offers all that reservations leave free is on offer at the list price, if ``at_list_price``.
    """
    faults = supply.faults
    sites, facilities = _sites(places, supply.sites, faults)
    network = _network(places, sites, supply, faults)
    bandwidth = _bandwidth(supply.links, span, faults)
    faults.raise_if_any()
    resources = {(site.code, g.grade): g for site in sites for g in site.grades}
    capacity = {r: _filled(span.hours, g.capacity_milli_cards) for r, g in resources.items()}
    _overlay(capacity, supply.capacity, lambda row: row.milli_cards, "cards", faults)
    prices = {r: _filled(span.hours, g.list_price_micro_cny) for r, g in resources.items()}
    _overlay(prices, supply.prices, lambda row: row.price_micro_cny, "price", faults)
    metered = {row.site for row in supply.sites if row.metered}
    electricity = _electricity(facilities, metered, supply.electricity, span, faults)
    _ids_once(supply.reservations, faults)
    _ids_once(supply.offers, faults)
    _within_capacity(capacity, (*supply.reservations, *supply.offers), faults)
    faults.raise_if_any()
    offers = supply.offers
    if not offers and at_list_price:
        offers = tuple(_at_list_price(capacity, prices, supply.reservations))
    return World(
        span=span,
        origins=_origins(places, sites),
        sites=sites,
        network=network,
        capacity=capacity,
        list_price=prices,
        electricity=electricity,
        watts=places.watts,
        gb_per_hour=bandwidth,
        maintenance=supply.maintenance,
        reservations=supply.reservations,
        offers=offers,
    )


def _filled(hours: int, value: int) -> ByHour:
    return np.full(hours, value, dtype=np.int64)


# sites and network


def _sites(
    places: Places, rows: tuple[SiteRow, ...], faults: Faults
) -> tuple[tuple[Site, ...], Mapping[str, Facility]]:
    if not rows:
        return places.sites, {s.code: places.facilities.get(s.code, Facility()) for s in places.sites}
    sites: dict[str, Site] = {}
    first: dict[object, SiteRow] = {}
    for row in rows:
        told = first.setdefault(row.site, row)
        same = first.setdefault((row.site, row.grade), row)
        for name in ("city", "province", "region", "kind", "facility", "metered"):
            if getattr(told, name) != getattr(row, name):
                message = f"{getattr(row, name)!r:.60}, but {told.where} says {getattr(told, name)!r:.60}"
                faults.add(row.where, row.site, name, message)
        if same is not row:
            faults.add(row.where, row.site, "grade", f"{same.where} gives {row.grade} at {row.site} already")
            continue
        kw = places.watts.get(row.grade, 0) * row.facility.pue_milli / MILLI**2
        power = scaled(kw * sum(row.facility.micro_cny_per_kwh) / HOURS_A_DAY, 1)
        carbon = kw * row.facility.carbon_g_per_kwh / MILLI
        grade = SiteGrade(row.grade, row.milli_cards, row.price_micro_cny, power, carbon)
        known = sites.get(row.site)
        sites[row.site] = (
            replace(known, grades=(*known.grades, grade))
            if known
            else Site(row.site, row.city, row.province, row.region, row.kind, (grade,))
        )
    return tuple(sites.values()), {row.site: row.facility for row in rows}


def _origins(places: Places, sites: tuple[Site, ...]) -> tuple[Origin, ...]:
    """The places' cities; a home site that is not there is none."""
    codes = {site.code for site in sites}
    return tuple(o if o.home_site in codes else replace(o, home_site="") for o in places.origins)


def _network(places: Places, sites: tuple[Site, ...], supply: SupplyRows, faults: Faults) -> Network:
    """Round trips and transfer prices: of the links file, else of the places, else no line."""
    origins = places.network.origins
    row = {city: at for at, city in enumerate(origins)}
    column = {site.code: at for at, site in enumerate(sites)}
    rtt = np.full((len(origins), len(sites)), np.inf)
    transfer = np.zeros(rtt.shape, dtype=np.int64)
    for at, code in enumerate(places.network.sites):
        if code in column:
            rtt[:, column[code]] = places.network.rtt_ms[:, at]
            if places.network.transfer_micro_cny_per_gb is not None:
                transfer[:, column[code]] = places.network.transfer_micro_cny_per_gb[:, at]
    seen: dict[tuple[str, str], LinkRow] = {}
    for link in supply.links:
        first = seen.setdefault((link.origin, link.site), link)
        for name, figure in (("rtt_ms", link.rtt_ms), ("price_per_gb", link.micro_cny_per_gb)):
            if figure != (first.rtt_ms if name == "rtt_ms" else first.micro_cny_per_gb):
                faults.add(link.where, link.origin, name, f"{first.where} tells otherwise of this line")
        rtt[row[link.origin], column[link.site]] = first.rtt_ms
        transfer[row[link.origin], column[link.site]] = first.micro_cny_per_gb
    for code in sorted({site.code for site in sites if not np.isfinite(rtt[:, column[site.code]]).any()}):
        where = next((r.where for r in supply.sites if r.site == code), NOWHERE)
        faults.add(where, code, "site", "no line leads there: give its round trips in a links file")
    codes = tuple(site.code for site in sites)
    return Network(origins, codes, rtt, transfer if transfer.any() else None)


# by hour

T = TypeVar("T", CapacityRow, PriceRow, ElectricityRow, LinkRow)
Key = tuple[str, str]
"""What a row of hours speaks of: a resource, a line, or a site (its second name empty)."""


def _overlay(
    figures: Mapping[Key, ByHour],
    rows: Iterable[T],
    figure: Callable[[T], int | None],
    name: str,
    faults: Faults,
) -> None:
    """Write rows over the figures they speak of; two rows that speak of one hour must agree."""
    told: dict[Key, list[T]] = {}
    for row in rows:
        value, key = figure(row), _key(row)
        if value is None:
            continue
        for other in told.setdefault(key, []):
            common = Hours(max(row.hours.start, other.hours.start), min(row.hours.end, other.hours.end))
            if common.start < common.end and figure(other) != value:
                message = (
                    f"contradicts {other.where} about {_about(row)} in hours {common.start} to {common.end}"
                )
                faults.add(row.where, key[0], name, message)
        told[key].append(row)
        figures[key][row.hours.start : row.hours.end] = value


def _key(row: CapacityRow | PriceRow | ElectricityRow | LinkRow) -> Key:
    if isinstance(row, LinkRow):
        return row.origin, row.site
    return (row.site, "") if isinstance(row, ElectricityRow) else (row.site, row.grade)


def _about(row: CapacityRow | PriceRow | ElectricityRow | LinkRow) -> str:
    if isinstance(row, LinkRow):
        return f"the line from {row.origin} to {row.site}"
    return row.site if isinstance(row, ElectricityRow) else f"{row.grade} at {row.site}"


def _bandwidth(rows: Sequence[LinkRow], span: Span, faults: Faults) -> dict[tuple[str, str], ByHour]:
    """The lines that are limited in some hours."""
    limited = [row for row in rows if row.gb_per_hour is not None]
    found = {_key(row): _filled(span.hours, GB_MAX) for row in limited}
    _overlay(found, limited, lambda row: row.gb_per_hour, "gb_per_hour", faults)
    return found


def _electricity(
    facilities: Mapping[str, Facility],
    metered: Collection[str],
    rows: Sequence[ElectricityRow],
    span: Span,
    faults: Faults,
) -> dict[str, Electricity]:
    changing = {row.site for row in rows}
    found = {
        code: Electricity(
            _power(facility, span),
            _filled(span.hours, facility.pue_milli),
            _filled(span.hours, facility.carbon_g_per_kwh),
            code in changing,
            code in metered,
        )
        for code, facility in facilities.items()
    }
    price = {(code, ""): site.micro_cny_per_kwh for code, site in found.items()}
    _overlay(price, rows, lambda row: row.micro_cny_per_kwh, "power_price", faults)
    pue = {(code, ""): site.pue_milli for code, site in found.items()}
    _overlay(pue, rows, lambda row: row.pue_milli, "pue", faults)
    carbon = {(code, ""): site.carbon_g_per_kwh for code, site in found.items()}
    _overlay(carbon, rows, lambda row: row.carbon_g_per_kwh, "gco2", faults)
    return found


def _power(facility: Facility, span: Span) -> ByHour:
    curve, first = facility.micro_cny_per_kwh, span.start.astimezone(SHANGHAI).hour
    return np.array([curve[(first + at) % HOURS_A_DAY] for at in range(span.hours)], dtype=np.int64)


def _ids_once(rows: Iterable[ReservationRow | OfferRow], faults: Faults) -> None:
    seen: dict[str, Where] = {}
    for row in rows:
        first = seen.setdefault(row.id, row.where)
        if first is not row.where:
            faults.add(row.where, row.id, "id", f"{first} has the same id")


def _within_capacity(
    capacity: Mapping[Resource, ByHour], rows: Iterable[ReservationRow | OfferRow], faults: Faults
) -> None:
    """What is reserved and offered in an hour cannot be more than the site has."""
    given = {resource: np.zeros_like(cards) for resource, cards in capacity.items()}
    for row in rows:
        resource, hours = (row.site, row.grade), slice(*row.hours)
        given[resource][hours] += row.milli_cards
        over = np.flatnonzero(given[resource][hours] > capacity[resource][hours])
        if len(over):
            hour = row.hours.start + int(over[0])
            total, there = (float(of[resource][hour]) / MILLI for of in (given, capacity))
            message = (
                f"with the rows before it {total:g} cards of {row.grade} at {row.site} in hour {hour}, "
                f"where the site has {there:g}"
            )
            faults.add(row.where, row.id, "cards", message)


def _at_list_price(
    capacity: Mapping[Resource, ByHour],
    prices: Mapping[Resource, ByHour],
    reservations: Iterable[ReservationRow],
) -> Iterable[OfferRow]:
    """One offer for each stretch of hours in which free capacity and price stay the same."""
    free = {resource: cards.copy() for resource, cards in capacity.items()}
    for row in reservations:
        free[row.site, row.grade][row.hours.start : row.hours.end] -= row.milli_cards
    for (site, grade), cards in free.items():
        price = prices[site, grade]
        changes = np.flatnonzero((np.diff(cards) != 0) | (np.diff(price) != 0)) + 1
        bounds = [0, *changes.tolist(), len(cards)]
        for start, end in pairwise(bounds):
            if cards[start] > 0:
                name = f"list/{site}/{grade}" + (f"/{start}" if len(bounds) > 2 else "")
                hours = Hours(start, end)
                yield OfferRow(NOWHERE, name, site, grade, int(cards[start]), int(price[start]), hours)
