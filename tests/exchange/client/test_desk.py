"""Orders whose answer is lost: done once, and what is certain is said (clause 9.9)."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from exchange_server import serving
from history_filling import caught_up, filling
from hypothesis import given, settings
from hypothesis import strategies as st
from proxy import proxied
from server_process import ServerProcess

from exchange.api.feed import FeedAccount, FillNews, OrderNews
from exchange.api.requests import NewOrder
from exchange.client import ExchangeClient, OrderDesk, OrderState, Profile, Stream, Ticket
from exchange.client.desk import LATE_S

SYMBOL = "H100.GUIAN.261205"
PLACING = b"POST /v1/orders"
NAMES = (f"buyer-{number}" for number in itertools.count())


def bid(quantity: int = 2, price: str = "11.85") -> NewOrder:
    return NewOrder(symbol=SYMBOL, side="buy", price=price, quantity=quantity)


def doubtful(order: NewOrder, trading_day: str = "2026-12-04") -> Ticket:
    """An order whose answer was lost so long ago that no copy of it can arrive any more."""
    return Ticket(
        order=order,
        sent_s=time.monotonic() - 2 * LATE_S,
        trading_day=trading_day,
        state=OrderState.UNKNOWN,
        total=order.quantity,
        lost="cut",
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("exchange")) as running:
        yield running


@pytest.fixture
async def buyer(server: ServerProcess) -> Profile:
    return await server.admit(next(NAMES))


async def standing(server: ServerProcess, buyer: Profile) -> list[tuple[str | None, int]]:
    """Client order id and quantity of the buyer's open orders, asked without a proxy."""
    async with ExchangeClient(server.base_url, buyer) as client:
        return [(order.client_order_id, order.quantity) for order in await client.orders()]


async def test_an_answer_that_is_lost_is_asked_for_again(server: ServerProcess, buyer: Profile) -> None:
    async with proxied(server.base_url) as proxy, ExchangeClient(proxy.base_url, buyer) as client:
        desk = OrderDesk(client)
        first = await desk.submit(bid())
        proxy.lose_answer = PLACING
        second = await desk.submit(bid(3))
        assert proxy.lost.is_set()
        assert (first.state, second.state) == (OrderState.RESTING, OrderState.RESTING)
        assert "0 of 3 lots have traded" in second.certain
    assert await standing(server, buyer) == [(first.client_order_id, 2), (second.client_order_id, 3)]


async def test_a_server_killed_in_mid_order_has_it_once_when_it_is_back(
    server: ServerProcess, buyer: Profile
) -> None:
    async with proxied(server.base_url) as proxy, ExchangeClient(proxy.base_url, buyer) as client:
        desk = OrderDesk(client)
        proxy.lose_answer, proxy.cut_after = PLACING, True
        placing = asyncio.create_task(desk.submit(bid(5)))
        await proxy.lost.wait()
        server.kill()
        server.start()
        proxy.move(server.base_url)
        assert not placing.done()
        proxy.mend()
        ticket = await placing
        assert ticket.state is OrderState.RESTING
    assert await standing(server, buyer) == [(ticket.client_order_id, 5)]


async def test_an_order_that_never_arrived_is_placed_when_the_network_is_back(
    server: ServerProcess, buyer: Profile
) -> None:
    async with proxied(server.base_url) as proxy, ExchangeClient(proxy.base_url, buyer) as client:
        desk = OrderDesk(client, patience_s=0)
        proxy.lose_request = PLACING
        ticket = await desk.submit(bid())
        assert ticket.state is OrderState.UNKNOWN
        assert f"client order id {ticket.client_order_id}" in ticket.certain
        assert await standing(server, buyer) == []
        proxy.mend()
        assert (await desk.resolve(ticket)).state is OrderState.RESTING
        proxy.cut()
        assert (await desk.resolve(ticket)).state is OrderState.RESTING, "it is known; nothing is asked"
    assert await standing(server, buyer) == [(ticket.client_order_id, 2)]


async def test_a_refusal_is_certain_at_once(server: ServerProcess, buyer: Profile) -> None:
    async with ExchangeClient(server.base_url, buyer) as client:
        ticket = await OrderDesk(client).submit(bid(price="99.00"))
    assert ticket.state is OrderState.REFUSED
    assert ticket.refusal is not None
    assert ticket.refusal.code in ticket.certain
    assert "nothing was done" in ticket.certain


async def test_a_look_up_finds_a_resting_order_and_sends_nothing(
    server: ServerProcess, buyer: Profile
) -> None:
    async with ExchangeClient(server.base_url, buyer) as client:
        order = msgspec.structs.replace(bid(), client_order_id="77")
        placed = await client.place(order)
        found = await OrderDesk(client).look_up(doubtful(order))
        assert (found.state, found.order_id) == (OrderState.RESTING, placed.order.order_id)
        assert len(await client.orders()) == 1


async def test_a_refusal_of_what_is_sent_again_is_none_of_what_was_taken(tmp_path: Path) -> None:
    order = msgspec.structs.replace(bid(), client_order_id="78")
    async with serving(tmp_path) as served:
        buyer = await served.admit("blue", "enterprise")
        await served.at(10)
        async with served.client(served.operator) as operator, served.client(buyer) as client:
            await client.place(order)
            made = await operator.add_key("blue", ["read"])
            reader = msgspec.structs.replace(buyer, key_id=made.key_id, secret=made.secret)
            async with served.client(reader) as reading:
                ticket = await OrderDesk(reading).resolve(doubtful(order))
    assert (ticket.state, ticket.filled) == (OrderState.RESTING, 0)


async def test_an_order_is_not_mistaken_for_an_earlier_one_of_its_id_nor_for_lost_behind_many(
    tmp_path: Path,
) -> None:
    order = msgspec.structs.replace(bid(), client_order_id="79", time_in_force="ioc")
    async with serving(tmp_path) as served:
        buyer = await served.admit("blue", "enterprise")
        await served.at(10)
        with filling(tmp_path / "data"):
            async with served.client(buyer) as client:
                desk = OrderDesk(client)
                await client.place(order)
                many = [msgspec.structs.replace(order, client_order_id=None)] * 500
                for _ in range(5):
                    assert all(result.order for result in (await client.batch(many)).results)
                await caught_up(served, client)
                assert (await desk.look_up(doubtful(order))).state is OrderState.CANCELLED
                later = doubtful(order, trading_day="2026-12-07")
                assert (await desk.look_up(later)).state is OrderState.NOT_TAKEN


@asynccontextmanager
async def two_traders(
    folder: Path,
) -> AsyncIterator[tuple[ExchangeClient, ExchangeClient, Stream, AsyncIterator[object]]]:
    """A buyer, a seller, and the buyer's stream with its messages after the account as it was."""
    async with serving(folder) as served:
        buyer, seller = await served.admit("blue", "enterprise"), await served.admit("acme", "provider")
        await served.at(10)
        async with (
            served.client(buyer) as client,
            served.client(seller) as other,
            Stream(client, own=True) as stream,
        ):
            messages = aiter(stream)
            while not isinstance(await anext(messages), FeedAccount):
                pass
            yield client, other, stream, messages


async def test_the_accounts_news_move_the_tickets(tmp_path: Path) -> None:
    async with two_traders(tmp_path) as (client, other, stream, messages):
        desk = OrderDesk(client)
        ticket = await desk.submit(bid(10))
        await other.place(NewOrder(symbol=SYMBOL, side="sell", price="11.85", quantity=4))
        while ticket.filled < 4:
            message = await anext(messages)
            if isinstance(message, FeedAccount):
                desk.follow(message)
        assert ticket.state is OrderState.RESTING
        assert (await desk.cancel(ticket)).state is OrderState.CANCELLED
        assert "4 of 10 lots have traded" in ticket.certain
        assert stream.account.positions == {SYMBOL: 4}
        assert (await desk.cancel(ticket)).state is OrderState.CANCELLED, "it has ended; nothing is sent"


async def test_what_self_trade_prevention_cuts_off_an_order_does_not_end_it(tmp_path: Path) -> None:
    async with two_traders(tmp_path) as (client, other, _, messages):
        answered, told = OrderDesk(client), OrderDesk(client)
        await other.place(NewOrder(symbol=SYMBOL, side="sell", price="11.84", quantity=3))
        own = await answered.submit(NewOrder(symbol=SYMBOL, side="sell", price="11.85", quantity=2))
        order = msgspec.structs.replace(bid(10), client_order_id="81", self_trade_prevention="decrement")
        ticket = await answered.submit(order)
        heard = told.tickets["81"] = doubtful(order)
        await other.place(NewOrder(symbol=SYMBOL, side="sell", price="11.85", quantity=1))
        while heard.filled < 4:
            message = await anext(messages)
            if isinstance(message, FeedAccount):
                answered.follow(message)
                told.follow(message)
    assert (own.state, own.filled) == (OrderState.CANCELLED, 0)
    assert (ticket.state, ticket.filled, ticket.total) == (OrderState.RESTING, 4, 8)
    assert (heard.state, heard.filled, heard.total) == (OrderState.RESTING, 4, 8)


EVENTS = st.lists(st.tuples(st.booleans(), st.integers(1, 3)), max_size=3)


@given(st.lists(EVENTS, min_size=1, max_size=3), st.booleans(), st.integers(1, 3))
@settings(max_examples=60)
def test_news_of_trades_and_cuts_amount_to_the_order(
    commands: list[list[tuple[bool, int]]], ends: bool, at_a_time: int
) -> None:
    """Each command trades (True) or cuts off lots; the last may cancel what is left."""
    left = total = 10
    filled, reason, messages = 0, None, list[FeedAccount]()
    for seq, command in enumerate(commands, 1):
        news, fills = list[OrderNews](), list[FillNews]()
        if seq == 1:
            news.append(OrderNews(seq, "1", "82", SYMBOL, "buy", "accepted", "11.85", total, None))
        rest = [(False, total)] if ends and seq == len(commands) else []
        for trades, wanted in [*command, *rest]:
            if not left:
                break
            lots = min(wanted, left)
            left -= lots
            if trades:
                filled += lots
                fills.append(FillNews(seq, "1", SYMBOL, "buy", "11.85", lots, left, "maker", 0))
            else:
                reason = "SELF_TRADE"
                news.append(OrderNews(seq, "1", "82", SYMBOL, "buy", "cancelled", "11.85", left, reason))
        messages.append(FeedAccount(seq, news, fills, 0, 0, 0, {}))
    desk = OrderDesk(ExchangeClient("http://127.0.0.1:9"))
    ticket = desk.tickets["82"] = doubtful(msgspec.structs.replace(bid(10), client_order_id="82"))
    for message in messages:
        for _ in range(at_a_time):  # told again it changes nothing
            desk.follow(message)
    assert (ticket.filled, ticket.order_id) == (filled, "1")
    assert (ticket.state is OrderState.RESTING) == bool(left)
    if left:
        assert ticket.total == filled + left


FACTS = st.permutations(
    [(0, OrderState.RESTING), (2, OrderState.RESTING), (3, OrderState.RESTING), (3, OrderState.CANCELLED)]
)


@given(FACTS)
def test_what_is_known_does_not_depend_on_the_order_of_the_news(facts: list[tuple[int, OrderState]]) -> None:
    ticket = msgspec.structs.replace(doubtful(bid(5)), state=OrderState.SENT, lost=None)
    for filled, state in facts:
        before = ticket.filled
        ticket.taken("1", filled, state)
        ticket.answer_lost("cut", 0.0)
        assert ticket.filled >= before
    assert (ticket.state, ticket.filled) == (OrderState.CANCELLED, 3)
    assert LATE_S == 60


async def test_an_amendment_behind_a_fill_in_one_message_counts_from_what_is_open_then() -> None:
    order = msgspec.structs.replace(bid(10), client_order_id="80")
    desk = OrderDesk(ExchangeClient("http://127.0.0.1:9"))
    ticket = desk.tickets["80"] = doubtful(order)
    ours = ("1", "80", SYMBOL, "buy")
    accepted, amended = (
        OrderNews(3, *ours, "accepted", "11.85", 10, None),
        OrderNews(5, *ours, "amended", "11.85", 9, None),
    )
    fill = FillNews(4, "1", SYMBOL, "buy", "11.85", 3, 7, "maker", 0)
    desk.follow(FeedAccount(5, [accepted, amended], [fill], 0, 0, 0, {}))
    assert (ticket.state, ticket.filled, ticket.total) == (OrderState.RESTING, 3, 12)
