"""The WebSocket feed: who reads what, and the same bytes for all who read the same.

Requests are answered here; the channels' messages are made in `feed_channels`, once for all readers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from exchange.api import feed as wire
from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.api.formats import day_text, time_text
from exchange.domain.messages import OpenDay, RevokeKey, SetPhase, SettleDay
from exchange.gateway.auth import Authenticator
from exchange.gateway.feed_channels import CONTRACT_CHANNELS, PublicChannels, Topic
from exchange.gateway.feed_reader import Reader, framed
from exchange.gateway.feed_topics import EVERYTHING, Held, Topics
from exchange.gateway.private import GATEWAY, PrivateChannels
from exchange.gateway.screens import Screens, browser_of
from exchange.ops.metrics import Metrics
from exchange.service.exchange import Exchange
from exchange.service.results import Applied

READERS_MAX: Final = 1_000
HEARTBEAT_S: Final = 5.0
REQUEST_BYTES_MAX: Final = 256 * 1024
RESUMED_BYTES_MAX: Final = 1 << 20
"""What a reader that comes back may have missed; beyond it, it begins anew."""
CONTRACTS_A_TURN: Final = 16
"""Contracts whose state is sent to one reader before others have their turn."""

_ENCODER: Final = msgspec.json.Encoder()
_REQUESTS: msgspec.json.Decoder[wire.FeedRequest] = msgspec.json.Decoder(wire.FeedRequest)
_PHASE_CHANGES: Final = (OpenDay, SetPhase, SettleDay)
_STATUS: Final[Topic] = ("status", "")


class FeedHub:
    """Fans durable frames out to the readers."""

    def __init__(
        self, exchange: Exchange, authenticator: Authenticator, screens: Screens, metrics: Metrics
    ) -> None:
        self._exchange = exchange
        self._screens = screens
        self._metrics = metrics
        self._private = PrivateChannels(exchange, authenticator, screens, metrics)
        self._readers: set[Reader] = set()
        self._groups: dict[frozenset[Topic], set[Reader]] = {}
        """Readers by what they read."""
        self._topics = Topics()
        self._channels = PublicChannels(exchange, self._topics.follows)
        self._held = Held(exchange.views.seq)
        self._shown_at = -1
        self._shown: dict[Topic, bytes | None] = {}
        """What topics show as of one seq: many readers that begin at one moment share it."""
        self._end_subscription: Callable[[], None] | None = None
        self._heart: asyncio.Task[None] | None = None
        self._show_figures(metrics)

    async def start(self, _: web.Application) -> None:
        """Begin to listen to the exchange."""
        self._end_subscription = self._exchange.subscribe(self._on_applied)
        self._heart = asyncio.create_task(self._beat())

    async def stop(self, _: web.Application) -> None:
        """Close every reader and stop listening."""
        if self._end_subscription is not None:
            self._end_subscription()
            self._end_subscription = None
        if self._heart is not None:
            self._heart.cancel()
        closings = [
            reader.close(WSCloseCode.GOING_AWAY, b"the exchange is shutting down")
            for reader in tuple(self._readers)
        ]
        await asyncio.gather(*closings, return_exceptions=True)
        await self._private.stop()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one reader until either side ends it. Refused: TOO_MANY_READERS, UPGRADE_REQUIRED."""
        if len(self._readers) >= READERS_MAX:
            raise refuse(
                RequestCode.TOO_MANY_READERS, "The feed serves as many readers as it may; try later."
            )
        socket = web.WebSocketResponse(heartbeat=30.0, max_msg_size=REQUEST_BYTES_MAX, compress=False)
        try:
            await socket.prepare(request)
        except web.HTTPBadRequest as wrong:
            raise refuse(
                RequestCode.UPGRADE_REQUIRED,
                f"{wrong.text or wrong.reason}. The feed is a WebSocket of version 13 (RFC 6455); "
                "docs/protocol.md says what goes over it.",
            ) from None
        if request.transport is None:
            return socket  # it has gone already
        reader = Reader(socket, request.transport, browser_of(request), self._on_dropped)
        self._readers.add(reader)
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                await self._on_request(reader, message.data)
        except ConnectionError:
            pass  # it went while it was being answered
        finally:
            self._readers.discard(reader)
            self._read(reader, frozenset())
            self._private.leave(reader)
        return socket

    # -- what readers ask

    async def _on_request(self, reader: Reader, text: str) -> None:
        if reader.dropped:
            return  # it may ask nothing more, such as trade on a revoked key
        began = time.perf_counter()
        try:
            asked = _REQUESTS.decode(text)
        except msgspec.ValidationError as error:
            self._refuse(reader, RequestCode.INVALID_FIELD.name, f"{error}.")
        except msgspec.DecodeError as error:
            self._refuse(reader, RequestCode.MALFORMED_JSON.name, f"{error}.")
        else:
            if isinstance(asked, wire.Orders):
                self._on_private(reader, asked)
                return
            await self._answer(reader, asked)
            operation = type(asked).__name__.lower()
            self._metrics.requested(GATEWAY, operation, 200, time.perf_counter() - began)
        await reader.pace()

    def _refuse(self, reader: Reader, code: str, message: str, about: str | None = None) -> None:
        self._metrics.refused(GATEWAY, code)
        reader.tell(wire.FeedError(code=code, message=message, id=about))

    async def _answer(
        self,
        reader: Reader,
        asked: wire.Ping | wire.Subscribe | wire.Unsubscribe | wire.Logon | wire.LogonSession,
    ) -> None:
        if isinstance(asked, wire.Ping):
            reader.tell(wire.FeedPong(seq=self._exchange.views.seq))
        elif isinstance(asked, wire.Subscribe):
            await self._subscribe(reader, asked)
        elif isinstance(asked, wire.Unsubscribe):
            self._read(reader, frozenset(topic for topic in reader.topics if not _ends(asked, topic)))
        else:
            self._on_private(reader, asked)

    def _on_private(self, reader: Reader, asked: wire.Logon | wire.LogonSession | wire.Orders) -> None:
        try:
            if isinstance(asked, wire.Logon):
                self._private.log_on(reader, asked)
            elif isinstance(asked, wire.LogonSession):
                self._private.log_on_session(reader, asked)
            else:
                self._private.enter(reader, asked)
        except RequestRefused as refused:
            about = asked.id if isinstance(asked, wire.Orders) else None
            self._refuse(reader, refused.code, refused.message, about)

    async def _subscribe(self, reader: Reader, asked: wire.Subscribe) -> None:
        contract = self._exchange.views.contract
        unknown = [one for one in asked.symbols if one != EVERYTHING and contract(one) is None]
        if unknown:
            sentence = f"There is no contract {unknown[0]!r}; GET /v1/contracts lists them."
            self._refuse(reader, RequestCode.UNKNOWN_SYMBOL.name, sentence)
            return
        channels = [channel for channel in CONTRACT_CHANNELS if channel in asked.channels]
        symbols = [EVERYTHING] if EVERYTHING in asked.symbols else list(dict.fromkeys(asked.symbols))
        wanted = frozenset((channel, symbol) for channel in channels for symbol in symbols)
        missed = None if asked.after_seq is None else self._missed(wanted - reader.topics, asked.after_seq)
        reader.tell(
            wire.FeedSubscribed(self._exchange.views.seq, asked.channels, symbols, missed is not None)
        )
        if "status" in asked.channels:
            self._read(reader, reader.topics | {_STATUS})
            reader.send(framed(self._status()))
        if missed is not None:
            self._read(reader, reader.topics | wanted)
            await reader.send_slowly(missed)
        elif wanted:
            await self._begin(reader, channels, symbols, wanted)

    def _missed(self, topics: frozenset[Topic], after_seq: int) -> list[bytes] | None:
        """Return what was said on topics after a seq; None if that isn't held, or wasn't said at all."""
        for topic in topics:
            since = self._topics.since(topic)
            if since is None or since > after_seq:
                return None
        if after_seq > self._exchange.views.seq:
            return None
        return self._held.since(after_seq, topics, RESUMED_BYTES_MAX)

    async def _begin(
        self, reader: Reader, channels: list[wire.Channel], symbols: list[str], wanted: frozenset[Topic]
    ) -> None:
        """Send each contract as it is, and its changes from then on; between a few of them others have their
        turn.
        """
        for topic in wanted:  # from here on nothing is missed, also of what is listed meanwhile
            self._topics.join(topic, self._exchange.views.seq)
        try:
            while missing := self._missing(reader, channels, symbols):
                for at in range(0, len(missing), CONTRACTS_A_TURN):
                    await self._send_now(reader, missing[at : at + CONTRACTS_A_TURN])
                    if reader.dropped:
                        return
            if EVERYTHING in symbols:  # single contracts are in there
                self._read(reader, wanted | {topic for topic in reader.topics if topic[0] not in channels})
        finally:
            for topic in wanted:
                self._topics.leave(topic, asyncio.get_running_loop().time())

    def _missing(self, reader: Reader, channels: list[wire.Channel], symbols: list[str]) -> list[list[Topic]]:
        """Return what the reader doesn't read yet, by contract."""
        if EVERYTHING in symbols:
            channels = [channel for channel in channels if (channel, EVERYTHING) not in reader.topics]
            symbols = [view.contract.symbol for view in self._exchange.views.contracts()]
        by_contract: Iterator[list[Topic]] = (
            [(channel, symbol) for channel in channels if not _reads(reader, channel, symbol)]
            for symbol in symbols
        )
        return [topics for topics in by_contract if topics]

    async def _send_now(self, reader: Reader, contracts: list[list[Topic]]) -> None:
        topics = [topic for contract in contracts for topic in contract]
        self._read(reader, reader.topics.union(topics))
        shown = [message for topic in topics if (message := self._now(topic)) is not None]
        await reader.send_slowly(shown)
        await asyncio.sleep(0)

    def _now(self, topic: Topic) -> bytes | None:
        if self._shown_at != self._exchange.views.seq:
            self._shown_at = self._exchange.views.seq
            self._shown.clear()
        if topic not in self._shown:
            view = self._exchange.views.contract(topic[1])
            if view is None:
                raise AssertionError(f"{topic[1]} was looked up and is gone")
            self._shown[topic] = self._channels.now(*topic, view.contract.index)
        return self._shown[topic]

    def _read(self, reader: Reader, topics: frozenset[Topic]) -> None:
        """From now on the reader reads these topics."""
        for topic in topics - reader.topics:
            self._topics.join(topic, self._exchange.views.seq)
        now = asyncio.get_running_loop().time()
        for topic in reader.topics - topics:
            self._topics.leave(topic, now)
        group = self._groups.get(reader.topics)
        if group is not None:
            group.discard(reader)
            if not group:
                del self._groups[reader.topics]
        reader.topics = topics
        if topics:
            self._groups.setdefault(topics, set()).add(reader)

    def _status(self) -> bytes:
        status, config = self._exchange.status(), self._exchange.config
        return _ENCODER.encode(
            wire.FeedStatus(
                seq=status.seq,
                market_time=time_text(status.market_time_ns),
                trading_day=day_text(status.trading_day or config.first_day),
                phase=status.phase.label,
            )
        )

    def _show_figures(self, metrics: Metrics) -> None:
        readers = self._readers
        metrics.gauge("dongxi_websocket_readers", "Connections of the feed.", lambda: len(readers))
        metrics.gauge(
            "dongxi_websocket_unread_bytes",
            "What waits for all readers of the feed.",
            lambda: sum(reader.unread_bytes for reader in readers),
        )
        metrics.gauge(
            "dongxi_websocket_unread_bytes_max",
            "What waits for the slowest reader of the feed.",
            lambda: max((reader.unread_bytes for reader in readers), default=0),
        )
        metrics.gauge(
            "dongxi_websocket_orders_waiting",
            "Messages with orders that wait for their results.",
            lambda: sum(reader.in_flight for reader in readers),
        )
        metrics.gauge(
            "dongxi_websocket_held_bytes",
            "Messages held for readers that come back.",
            lambda: self._held.size,
        )

    def _on_dropped(self) -> None:
        self._metrics.dropped(GATEWAY)

    # -- what the exchange tells

    def _on_applied(self, applied: Applied) -> None:
        told = list(self._channels.changes(applied)) if self._topics.followed else []
        if told:
            self._held.add(applied.last_seq, told)
        if not self._readers:
            return
        if isinstance(applied.message, RevokeKey):
            self._end_revoked()
        self._private.on_applied(applied)
        if isinstance(applied.message, _PHASE_CHANGES):
            told = [*told, (_STATUS, self._status())]
        if not told:
            return
        frames = [(topic, (topic[0], EVERYTHING), framed(message)) for topic, message in told]
        for topics, readers in self._groups.items():
            together = b"".join(frame for own, all_, frame in frames if own in topics or all_ in topics)
            if together:
                for reader in readers:
                    reader.send(together)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            status = self._exchange.status()
            beat = wire.FeedHeartbeat(seq=status.seq, market_time=time_text(status.market_time_ns))
            frame = framed(_ENCODER.encode(beat))
            for reader in self._readers:
                reader.send(frame)
            self._end_sessions()
            for topic in self._forgotten(self._topics.end_unread(loop.time())):
                self._channels.forget(topic)

    def _end_revoked(self) -> None:
        """Close the readers whose key was revoked (clause 9.6)."""
        for reader in self._readers:
            if reader.caller is None or reader.watching:
                continue
            key = self._exchange.views.key(reader.caller.key_id)
            if key is None or not key.enabled:
                reader.end(WSCloseCode.POLICY_VIOLATION, b"the key was revoked")

    def _end_sessions(self) -> None:
        """Close the readers whose session is over."""
        for reader in self._readers:
            if reader.watching and not self._screens.is_open(reader.browser):
                reader.end(WSCloseCode.POLICY_VIOLATION, b"the session is over; log in again")

    def _forgotten(self, ended: Iterable[Topic]) -> Iterator[Topic]:
        """Yield the topics of single contracts on which nothing is said any more."""
        for channel, symbol in ended:
            contracts = self._exchange.views.contracts(None) if symbol == EVERYTHING else ()
            for one in [view.contract.symbol for view in contracts] or [symbol]:
                if not self._topics.follows(channel, one):
                    yield channel, one


def _reads(reader: Reader, channel: str, symbol: str) -> bool:
    return (channel, symbol) in reader.topics or (channel, EVERYTHING) in reader.topics


def _ends(asked: wire.Unsubscribe, topic: Topic) -> bool:
    channel, symbol = topic
    named = symbol in asked.symbols or EVERYTHING in asked.symbols or topic == _STATUS
    return channel in asked.channels and named
