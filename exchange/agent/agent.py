"""The agent's rounds: ask the exchange, count the cards, read what hours delivered, hand the readings in.

Each part stands alone: without the exchange the cards are counted all the same, and what was read waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from exchange.agent.clock import HOUR_NS, MarketTime
from exchange.agent.config import AgentConfig
from exchange.agent.measure import serving_cards
from exchange.agent.offering import Offering, out_of_touch
from exchange.agent.spool import Batch, Reading, Reserved, Spool
from exchange.api import requests
from exchange.api.attest import AgentKey
from exchange.api.formats import parse_time_ns, time_text
from exchange.api.primary import Site
from exchange.client import ExchangeClient, ExchangeError
from exchange.client.metering import sign_readings
from exchange.client.profiles import write_secret

ELSEWHERE = frozenset({"SIGNATURE_REQUIRED", "NOT_YOUR_RESERVATION"})
"""The reservation is delivered by another site of the same owner at the same hub."""

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
        self._offering = Offering(client, self._key, say)
        self._in_touch: bool | None = None

    def close(self) -> None:
        """Close its files; everything is on disk already."""
        self.spool.close()

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
        await self._client.primary.heartbeat(self._site.site_id, config.sample_s)
        reserved = [
            Reserved(
                int(one.reservation_id),
                one.grade,
                one.cards,
                parse_time_ns(one.start, "start"),
                tuple(one.hours),
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
        now_ns = self._clock.now_ns()
        while self._site is not None and now_ns is not None and self.spool.pending() is None:
            if not await self._offering.put_up(config, self._site, now_ns):
                return
            self._site = await self._registered(config)

    def _read(self) -> None:
        """Read the hours that are over by the exchange's own time: reservations share the cards that served
        throughout, the earlier first.
        """
        now_ns = self._clock.now_ns()
        if now_ns is None:
            return
        for one in self.spool.unread():
            read = self.spool.hours_read(one.reservation_id)
            over = (hour_ns for hour_ns in one.starts_ns() if hour_ns + HOUR_NS <= now_ns)
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
            if out_of_touch(error):
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


def _named(error: ExchangeError, readings: Sequence[Reading]) -> Reading | None:
    """Return the reading that a refusal names as `readings[3]`, if it names one."""
    named = f"{error.field or ''} {error.message}"
    for at, reading in enumerate(readings):
        if f"readings[{at}]" in named:
            return reading
    return None
