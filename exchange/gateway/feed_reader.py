"""One connection of the feed: what it reads, and what it is sent.

Nothing waits in a queue of its own: frames go straight to the transport, whose unread bytes are bounded. A
reader beyond the bound is closed with a reason, and cut if it doesn't even take that.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from exchange.api import feed as wire
from exchange.gateway.auth import Caller
from exchange.gateway.feed_channels import Topic
from exchange.gateway.screens import Browser

UNREAD_BYTES_MAX: Final = 4 << 20
"""What may wait for one reader; beyond it the reader is closed as too slow."""
CLOSE_S: Final = 1.0
REQUESTS_A_SECOND: Final = 200
"""Subscriptions, pings and the like that one reader may send; beyond it the reader is read from no faster.
Order entry isn't counted: it has its own bound.
"""
REQUESTS_AT_ONCE: Final = 400

_ENCODER: Final = msgspec.json.Encoder()


def framed(message: bytes) -> bytes:
    """Return a message as a text frame of the WebSocket protocol, from a server."""
    size = len(message)
    if size < 126:
        return bytes((0x81, size)) + message
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + message
    return b"\x81\x7f" + size.to_bytes(8, "big") + message


class Reader:
    """See the module."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        browser: Browser,
        on_dropped: Callable[[], None],
    ) -> None:
        self.topics: frozenset[Topic] = frozenset()
        self.caller: Caller | None = None
        self.cancel_on_disconnect = False
        self.in_flight = 0
        self.browser = browser
        self.watching = False
        self._socket = socket
        self._transport = transport
        self._on_dropped = on_dropped
        self._loop = asyncio.get_running_loop()
        self._drop: asyncio.Task[None] | None = None
        self._may_ask = float(REQUESTS_AT_ONCE)
        self._asked_at = self._loop.time()

    @property
    def dropped(self) -> bool:
        """Whether it is being closed."""
        return self._drop is not None

    @property
    def unread_bytes(self) -> int:
        """What waits for it."""
        return self._transport.get_write_buffer_size()

    def send(self, frames: bytes) -> None:
        """Send whole frames; a reader that has too much unread is dropped."""
        if self._drop is not None or self._transport.is_closing():
            return
        self._transport.write(frames)
        if self._transport.get_write_buffer_size() > UNREAD_BYTES_MAX:
            self.end(
                WSCloseCode.TRY_AGAIN_LATER,
                b"too slow: too much is unread; connect again and go on after the last seq",
            )
            self._on_dropped()

    def tell(self, message: wire.FeedMessage) -> None:
        """Send a message that only this reader gets."""
        self.send(framed(_ENCODER.encode(message)))

    async def send_slowly(self, messages: Sequence[bytes]) -> None:
        """Send messages, and return when the reader has taken most of what is under way to it."""
        for message in messages[:-1]:
            self.send(framed(message))
        if messages and not self.dropped and not self._transport.is_closing():
            await self._socket.send_frame(messages[-1], WSMsgType.TEXT)

    async def pace(self) -> None:
        """Return when the reader may ask again."""
        now = self._loop.time()
        earned = (now - self._asked_at) * REQUESTS_A_SECOND
        self._may_ask, self._asked_at = min(float(REQUESTS_AT_ONCE), self._may_ask + earned) - 1, now
        if self._may_ask < 0:
            await asyncio.sleep(-self._may_ask / REQUESTS_A_SECOND)

    def end(self, code: int, reason: bytes) -> None:
        """Begin to close, once; nothing more is sent."""
        if self._drop is None:
            self._drop = asyncio.create_task(self.close(code, reason))

    async def close(self, code: int, reason: bytes) -> None:
        """Say why, if the reader still takes it within a second; then cut the connection."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            await asyncio.wait_for(self._socket.close(code=code, message=reason, drain=False), CLOSE_S)
        self._transport.abort()
