"""Sites, capacity, maintenance, electricity, prices, links, reservations and offers from files.

Fields by table; money in CNY, cards may be fractions, ``from`` and ``to`` are hours after the plan's
start or times (absent: the whole plan):

- sites: site, city, province, region, kind, grade, cards, price, power_price (a kWh), pue, gco2 (g a kWh),
  metered (true: electricity is paid on top of the rent); a row a site and grade; all but grade, cards and
  price may be left out for a site that the catalogue knows;
- capacity: site, grade, cards, from, to: what the site has in these hours, instead of the site's own figure;
- maintenance: site, grade, cards, from, to: what is down, whatever is reserved or offered, in every hour that
  this touches; all cards where ``cards`` is absent, every grade where ``grade`` is;
- electricity: site, power_price, pue, gco2, from, to: in these hours, instead of the site's own figures;
- prices: site, grade, price, from, to: list price of a card-hour in these hours;
- links: origin, site, rtt_ms, price_per_gb, gb_per_hour, from, to: round trip, transfer price, and bandwidth
  in these hours (no limit in others); further rows of a line may leave round trip and price out;
- reservations: id, site, grade, cards, paid, worth, from, to: bought before, worth on resale;
- offers: id, site, grade, cards, price, from, to: a step of the price curve.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from math import ceil, floor
from pathlib import Path
from typing import Final, TypeVar

from nodes.types import HubKind, Region
from scheduler.horizon.types import GB_MAX
from scheduler.io.faults import Faults
from scheduler.io.fields import Fields
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
    SupplyFiles,
    SupplyRows,
)
from scheduler.io.tables import Row, read_table
from scheduler.io.workloads import CARDS_MAX, Span
from scheduler.types import MILLI, micro_cny, milli_cards, scaled

PRICE_MAX: Final = "10000"
CARBON_G_MAX: Final = 10_000
SITE_FIELDS: Final = (
    "site", "city", "province", "region", "kind", "grade", "cards", "price", "power_price", "pue", "gco2",
    "metered",
)  # fmt: skip
R = TypeVar("R")


def read_supply(files: SupplyFiles, places: Places, span: Span) -> SupplyRows:
    """Read the files. Every row is checked; faults are in ``faults`` (a supply with any cannot be planned).

    Raises `FaultyInput` when a file as a whole cannot be read.
    """
    reader = _Reader(places, span)
    sites = reader.read(files.sites, "sites", reader.site)
    reader.knows(sites)
    return SupplyRows(
        sites=sites,
        capacity=reader.read(files.capacity, "capacity", reader.capacity),
        maintenance=reader.read(files.maintenance, "maintenance", reader.maintenance),
        electricity=reader.read(files.electricity, "electricity", reader.electricity),
        prices=reader.read(files.prices, "prices", reader.price),
        links=reader.read(files.links, "links", reader.link),
        reservations=reader.read(files.reservations, "reservations", reader.reservation),
        offers=reader.read(files.offers, "offers", reader.offer),
        faults=reader.faults,
    )


class _Reader:
    """Reads each table's rows; names are those of the sites file where there is one, else the places'."""

    def __init__(self, places: Places, span: Span) -> None:
        self.places = places
        self.span = span
        self.faults = Faults()
        self.known = {site.code: {g.grade for g in site.grades} for site in places.sites}
        self.lines: dict[tuple[str, str], LinkRow] = {}
        self.at_home = {site.code: site for site in places.sites}

    def knows(self, sites: Iterable[SiteRow]) -> None:
        """Sites of a file replace those of the places."""
        named: dict[str, set[str]] = {}
        for row in sites:
            named.setdefault(row.site, set()).add(row.grade)
        self.known = named or self.known

    def read(self, path: Path | None, table: str, one: Callable[[Fields], R]) -> tuple[R, ...]:
        return () if path is None else tuple(self._sound(read_table(path, table), one))

    def _sound(self, rows: Iterable[Row], one: Callable[[Fields], R]) -> Iterator[R]:
        for row in rows:
            fields = Fields(row, self.faults)
            read = None if row.broken else one(fields)
            if read is not None and not fields.wrong:
                yield read

    def site(self, fields: Fields) -> SiteRow:
        fields.known(SITE_FIELDS)
        code = fields.key = fields.text("site", None)
        home = self.at_home.get(code)
        return SiteRow(
            where=fields.row.where,
            site=code,
            city=fields.text("city", home.city if home else None),
            province=fields.text("province", home.province if home else ""),
            region=Region(fields.choice("region", tuple(Region), home.region if home else "west")),
            kind=HubKind(fields.choice("kind", tuple(HubKind), home.kind if home else "cluster")),
            grade=self._grade(fields),
            milli_cards=milli_cards(fields.decimal("cards", None, "0", CARDS_MAX)),
            price_micro_cny=micro_cny(fields.decimal("price", None, "0", PRICE_MAX)),
            facility=self._facility(fields, code),
            metered=fields.truth("metered", False),
        )

    def _facility(self, fields: Fields, site: str) -> Facility:
        known = self.places.facilities.get(site, Facility())
        curve = known.micro_cny_per_kwh
        if fields.has("power_price"):
            curve = (micro_cny(fields.decimal("power_price", "0", "0", PRICE_MAX)),) * len(curve)
        pue = fields.decimal("pue", str(Decimal(known.pue_milli) / MILLI), "1", "10")
        carbon = fields.integer("gco2", known.carbon_g_per_kwh, 0, CARBON_G_MAX)
        return Facility(curve, scaled(pue, MILLI), carbon)

    def capacity(self, fields: Fields) -> CapacityRow:
        fields.known(("site", "grade", "cards", "from", "to"))
        site, grade = self._place(fields)
        cards = milli_cards(fields.decimal("cards", None, "0", CARDS_MAX))
        return CapacityRow(fields.row.where, site, grade, cards, self._hours(fields))

    def maintenance(self, fields: Fields) -> MaintenanceRow:
        fields.known(("site", "grade", "cards", "from", "to"))
        if fields.has("grade"):
            site, grade = self._place(fields)
        else:
            site, grade = self._keyed_site(fields), ""
            if fields.has("cards"):
                fields.fault("cards", "give the grade that so many cards are of, or leave both out")
        cards = fields.decimal("cards", None, "0", CARDS_MAX) if fields.has("cards") else None
        down = None if cards is None else milli_cards(cards)
        return MaintenanceRow(fields.row.where, site, grade, down, self._hours(fields, touched=True))

    def electricity(self, fields: Fields) -> ElectricityRow:
        fields.known(("site", "power_price", "pue", "gco2", "from", "to"))
        site = self._keyed_site(fields)
        if not any(map(fields.has, ("power_price", "pue", "gco2"))):
            fields.fault("power_price", "give at least one of power_price, pue and gco2")
        price = fields.decimal("power_price", "0", "0", PRICE_MAX) if fields.has("power_price") else None
        pue = fields.decimal("pue", "1", "1", "10") if fields.has("pue") else None
        return ElectricityRow(
            where=fields.row.where,
            site=site,
            micro_cny_per_kwh=None if price is None else micro_cny(price),
            pue_milli=None if pue is None else scaled(pue, MILLI),
            carbon_g_per_kwh=fields.integer("gco2", 0, 0, CARBON_G_MAX) if fields.has("gco2") else None,
            hours=self._hours(fields),
        )

    def price(self, fields: Fields) -> PriceRow:
        fields.known(("site", "grade", "price", "from", "to"))
        site, grade = self._place(fields)
        price = micro_cny(fields.decimal("price", None, "0", PRICE_MAX))
        return PriceRow(fields.row.where, site, grade, price, self._hours(fields))

    def link(self, fields: Fields) -> LinkRow:
        fields.known(("origin", "site", "rtt_ms", "price_per_gb", "gb_per_hour", "from", "to"))
        name = fields.key = fields.text("origin", None)
        origin = self.places.city(name)
        if name and origin is None:
            known = ", ".join(each.city for each in self.places.origins)
            fields.fault("origin", f"unknown city {name!r}; known: {known}")
        site = self._site(fields)
        told = self.lines.get((origin or "", site))
        rtt_ms, price = (str(told.rtt_ms), told.micro_cny_per_gb) if told else (None, 0)
        if fields.has("price_per_gb"):
            price = micro_cny(fields.decimal("price_per_gb", "0", "0", PRICE_MAX))
        row = LinkRow(
            where=fields.row.where,
            origin=origin or "",
            site=site,
            rtt_ms=float(fields.decimal("rtt_ms", rtt_ms, "0", "1000000")),
            micro_cny_per_gb=price,
            gb_per_hour=fields.integer("gb_per_hour", 0, 0, GB_MAX) if fields.has("gb_per_hour") else None,
            hours=self._hours(fields),
        )
        if not fields.wrong:
            self.lines.setdefault((row.origin, row.site), row)
        return row

    def reservation(self, fields: Fields) -> ReservationRow:
        fields.known(("id", "site", "grade", "cards", "paid", "worth", "from", "to"))
        name = fields.key = fields.text("id", None)
        site, grade = self._place(fields)
        return ReservationRow(
            where=fields.row.where,
            id=name,
            site=site,
            grade=grade,
            milli_cards=milli_cards(fields.decimal("cards", None, "0", CARDS_MAX)),
            paid_micro_cny=micro_cny(fields.decimal("paid", "0", "0", PRICE_MAX)),
            worth_micro_cny=micro_cny(fields.decimal("worth", "0", "0", PRICE_MAX)),
            hours=self._hours(fields),
        )

    def offer(self, fields: Fields) -> OfferRow:
        fields.known(("id", "site", "grade", "cards", "price", "from", "to"))
        name = fields.key = fields.text("id", None)
        site, grade = self._place(fields)
        return OfferRow(
            where=fields.row.where,
            id=name,
            site=site,
            grade=grade,
            milli_cards=milli_cards(fields.decimal("cards", None, "0", CARDS_MAX)),
            price_micro_cny=micro_cny(fields.decimal("price", None, "0", PRICE_MAX)),
            hours=self._hours(fields),
        )

    def _place(self, fields: Fields) -> tuple[str, str]:
        site = self._site(fields) if fields.key else self._keyed_site(fields)
        grade = self._grade(fields)
        if site in self.known and grade and grade not in self.known[site]:
            known = ", ".join(sorted(self.known[site]))
            fields.fault("grade", f"site {site} has no grade {grade!r}; it has: {known}")
        return site, grade

    def _keyed_site(self, fields: Fields) -> str:
        """The site, by which the row is called as well."""
        fields.key = fields.text("site", None)
        return self._site(fields)

    def _site(self, fields: Fields) -> str:
        code = fields.text("site", None)
        if code and code not in self.known:
            fields.fault("site", f"unknown site {code!r}; known: {', '.join(self.known)}")
        return code

    def _grade(self, fields: Fields) -> str:
        name = fields.text("grade", None)
        grade = self.places.grade(name)
        if name and grade is None:
            fields.fault("grade", f"unknown grade {name!r}; known: {', '.join(self.places.grades)}")
        return grade or ""

    def _hours(self, fields: Fields, *, touched: bool = False) -> Hours:
        """Whole hours inside what the row says, or all that it touches, cut to the plan; outside it, none."""
        start = fields.hours_from("from", self.span.start, self.span.counted_from)
        end = fields.hours_from("to", self.span.start, self.span.counted_from)
        if start is not None and end is not None and end <= start:
            fields.fault("to", "the end is not after the start")
        opens, closes = (floor, ceil) if touched else (ceil, floor)
        first = 0 if start is None else max(0, opens(start))
        last = self.span.hours if end is None else min(self.span.hours, closes(end))
        return Hours(first, max(first, last))
