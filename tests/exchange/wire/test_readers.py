"""Many readers of the feed, some that never read and one that floods: the others get everything."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from exchange_server import Served, serving

from exchange.api.feed import FeedPong, FeedTrade
from exchange.api.requests import NewOrder
from exchange.client import Feed

SYMBOL = "H100.GUIAN.261205"
UPGRADE = (
    "GET /v1/feed HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def deaf(served: Served) -> socket.socket:
    """A reader that subscribes to everything and never reads."""
    host, port = served.base_url.removeprefix("http://").split(":")
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    end.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(end, (host, int(port)))
    await loop.sock_sendall(end, UPGRADE.encode())
    await loop.sock_recv(end, 300)
    text = b'{"op":"subscribe","channels":["l2","trades","status"],"symbols":["*"]}'
    await loop.sock_sendall(end, b"\x81" + bytes([0x80 | len(text)]) + bytes(4) + text)  # masked with zeros
    return end


async def flood(feed: Feed) -> None:
    """Ask without end, and read nothing of the answers."""
    while True:
        try:
            await feed.ping()
        except ConnectionError:
            return
        await asyncio.sleep(0)


async def listen(feed: Feed) -> list[tuple[str, int]]:
    """Return the trades up to the answer of a ping that is sent when the market is done."""
    found = []
    async for message in feed:
        if isinstance(message, FeedTrade):
            found.append((message.price, message.seq))
        elif isinstance(message, FeedPong):
            return found
    raise AssertionError("the feed ended")


async def campaign(folder: Path, readers: int, unreading: int, rounds: int) -> None:
    async with serving(folder) as served:
        red = await served.admit("red", "provider")
        await served.at(9, 5)
        ends = [await deaf(served) for _ in range(unreading)]
        async with served.client(red) as client, served.client() as public:
            feeds = [await public.feed(["l2", "trades"], [SYMBOL]) for _ in range(readers)]
            flooding = asyncio.create_task(flood(await public.feed()))
            for feed in feeds:  # the subscription is in place once a ping behind it is answered
                await feed.ping()
                assert await listen(feed) == []
            listening = [asyncio.create_task(listen(feed)) for feed in feeds]
            orders = [
                NewOrder(symbol=SYMBOL, side=side, price="11.90", quantity=1)  # type: ignore[arg-type]
                for side in ("sell", "buy")
            ]
            for _ in range(rounds):
                await client.batch(orders * 20)
            flooding.cancel()
            for feed in feeds:
                await feed.ping()
            told = await asyncio.gather(*listening)
            assert len(told[0]) == 20 * rounds
            assert all(trades == told[0] for trades in told)
            for feed in feeds:
                await feed.close()
        for end in ends:
            end.close()


async def test_others_get_everything(tmp_path: Path) -> None:
    await campaign(tmp_path, readers=34, unreading=5, rounds=10)


@pytest.mark.soak
async def test_others_get_everything_at_full_size(tmp_path: Path) -> None:
    await campaign(tmp_path, readers=449, unreading=50, rounds=100)
