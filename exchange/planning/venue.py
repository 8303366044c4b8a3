"""The exchange as a member's client sees it, for `dongxi plan --from-exchange`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from exchange.api.delivering import Nominate, Reservation
from exchange.api.formats import parse_price_ticks
from exchange.api.market import Contract
from exchange.api.market import Level as BookLevel
from exchange.client import ExchangeClient, ExchangeError, Profile
from exchange.client.profiles import load_profile
from exchange.planning.free import Nominated, Stretch, free_stretches
from exchange.planning.stock import DEPTH
from scheduler.io.venue import Holding, Level, Nomination, NoVenue, Stock
from scheduler.io.workloads import Span

BOOKS_AT_ONCE = 8


class ClientVenue:
    """One member's view over HTTP."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def stock(self, span: Span) -> Stock:
        """Reservations as buyer, and the asks of day and hour contracts delivered within the span. Raises
        NoVenue.
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
        async with ExchangeClient(self._profile.base_url, self._profile) as client:
            contracts = [c for kind in ("day", "hour") for c in await client.contracts(kind=kind)]
            lots = {c.symbol: c.cards_per_lot for c in await client.contracts(active=None)}
            nominated: dict[str, list[Nominated]] = {}
            for one in await client.delivery.nominations():
                nominated.setdefault(one.reservation_id, []).append(one)
            holdings = [
                _holding(row, lots[row.symbol], stretch)
                for row in await client.reservations()
                if row.role == "buyer" and not row.finished and row.symbol in lots
                for stretch in free_stretches(row.cards, row.hours, nominated.get(row.reservation_id, ()))
            ]
            wanted = [c for c in contracts if c.ask_lots and _within(c, span)]
            gate = asyncio.Semaphore(BOOKS_AT_ONCE)

            async def levels(contract: Contract) -> list[Level]:
                async with gate:
                    book = await client.book(contract.symbol, DEPTH)
                return [_level(contract, ask) for ask in book.asks]

            books = await asyncio.gather(*map(levels, wanted))
        return Stock(tuple(holdings), tuple(level for book in books for level in book))


def _within(contract: Contract, span: Span) -> bool:
    """Whether a plan of the span can buy a contract: hours in a row, within the span."""
    start, end = map(datetime.fromisoformat, (contract.delivery_start, contract.delivery_end))
    in_a_row = (end - start).total_seconds() == contract.hours * 3600
    return in_a_row and start >= span.start and (end - span.start).total_seconds() <= span.hours * 3600


def _holding(row: Reservation, cards_per_lot: int, stretch: Stretch) -> Holding:
    midnight = datetime.fromisoformat(row.start).replace(hour=0)
    start, end = stretch.times(midnight)
    return Holding(
        id=row.reservation_id,
        symbol=row.symbol,
        site=row.hub,
        grade=row.grade,
        cards=stretch.cards,
        cards_per_lot=cards_per_lot,
        start=start,
        end=end,
        price_ticks=parse_price_ticks(row.price, "price"),
    )


def _level(contract: Contract, ask: BookLevel) -> Level:
    return Level(
        symbol=contract.symbol,
        site=contract.hub,
        grade=contract.grade,
        cards_per_lot=contract.cards_per_lot,
        start=datetime.fromisoformat(contract.delivery_start),
        end=datetime.fromisoformat(contract.delivery_end),
        lots=ask.quantity,
        price_ticks=parse_price_ticks(ask.price, "price"),
    )


def open_exchange(member: str, keys: Path) -> ClientVenue:
    """A member's view of the exchange that its profile names. Raises NoVenue."""
    try:
        return ClientVenue(load_profile(keys, member))
    except (OSError, ValueError) as error:
        raise NoVenue(f"{error}; name a member with --as and a directory with --keys") from error
