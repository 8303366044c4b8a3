"""The HTTP server: aiohttp's, whose connections hand single order commands to the lane (decision 0007).

What is used of aiohttp beyond its public interface is named in one place, here, and its release is held to
one minor version.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from exchange.gateway.lane import OrderLane

LANE: Final = web.AppKey("lane", OrderLane)


class ExchangeRunner(web.AppRunner):
    """Serves the application of `make_app`."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made, self.app[LANE])


class _Server(web.Server):
    """Makes a connection's protocol."""

    def __init__(self, made: web.Server, lane: OrderLane) -> None:
        super().__init__(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,
            **made._kwargs,
        )
        self._lane = lane

    def __call__(self) -> RequestHandler:
        return Connection(self, self._lane, self._loop, self._kwargs)


class Connection(RequestHandler):
    """One connection. While the lane has a request of it, what comes after waits in `_held`; nothing more is
    read then, so that this is bounded.
    """

    __slots__ = ("_held", "_lane", "_sieved", "_under_way")

    def __init__(
        self, server: web.Server, lane: OrderLane, loop: asyncio.AbstractEventLoop, options: dict[str, Any]
    ) -> None:
        super().__init__(server, loop=loop, **options)
        self._lane = lane
        self._held = b""
        self._under_way = False
        self._parser: Any = _Sieve(self._parser, self)

    @property
    def remote(self) -> str | None:
        """See `Asker`."""
        peer = self.peername
        return str(peer[0]) if isinstance(peer, list | tuple) else peer

    def data_received(self, data: bytes) -> None:
        """Read requests, unless one is with the lane: answers keep the order of requests."""
        if not self._under_way:
            super().data_received(data)
        elif data:
            self._held += data
            self._pause_reading_for_buffer()

    def resume_writing(self) -> None:
        """Go on with a client that reads again."""
        super().resume_writing()
        if self._under_way and not self._request_in_progress:
            self._go_on()

    def takes(self, message: RawRequestMessage, payload: StreamReader) -> bool:
        """Give a request to the lane, if it takes it and nothing is before it."""
        waiting = self._waiter is not None and not self._waiter.done()
        if self._messages or not (waiting or self._request_count == 0):
            return False
        self._under_way = self._request_in_progress = True
        if not self._lane.take(message, payload, self):
            self._under_way = self._request_in_progress = False
            return False
        if self._manager is not None:
            self._manager.requests_count += 1
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        return True

    def answer(self, response: bytes) -> None:
        """See `Asker`. A client that doesn't read its answers isn't read either."""
        self._request_in_progress = False
        if self._handler_waiter is not None:
            self._handler_waiter.set_result(None)
        if self.transport is not None:
            self.transport.write(response)
        if not self._paused:
            self._go_on()

    def _go_on(self) -> None:
        self._under_way = False
        if self._held:
            data, self._held = self._held, b""
            self._resume_reading_for_buffer()
            self.data_received(data)


class _Sieve:
    """aiohttp's parser, as its protocol uses it, without the requests that the lane takes."""

    __slots__ = ("_connection", "_parser")

    def __init__(self, parser: Any, connection: Connection) -> None:
        self._parser = parser
        self._connection = connection

    def feed_data(self, data: bytes) -> tuple[Any, bool, bytes]:
        """Return (messages, upgraded, tail). Requests that come several at once are the application's."""
        messages, upgraded, tail = self._parser.feed_data(data)
        if len(messages) == 1 and not upgraded and self._connection.takes(*messages[0]):
            self._parser.message_consumed()
            return (), upgraded, tail
        return messages, upgraded, tail

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)
