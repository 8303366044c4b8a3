"""The client of the WebSocket part of the wire benchmark: order entry, and readers of book changes.

Sockets are spoken to directly, since a full WebSocket client would be measured along.
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import numpy as np
import orjson

from bench.wire_load import Load, round_trips
from exchange.api.signing import signed_headers
from exchange.client import Profile

ITEMS = 100
"""Orders of one message."""
UNANSWERED = 64
"""Messages under way on one connection."""
READ_BYTES = 1 << 18


def masked(text: bytes) -> bytes:
    """Return a client's text frame."""
    mask = os.urandom(4)
    size = len(text)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    repeated = np.resize(np.frombuffer(mask, np.uint8), size)
    return head + mask + (np.frombuffer(text, np.uint8) ^ repeated).tobytes()


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a WebSocket on the feed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=READ_BYTES)
    writer.write(
        b"GET /v1/feed HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


class Counting:
    """Counts a word in a stream, also where pieces meet."""

    def __init__(self, word: bytes) -> None:
        self._word = word
        self._tail = b""
        self.count = 0

    def add(self, data: bytes) -> None:
        """Count in the next piece."""
        whole = self._tail + data
        self.count += whole.count(self._word)
        self._tail = whole[-(len(self._word) - 1) :]


async def enter(port: int, profile: Profile, contract: dict[str, Any], seconds: float) -> int:
    """Send orders that can't rest (IOC) as fast as they are answered; return how many were."""
    reader, writer = await connect(port)
    signed = signed_headers(profile.key_id, profile.secret_bytes, "LOGON", "/v1/feed")
    words = {name.removeprefix("Dongxi-").lower(): value for name, value in signed.items()}
    writer.write(masked(orjson.dumps({"op": "logon", **words})))
    order = {
        "action": "new",
        "symbol": contract["symbol"],
        "side": "buy",
        "price": f"{contract['low'] / 100:.2f}",
        "quantity": 1,
        "time_in_force": "ioc",
    }
    message = masked(orjson.dumps({"op": "orders", "id": "1", "items": [order] * ITEMS}))
    loop, sent = asyncio.get_running_loop(), 0
    begin, answered = loop.time(), Counting(b'"results"')
    while loop.time() - begin < seconds:
        # a message of the type "results" holds the word twice: as its type and as its field
        while sent - answered.count // 2 < UNANSWERED:
            writer.write(message)
            sent += 1
        answered.add(await reader.read(READ_BYTES))
    writer.close()
    return answered.count // 2 * ITEMS


async def order_rate(port: int, profiles: list[Profile], contract: dict[str, Any], seconds: float) -> float:
    """Return orders a second over one connection a profile."""
    done = await asyncio.gather(*(enter(port, profile, contract, seconds) for profile in profiles))
    return sum(done) / seconds


async def fan_out(port: int, load: Load, symbols: list[str], subscribers: int, seconds: float) -> float:
    """Return book changes a second that arrive at all subscribers while a member trades as fast as it is
    answered.
    """
    streams = [await connect(port) for _ in range(subscribers)]
    for _, writer in streams:
        writer.write(masked(orjson.dumps({"op": "subscribe", "channels": ["l2"], "symbols": symbols})))
    counts = [Counting(b'"l2_delta"') for _ in streams]
    tasks = [
        asyncio.create_task(follow(reader, count)) for (reader, _), count in zip(streams, counts, strict=True)
    ]
    await asyncio.sleep(1.0)  # the snapshots
    loop = asyncio.get_running_loop()
    stop = threading.Event()
    trading = asyncio.create_task(asyncio.to_thread(trade, load, stop))
    begin, before = loop.time(), sum(count.count for count in counts)
    await asyncio.sleep(seconds)
    rate = (sum(count.count for count in counts) - before) / (loop.time() - begin)
    stop.set()
    await trading
    for task, (_, writer) in zip(tasks, streams, strict=True):
        task.cancel()
        writer.close()
    return rate


def trade(load: Load, stop: threading.Event) -> None:
    """One command after another until told to stop."""
    while not stop.is_set():
        round_trips(load, 20)


async def follow(reader: asyncio.StreamReader, count: Counting) -> None:
    """Count what a subscriber gets."""
    while data := await reader.read(READ_BYTES):
        count.add(data)
