"""The WebSocket feed: books as snapshot and deltas, trades, market status.

Each reader has a bounded queue. A reader that doesn't keep up is closed with a reason and never slows anyone:
messages are encoded once, put into queues on the event loop, and written by a task a reader.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from exchange.api import feed as wire
from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.api.formats import day_text, price_text, time_text
from exchange.domain.messages import OpenDay, SetPhase, SettleDay
from exchange.gateway import translate
from exchange.gateway.auth import Authenticator, Caller
from exchange.gateway.private import PrivateChannels
from exchange.service.exchange import Exchange
from exchange.service.results import Applied
from matching.records import EventFlag, EventKind

READERS_MAX: Final = 1_000
QUEUE_MAX: Final = 8_192
"""Messages that may wait for one reader; beyond it the reader is closed as too slow."""
CLOSE_S: Final = 1.0
HEARTBEAT_S: Final = 5.0
REQUEST_BYTES_MAX: Final = 256 * 1024
BOOK_DEPTH: Final = 1_000_000
SNAPSHOTS_A_TURN: Final = 16
"""Books sent to one reader before others have their turn."""
UNPRICED: Final = price_text(0)
"""Price of market orders in a call, which the feed's books leave out."""
EVERYTHING: Final = "*"

_ENCODER: Final = msgspec.json.Encoder()
_REQUESTS: msgspec.json.Decoder[wire.FeedRequest] = msgspec.json.Decoder(wire.FeedRequest)
_PHASE_CHANGES: Final = (OpenDay, SetPhase, SettleDay)


class Reader:
    """One connection: what it subscribed to, and what waits to be sent."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, peer: str | None
    ) -> None:
        self.books: set[str] = set()
        self.trades: set[str] = set()
        self.status = False
        self.caller: Caller | None = None
        self.cancel_on_disconnect = False
        self.in_flight = 0
        self.peer = peer
        self._socket = socket
        self._transport = transport
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_MAX)
        self._writer = asyncio.create_task(self._write())
        self._drop: asyncio.Task[None] | None = None

    @property
    def dropped(self) -> bool:
        """Whether it was too slow and is being closed."""
        return self._drop is not None

    def send(self, message: bytes) -> None:
        """Put a message into the queue; a reader whose queue is full is dropped."""
        if self._drop is not None:
            return
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._writer.cancel()
            reason = b"too slow: the queue is full; connect again for a fresh snapshot"
            self._drop = asyncio.create_task(self.close(WSCloseCode.TRY_AGAIN_LATER, reason))

    def tell(self, message: wire.FeedMessage) -> None:
        """Put a message that only this reader gets into the queue."""
        self.send(_text(message))

    async def close(self, code: int, reason: bytes) -> None:
        """Say why, if the reader still takes it within a second; then cut the connection."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            await asyncio.wait_for(self._socket.close(code=code, message=reason, drain=False), CLOSE_S)
        if self._transport is not None:
            self._transport.abort()

    def end(self) -> None:
        """Stop writing; the connection is gone."""
        self._writer.cancel()

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await self._socket.send_frame(await self._queue.get(), WSMsgType.TEXT)

    def wants_book(self, symbol: str) -> bool:
        """Whether the reader follows this book."""
        return symbol in self.books or EVERYTHING in self.books

    def wants_trades(self, symbol: str) -> bool:
        """Whether the reader follows these trades."""
        return symbol in self.trades or EVERYTHING in self.trades


class FeedHub:
    """Fans durable frames out to the readers."""

    def __init__(self, exchange: Exchange, authenticator: Authenticator) -> None:
        self._exchange = exchange
        self._private = PrivateChannels(exchange, authenticator)
        self._readers: set[Reader] = set()
        self._snapshots: dict[str, tuple[int, bytes]] = {}
        """The latest snapshot of each book with its seq: many readers at one moment share it."""
        self._end_subscription: Any = None
        self._heart: asyncio.Task[None] | None = None

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
        """Serve one reader until either side ends it. Refused: TOO_MANY_READERS."""
        if len(self._readers) >= READERS_MAX:
            raise refuse(
                RequestCode.TOO_MANY_READERS, "The feed serves as many readers as it may; try later."
            )
        socket = web.WebSocketResponse(heartbeat=30.0, max_msg_size=REQUEST_BYTES_MAX, compress=False)
        await socket.prepare(request)
        reader = Reader(socket, request.transport, request.remote)
        self._readers.add(reader)
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                await self._on_request(reader, message.data)
        finally:
            self._readers.discard(reader)
            self._private.leave(reader)
            reader.end()
        return socket

    # what readers ask

    async def _on_request(self, reader: Reader, text: str) -> None:
        try:
            asked = _REQUESTS.decode(text)
        except msgspec.ValidationError as error:
            reader.tell(wire.FeedError(code=RequestCode.INVALID_FIELD.name, message=f"{error}."))
            return
        except msgspec.DecodeError as error:
            reader.tell(wire.FeedError(code=RequestCode.MALFORMED_JSON.name, message=f"{error}."))
            return
        if isinstance(asked, wire.Ping):
            reader.tell(wire.FeedPong(seq=self._exchange.views.seq))
        elif isinstance(asked, wire.Subscribe):
            await self._subscribe(reader, asked)
        elif isinstance(asked, wire.Unsubscribe):
            _unsubscribe(reader, asked)
        else:
            self._on_private(reader, asked)

    def _on_private(self, reader: Reader, asked: wire.Logon | wire.Orders) -> None:
        try:
            if isinstance(asked, wire.Logon):
                self._private.log_on(reader, asked)
            else:
                self._private.enter(reader, asked)
        except RequestRefused as refused:
            about = asked.id if isinstance(asked, wire.Orders) else None
            reader.tell(wire.FeedError(code=refused.code, message=refused.message, id=about))

    async def _subscribe(self, reader: Reader, asked: wire.Subscribe) -> None:
        views = self._exchange.views
        unknown = [
            symbol for symbol in asked.symbols if symbol != EVERYTHING and views.contract(symbol) is None
        ]
        if unknown:
            sentence = f"There is no contract {unknown[0]!r}; GET /v1/contracts lists them."
            reader.tell(wire.FeedError(code=RequestCode.UNKNOWN_SYMBOL.name, message=sentence))
            return
        if "trades" in asked.channels:
            reader.trades.update(asked.symbols)
        if "status" in asked.channels:
            reader.status = True
            reader.send(self._status())
        if "book" in asked.channels and EVERYTHING not in reader.books:
            await self._subscribe_books(reader, asked.symbols)

    async def _subscribe_books(self, reader: Reader, asked: list[str]) -> None:
        """Send each book once, and its changes from then on; between a few of them others have their turn."""
        while missing := [symbol for symbol in self._symbols(asked) if symbol not in reader.books]:
            for at, symbol in enumerate(missing, start=1):
                reader.books.add(symbol)
                reader.send(self._snapshot(symbol))
                if at % SNAPSHOTS_A_TURN == 0:
                    await asyncio.sleep(0)
                if reader.dropped:
                    return
        if EVERYTHING in asked:
            reader.books.add(EVERYTHING)

    def _symbols(self, asked: list[str]) -> Iterable[str]:
        """Return the books that were asked for, each once."""
        if EVERYTHING in asked:
            return [view.contract.symbol for view in self._exchange.views.contracts()]
        return dict.fromkeys(asked)

    def _snapshot(self, symbol: str) -> bytes:
        known = self._snapshots.get(symbol)
        if known is not None and known[0] == self._exchange.views.seq:
            return known[1]
        view = self._exchange.views.book(symbol, BOOK_DEPTH)
        if view is None:
            raise AssertionError(f"{symbol} was looked up and is gone")
        book = translate.book(view, "")
        message = _text(
            wire.FeedBook(
                seq=view.as_of_seq,
                symbol=symbol,
                bids=[(row.price, row.quantity, row.orders) for row in book.bids if row.price != UNPRICED],
                asks=[(row.price, row.quantity, row.orders) for row in book.asks if row.price != UNPRICED],
            )
        )
        self._snapshots[symbol] = (view.as_of_seq, message)
        return message

    def _status(self) -> bytes:
        status, config = self._exchange.status(), self._exchange.config
        return _text(
            wire.FeedStatus(
                seq=status.seq,
                market_time=time_text(status.market_time_ns),
                trading_day=day_text(status.trading_day or config.first_day),
                phase=status.phase.label,
            )
        )

    # what the exchange tells

    def _on_applied(self, applied: Applied) -> None:
        if not self._readers:
            return
        self._private.on_applied(applied)
        self._send_books(applied)
        self._send_trades(applied)
        if isinstance(applied.message, _PHASE_CHANGES):
            status = self._status()
            for reader in self._readers:
                if reader.status:
                    reader.send(status)

    def _send_books(self, applied: Applied) -> None:
        readers = [reader for reader in self._readers if reader.books]
        events = applied.events
        changed = events[(events["kind"] == EventKind.LEVEL) & (events["price"] > 0)]
        if not readers or not len(changed):
            return
        sides: dict[int, tuple[dict[int, wire.LevelRow], dict[int, wire.LevelRow]]] = {}
        for event in changed:
            price = int(event["price"])
            both = sides.setdefault(int(event["instrument"]), ({}, {}))
            row = (price_text(price), int(event["quantity"]), int(event["remaining"]))
            both[int(event["side"])][price] = row
        for index, (bids, asks) in sides.items():
            symbol = self._exchange.views.symbol(index)
            delta = wire.FeedDelta(
                seq=applied.last_seq, symbol=symbol, bids=list(bids.values()), asks=list(asks.values())
            )
            message = _text(delta)
            for reader in readers:
                if reader.wants_book(symbol):
                    reader.send(message)

    def _send_trades(self, applied: Applied) -> None:
        readers = [reader for reader in self._readers if reader.trades]
        if not readers:
            return
        for event in applied.events[applied.events["kind"] == EventKind.TRADE]:
            symbol = self._exchange.views.symbol(int(event["instrument"]))
            message = _text(_trade(event, symbol, applied.time_ns))
            for reader in readers:
                if reader.wants_trades(symbol):
                    reader.send(message)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            status = self._exchange.status()
            beat = wire.FeedHeartbeat(seq=status.seq, market_time=time_text(status.market_time_ns))
            message = _text(beat)
            for reader in self._readers:
                reader.send(message)


def _text(message: wire.FeedMessage) -> bytes:
    return _ENCODER.encode(message)


def _trade(event: Any, symbol: str, time_ns: int) -> wire.FeedTrade:
    auction = bool(event["flags"] & EventFlag.UNCROSS)
    return wire.FeedTrade(
        seq=int(event["seq"]),
        symbol=symbol,
        price=price_text(int(event["price"])),
        quantity=int(event["quantity"]),
        aggressor="auction" if auction else "sell" if event["side"] else "buy",
        time=time_text(time_ns),
    )


def _unsubscribe(reader: Reader, asked: wire.Unsubscribe) -> None:
    everything = EVERYTHING in asked.symbols
    if "book" in asked.channels:
        reader.books.difference_update(tuple(reader.books) if everything else asked.symbols)
    if "trades" in asked.channels:
        reader.trades.difference_update(tuple(reader.trades) if everything else asked.symbols)
    if "status" in asked.channels:
        reader.status = False
