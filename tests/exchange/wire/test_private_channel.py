"""The account's own channel of the WebSocket feed: order entry, news, resume, cancel on disconnect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest
from exchange_server import Served, serving

from exchange.api.feed import (
    FeedAccount,
    FeedError,
    FeedResults,
    FeedWelcome,
    OrderNews,
)
from exchange.api.requests import Amend, Cancel, NewOrder
from exchange.api.signing import signed_headers
from exchange.client import Feed, Profile

T = TypeVar("T")
SYMBOL = "H100.GUIAN.261205"


def order(side: str, quantity: int = 1, price: str = "11.90", number: int | None = None) -> NewOrder:
    return NewOrder(
        symbol=SYMBOL,
        side=side,  # type: ignore[arg-type]
        price=price,
        quantity=quantity,
        client_order_id=None if number is None else str(number),
    )


async def until(feed: Feed, kind: type[T], count: int = 1) -> list[T]:
    """Read until so many of a kind came, messages or news within; return them."""
    found: list[T] = []
    async for message in feed:
        news = [*message.orders, *message.fills] if isinstance(message, FeedAccount) else []
        found += [item for item in (message, *news) if isinstance(item, kind)]
        if len(found) >= count:
            return found
    raise AssertionError("the feed ended")


async def until_filled(feed: Feed) -> FeedAccount:
    """Read until something traded."""
    while not (news := (await until(feed, FeedAccount))[0]).fills:
        pass
    return news


@asynccontextmanager
async def logged_on(served: Served, profile: Profile, **options: object) -> AsyncIterator[Feed]:
    async with served.client(profile) as client, await client.feed() as feed:
        await feed.log_on(**options)  # type: ignore[arg-type]
        yield feed


async def test_orders_over_the_socket_and_news_to_both_sides(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        red, blue = await served.admit("red", "provider"), await served.admit("blue", "enterprise")
        await served.at(9, 5)
        async with logged_on(served, red) as seller, logged_on(served, blue) as buyer:
            (welcome,) = await until(seller, FeedWelcome)
            assert (welcome.account, welcome.resync) == (red.account, False)
            await seller.enter(
                "a", [order("sell", 5, number=7), order("sell", price="11.905"), order("sell")]
            )
            (results,) = await until(seller, FeedResults)
            placed, off_tick, rest = results.results
            assert results.id == "a"
            assert placed.order is not None and placed.order.status == "resting"
            assert off_tick.error is not None and off_tick.error.code == "PRICE_OFF_TICK"
            assert rest.order is not None
            await buyer.enter("b", [order("buy", 2)])
            news = await until_filled(seller)
            (fill,) = news.fills
            assert (fill.order_id, fill.quantity, fill.open_quantity) == (placed.order.order_id, 2, 3)
            assert (fill.side, fill.liquidity, fill.price) == ("sell", "maker", "11.90")
            assert fill.fee_fen == 0
            assert news.positions == {SYMBOL: -2}
            news = await until_filled(buyer)
            (taken,) = news.fills
            assert (taken.side, taken.liquidity) == ("buy", "taker")
            assert taken.fee_fen == 11  # 2 basis points of 1,190 × 24 × 2 fen (clause 8.1)
            assert news.positions == {SYMBOL: 2}
            await seller.enter("c", [Amend(order_id=placed.order.order_id, quantity=3), Cancel(order_id="1")])
            (amended,) = await until(seller, OrderNews)
            (cancelled,) = await until(seller, FeedResults)
            assert (amended.event, amended.open_quantity) == ("amended", 1)
            assert cancelled.results[1].error is not None
            assert cancelled.results[1].error.code == "UNKNOWN_ORDER"


async def test_a_revoked_key_ends_its_connections_and_no_other(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        red, blue = await served.admit("red", "provider"), await served.admit("blue", "enterprise")
        await served.at(9, 5)
        account = int(red.account)
        async with logged_on(served, blue) as other:
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(served.base_url + "/v1/feed") as socket,
            ):
                signed = signed_headers(red.key_id, red.secret_bytes, "LOGON", "/v1/feed")
                fields = {name.removeprefix("Dongxi-").lower(): value for name, value in signed.items()}
                await socket.send_json({"op": "logon"} | fields)
                assert (await socket.receive_json())["type"] == "welcome"
                async with served.client(served.operator) as operator:
                    await operator.revoke_key(red.key_id)
                item = {"action": "new", "symbol": SYMBOL, "side": "sell", "price": "11.90", "quantity": 1}
                with suppress(ConnectionError):  # it may be closed already
                    await socket.send_json({"op": "orders", "id": "late", "items": [item]})
                while not (message := await socket.receive(timeout=10)).type.name.startswith("CLOSE"):
                    assert message.json()["type"] == "account"
                assert (message.data, message.extra) == (1008, "the key was revoked")
            await other.enter("a", [order("buy")])
            (results,) = await until(other, FeedResults)
        assert results.results[0].error is None
        assert served.exchange.views.open_orders(account) == []


async def test_messages_of_one_turn_are_answered_one_by_one_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        red = await served.admit("red", "provider")
        await served.at(9, 5)
        async with logged_on(served, red) as feed:
            for number in range(100):
                await feed.enter(str(number), [order("sell", number=3 * number + at) for at in (1, 2, 3)])
            answers = await until(feed, FeedResults, 100)
            assert [answer.id for answer in answers] == [str(number) for number in range(100)]
            for number, answer in enumerate(answers):
                placed = [result.order for result in answer.results]
                assert [row.client_order_id for row in placed if row] == [
                    str(3 * number + at) for at in (1, 2, 3)
                ]
        assert len(served.exchange.views.open_orders(int(red.account))) == 300


async def test_a_resumed_channel_tells_what_was_missed(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        red = await served.admit("red", "provider")
        await served.at(9, 5)
        async with logged_on(served, red) as feed:
            (welcome,) = await until(feed, FeedWelcome)
        async with served.client(red) as client:
            placed = [(await client.place(order("sell"))).order.order_id for _ in range(5)]
        async with logged_on(served, red, after_seq=welcome.seq) as feed:
            missed = await until(feed, OrderNews, 5)
            assert [row.order_id for row in missed] == placed
        async with logged_on(served, red, after_seq=missed[2].seq) as feed:
            assert [row.order_id for row in await until(feed, OrderNews, 2)] == placed[3:]


async def test_orders_are_cancelled_when_the_socket_breaks(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        red = await served.admit("red", "provider")
        await served.at(9, 5)
        async with logged_on(served, red) as watcher:
            async with logged_on(served, red, cancel_on_disconnect=True) as feed:
                await feed.enter("a", [order("sell")] * 4)
                await until(feed, FeedResults)
            seen = [row.event for row in await until(watcher, OrderNews, 8)]
        assert seen == ["accepted"] * 4 + ["cancelled"] * 4


async def test_what_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        red = await served.admit("red", "provider")
        await served.at(9, 5)
        async with served.client(red) as client, await client.feed() as feed:
            await feed.enter("early", [order("sell")])
            (refused,) = await until(feed, FeedError)
            assert (refused.code, refused.id) == ("AUTHENTICATION_REQUIRED", "early")
        async with logged_on(served, served.operator) as feed:
            await feed.enter("x", [order("sell")])
            (refused,) = await until(feed, FeedError)
            assert refused.code == "SCOPE_REQUIRED"
            await feed.log_on()
            assert (await until(feed, FeedError))[0].code == "INVALID_FIELD"


@pytest.mark.parametrize("twice", [False, True])
async def test_a_logon_is_checked_like_a_request(tmp_path: Path, twice: bool) -> None:
    async with serving(tmp_path) as served:
        red = await served.admit("red", "provider")
        signed = signed_headers(red.key_id, red.secret_bytes, "LOGON", "/v1/feed")
        words = {name.removeprefix("Dongxi-").lower(): value for name, value in signed.items()}
        if not twice:
            words["signature"] = "0" * 64
        codes = []
        async with aiohttp.ClientSession() as session:
            for _ in range(2):
                async with session.ws_connect(f"{served.base_url}/v1/feed") as socket:
                    await socket.send_json({"op": "logon", **words})
                    answer = await socket.receive_json()
                    codes.append(answer.get("code", answer["type"]))
        assert codes == (["welcome", "NONCE_REPLAYED"] if twice else ["BAD_SIGNATURE"] * 2)
