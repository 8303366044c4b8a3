"""The exchange as a member's client sees it, for `dongxi plan --from-exchange`."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from exchange.api.delivering import Nominate
from exchange.api.formats import parse_price_ticks
from exchange.api.plans import HORIZON_DAYS_MAX
from exchange.api.stock import OfferedLots, OwnCards
from exchange.client import ExchangeClient, ExchangeError, Profile
from exchange.client.profiles import load_profile
from scheduler.io.venue import Holding, Level, Nomination, NoVenue, Stock
from scheduler.io.workloads import Span
from scheduler.io.world import SHANGHAI


class ClientVenue:
    """One member's view over HTTP."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def stock(self, span: Span) -> Stock:
        """Reservations as buyer, open positions, and the asks of contracts that deliver on its days.
        Raises NoVenue.
        """
        try:
            return asyncio.run(self.stock_now(span))
        except ExchangeError as error:
            raise NoVenue(f"{self._profile.base_url}: {error}") from error

    def nominate(self, wanted: Sequence[Nomination]) -> tuple[str, ...]:
        """Make nominations; for each why it was refused, "" where it was taken. Raises NoVenue."""
        return asyncio.run(self.nominate_now(wanted))

    async def nominate_now(self, wanted: Sequence[Nomination]) -> tuple[str, ...]:
        """The same for whoever has an event loop already."""
        outcomes = []
        async with ExchangeClient(self._profile.base_url, self._profile) as client:
            for one in wanted:
                body = Nominate(
                    workload=one.workload,
                    use=one.use,
                    cards=one.cards,
                    first_hour=one.first_hour,
                    hours=one.hours,
                )
                try:
                    await client.delivery.nominate(one.reservation_id, body)
                    outcomes.append("")
                except ExchangeError as error:
                    outcomes.append(str(error))
        return tuple(outcomes)

    async def stock_now(self, span: Span) -> Stock:
        """The same for whoever has an event loop already."""
        first = span.start.astimezone(SHANGHAI).date()
        last = (span.start + timedelta(hours=span.hours - 1)).astimezone(SHANGHAI).date()
        own: list[Holding] = []
        offered: dict[str, list[Level]] = {}
        async with ExchangeClient(self._profile.base_url, self._profile) as client:
            while first <= last:
                days = min((last - first).days + 1, HORIZON_DAYS_MAX)
                found = await client.stock(first, days)
                own += map(_holding, found.own)
                books: dict[str, list[Level]] = defaultdict(list)
                for level in map(_level, found.offered):
                    books[level.symbol].append(level)
                offered = books | offered  # a month is told again for each stretch of days
                first += timedelta(days)
        return Stock(tuple(own), tuple(chain.from_iterable(offered.values())))


def _holding(own: OwnCards) -> Holding:
    return Holding(
        id=own.reservation_id or own.symbol,
        symbol=own.symbol,
        site=own.hub,
        grade=own.grade,
        cards=own.cards,
        cards_per_lot=own.cards_per_lot,
        start=datetime.fromisoformat(own.start),
        end=datetime.fromisoformat(own.end),
        price_ticks=parse_price_ticks(own.price, "price"),
        reserved=own.reservation_id is not None,
    )


def _level(offered: OfferedLots) -> Level:
    return Level(
        symbol=offered.symbol,
        site=offered.hub,
        grade=offered.grade,
        cards_per_lot=offered.cards_per_lot,
        start=datetime.fromisoformat(offered.start),
        end=datetime.fromisoformat(offered.end),
        lots=offered.lots,
        price_ticks=parse_price_ticks(offered.price, "price"),
        masks=tuple(offered.masks),
    )


def open_exchange(member: str, keys: Path) -> ClientVenue:
    """A member's view of the exchange that its profile names. Raises NoVenue."""
    try:
        return ClientVenue(load_profile(keys, member))
    except (OSError, ValueError) as error:
        raise NoVenue(f"{error}; name a member with --as and a directory with --keys") from error
