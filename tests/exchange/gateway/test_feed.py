"""The feed: a book kept by snapshot and deltas is the book; a slow reader is dropped and slows nobody."""

from __future__ import annotations

import asyncio
import random
import socket
from pathlib import Path

import aiohttp
import pytest
from exchange_server import Served, serving

from exchange.api.feed import (
    FeedBook,
    FeedError,
    FeedHeartbeat,
    FeedPong,
    FeedStatus,
    FeedSubscribed,
    FeedTrade,
)
from exchange.api.requests import Cancel, NewOrder
from exchange.client import ExchangeClient, Feed, FeedClosed
from exchange.gateway import feed_reader

SYMBOL = "H100.GUIAN.261205"
OTHER = "H100.TIANFU.261205"


async def random_orders(client: ExchangeClient, seed: int, rounds: int) -> None:
    """Orders and cancels around one price, in batches."""
    dice = random.Random(seed)
    resting: list[str] = []
    for _ in range(rounds):
        items: list[NewOrder | Cancel] = [
            NewOrder(
                symbol=dice.choice((SYMBOL, OTHER)),
                side=dice.choice(("buy", "sell")),
                price=f"11.{dice.randint(70, 99)}",
                quantity=dice.randint(1, 5),
            )
            for _ in range(6)
        ]
        items += [Cancel(order_id=resting.pop(dice.randrange(len(resting)))) for _ in range(2) if resting]
        answer = await client.batch(items)  # type: ignore[arg-type]
        resting += [
            result.order.order_id
            for result in answer.results
            if result.order and result.order.status == "resting"
        ]


async def drain(feed: Feed) -> list[object]:
    """Return what the channels said before the answer to a ping."""
    await feed.ping()
    seen: list[object] = []
    async for message in feed:
        if isinstance(message, FeedPong):
            return seen
        if not isinstance(message, FeedHeartbeat | FeedSubscribed):
            seen.append(message)
    raise AssertionError("the feed ended")


async def test_snapshot_and_deltas_are_the_book(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9, 0)
        async with served.client(member) as client:
            await random_orders(client, 1, 5)
            early = await client.feed(["l2", "trades"], [SYMBOL])
            everything = await client.feed(["l2"], ["*"])
            await random_orders(client, 2, 15)
            late = await client.feed(["l2"], [SYMBOL, OTHER])
            await random_orders(client, 3, 15)
            seen = await drain(early)
            await drain(late)
            await drain(everything)
            for symbol, feeds in ((SYMBOL, (early, late, everything)), (OTHER, (late, everything))):
                book = await client.book(symbol, depth=100)
                bids = [(row.price, row.quantity, row.orders) for row in book.bids]
                asks = [(row.price, row.quantity, row.orders) for row in book.asks]
                assert bids
                for feed in feeds:
                    assert feed.books[symbol].levels() == (bids, asks)
            trades = [message for message in seen if isinstance(message, FeedTrade)]
            told = (await client.trades(SYMBOL, limit=1_000)).trades
            assert trades
            assert [(row.price, row.quantity) for row in trades] == [
                (row.price, row.quantity) for row in reversed(told[: len(trades)])
            ]
            for feed in (early, late, everything):
                await feed.close()


async def test_status_errors_and_unsubscribing(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.client() as client:
        await served.at(8, 55)
        feed = await client.feed(["status"])
        messages = aiter(feed)
        assert await anext(messages) == FeedSubscribed(served.exchange.views.seq, ["status"], [], False)
        first = await anext(messages)
        assert isinstance(first, FeedStatus)
        assert first.phase == "call"
        await served.at(8, 59)
        second = await anext(messages)
        assert isinstance(second, FeedStatus)
        assert second.phase == "matched"
        await feed.subscribe(["l2"], ["H100.NOWHERE.261205"])
        refused = await anext(messages)
        assert isinstance(refused, FeedError)
        assert refused.code == "UNKNOWN_SYMBOL"
        await feed.subscribe(["l2"], [SYMBOL])
        assert isinstance(await anext(messages), FeedSubscribed)
        assert isinstance(await anext(messages), FeedBook)
        await feed.unsubscribe(["l2", "status"], [SYMBOL])
        assert await drain(feed) == []
        await served.at(9, 0)
        assert await drain(feed) == []
        await feed.close()


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", "MALFORMED_JSON"), ('{"op":"dance"}', "INVALID_FIELD"), ('{"op":"ping","x":1}', "INVALID_FIELD")],
)
async def test_a_malformed_message_is_answered_and_the_feed_goes_on(
    tmp_path: Path, text: str, code: str
) -> None:
    async with (
        serving(tmp_path) as served,
        aiohttp.ClientSession() as session,
        session.ws_connect(served.base_url + "/v1/feed") as connection,
    ):
        await connection.send_str(text)
        assert (await connection.receive_json())["code"] == code
        await connection.send_str('{"op":"ping"}')
        assert (await connection.receive_json())["type"] == "pong"


async def stuck_reader(served: Served) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Subscribe to everything over a bare socket with a tiny receive buffer, and read no more."""
    bare = socket.socket()
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_024)
    bare.setblocking(False)
    host, port = served.base_url.removeprefix("http://").split(":")
    await asyncio.get_running_loop().sock_connect(bare, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=bare, limit=1_024)
    writer.write(
        f"GET /v1/feed HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert b"101" in await reader.readline()
    text = b'{"op":"subscribe","channels":["l2","trades"],"symbols":["*"]}'
    # a client's frame: final text, masked with zeros
    writer.write(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
    await writer.drain()
    return reader, writer


async def test_a_reader_that_never_reads_is_dropped_and_slows_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_reader, "UNREAD_BYTES_MAX", 20_000)
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9, 0)
        _, writer = await stuck_reader(served)
        async with served.client(member) as client:
            feed = await client.feed(["l2"], [SYMBOL, OTHER])
            # as much as the bound and the kernel's buffers take, and more
            while not await dropped(served):
                await random_orders(client, 1, 10)
                await drain(feed)
            book = await client.book(SYMBOL, depth=100)
            bids = [(row.price, row.quantity, row.orders) for row in book.bids]
            assert feed.books[SYMBOL].levels()[0] == bids
            await feed.close()
        writer.close()


async def dropped(served: Served) -> bool:
    """Return whether the server has cut a reader that read too slowly."""
    async with aiohttp.ClientSession() as session, session.get(served.base_url + "/metrics") as answer:
        return 'dongxi_dropped_readers_total{gateway="websocket"} 1.0' in await answer.text()


async def test_the_feed_ends_with_the_server(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        client = served.client()
        messages = aiter(await client.feed(["status"]))
        assert isinstance(await anext(messages), FeedSubscribed)
        assert isinstance(await anext(messages), FeedStatus)
    with pytest.raises(FeedClosed):
        await anext(messages)
    await client.close()


async def test_market_orders_of_a_call_are_in_no_book_of_the_feed(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.at(8, 56)
        member = await served.admit("blue", "enterprise")
        async with served.client(member) as client:
            order = NewOrder(symbol=SYMBOL, side="buy", type="market", quantity=1)
            placed = (await client.place(order)).order
            async with await client.feed(["l2"], [SYMBOL]) as feed:
                (book,) = await drain(feed)
                assert isinstance(book, FeedBook)
                assert book.bids == []
                await client.cancel(placed.order_id)
                assert await drain(feed) == []


async def test_a_reader_that_asks_for_everything_again_and_again_stalls_nobody(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, aiohttp.ClientSession() as session:
        await served.at(9, 30)
        async with session.ws_connect(f"{served.base_url}/v1/feed") as socket:
            everything = {"channels": ["l2"], "symbols": ["*"]}
            for _ in range(20):
                await socket.send_json({"op": "subscribe", **everything})
                await socket.send_json({"op": "unsubscribe", **everything})
            # each of these is answered between two of the books that the reader asked for
            for _ in range(5):
                async with session.get(served.base_url + "/livez") as answer:
                    assert answer.status == 200
            assert await socket.receive_json() is not None


async def test_a_book_asked_for_many_times_over_is_sent_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.at(9, 30)
        async with served.client() as client, await client.feed(["l2"], [SYMBOL] * 500) as feed:
            assert len(await drain(feed)) == 1
