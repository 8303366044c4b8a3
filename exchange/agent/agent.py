"""The agent's rounds: ask the exchange, count the cards, read what hours delivered, hand the readings in.

Each part stands alone: without the exchange the cards are counted all the same, and what was read waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from exchange.agent.clock import HOUR_NS, NS_PER_S, MarketTime
from exchange.agent.config import AgentConfig, Cards, Offer
from exchange.agent.measure import gflops, memory_gb, serving_cards
from exchange.agent.spool import Batch, Reading, Reserved, Spool
from exchange.api import requests
from exchange.api.attest import AgentKey
from exchange.api.formats import SHANGHAI, parse_time_ns, time_text
from exchange.api.primary import CapacityPost, Site
from exchange.client import ExchangeClient, ExchangeError
from exchange.client.metering import sign_readings
from exchange.client.profiles import write_secret

ELSEWHERE = frozenset({"SIGNATURE_REQUIRED", "NOT_YOUR_RESERVATION"})
"""The reservation is delivered by another site of the same owner at the same hub."""
PASSING = frozenset({401, 429, 503})
"""Statuses of refusals that say nothing of what was sent: the same may be taken later."""
POST_FIELDS = ("grade", "cards", "first_day", "last_day")

Say = Callable[[str], None]


def agent_key(state: Path) -> AgentKey:
    """Return the site's key, made on first use and kept in a file of mode 0600 that is never half there."""
    path = state / "agent.key"
    if not path.exists():
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = write_secret(path, AgentKey.generate().private_bytes)
        with contextlib.suppress(FileExistsError):  # another process was first
            path.hardlink_to(beside)
        beside.unlink()
        _sync(state)
    if path.stat().st_mode & 0o077:
        raise PermissionError(f"{path} can be read by others; run: chmod 600 {path}")
    return AgentKey(path.read_bytes())


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Agent:
    """The agent of one site. `config` is asked for anew each round, so that cards can be taken out of use."""

    def __init__(
        self,
        config: Callable[[], AgentConfig],
        client: ExchangeClient,
        *,
        clock: MarketTime | None = None,
        say: Say = lambda _: None,
    ) -> None:
        self._config = config
        self._client = client
        self._clock = clock or MarketTime()
        self._say = say
        state = Path(config().state)
        self._key = agent_key(state)
        self.spool = Spool(state / "spool.sqlite")
        self._clock.remember(self.spool.told())
        self._site: Site | None = None
        self._left_over: tuple[list[Offer], int] | None = None
        """Offers of which something was refused or waits for the operator, and the hour in which it was."""
        self._in_touch: bool | None = None

    async def run(self, heartbeat: Callable[[], None] = lambda: None) -> None:
        """Make rounds until cancelled; `heartbeat` is called after each."""
        while True:
            await self.round()
            heartbeat()
            await asyncio.sleep(self._config().sample_s)

    async def round(self) -> bool:
        """Make one round; return whether the exchange was there."""
        config = self._config()
        try:
            await self._ask(config)
            self._count(config)
            self._read()
            await self._hand_in()
            await self._offer(config)
        except ExchangeError as error:
            self._count(config)
            self._told(f"out of touch: {error}", in_touch=False)
            return False
        self._told(f"in touch; {self.spool.counts()['waiting']} readings wait", in_touch=True)
        return True

    async def _ask(self, config: AgentConfig) -> None:
        status = await self._client.status()
        told = self._clock.told(parse_time_ns(status.market_time, "market_time"), status.clock_speed)
        self.spool.tell(told)
        self._site = await self._registered(config)
        reserved = [
            Reserved(
                int(one.reservation_id),
                one.grade,
                one.cards,
                parse_time_ns(one.start, "start"),
                parse_time_ns(one.end, "end"),
            )
            for one in await self._client.reservations()
            if one.role == "provider" and one.hub == config.hub and not one.finished
        ]
        known = self.spool.note(reserved)
        for one in reserved:
            if one.reservation_id not in known:
                self._say(
                    f"to deliver: {one.cards} {one.grade} from {time_text(one.start_ns)[:16]}, "
                    f"reservation {one.reservation_id}"
                )

    async def _registered(self, config: AgentConfig) -> Site:
        public = self._key.public_bytes
        for site in await self._client.primary.sites():
            if site.agent_key == public.hex():
                return site
        installed = {cards.grade: cards.cards for cards in config.inventory}
        site = await self._client.primary.register_site(config.site, config.hub, installed, public)
        self._say(f"registered as site {site.site_id}")
        return site

    def _count(self, config: AgentConfig) -> None:
        now_ns = self._clock.now_ns()
        if now_ns is None:
            return
        for cards in config.inventory:
            self.spool.sample(cards.grade, now_ns - now_ns % HOUR_NS, serving_cards(cards))

    async def _offer(self, config: AgentConfig) -> None:
        """Post what isn't posted, and attest what isn't certified. What is refused, or waits for the
        operator, is tried again in another hour of the market, or when something else is offered.
        """
        now_ns = self._clock.now_ns()
        if not config.offers or self._site is None or now_ns is None:
            return
        tried = config.offers, now_ns // HOUR_NS
        if tried == self._left_over:
            return
        self._left_over = None
        posted = await self._client.capacity()
        certified = {one.capacity_id for one in (await self._client.primary.certificates()).certificates}
        for offer in config.offers:
            one = next((found for found in posted if self._is(found, offer, config)), None)
            if one is not None and one.capacity_id in certified:
                continue
            try:
                done = await self._put_up(offer, one, config)
            except ExchangeError as error:
                if _out_of_touch(error):
                    raise
                self._say(f"{offer.cards} {offer.grade} from {offer.first_day} aren't put up: {error}")
                done = False
            if not done:
                self._left_over = tried

    async def _put_up(self, offer: Offer, posted: CapacityPost | None, config: AgentConfig) -> bool:
        if posted is None:
            posted = await self._client.post_capacity(self._post(offer, config))
            self._say(f"posted {posted.cards} {posted.grade} as capacity {posted.capacity_id}")
        return await self._attest(posted, config)

    def _is(self, posted: CapacityPost, offer: Offer, config: AgentConfig) -> bool:
        same = all(getattr(posted, name) == getattr(offer, name) for name in POST_FIELDS)
        return same and posted.hub == config.hub

    def _post(self, offer: Offer, config: AgentConfig) -> requests.PostCapacity:
        return requests.PostCapacity(
            grade=offer.grade,
            hub=config.hub,
            cards=offer.cards,
            first_day=offer.first_day,
            last_day=offer.last_day,
            reserve_price=offer.price,
            site_id=None if self._site is None else self._site.site_id,
            availability_basis_points=offer.availability_basis_points,
            maintenance=offer.maintenance,
        )

    async def _attest(self, posted: CapacityPost, config: AgentConfig) -> bool:
        """Run the benchmark and sign it, once no other message is under way; return whether it certified."""
        now_ns = self._clock.now_ns()
        cards: Cards | None = next((own for own in config.inventory if own.grade == posted.grade), None)
        if self._site is None or now_ns is None or cards is None or self.spool.pending() is not None:
            return False
        certificate = await self._client.primary.attest(
            self._site,
            self._key,
            posted.capacity_id,
            datetime.fromtimestamp(now_ns // NS_PER_S, SHANGHAI),
            serving_cards(cards),
            await asyncio.to_thread(gflops, cards),
            memory_gb(cards),
        )
        self._say(
            f"attested capacity {posted.capacity_id}; certificate {certificate or 'awaits the operator'}"
        )
        self._site = await self._registered(config)
        return certificate is not None

    def _read(self) -> None:
        """Read the hours that are over by the exchange's own time: reservations share the cards that served
        throughout, the earlier first.
        """
        now_ns = self._clock.now_ns()
        if now_ns is None:
            return
        for one in self.spool.unread():
            read = self.spool.hours_read(one.reservation_id)
            over = range(one.start_ns, min(one.end_ns, now_ns - HOUR_NS + 1), HOUR_NS)
            self.spool.read(
                [
                    Reading(one.reservation_id, hour_ns, min(one.cards, self.spool.free(one.grade, hour_ns)))
                    for hour_ns in over
                    if hour_ns not in read
                ]
            )

    async def _hand_in(self) -> None:
        while self._site is not None:
            batch = self.spool.pending()
            if batch is not None and self._site.next_sequence > batch.number:
                self.spool.taken(batch)  # its answer was lost
                continue
            batch = batch or self.spool.number(self._site.next_sequence)
            if batch is None or not await self._send(batch, self._site):
                return
            self._site = await self._registered(self._config())

    async def _send(self, batch: Batch, site: Site) -> bool:
        """Send a message; return whether there may be more to send."""
        rows = [
            requests.Reading(
                reservation_id=str(one.reservation_id),
                hour_start=time_text(one.hour_ns),
                cards_delivered=one.cards,
            )
            for one in batch.readings
        ]
        try:
            await self._client.send_readings(rows, sign_readings(rows, site.site_id, batch.number, self._key))
        except ExchangeError as error:
            if _out_of_touch(error):
                raise
            return self._refused(batch, error)
        self.spool.taken(batch)
        self._say(f"handed {len(rows)} readings in as message {batch.number}")
        return True

    def _refused(self, batch: Batch, error: ExchangeError) -> bool:
        """Find the readings that the exchange won't take: one by one, since it names one at a time."""
        wrong = _named(error, batch.readings)
        if error.code == "AGENT_MESSAGE_REPEATED":
            self.spool.taken(batch)
            return True
        self.spool.postpone(batch)
        if error.code == "READING_TOO_EARLY" or wrong is None:
            self._say(f"message {batch.number} waits: {error}")
            return False
        if error.code in ELSEWHERE:
            self.spool.leave(wrong.reservation_id)
            self._say(f"reservation {wrong.reservation_id} is another site's")
            return False
        self.spool.refuse(wrong, error.code)
        self._say(f"a reading of reservation {wrong.reservation_id} is refused for good: {error}")
        return True

    def _told(self, sentence: str, *, in_touch: bool) -> None:
        if in_touch != self._in_touch:
            self._say(sentence)
            self._in_touch = in_touch


def _out_of_touch(error: ExchangeError) -> bool:
    """Whether an error says nothing of what was sent."""
    return error.outcome_unknown or not error.sent or error.status in PASSING


def _named(error: ExchangeError, readings: Sequence[Reading]) -> Reading | None:
    """Return the reading that a refusal names as `readings[3]`, if it names one."""
    named = f"{error.field or ''} {error.message}"
    for at, reading in enumerate(readings):
        if f"readings[{at}]" in named:
            return reading
    return None
