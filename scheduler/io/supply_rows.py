"""Rows of the tables of what there is, as files gave them: checked, in the plan's units."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from nodes.types import HubKind, Region
from scheduler.io.faults import Faults, Where
from scheduler.io.places import Facility


class Hours(NamedTuple):
    """Whole hours of the plan, the end excluded."""

    start: int
    end: int


class SiteRow(NamedTuple):
    """One grade at a site: list price in micro-CNY per card-hour, and the site's electricity.

    Where that is ``metered`` a plan pays for it on top of the rent.
    """

    where: Where
    site: str
    city: str
    province: str
    region: Region
    kind: HubKind
    grade: str
    milli_cards: int
    price_micro_cny: int
    facility: Facility
    metered: bool


class CapacityRow(NamedTuple):
    """Cards of a grade at a site in some hours."""

    where: Where
    site: str
    grade: str
    milli_cards: int
    hours: Hours


class MaintenanceRow(NamedTuple):
    """Cards of a grade (empty: all of every grade) that are down at a site in some hours; None: all."""

    where: Where
    site: str
    grade: str
    milli_cards: int | None
    hours: Hours


class ElectricityRow(NamedTuple):
    """A site's electricity in some hours; None where the row says nothing."""

    where: Where
    site: str
    micro_cny_per_kwh: int | None
    pue_milli: int | None
    carbon_g_per_kwh: int | None
    hours: Hours


class PriceRow(NamedTuple):
    """List price of a grade at a site in some hours, in micro-CNY per card-hour."""

    where: Where
    site: str
    grade: str
    price_micro_cny: int
    hours: Hours


class LinkRow(NamedTuple):
    """A line between a city and a site; ``gb_per_hour``, in these hours, is None without a limit."""

    where: Where
    origin: str
    site: str
    rtt_ms: float
    micro_cny_per_gb: int
    gb_per_hour: int | None
    hours: Hours


class ReservationRow(NamedTuple):
    """Capacity bought before; prices in micro-CNY per card-hour."""

    where: Where
    id: str
    site: str
    grade: str
    milli_cards: int
    paid_micro_cny: int
    worth_micro_cny: int
    hours: Hours


class OfferRow(NamedTuple):
    """A step of the price curve in some hours."""

    where: Where
    id: str
    site: str
    grade: str
    milli_cards: int
    price_micro_cny: int
    hours: Hours


@dataclass(frozen=True, slots=True)
class SupplyFiles:
    """Which files to read; None: as the places have it (sites, prices, links) or nothing."""

    sites: Path | None = None
    capacity: Path | None = None
    maintenance: Path | None = None
    electricity: Path | None = None
    prices: Path | None = None
    links: Path | None = None
    reservations: Path | None = None
    offers: Path | None = None


@dataclass(frozen=True, slots=True)
class SupplyRows:
    """Everything read; an empty table says nothing."""

    sites: tuple[SiteRow, ...] = ()
    capacity: tuple[CapacityRow, ...] = ()
    maintenance: tuple[MaintenanceRow, ...] = ()
    electricity: tuple[ElectricityRow, ...] = ()
    prices: tuple[PriceRow, ...] = ()
    links: tuple[LinkRow, ...] = ()
    reservations: tuple[ReservationRow, ...] = ()
    offers: tuple[OfferRow, ...] = ()
    faults: Faults = field(default_factory=Faults)
