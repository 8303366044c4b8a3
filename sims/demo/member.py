"""One member of the market as a process of its own: ``python -m sims.demo.member``, steered by lines on its
standard input.

It speaks to the exchange through its HTTP API only. It ends when its standard input does, so it never
outlives the process that started it, whatever ended that one.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec

from exchange.api.market import Contract
from exchange.api.requests import BATCH_ITEMS_MAX, READINGS_MAX, Cancel, NewOrder, Reading
from exchange.api.trading import Order
from exchange.client.client import ExchangeClient
from exchange.client.errors import ExchangeError
from exchange.client.profiles import load_profile
from nodes.catalogue import load_catalogue
from sims.demo import enterprise, parts, provider
from sims.demo.cues import Answer, Bid, Cue, Meter, Post, Quote, Round, Setup
from sims.demo.world import holdings_of, wants_of_city

HOUR = timedelta(hours=1)


class Account:
    """What providers and enterprises share: looking at the account, sending orders in batches."""

    def __init__(self, setup: Setup, client: ExchangeClient) -> None:
        self.setup = setup
        self.client = client

    async def positions(self) -> dict[str, int]:
        """Net lots by symbol."""
        return {p.symbol: p.quantity for p in await self.client.positions()}

    async def send(self, items: Sequence[Cancel | NewOrder]) -> Answer:
        """Send order commands, as many batches as it takes, and count what became of them."""
        traded = 0
        refused: Counter[str] = Counter()
        for start in range(0, len(items), BATCH_ITEMS_MAX):
            answer = await self.client.batch(items[start : start + BATCH_ITEMS_MAX])
            for result in answer.results:
                traded += result.order.filled_quantity if result.order else 0
                if result.error:
                    refused[result.error.code] += 1
        return self.answer(len(items), traded, refused)

    def answer(self, sent: int, traded_lots: int = 0, refused: Counter[str] | None = None) -> Answer:
        """An answer in this member's name."""
        return Answer(
            member=self.setup.member, sent=sent, traded_lots=traded_lots, refused=dict(refused or {})
        )


class Provider(Account):
    """Posts, offers and meters the hubs of one provider."""

    def __init__(self, setup: Setup, client: ExchangeClient) -> None:
        super().__init__(setup, client)
        self.holdings = holdings_of(load_catalogue(), setup.hubs)

    async def contracts(self) -> list[Contract]:
        """The active contracts of its own hubs."""
        return [c for hub in self.setup.hubs for c in await self.client.contracts(hub=hub)]

    async def post(self) -> Answer:
        """Post what is missing."""
        contracts = await self.contracts()
        posted = await self.client.capacity()
        sent = 0
        for holding in self.holdings:
            own = [c for c in contracts if (c.hub, c.grade) == (holding.hub, holding.grade)]
            in_parts = provider.trades_in_parts(own)
            allotment = provider.allot(holding, self.setup.settings.provider, parts=in_parts)
            for post in provider.posts_due(holding, allotment, own, posted):
                await self.client.post_capacity(post)
                sent += 1
        return self.answer(sent)

    async def quote(self, progress_percent: int) -> Answer:
        """Offer what is missing and move what is off."""
        contracts = await self.contracts()
        orders: dict[str, list[Order]] = {}
        for order in await self.client.orders():
            orders.setdefault(order.symbol, []).append(order)
        desk = provider.Desk(contracts, await self.positions(), orders, progress_percent)
        settings = self.setup.settings
        return await self.send(provider.quote(desk, self.holdings, settings.provider, settings.seed))

    async def meter(self, market_time: datetime, days: Sequence[str]) -> Answer:
        """Send the readings of every hour that is over and has none yet."""
        readings = []
        for day in days:
            for reservation in await self.client.reservations(day):
                if reservation.role == "provider" and not reservation.finished:
                    done = set(reservation.metered_hours)
                    midnight = datetime.fromisoformat(reservation.start).replace(hour=0)
                    readings += [
                        Reading(
                            reservation_id=reservation.reservation_id,
                            hour_start=(midnight + hour * HOUR).isoformat(),
                            cards_delivered=provider.cards_delivered(
                                reservation, midnight.date(), hour, self.setup.settings.outage
                            ),
                        )
                        for hour in reservation.hours
                        if hour not in done and midnight + (hour + 1) * HOUR <= market_time
                    ]
        for first in range(0, len(readings), READINGS_MAX):
            await self.client.send_readings(readings[first : first + READINGS_MAX])
        return self.answer(len(readings))


class Enterprise(Account):
    """Buys what the tasks of one city need."""

    def __init__(self, setup: Setup, client: ExchangeClient) -> None:
        super().__init__(setup, client)
        self.wants = wants_of_city(load_catalogue(), setup.city)
        self._strips: list[Contract] = []
        self._strips_day = ""

    async def buyer(self, trading_day: str, rounds_left: int = 1, rounds: int = 1) -> enterprise.Buyer:
        """What it sees now; weeks and months are fetched once a day, since only their periods are needed."""
        if self._strips_day != trading_day:
            self._strips = [
                c
                for kind in ("week", "month")
                for c in await self.client.contracts(kind=kind, profile="base")
            ]
            self._strips_day = trading_day
        return enterprise.Buyer(
            member=self.setup.member,
            trading_day=date.fromisoformat(trading_day),
            contracts=[*await self.client.contracts(kind="day", profile="base"), *self._strips],
            positions=await self.positions(),
            open_orders=await self.client.orders(),
            rounds_left=rounds_left,
            rounds=rounds,
        )

    async def wanted_parts(self, buyer: enterprise.Buyer) -> list[parts.PartWant]:
        """What it wants of hours and profiles of days; only enterprises of some cities want any."""
        settings = self.setup.settings
        if self.setup.city not in settings.parts.cities:
            return []
        listed = [
            *await self.client.contracts(kind="hour"),
            *await self.client.contracts(kind="day", profile="peak"),
            *await self.client.contracts(kind="day", profile="valley"),
        ]
        return parts.parts_wanted(buyer, listed, self.wants, settings.parts, settings.seed)

    async def bid(self, trading_day: str) -> Answer:
        """Bid in the auction; bids of an earlier cue are taken back first."""
        buyer = await self.buyer(trading_day)
        settings = self.setup.settings
        bids = enterprise.auction_bids(buyer, self.wants, settings.enterprise, settings.seed)
        bids += parts.auction_bids(buyer, await self.wanted_parts(buyer), settings.enterprise, settings.seed)
        return await self.send([*(Cancel(order_id=o.order_id) for o in buyer.open_orders), *bids])

    async def round(self, trading_day: str, rounds_left: int, rounds: int) -> Answer:
        """One round of the session."""
        buyer = await self.buyer(trading_day, rounds_left, rounds)
        settings = self.setup.settings.enterprise
        orders = enterprise.session_orders(buyer, self.wants, settings)
        orders += parts.session_orders(buyer, await self.wanted_parts(buyer), settings)
        return await self.send(orders)


Act = Callable[[Cue], Awaitable[Answer]]


async def act(actor: Provider | Enterprise, cue: Cue) -> Answer:
    """Do what a cue asks of this kind of member; a cue for the other kind is nothing to do."""
    match actor, cue:
        case Provider(), Post():
            return await actor.post()
        case Provider(), Quote():
            return await actor.quote(cue.progress_percent)
        case Provider(), Meter():
            return await actor.meter(datetime.fromisoformat(cue.market_time), cue.days)
        case Enterprise(), Bid():
            return await actor.bid(cue.trading_day)
        case Enterprise(), Round():
            return await actor.round(cue.trading_day, cue.rounds_left, cue.rounds)
    return actor.answer(0)


async def answered(actor: Provider | Enterprise, cue: Cue) -> Answer:
    """The answer to a cue; a refusal by the exchange becomes an answer that says so."""
    try:
        return await act(actor, cue)
    except ExchangeError as error:
        return Answer(member=actor.setup.member, failure=str(error))


async def live(setup: Setup, lines: asyncio.StreamReader) -> None:
    """Answer cues until the input ends."""
    profile = load_profile(Path(setup.keys_dir), setup.member)
    cues: msgspec.json.Decoder[Cue] = msgspec.json.Decoder(Cue)
    async with ExchangeClient(setup.base_url, profile) as client:
        actor = Provider(setup, client) if setup.hubs else Enterprise(setup, client)
        say(actor.answer(0))
        while line := await lines.readline():
            say(await answered(actor, cues.decode(line)))


def say(answer: Answer) -> None:
    """Write one line at once."""
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


async def main() -> None:
    """Read who it is, then live."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    first = await lines.readline()
    if first:
        await live(msgspec.json.decode(first, type=Setup), lines)


if __name__ == "__main__":
    import signal

    # Ctrl-C reaches every process of the terminal; the one that started us decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(main())
