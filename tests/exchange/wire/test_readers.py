"""Many readers of the feed, some that never read and one that floods: the others get everything, and what
waits for the slow ones is bounded.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from exchange_server import Served, serving
from prometheus_client.parser import text_string_to_metric_families

from exchange.api.feed import FeedPong, FeedTrade
from exchange.api.requests import NewOrder
from exchange.client import Feed
from exchange.gateway import feed_reader

SYMBOL = "H100.GUIAN.261205"
UPGRADE = (
    "GET /v1/feed HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TRADES = 100
"""Of one round."""
MESSAGES_BYTES_MAX = 131_072
"""More than what is sent to one reader at once here: by so much the bound may be passed."""


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
    text = (
        b'{"op":"subscribe","channels":["l1","l2","l3","trades","candles_1m","candles_1d"],"symbols":["*"]}'
    )
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


async def figures(served: Served) -> dict[str, float]:
    """Return what /metrics shows of the feed."""
    async with aiohttp.ClientSession() as session, session.get(served.base_url + "/metrics") as answer:
        text = await answer.text()
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels in ({}, {"gateway": "websocket"})
    }


async def campaign(
    folder: Path, readers: int, unreading: int, rounds: int, unread_bytes: int
) -> tuple[int, list[int]]:
    """Return how many trades there were, and how many each healthy reader was told."""
    async with serving(folder) as served:
        red = await served.admit("red", "provider")
        await served.at(9, 5)
        ends = [await deaf(served) for _ in range(unreading)]
        async with served.client(red) as client, AsyncExitStack() as stack:
            # a client has at most 100 connections
            clients = [await stack.enter_async_context(served.client()) for _ in range(readers // 50 + 1)]
            feeds = [
                await clients[number // 50].feed(["l2", "trades"], [SYMBOL]) for number in range(readers)
            ]
            flooding = asyncio.create_task(flood(await clients[-1].feed()))
            for feed in feeds:  # the subscription is in place once a ping behind it is answered
                await feed.ping()
                assert await listen(feed) == []
            listening = [asyncio.create_task(listen(feed)) for feed in feeds]
            orders = [
                NewOrder(symbol=SYMBOL, side=side, price="11.90", quantity=1)  # type: ignore[arg-type]
                for side in ("sell", "buy")
            ]
            done = 0
            # until those that don't read are cut, for what is unread or because they answer no ping
            while (seen := await figures(served))["dongxi_websocket_readers"] > readers + 1 or done < rounds:
                assert seen["dongxi_websocket_unread_bytes_max"] < unread_bytes + MESSAGES_BYTES_MAX
                await client.batch(orders * TRADES)
                done += 1
            flooding.cancel()
            for feed in feeds:
                await feed.ping()
            told = await asyncio.gather(*listening)
            assert all(trades == told[0] for trades in told)
            book = await client.book(SYMBOL)
            assert all(len(feed.books[SYMBOL].levels()[0]) == len(book.bids) for feed in feeds)
            for feed in feeds:
                await feed.close()
        for end in ends:
            end.close()
    return TRADES * done, [len(trades) for trades in told]


@pytest.mark.parametrize(
    ("readers", "unreading", "rounds", "unread_bytes"),
    [(34, 5, 4, 32_768), pytest.param(449, 50, 4, 65_536, marks=pytest.mark.soak)],
)
async def test_others_get_everything(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    readers: int,
    unreading: int,
    rounds: int,
    unread_bytes: int,
) -> None:
    monkeypatch.setattr(feed_reader, "UNREAD_BYTES_MAX", unread_bytes)
    traded, told = await campaign(tmp_path, readers, unreading, rounds, unread_bytes)
    assert told == [traded] * readers
