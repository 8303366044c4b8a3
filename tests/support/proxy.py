"""A TCP proxy on loopback whose network can be cut, mended, made to lose answers, and to damage bytes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Proxy:
    """Stands before a server. `base_url` stays the same whatever becomes of the server behind it."""

    def __init__(self, target_url: str) -> None:
        self.base_url = ""
        self.up = True
        """False: new connections end at once."""
        self.lose_request: bytes | None = None
        """A request with this in it is lost, with its connection."""
        self.lose_answer: bytes | None = None
        """The answer to the next request with this in it is lost, with its connection."""
        self.cut_after = False
        """Whether a lost answer is followed by a cut."""
        self.damage: Callable[[bytes], bytes] | None = None
        """What is done to bytes on their way to the client."""
        self.lost = asyncio.Event()
        """Set when an answer was lost: the server has said something."""
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.move(target_url)

    def move(self, target_url: str) -> None:
        """Lead new connections to another server."""
        parts = urlsplit(target_url)
        self._host, self._port = parts.hostname, parts.port

    def cut(self) -> None:
        """Break all connections, and let no new ones through until `mend`."""
        self.up = False
        self.break_off()

    def mend(self) -> None:
        """Let everything through again."""
        self.up, self.cut_after = True, False
        self.lose_request = self.lose_answer = self.damage = None
        self.lost.clear()

    def break_off(self) -> None:
        """Break all connections; new ones are let through."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        self.connections += 1
        if not self.up:
            writer.transport.abort()
            return
        try:
            to_reader, to_writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, to_writer}
        self._writers |= ends
        deaf = asyncio.Event()
        tasks = [
            asyncio.create_task(self._carry_requests(reader, to_writer, deaf)),
            asyncio.create_task(self._carry_answers(to_reader, writer, deaf)),
        ]
        self._tasks.update(tasks)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.transport.abort()
            self._writers -= ends

    async def _carry_requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, deaf: asyncio.Event
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                if self.lose_request is not None and self.lose_request in data:
                    return
                if self.lose_answer is not None and self.lose_answer in data:
                    self.lose_answer = None
                    deaf.set()
                writer.write(data)
                await writer.drain()

    async def _carry_answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, deaf: asyncio.Event
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                if deaf.is_set():
                    if self.cut_after:
                        self.cut()
                    self.lost.set()
                    return
                writer.write(self.damage(data) if self.damage is not None else data)
                await writer.drain()

    async def stop(self) -> None:
        """Break everything off and wait until it is over."""
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)


@asynccontextmanager
async def proxied(target_url: str) -> AsyncIterator[Proxy]:
    """A proxy before a server."""
    proxy = Proxy(target_url)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        proxy.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield proxy
    finally:
        server.close()
        await proxy.stop()
