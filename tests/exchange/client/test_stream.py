"""A stream through cut connections, a killed server and damaged bytes: nothing missed, nothing twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from exchange_server import Served, serving
from proxy import Proxy, proxied
from server_process import ServerProcess

from exchange.api.feed import FeedAccount, FeedBook, FeedDelta, FeedTrade
from exchange.api.requests import NewOrder
from exchange.client import (
    ExchangeClient,
    ExchangeError,
    Interrupted,
    Profile,
    Stream,
    SyncExchange,
)

SYMBOL = "H100.GUIAN.261205"


async def until(messages: AsyncIterator[Any], reached: Callable[[Any], bool]) -> list[Any]:
    """Read until a message for which `reached` holds, that one included."""
    seen = [await anext(messages)]
    while not reached(seen[-1]):
        seen.append(await anext(messages))
    return seen


def order(side: str, quantity: int, price: str = "11.90") -> NewOrder:
    return NewOrder(symbol=SYMBOL, side=side, price=price, quantity=quantity)  # type: ignore[arg-type]


@asynccontextmanager
async def market(folder: Path) -> AsyncIterator[tuple[Served, Proxy, ExchangeClient, ExchangeClient]]:
    """A market in session behind a proxy; a buyer who comes through it and a seller who doesn't."""
    async with serving(folder) as served, proxied(served.base_url) as proxy:
        buyer, seller = await served.admit("blue", "enterprise"), await served.admit("acme", "provider")
        await served.at(10)
        async with ExchangeClient(proxy.base_url, buyer) as one, served.client(seller) as other:
            yield served, proxy, one, other


async def trade(buyer: ExchangeClient, seller: ExchangeClient, quantity: int) -> None:
    await seller.place(order("sell", quantity))
    await buyer.place(order("buy", quantity))


async def test_what_happened_while_the_network_was_cut_is_told_once(tmp_path: Path) -> None:
    async with market(tmp_path) as (served, proxy, client, seller):
        buyer = served.client(client.profile)
        async with buyer, Stream(client, ["l2", "trades"], [SYMBOL], own=True) as stream:
            messages = aiter(stream)
            await until(messages, lambda said: isinstance(said, FeedBook))
            await trade(buyer, seller, 1)
            seen = await until(messages, lambda said: isinstance(said, FeedAccount) and said.fills)
            proxy.cut()
            await trade(buyer, seller, 2)
            await trade(buyer, seller, 3)
            proxy.mend()
            await trade(buyer, seller, 4)
            seen += await until(messages, lambda said: isinstance(said, FeedTrade) and said.quantity == 4)
            seen += await until(messages, lambda said: stream.account.positions.get(SYMBOL) == 10)
            (gap,) = [said for said in seen if isinstance(said, Interrupted)]
            assert gap.complete
            assert [said.quantity for said in seen if isinstance(said, FeedTrade)] == [1, 2, 3, 4]
            fills = [fill for said in seen if isinstance(said, FeedAccount) for fill in said.fills]
            assert [fill.quantity for fill in fills] == [1, 2, 3, 4]
            assert stream.books[SYMBOL].levels() == ([], [])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("exchange")) as running:
        yield running


async def test_a_killed_server_loses_no_news_of_the_account(server: ServerProcess) -> None:
    buyer, seller = await server.admit("blue"), await server.admit("acme", "provider")
    async with (
        proxied(server.base_url) as proxy,
        ExchangeClient(proxy.base_url, buyer) as client,
        Stream(client, ["l2"], [SYMBOL], own=True) as stream,
    ):
        messages = aiter(stream)
        await until(messages, lambda said: isinstance(said, FeedBook))
        async with (
            ExchangeClient(server.base_url, seller) as other,
            ExchangeClient(server.base_url, buyer) as same,
        ):
            await trade(same, other, 1)
            seen = await until(messages, lambda said: isinstance(said, FeedAccount) and said.fills)
            proxy.cut()
            await trade(same, other, 2)
            await other.place(order("sell", 7, "11.95"))
        server.kill()
        server.start()
        proxy.move(server.base_url)
        proxy.mend()
        seen += await until(messages, lambda said: stream.account.positions.get(SYMBOL) == 3)
        seen += await until(messages, lambda said: isinstance(said, FeedBook))
        (gap,) = [said for said in seen if isinstance(said, Interrupted)]
        assert not gap.complete, "a server that was killed holds no messages of before"
        fills = [fill for said in seen if isinstance(said, FeedAccount) for fill in said.fills]
        assert [fill.quantity for fill in fills] == [1, 2]
        assert stream.books[SYMBOL].levels() == ([], [("11.95", 7, 1)])


def damaging(proxy: Proxy, times: int) -> Callable[[bytes], bytes]:
    """Damage the rows of one price, so many times."""

    def damage(data: bytes) -> bytes:
        nonlocal times
        wrong = data.replace(b'["11.91",3,', b'["11.91",4,')
        times -= wrong != data
        proxy.damage = damage if times else None
        return wrong

    return damage


@pytest.mark.parametrize(("symbols", "times"), [([SYMBOL], 1), (["*"], 1), ([SYMBOL], 2)])
async def test_a_book_that_became_wrong_is_sent_anew(tmp_path: Path, symbols: list[str], times: int) -> None:
    async with market(tmp_path) as (_, proxy, client, seller), Stream(client, ["l2"], symbols) as stream:
        messages = aiter(stream)
        await until(messages, lambda said: isinstance(said, FeedBook) and said.symbol == SYMBOL)
        proxy.damage = damaging(proxy, times)
        await seller.place(order("sell", 3, "11.91"))
        seen = await until(messages, lambda said: _shown(said, "11.91"))
        assert isinstance(seen[-1], FeedBook), "the damaged change isn't told; a snapshot comes"
        assert any(isinstance(said, Interrupted) for said in seen) == (times > 1)
        await seller.place(order("sell", 1, "11.92"))
        await until(messages, lambda said: _shown(said, "11.92"))
        book = await seller.book(SYMBOL)
        assert [row[0] for row in stream.books[SYMBOL].levels()[1]] == [row.price for row in book.asks]


def _shown(message: object, price: str) -> bool:
    return isinstance(message, FeedBook | FeedDelta) and any(row[0] == price for row in message.asks)


async def test_a_connection_that_falls_silent_is_replaced(tmp_path: Path) -> None:
    async with (
        market(tmp_path) as (_, proxy, client, seller),
        Stream(client, ["l2"], [SYMBOL], silence_s=0.5) as stream,
    ):
        messages = aiter(stream)
        await until(messages, lambda said: isinstance(said, FeedBook))
        before = proxy.connections
        proxy.damage = lambda data: b"" if proxy.connections == before else data
        await seller.place(order("sell", 3, "11.91"))
        seen = await until(messages, lambda said: _shown(said, "11.91"))
        (gap,) = [said for said in seen if isinstance(said, Interrupted)]
        assert "nothing came for 0.5 s" in gap.why


async def test_what_coming_back_does_not_cure_is_raised(tmp_path: Path) -> None:
    async with market(tmp_path) as (served, _, client, _):
        async with Stream(client, ["l2"], ["H100.NOWHERE.261205"]) as stream:
            with pytest.raises(ExchangeError, match="UNKNOWN_SYMBOL"):
                await anext(aiter(stream))
        wrong = Profile(member="blue", account="2", key_id="k", secret="ab" * 32, base_url=served.base_url)
        async with served.client(wrong) as stranger, Stream(stranger, own=True) as stream:
            with pytest.raises(ExchangeError, match="BAD_SIGNATURE"):
                await anext(aiter(stream))


async def test_the_plain_face_does_the_same_without_await(server: ServerProcess) -> None:
    seller = await server.admit("green", "provider")
    with SyncExchange(server.base_url, seller) as exchange:
        ticket = exchange.desk.submit(order("sell", 2, "11.99"))
        assert [found.order_id for found in exchange.orders()] == [ticket.order_id]
        told = next(said for said in exchange.stream(["l2"], [SYMBOL]) if _shown(said, "11.99"))
        assert isinstance(told, FeedBook)
        assert exchange.desk.cancel(ticket).reason is not None
        assert exchange.orders() == []


def test_every_call_has_its_plain_face() -> None:
    """Of each coroutine and iterator of the client there is one of the same name."""
    with SyncExchange("http://127.0.0.1:1") as exchange:
        pairs: list[tuple[object, object]] = [(exchange, ExchangeClient)]
        own = exchange._own
        pairs += [
            (getattr(exchange, name), type(getattr(own, name)))
            for name in ("delivery", "primary", "vouchers")
        ]
        pairs.append((exchange.history, type(own.history)))
        transport = {"get", "send", "session", "feed"}
        missing = [
            f"{kind.__name__}.{name}"  # type: ignore[attr-defined]
            for face, kind in pairs
            for name in dir(kind)
            if not name.startswith("_") and name not in transport and not hasattr(face, name)
        ]
        assert missing == []
