"""What the demonstration learns from the exchange, over its HTTP API with the members' own keys."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import date, timedelta
from pathlib import Path

from exchange.api.access import Member
from exchange.api.delivering import Reservation
from exchange.api.market import Contract, Settlement
from exchange.api.money import Statement
from exchange.api.primary import CapacityPost
from exchange.client.client import ExchangeClient
from exchange.client.profiles import load_profile
from nodes.catalogue import Catalogue
from sims.demo.placing import Product, Supply
from sims.demo.prices import ticks
from sims.demo.provider import HOURS_PER_DAY
from sims.demo.report import Conversion, Delivery, HubPrices, Money, Traded
from sims.demo.settings import Outage

CLASSES = (
    ("hour", "base"),
    ("day", "base"),
    ("day", "peak"),
    ("day", "valley"),
    ("week", "base"),
    ("month", "base"),
)
"""Kinds and profiles of the contracts that the members trade."""
CASH_KINDS = ("deposit", "withdrawal")


class Observer:
    """Clients of all members and of the operator, for looking only. Use as ``async with``."""

    def __init__(
        self, base_url: str, keys_dir: Path, providers: Sequence[str], enterprises: Sequence[str]
    ) -> None:
        self.public = ExchangeClient(base_url)
        self.operator = ExchangeClient(base_url, load_profile(keys_dir, "operator"))
        self.providers = [ExchangeClient(base_url, load_profile(keys_dir, name)) for name in providers]
        self.enterprises = [ExchangeClient(base_url, load_profile(keys_dir, name)) for name in enterprises]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Observer":
        for client in (self.public, self.operator, *self.providers, *self.enterprises):
            await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def reservations(self, day: date) -> list[Reservation]:
        """All reservations of a delivery day, each once, as the provider sees it."""
        found = await asyncio.gather(*(client.reservations(day.isoformat()) for client in self.providers))
        return [row for rows in found for row in rows if row.role == "provider"]

    async def capacity(self) -> list[CapacityPost]:
        """All posted capacity."""
        return [row for rows in await asyncio.gather(*(c.capacity() for c in self.providers)) for row in rows]

    async def statements(self, days: Iterable[date]) -> list[Statement]:
        """The statements of every member for each of the days."""
        clients = [*self.providers, *self.enterprises]
        return [
            statement
            for day in days
            for statement in await asyncio.gather(*(client.statement(day.isoformat()) for client in clients))
        ]


def days_from(first: date, last: date) -> list[date]:
    """Both included."""
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]


def posted_on(day: date, capacity: Iterable[CapacityPost]) -> Counter[Product]:
    """Cards posted for a delivery day by (hub, grade)."""
    posted: Counter[Product] = Counter()
    for post in capacity:
        if date.fromisoformat(post.first_day) <= day <= date.fromisoformat(post.last_day):
            posted[post.hub, post.grade] += post.cards
    return posted


def reserved_on(reservations: Iterable[Reservation]) -> tuple[Counter[Product], Counter[Product]]:
    """Cards by (hub, grade): reserved all day, and the most that are reserved at a time in parts of it."""
    all_day: Counter[Product] = Counter()
    by_hour: Counter[tuple[Product, int]] = Counter()
    for reservation in reservations:
        product = reservation.hub, reservation.grade
        if len(reservation.hours) == HOURS_PER_DAY:
            all_day[product] += reservation.cards
        else:
            by_hour.update({(product, hour): reservation.cards for hour in reservation.hours})
    in_parts: Counter[Product] = Counter()
    for (product, _), cards in by_hour.items():
        in_parts[product] = max(in_parts[product], cards)
    return all_day, in_parts


def supply_of(
    day: date,
    capacity: Iterable[CapacityPost],
    reservations: Iterable[Reservation],
    prices: Mapping[Product, str],
) -> dict[Product, Supply]:
    """What the scheduler may use all day on a delivery day: every product that has a settlement price,
    without the cards that are reserved in parts of the day.
    """
    posted = posted_on(day, capacity)
    reserved, in_parts = reserved_on(reservations)
    posted = posted - in_parts
    return {
        product: Supply(*product, posted[product], reserved[product], price)
        for product, price in prices.items()
        if posted[product] or reserved[product]
    }


def day_prices(
    day: date, contracts: Iterable[Contract], settlements: Iterable[Settlement]
) -> dict[Product, str]:
    """Settlement prices of the day contracts of a delivery day, by (hub, grade)."""
    price = {row.symbol: row.settlement_price for row in settlements}
    return {
        (contract.hub, contract.grade): price[contract.symbol]
        for contract in contracts
        if (contract.kind, contract.profile) == ("day", "base")
        and contract.delivery_start.startswith(day.isoformat())
        and contract.symbol in price
    }


def traded_of(contracts: Iterable[Contract], settlements: Iterable[Settlement]) -> list[Traded]:
    """Volumes by kind and profile, of those that are listed; the value is at the settlement price."""
    settled = {row.symbol: row for row in settlements}
    rows = []
    for kind, profile in CLASSES:
        listed = [c for c in contracts if (c.kind, c.profile) == (kind, profile) and c.symbol in settled]
        if not listed:
            continue
        volume = {c.symbol: settled[c.symbol].volume_lots for c in listed}
        rows.append(
            Traded(
                kind=kind if profile == "base" else f"{kind}, {profile}",
                contracts_traded=sum(1 for lots in volume.values() if lots),
                contracts_listed=len(listed),
                lots=sum(volume.values()),
                card_hours=sum(volume[c.symbol] * c.cards_per_lot * c.hours for c in listed),
                value_fen=sum(
                    volume[c.symbol] * c.hours * ticks(settled[c.symbol].settlement_price) for c in listed
                ),
            )
        )
    return rows


def conversion_of(
    days: Sequence[date], capacity: Sequence[CapacityPost], reservations: Iterable[Reservation]
) -> Conversion:
    """How much of what was posted for the days became reservations."""
    posted = sum(posted_on(day, capacity).total() for day in days) * HOURS_PER_DAY
    reserved = sum(reservation.cards * len(reservation.hours) for reservation in reservations)
    return Conversion(tuple(days), posted, reserved)


def hub_prices(catalogue: Catalogue, prices: Mapping[Product, str]) -> list[HubPrices]:
    """Prices per card-hour by hub, in the catalogue's order."""
    rows = []
    for hub in catalogue.hubs.values():
        row: dict[str, float | None] = {}
        for grade in catalogue.grades.values():
            price = prices.get((hub.code, grade.code))
            row[grade.code] = None if price is None else float(price) / grade.cards_per_lot
        rows.append(HubPrices(hub.code, hub.region.value, row))
    return rows


def money_of(
    members: Sequence[Member], deposits_fen: int, house_fen: int, statements: Iterable[Statement]
) -> Money:
    """Where the cash is, and what moved by kind (deposits apart); ``deposits_fen`` is net of withdrawals."""
    moved: dict[str, tuple[int, int]] = {}
    for statement in statements:
        for line in statement.lines:
            if line.kind not in CASH_KINDS:
                into, out = moved.get(line.kind, (0, 0))
                moved[line.kind] = (into + max(0, line.amount_fen), out + min(0, line.amount_fen))
    return Money(
        deposits_fen=deposits_fen,
        members_fen=sum(member.cash_fen for member in members),
        house_fen=house_fen,
        accounts=len(members),
        moved=moved,
    )


def delivery_of(day: date, reservations: Sequence[Reservation], outages: Iterable[Outage]) -> Delivery:
    """One delivery day summed up."""
    hit = [outage for outage in outages if outage.first_day <= day <= outage.last_day]
    return Delivery(
        day=day,
        finished=bool(reservations) and all(row.finished for row in reservations),
        reservations=len(reservations),
        reserved_card_hours=sum(row.cards * len(row.hours) for row in reservations),
        delivered_card_hours=sum(row.delivered_card_hours for row in reservations),
        shortfall_card_hours=sum(row.shortfall_card_hours for row in reservations),
        invoiced_fen=sum(row.invoiced_fen for row in reservations),
        note="; ".join(_outage_text(outage) for outage in hit),
    )


def _outage_text(outage: Outage) -> str:
    return (
        f"planned outage at {outage.hub}, {outage.first_hour}:00 to {outage.last_hour + 1}:00, "
        f"{outage.cards_lost_percent} % of the cards: {outage.why}"
    )
