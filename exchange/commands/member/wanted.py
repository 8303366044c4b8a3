"""What a buyer wants, as the command line says it, and which hubs and offers suit."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from exchange.api.formats import parse_price_ticks
from exchange.api.market import Book, Contract
from exchange.client import ExchangeClient
from exchange.commands.member.eligible import Offer, Period, Purchase, cheapest, cheapest_hub, period_of
from exchange.commands.member.session import Wrong
from nodes.catalogue import load_catalogue
from nodes.types import UnknownName

BOOKS_AT_ONCE = 8
DEPTH = 100
_DURATION = re.compile(r"(\d{1,3})\s*(d|days?|w|weeks?|mo|months?|q|quarters?)", re.ASCII | re.IGNORECASE)
_WITHIN = re.compile(r"(\d{1,4}(?:\.\d+)?)\s*(?:ms)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Cards of a grade for the days of `window`, at a hub at most `within_ms` (round trip) from `city`."""

    grade: str
    cards: int
    window: Period
    within_ms: float | None = None
    city: str | None = None
    hub: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The cheapest purchase, the cheapest at one hub, and the round trip (ms) of each eligible hub."""

    lots: int
    cards_per_lot: int
    best: Purchase
    one_hub: Purchase | None
    round_trips_ms: dict[str, float | None]


def window_of(start: str, duration: str) -> Period:
    """Delivery days from "2027-01-01" for "1 month", "10d" or "2w". Raises Wrong."""
    try:
        first = date.fromisoformat(start)
    except ValueError:
        raise Wrong(f"--start {start!r} is not a day; write it as 2027-01-01") from None
    found = _DURATION.fullmatch(duration.strip())
    if found is None or not int(found[1]):
        raise Wrong(
            f'--duration {duration!r} is not a number of days, weeks or months, such as 10d or "1 month"'
        )
    count, unit = int(found[1]), found[2].lower()
    if unit.startswith(("mo", "q")):
        return first, _months_after(first, count * (3 if unit.startswith("q") else 1))
    return first, first + timedelta(days=count * (7 if unit.startswith("w") else 1))


def _months_after(first: date, months: int) -> date:
    year, month = divmod(first.month - 1 + months, 12)
    for day in range(first.day, 0, -1):
        try:
            return date(first.year + year, month + 1, day)
        except ValueError:  # the 31st of a shorter month
            continue
    raise AssertionError("every month has a first day")


def within_of(text: str) -> float:
    """A round trip such as "20ms" in ms. Raises Wrong."""
    found = _WITHIN.fullmatch(text.strip())
    if found is None:
        raise Wrong(f"--any-hub-within {text!r} is not a time such as 20ms (round trip)")
    return float(found[1])


def eligible_hubs(wanted: Wanted) -> dict[str, float | None]:
    """Hubs that may serve, each with the modelled round trip in ms from the city, if one is named.

    Raises Wrong.
    """
    catalogue = load_catalogue()
    try:
        if wanted.hub is not None:
            hub = catalogue.hub(wanted.hub).code
            return {hub: catalogue.round_trip_ms(wanted.city, hub) if wanted.city else None}
        if wanted.city is None:
            return dict.fromkeys(catalogue.hubs)
        limit_ms = float("inf") if wanted.within_ms is None else wanted.within_ms
        near: dict[str, float | None] = {
            hub.code: trip for hub, trip in catalogue.hubs_within(wanted.city, limit_ms)
        }
    except UnknownName as error:
        raise Wrong(str(error)) from None
    if not near:
        raise Wrong(
            f"no hub is within {limit_ms:g} ms of {wanted.city}; "
            f"`dongxi hubs --near {wanted.city}` lists them"
        )
    return near


async def find(client: ExchangeClient, wanted: Wanted, *, one_hub_only: bool) -> Found:
    """Look through the offers of all eligible hubs. Raises Wrong if they don't suffice, ExchangeError."""
    trips = eligible_hubs(wanted)
    grades = {grade.code: grade.cards_per_lot for grade in await client.grades()}
    if wanted.grade not in grades:
        raise Wrong(f"there is no grade {wanted.grade!r}; there are: {', '.join(grades)}")
    lots = -(-wanted.cards // grades[wanted.grade])
    listed = [
        one
        for one in await client.contracts(grade=wanted.grade, profile="base")
        if one.hub in trips and not one.halted
    ]
    inside = [
        one
        for one in listed
        if wanted.window[0] <= period_of(one)[0] and period_of(one)[1] <= wanted.window[1] and one.ask
    ]
    offers = await _offers(client, inside)
    single = cheapest_hub(offers, wanted.window, lots)
    best = single if one_hub_only else cheapest(offers, wanted.window, lots)
    if best is None:
        raise Wrong(_too_little(wanted, listed, offers, lots))
    if single is not None and single.value_fen <= best.value_fen:
        best = single
    return Found(lots, grades[wanted.grade], best, single, trips)


async def _offers(client: ExchangeClient, contracts: Sequence[Contract]) -> dict[Period, list[Offer]]:
    at_once = asyncio.Semaphore(BOOKS_AT_ONCE)

    async def book(contract: Contract) -> Book:
        async with at_once:
            return await client.book(contract.symbol, DEPTH)

    offers: dict[Period, list[Offer]] = defaultdict(list)
    for contract, found in zip(contracts, await asyncio.gather(*map(book, contracts)), strict=True):
        offers[period_of(contract)] += [
            Offer(contract.symbol, contract.hub, parse_price_ticks(level.price), level.quantity)
            for level in found.asks
        ]
    return offers


def _too_little(
    wanted: Wanted, listed: Sequence[Contract], offers: dict[Period, list[Offer]], lots: int
) -> str:
    first, end = wanted.window
    days = [first + timedelta(days=ahead) for ahead in range((end - first).days)]
    traded = {day for one in listed for day in days if period_of(one)[0] <= day < period_of(one)[1]}
    unlisted = [day for day in days if day not in traded]
    where = f"{wanted.hub or 'hubs'}" + (f" near {wanted.city}" if wanted.city else "")
    asked = f"{wanted.cards} {wanted.grade} ({lots} lots) from {first} for {len(days)} days at {where}"
    if unlisted:
        return f"{asked}: no contract delivers on {unlisted[0]}; `dongxi markets` shows what is listed"
    most = {
        period: sum(offer.lots for offer in listed_offers) for period, listed_offers in sorted(offers.items())
    }
    shown = ", ".join(f"{start} … {stop}: {count} lots" for (start, stop), count in most.items()) or "nothing"
    return (
        f"{asked}: the offers don't suffice ({shown}). Take fewer cards or more hubs, or name a contract "
        "and a price: `dongxi buy SYMBOL LOTS --price P` waits in its book"
    )
