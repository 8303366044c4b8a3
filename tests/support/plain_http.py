"""HTTP by hand over a plain socket: requests cut and mixed as no client library would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from exchange.api.signing import signed_headers
from exchange.client import Profile

WAIT_S = 10.0
VARYING = ("date", "x-request-id")


@dataclass(frozen=True)
class PlainAnswer:
    """A response as it came; header names as they were written."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def steady(self) -> list[tuple[str, str]]:
        """The headers that are the same for the same request; of the others the name."""
        return [(name, "" if name.lower() in VARYING else value) for name, value in self.headers]


class PlainConnection:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *parts: bytes) -> None:
        """Send parts, each in a segment of its own as far as that can be asked for."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def answer(self) -> PlainAnswer:
        """Return the next response."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WAIT_S)
        status_line, *lines = head.decode().split("\r\n")[:-2]
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        body = await asyncio.wait_for(self.reader.readexactly(length), WAIT_S)
        return PlainAnswer(int(status_line.split()[1]), headers, body)

    async def ended(self) -> bool:
        """Return whether the server closes without another byte."""
        return not await asyncio.wait_for(self.reader.read(1), WAIT_S)


@asynccontextmanager
async def connected(base_url: str) -> AsyncIterator[PlainConnection]:
    """Connect to a server."""
    where = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        yield PlainConnection(reader, writer)
    finally:
        writer.close()


def request(
    profile: Profile | None, method: str, target: str, body: bytes = b"", *lines: str, chunked: bool = False
) -> bytes:
    """Return a request, signed if there is a profile; `lines` are further headers."""
    signed = {}
    if profile is not None:
        signed = signed_headers(profile.key_id, profile.secret_bytes, method, target, body)
    head = [
        f"{method} {target} HTTP/1.1",
        "Host: exchange",
        *(f"{n}: {v}" for n, v in signed.items()),
        *lines,
    ]
    if body:
        head.append("Content-Type: application/json")
        head.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}")
    if body and chunked:
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return "\r\n".join([*head, "", ""]).encode() + body


def order(**fields: object) -> bytes:
    """Return the body of an order that rests, with fields changed; ... leaves one out."""
    good = {"symbol": "H100.GUIAN.261205", "side": "buy", "price": "11.90", "quantity": 1}
    return orjson.dumps({name: value for name, value in (good | fields).items() if value is not ...})
