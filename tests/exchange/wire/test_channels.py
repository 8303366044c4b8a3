"""The public channels: what a reader rebuilds is what the exchange has, also after connections that broke."""

from __future__ import annotations

import asyncio
import random
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from exchange_server import Served, serving
from order_flow import OrderFlow

from exchange.api.feed import (
    Channel,
    FeedCandle,
    FeedHeartbeat,
    FeedPong,
    FeedSubscribed,
    FeedTop,
    FeedTrade,
)
from exchange.api.formats import price_text, time_text
from exchange.client import ExchangeClient, Feed, Market
from exchange.gateway import feed_topics
from exchange.history.candles import candles_of
from exchange.history.rows import TRADE
from exchange.service.market import MarketData
from matching.records import Side

SYMBOL = "H100.GUIAN.261205"
OTHER = "H100.TIANFU.261205"
SYMBOLS = (SYMBOL, OTHER)
CHANNELS: tuple[Channel, ...] = (
    "trades",
    "l1",
    "l2",
    "l3",
    "indicative",
    "candles_1m",
    "candles_5m",
    "candles_1h",
    "candles_1d",
)
INTERVALS = {60: "1m", 300: "5m", 3_600: "1h", 86_400: "1d"}


async def flow_of(served: Served, seed: int) -> OrderFlow:
    """Open the day; two members' orders in both contracts."""
    await served.at(8, 30)
    members = [await served.admit(name, "enterprise") for name in (f"red-{seed}", f"blue-{seed}")]
    accounts = [int(member.account) for member in members]
    contracts = [index_of(served, symbol) for symbol in SYMBOLS]
    view = served.exchange.views.contract(SYMBOL)
    assert view is not None
    return OrderFlow(seed, accounts, contracts, view.reference_price)


def index_of(served: Served, symbol: str) -> int:
    view = served.exchange.views.contract(symbol)
    assert view is not None
    return view.contract.index


async def caught_up(feed: Feed) -> list[Any]:
    """Return all that was sent before the answer to a ping."""
    await feed.ping()
    seen = []
    async for message in feed:
        if isinstance(message, FeedPong):
            return seen
        seen.append(message)
    raise AssertionError("the feed ended")


def assert_in_step(served: Served, market: Market) -> None:
    """What the reader has is what the exchange shows."""
    data: MarketData = served.exchange.market
    for symbol in SYMBOLS:
        contract = index_of(served, symbol)
        levels = tuple(
            [(price_text(p), q, n) for p, q, n in data.levels(contract, side, 0).tolist()]
            for side in (Side.BUY, Side.SELL)
        )
        orders = tuple(
            [(str(i), price_text(p), q) for i, p, q in side.tolist()] for side in data.orders(contract)
        )
        assert market.books[symbol].levels() == levels
        assert market.orders[symbol].orders() == orders
        assert market.orders[symbol].levels() == levels
        top = data.top(contract)
        if symbol in market.tops and top is not None:
            told = market.tops[symbol]
            assert told.bid == (levels[0][0][:2] if levels[0] else None)
            assert told.ask == (levels[1][0][:2] if levels[1] else None)
            assert told.last == (price_text(top.last_price) if top.last_price else None)
        found = data.indicative(contract)
        told_now = market.indicatives[symbol]
        assert told_now.in_call == (found is not None)
        if found is not None:
            said = (told_now.price, told_now.quantity, told_now.surplus)
            assert said == (price_text(found.price) if found.price else None, found.quantity, found.surplus)


async def a_day(served: Served, flow: OrderFlow, after_each: Any, blocks: int) -> None:
    """Orders in the call, over the uncross, and in continuous trading of several minutes."""
    await served.at(8, 55)
    for minute in (56, 57):
        await flow.run(served.exchange, blocks)
        await after_each()
        await served.at(8, minute)
    await served.at(8, 59)
    await after_each()
    for minute in (0, 1, 3, 7, 59):
        await served.at(9, minute)
        await flow.run(served.exchange, blocks)
        await after_each()
    await served.at(15, 0)
    await after_each()


@pytest.mark.parametrize("everything", [False, True])
async def test_a_reader_of_every_channel_is_in_step(tmp_path: Path, everything: bool) -> None:
    async with serving(tmp_path) as served, served.client() as client:
        flow = await flow_of(served, 1)
        feed = await client.feed(CHANNELS, ["*"] if everything else SYMBOLS)

        async def check() -> None:
            await caught_up(feed)
            assert_in_step(served, feed.market)

        await a_day(served, flow, check, blocks=15)
        await feed.close()


async def test_a_late_reader_is_in_step(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.client() as client:
        flow = await flow_of(served, 2)
        feeds: list[Feed] = []

        async def check() -> None:
            feeds.append(await client.feed(CHANNELS, SYMBOLS))
            for feed in feeds:
                await caught_up(feed)
                assert_in_step(served, feed.market)

        await a_day(served, flow, check, blocks=5)


async def take(feed: Feed, count: int) -> list[Any]:
    """Read so many messages; on a slow machine heartbeats come between them."""
    seen: list[Any] = []
    async for message in feed:
        if not isinstance(message, FeedHeartbeat):
            seen.append(message)
        if len(seen) >= count:
            break
    return seen


def told(messages: list[Any]) -> list[Any]:
    """Leave out what isn't market data."""
    return [one for one in messages if not isinstance(one, FeedSubscribed | FeedHeartbeat | FeedPong)]


async def test_connections_that_break_lose_and_double_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.client() as client:
        flow, dice = await flow_of(served, 3), random.Random(3)
        await served.at(9, 0)
        whole = await client.feed(CHANNELS, SYMBOLS)
        broken = await client.feed(CHANNELS, SYMBOLS)
        unbroken, pieces = await caught_up(whole), told(await caught_up(broken))
        for _ in range(12):
            await flow.run(served.exchange, 4)
            # it reads a part of what came, then the connection is gone while the market goes on
            pieces += told(await take(broken, dice.randint(1, 40)))
            await broken.close()
            await flow.run(served.exchange, 3)
            broken = await client.feed(CHANNELS, SYMBOLS, resume=broken.market)
            (first, *_) = await take(broken, 1)
            assert isinstance(first, FeedSubscribed)
            assert first.resumed
        pieces += told(await caught_up(broken))
        unbroken += await caught_up(whole)
        assert_in_step(served, broken.market)
        trades = [one for one in unbroken if isinstance(one, FeedTrade)]
        assert len(trades) > 50
        assert [one for one in pieces if isinstance(one, FeedTrade)] == trades
        assert broken.market.candles == whole.market.candles
        # what says how things are now may be told again, and nothing of it is left out
        for kind in (FeedTop, FeedCandle):
            wanted = [one for one in unbroken if isinstance(one, kind)]
            assert wanted
            assert all(one in pieces for one in wanted)


async def resumed(client: ExchangeClient, market: Market) -> bool:
    """Return whether a feed goes on from where another ended."""
    feed = await client.feed(["l2", "l3"], SYMBOLS, resume=market)
    (first,) = await take(feed, 1)
    await caught_up(feed)
    await feed.close()
    assert isinstance(first, FeedSubscribed)
    return first.resumed


async def test_a_reader_that_was_away_too_long_begins_anew_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_topics.Held.__init__, "__defaults__", (30_000,))
    async with serving(tmp_path) as served, served.client() as client:
        flow = await flow_of(served, 4)
        await served.at(9, 0)
        feed = await client.feed(["l2", "l3"], SYMBOLS)
        await caught_up(feed)
        await feed.close()
        assert await resumed(client, feed.market)
        await flow.run(served.exchange, 60)
        stale = feed.market
        assert not await resumed(client, stale)
        assert await resumed(client, stale)  # it has begun anew above, and knows where
    async with serving(tmp_path) as served, served.client() as client:
        assert not await resumed(client, stale)  # a server that was started anew holds nothing
        for symbol in SYMBOLS:
            assert stale.books[symbol].levels() == stale.orders[symbol].levels()


async def test_what_was_never_followed_is_not_resumed(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.client() as client:
        await served.at(9, 0)
        feed = await client.feed(["trades"], [SYMBOL])
        await caught_up(feed)
        for channels, symbols in ((["l2"], [SYMBOL]), (["trades"], [OTHER]), (["trades"], ["*"])):
            other = await client.feed()
            await other.subscribe(channels, symbols, after_seq=served.exchange.views.seq)  # type: ignore[arg-type]
            (first,) = await take(other, 1)
            assert isinstance(first, FeedSubscribed)
            assert not first.resumed
        await feed.subscribe(["trades"], [SYMBOL], after_seq=served.exchange.views.seq + 1)
        (first,) = await take(feed, 1)
        assert isinstance(first, FeedSubscribed)


async def test_candles_are_those_of_the_history(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.client() as client:
        flow = await flow_of(served, 5)
        feed = await client.feed([name for name in CHANNELS if name.startswith("candles")], ["*"])
        seen: dict[tuple[str, str, str], FeedCandle] = {}

        async def check() -> None:
            for message in await caught_up(feed):
                if isinstance(message, FeedCandle):
                    seen[message.symbol, message.interval, message.start] = message

        await a_day(served, flow, check, blocks=10)
        tape = served.exchange._tape.rows()
        trades = np.zeros(len(tape), TRADE)
        for name in ("trade_id", "time_ns", "instrument", "price", "quantity"):
            trades[name] = tape[name]
        trades["value"] = trades["price"] * trades["quantity"] * 24
        wanted = candles_of(trades)
        assert len(wanted) == len(seen) > 10
        for row in wanted:
            symbol = served.exchange.views.symbol(int(row["instrument"]))
            told_of = seen[symbol, INTERVALS[int(row["interval"])], time_text(int(row["start"]) * 10**9)]
            prices = [price_text(int(row[name])) for name in ("open", "high", "low", "close")]
            assert [told_of.open, told_of.high, told_of.low, told_of.close] == prices
            assert told_of.volume_lots == row["volume"]
            assert told_of.value_fen == row["value"]
            assert told_of.trades == row["trades"]
        ended = dict(feed.market.candles)
    async with serving(tmp_path) as served, served.client() as client:
        again = await client.feed(["candles_1m", "candles_1d"], SYMBOLS)
        await caught_up(again)
        for key, candle in again.market.candles.items():  # also after a restart
            assert candle.close == ended[key].close
            assert candle.volume_lots == ended[key].volume_lots
        assert len(again.market.candles) == 4
        await again.close()


async def test_contracts_that_end_and_contracts_that_begin(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.client() as client:
        flow = await flow_of(served, 6)
        feed = await client.feed(["l1", "l2", "l3"], ["*"])
        await served.at(9, 0)
        await flow.run(served.exchange, 20)
        await served.at(15, 30)
        await caught_up(feed)
        for symbol in SYMBOLS:  # the last trading day of both is over
            assert feed.market.books[symbol].levels() == ([], [])
            assert feed.market.orders[symbol].orders() == ([], [])
        await served.at(9, 0, date(2026, 12, 7))
        fresh = [
            view
            for view in served.exchange.views.contracts()
            if view.contract.symbol not in feed.market.books
        ]
        assert fresh
        flow = OrderFlow(7, flow._accounts, [fresh[0].contract.index], fresh[0].reference_price)
        await flow.run(served.exchange, 20)
        await caught_up(feed)
        symbol, data = fresh[0].contract.symbol, served.exchange.market
        orders = [side.tolist() for side in data.orders(fresh[0].contract.index)]
        assert sum(map(len, orders)) > 0
        assert [len(side) for side in feed.market.orders[symbol].orders()] == [len(side) for side in orders]
        assert feed.market.orders[symbol].levels() == feed.market.books[symbol].levels()
        await feed.close()


async def test_a_flood_of_requests_is_read_slowly(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{served.base_url}/v1/feed") as socket:
            for _ in range(500):
                await socket.send_str('{"op":"ping"}')
            answered = 0
            while (await socket.receive_json())["type"] == "pong" and answered < 400:
                answered += 1
            # the rest waits its turn, and others are served meanwhile
            async with session.get(served.base_url + "/livez") as answer:
                assert answer.status == 200
        await asyncio.sleep(0)
