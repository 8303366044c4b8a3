"""The cheapest way to buy cards for some days at hubs that are near enough.

A stretch of days is covered by contracts whose periods follow on one another: a quarter, months, weeks, days.
For each period the lots are taken from the cheapest offers, at one hub or over several; the covering with the
least value is found day by day (a shortest path over the days). A contract serves one period only, so the
cheapest offers of each period together are the cheapest covering.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from exchange.api.market import Contract

Period = tuple[date, date]
"""First delivery day, and the day after the last."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Lots offered at a price: one level of the book of one contract."""

    symbol: str
    hub: str
    price_ticks: int
    lots: int


@dataclass(frozen=True, slots=True)
class Leg:
    """Lots of one contract to buy: at most at `price_ticks`, worth `value_fen` if its offers stay."""

    symbol: str
    hub: str
    lots: int
    price_ticks: int
    value_fen: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """Legs that cover the days; `value_fen` is their sum."""

    legs: tuple[Leg, ...]
    value_fen: int

    @property
    def hubs(self) -> tuple[str, ...]:
        """Where the cards are, each hub once."""
        return tuple(dict.fromkeys(leg.hub for leg in self.legs))


def period_of(contract: Contract) -> Period:
    """The days that a contract delivers."""
    return date.fromisoformat(contract.delivery_start[:10]), date.fromisoformat(contract.delivery_end[:10])


def cheapest(offers: Mapping[Period, Sequence[Offer]], window: Period, lots: int) -> Purchase | None:
    """The covering of the window with the least value; None if the offers don't suffice."""
    best: dict[date, Purchase] = {window[0]: Purchase((), 0)}
    ending: dict[date, list[Period]] = defaultdict(list)
    for period in offers:
        if window[0] <= period[0] and period[1] <= window[1]:
            ending[period[1]].append(period)
    for ahead in range(1, (window[1] - window[0]).days + 1):
        day = window[0] + timedelta(days=ahead)
        for period in ending[day]:
            before = best.get(period[0])
            legs = _filled(offers[period], period, lots) if before is not None else None
            if before is None or legs is None:
                continue
            value_fen = before.value_fen + sum(leg.value_fen for leg in legs)
            if day not in best or value_fen < best[day].value_fen:
                best[day] = Purchase((*before.legs, *legs), value_fen)
    return best.get(window[1])


def cheapest_hub(offers: Mapping[Period, Sequence[Offer]], window: Period, lots: int) -> Purchase | None:
    """The same with all cards at one hub throughout."""
    hubs = sorted({offer.hub for listed in offers.values() for offer in listed})
    found = [
        bought
        for hub in hubs
        if (bought := cheapest(_only(offers, hub), window, lots)) is not None  # one hub after the other
    ]
    return min(found, key=lambda bought: bought.value_fen, default=None)


def _only(offers: Mapping[Period, Sequence[Offer]], hub: str) -> dict[Period, list[Offer]]:
    return {period: [offer for offer in listed if offer.hub == hub] for period, listed in offers.items()}


def _filled(offers: Iterable[Offer], period: Period, lots: int) -> list[Leg] | None:
    """Take the cheapest offers until there are enough lots; None if there aren't."""
    hours = (period[1] - period[0]).days * 24
    taken: dict[str, Leg] = {}
    for offer in sorted(offers, key=lambda offer: (offer.price_ticks, offer.symbol)):
        some = min(lots, offer.lots)
        if not some:
            break
        before = taken.get(offer.symbol)
        taken[offer.symbol] = Leg(
            offer.symbol,
            offer.hub,
            some + (before.lots if before else 0),
            offer.price_ticks,
            some * offer.price_ticks * hours + (before.value_fen if before else 0),
        )
        lots -= some
    return None if lots else list(taken.values())
