"""One contract's life over HTTP: capacity, orders, trade, settlement, delivery, invoice; then a restart."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from exchange_server import DEPOSIT_FEN, FRIDAY, SATURDAY, serving

from exchange.api import requests
from exchange.api.formats import time_text
from exchange.api.market import Indicative
from exchange.client import ExchangeClient, ExchangeError
from exchange.domain.calendar import NS_PER_HOUR, day_start_ns

SYMBOL = "H100.GUIAN.261205"
T4 = "T4.GUIAN.261205"
CAPACITY = requests.PostCapacity(
    grade="H100", hub="GUIAN", cards=16, first_day="2026-12-05", last_day="2026-12-07"
)


def order(side: str, price: str, quantity: int, **more: object) -> requests.NewOrder:
    return requests.NewOrder(symbol=SYMBOL, side=side, price=price, quantity=quantity, **more)  # type: ignore[arg-type]


async def test_from_posted_capacity_to_a_paid_delivery(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        provider = await served.admit("guian-provider", "provider")
        enterprise = await served.admit("blue", "enterprise")
        await served.at(8, 55)
        async with served.client(provider) as sells, served.client(enterprise) as buys:
            capacity_id = (await sells.post_capacity(CAPACITY)).capacity_id
            assert [held.capacity_id for held in await sells.capacity()] == [capacity_id]
            indicative = await call_auction(sells, buys)
            await served.at(9, 0)
            (trade,) = (await buys.trades(SYMBOL)).trades
            assert (trade.quantity, trade.aggressor) == (3, "auction")
            assert trade.price == indicative.price, "the indicative price is the actual one"

            await continuous_trading(sells, buys)
            assert [(of.quantity, of.liquidity) for of in await buys.fills(SYMBOL)] == [
                (1, "taker"),
                (3, "auction"),
            ]
            assert [(of.symbol, of.quantity) for of in await buys.positions()] == [(SYMBOL, 4)]
            assert [of.quantity for of in await sells.positions()] == [-4]

            await served.at(15, 30)
            settlement_price = await settled_price(buys)
            assert await buys.positions() == []
            (bought,) = await buys.reservations("2026-12-05")
            (sold,) = await sells.reservations()
            assert (bought.role, sold.role, bought.cards) == ("buyer", "provider", 4)
            assert bought.price == settlement_price
            assert (await buys.balances()).delivery_hold_fen == ticks(bought.price) * 24 * 4

            await served.at(0, 30, SATURDAY + timedelta(days=1))
            await meter(sells, sold.reservation_id)
            await served.at(1, 0, SATURDAY + timedelta(days=1))
            (done,) = await buys.reservations("2026-12-05")
            assert (done.finished, done.delivered_card_hours, done.shortfall_card_hours) == (True, 90, 6)
            assert done.invoiced_fen == ticks(done.price) * 90
            assert done.metered_hours == list(range(24))

            for client in (buys, sells):
                assert await closing_cash(client) == (await client.balances()).cash_fen
            assert (await buys.status()).cash_total_fen == 2 * DEPOSIT_FEN, "all cash is what was paid in"
            assert (await sells.withdraw_capacity(capacity_id)).as_of_seq > 0
            assert await sells.capacity() == []


async def call_auction(sells: ExchangeClient, buys: ExchangeClient) -> Indicative:
    """In the call nothing trades; an indicative price is shown (clause 4.4), which is returned."""
    asked = (await sells.place(order("sell", "11.80", 4, client_order_id="77"))).order
    assert (asked.status, asked.open_quantity, asked.client_order_id) == ("resting", 4, "77")
    await buys.place(order("buy", "11.90", 3))
    book = await buys.book(SYMBOL)
    assert book.phase == "call"
    assert book.indicative is not None
    assert book.indicative.quantity == 3
    return book.indicative


async def continuous_trading(sells: ExchangeClient, buys: ExchangeClient) -> None:
    """A taker, an amendment that loses nothing, a cancel."""
    taken = (await buys.place(order("buy", "11.85", 2, time_in_force="ioc"))).order
    assert (taken.status, taken.filled_quantity, taken.reason) == ("cancelled", 1, "IMMEDIATE_OR_CANCEL")
    assert [(fill.price, fill.quantity) for fill in taken.fills] == [("11.80", 1)]
    rest = (await sells.place(order("sell", "12.10", 5))).order
    assert (await sells.amend(rest.order_id, quantity=2)).order.open_quantity == 2
    (listed,) = await sells.orders(SYMBOL)
    assert (listed.order_id, listed.open_quantity, listed.price) == (rest.order_id, 2, "12.10")
    assert (await buys.contract(SYMBOL)).ask == "12.10"
    assert (await sells.cancel(rest.order_id)).order.status == "cancelled"
    assert await sells.orders() == []


async def settled_price(buys: ExchangeClient) -> str:
    """The settlement price: the last hour had no trade, so one before 14:00 counts (clause 6.1)."""
    settled = await buys.settlements()
    row = next(row for row in settled.settlements if row.symbol == SYMBOL)
    assert settled.day == "2026-12-04"
    assert (row.volume_lots, row.open_interest_lots) == (4, 0)
    return row.settlement_price


async def meter(sells: ExchangeClient, reservation_id: str) -> None:
    """Send the readings of a day on which one of four cards fails for six hours; each hour is read once."""
    start = day_start_ns(SATURDAY)
    readings = [
        requests.Reading(
            reservation_id=reservation_id,
            hour_start=time_text(start + hour * NS_PER_HOUR),
            cards_delivered=3 if hour < 6 else 4,
        )
        for hour in range(24)
    ]
    assert (await sells.send_readings(readings)).accepted == 24
    with pytest.raises(ExchangeError) as twice:
        await sells.send_readings(readings[:1])
    assert twice.value.code == "READING_DUPLICATE"


async def closing_cash(client: ExchangeClient) -> int:
    """The last day's closing cash, after every day's statement was found to add up and to begin where the day
    before ended.
    """
    cash = 0
    for day in (FRIDAY, SATURDAY, SATURDAY + timedelta(days=1)):
        page = await client.statement(day.isoformat())
        assert page.opening_cash_fen == cash
        assert page.opening_cash_fen + sum(line.amount_fen for line in page.lines) == page.closing_cash_fen
        cash = page.closing_cash_fen
    return cash


def ticks(price: str) -> int:
    return int(price.replace(".", ""))


async def test_a_batch_gives_each_item_its_own_result(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9, 0)
        async with served.client(member) as client:
            first = (await client.place(order("buy", "11.50", 1))).order
            results = (
                await client.batch(
                    [
                        order("buy", "11.60", 2),
                        requests.Cancel(order_id=first.order_id),
                        requests.Cancel(order_id="12345"),
                        requests.NewOrder(symbol="H100.NOWHERE.261205", side="buy", price="1.00", quantity=1),
                        order("buy", "11.601", 1),
                        requests.Amend(order_id=first.order_id, quantity=3),
                        requests.NewOrder(symbol=T4, side="sell", type="market", quantity=1),
                    ]
                )
            ).results
            seen = [
                result.error.code if result.error else result.order and result.order.status
                for result in results
            ]
            assert seen == [
                "resting",
                "cancelled",
                "UNKNOWN_ORDER",
                "UNKNOWN_SYMBOL",
                "PRICE_OFF_TICK",
                "UNKNOWN_ORDER",
                "cancelled",
            ]
            assert [row.price for row in await client.orders()] == ["11.60"]


async def test_after_a_restart_everything_is_there_and_old_requests_are_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9, 0)
        async with served.client(member) as client:
            kept = (await client.place(order("buy", "11.50", 1, time_in_force="gtc"))).order
        before = served.state()
    async with serving(tmp_path) as served:
        assert served.state() == before
        served.clock.resume_at(served.exchange.views.status().market_time_ns)
        async with served.client(member) as client:
            assert [row.order_id for row in await client.orders()] == [kept.order_id]
        status, answer = await served.raw("GET", "/v1/orders", profile=member, timestamp_ms=1_700_000_000_000)
        assert (status, code(answer)) == (401, "STALE_TIMESTAMP")


def code(answer: dict[str, object]) -> object:
    problem = answer["error"]
    assert isinstance(problem, dict)
    assert re.fullmatch(r"[A-Z_0-9]+", problem["code"])
    assert len(problem["message"]) > 20
    return problem["code"]


async def test_keys_members_and_halts(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9, 0)
        async with served.client(served.operator) as operator:
            assert [row.member for row in await operator.members()] == ["operator", "blue"]
            made = await operator.add_key("blue", ["read"])
            await operator.withdraw("blue", 1_000)
            await operator.revoke_key(made.key_id)
            with pytest.raises(ExchangeError, match="MEMBER_EXISTS"):
                await operator.add_member("blue", "enterprise")
        spare = msgspec.structs.replace(member, key_id=made.key_id, secret=made.secret)
        status, answer = await served.raw("GET", "/v1/balances", profile=spare)
        assert (status, code(answer)) == (401, "BAD_SIGNATURE")
        async with served.client(member) as client:
            assert (await client.balances()).cash_fen == DEPOSIT_FEN - 1_000
        halt = b'{"symbol":"%s","halted":true}' % SYMBOL.encode()
        assert (await served.raw("POST", "/v1/operator/halts", halt, profile=served.operator))[0] == 200
        async with served.client(member) as client:
            with pytest.raises(ExchangeError) as refused:
                await client.place(order("buy", "11.50", 1))
        assert refused.value.code == "HALTED"


async def test_what_anyone_may_read(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.client() as client:
        await served.at(9, 0)
        assert (await client.alive()).alive
        assert len(await client.hubs()) == 23
        assert {grade.code for grade in await client.grades()} >= {"H100", "T4"}
        every = await client.contracts()
        assert len(every) == (await client.status()).contracts_active > 1_000
        chosen = await client.contracts(grade="H100", hub="GUIAN", kind="month")
        assert {row.kind for row in chosen} == {"month"}
        assert {row.symbol for row in chosen} <= {row.symbol for row in every}
        for path in ("/readyz", "/version", "/livez"):
            assert (await served.raw("GET", path))[0] == 200


async def test_a_page_skips_nothing_when_an_order_before_it_goes(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.at(9, 30)
        member = await served.admit("blue", "enterprise")
        async with served.client(member) as client:
            orders = [
                requests.NewOrder(symbol=SYMBOL, side="buy", price="11.70", quantity=n) for n in range(1, 7)
            ]
            placed = [(await client.place(order)).order for order in orders]
            assert [order.quantity for order in await client.orders()] == [1, 2, 3, 4, 5, 6]
            _, first = await served.raw("GET", "/v1/orders?limit=2", profile=member)
            await client.cancel(placed[0].order_id)
            await client.cancel(placed[3].order_id)
            seen, cursor = [], first["next_cursor"]
            while cursor is not None:
                _, page = await served.raw("GET", f"/v1/orders?limit=2&cursor={cursor}", profile=member)
                seen += [order["quantity"] for order in page["orders"]]  # type: ignore[attr-defined]
                cursor = page["next_cursor"]
            assert seen == [3, 5, 6]


async def test_an_amendment_to_price_0_is_outside_the_limits_and_answers_name_the_clients_id(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as served:
        await served.at(9, 30)
        member = await served.admit("blue", "enterprise")
        async with served.client(member) as client:
            order = requests.NewOrder(
                symbol=SYMBOL, side="buy", price="11.70", quantity=3, client_order_id="77"
            )
            placed = (await client.place(order)).order
            before = served.state()
            for price in ("0", "0.00"):
                body = f'{{"price":"{price}"}}'.encode()
                status, answer = await served.raw(
                    "PATCH", f"/v1/orders/{placed.order_id}", body, profile=member
                )
                error = answer["error"]
                assert (status, error["code"], error["field"]) == (  # type: ignore[index]
                    422,
                    "PRICE_OUTSIDE_LIMITS",
                    "price",
                )
            assert served.state() == before
            amended = (await client.amend(placed.order_id, quantity=2)).order
            cancelled = (await client.cancel(placed.order_id)).order
            assert (amended.client_order_id, cancelled.client_order_id) == ("77", "77")


async def test_a_refusal_names_a_field_only_if_it_is_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.admit("acme", "provider")
        async with served.client(served.operator) as operator:
            with pytest.raises(ExchangeError) as refused:
                await operator.add_member("acme", "provider")
        assert (refused.value.code, refused.value.field) == ("MEMBER_EXISTS", None)
        assert "acme" in str(refused.value)
