"""An order under a client order id is done once (clause 9.9)."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from exchange_server import serving

from exchange.api import requests
from exchange.client import ExchangeClient, ExchangeError

ORDER = requests.NewOrder(
    symbol="H100.GUIAN.261208", side="buy", quantity=2, price="12.00", client_order_id="7"
)
OTHER = msgspec.structs.replace(ORDER, price="11.90")


async def refused(client: ExchangeClient, order: requests.NewOrder) -> str:
    with pytest.raises(ExchangeError) as caught:
        await client.place(order)
    return caught.value.code


async def test_the_same_order_again_is_answered_as_at_first_also_after_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        buyer, seller = await served.admit("blue", "enterprise"), await served.admit("red", "provider")
        await served.at(9)
        async with served.client(buyer) as buys, served.client(seller) as sells:
            sell = msgspec.structs.replace(ORDER, side="sell", quantity=1)
            sold = await sells.place(sell)  # the same id, of another account
            first = await buys.place(ORDER)
            assert (first.order.status, first.order.filled_quantity) == ("resting", 1)
            assert (await buys.place(ORDER)).order == first.order
            assert await refused(buys, OTHER) == "CLIENT_ORDER_ID_USED"
            await buys.cancel(first.order.order_id)
            assert (await buys.place(ORDER)).order == first.order
            assert await buys.orders() == []
        before = served.state()
    async with serving(tmp_path) as served:
        assert served.state() == before
        async with served.client(buyer) as buys, served.client(seller) as sells:
            buys.base_url = sells.base_url = served.base_url
            assert (await buys.place(ORDER)).order == first.order
            assert (await sells.place(sell)).order == sold.order
            assert await refused(buys, OTHER) == "CLIENT_ORDER_ID_USED"
            assert await buys.orders() == []


async def test_a_refused_order_leaves_its_id_free(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9)
        async with served.client(member) as client:
            wide = msgspec.structs.replace(ORDER, price="99.00")
            assert await refused(client, wide) == "PRICE_OUTSIDE_LIMITS"
            assert (await client.place(ORDER)).order.status == "resting"


async def test_ids_come_free_at_the_days_end_unless_the_order_is_open(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9)
        lasting = msgspec.structs.replace(ORDER, time_in_force="gtc", client_order_id="8")
        async with served.client(member) as client:
            for order in (ORDER, lasting):
                await client.place(order)
            for hour, minute in ((15, 0), (15, 30)):
                await served.at(hour, minute)
            monday = date(2026, 12, 7)
            for hour, minute in ((1, 0), (8, 30), (8, 55), (8, 59), (9, 0)):
                await served.at(hour, minute, monday)
            assert (await client.place(OTHER)).order.status == "resting"
            changed = msgspec.structs.replace(lasting, price="11.90")
            assert await refused(client, changed) == "CLIENT_ORDER_ID_USED"
            assert len(await client.orders()) == 2


async def test_many_at_once_and_in_one_batch_are_one_order(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9)
        async with served.client(member) as client:
            placed = await asyncio.gather(*(client.place(ORDER) for _ in range(20)))
            assert len({answer.order.order_id for answer in placed}) == 1
            assert len(await client.orders()) == 1
            nameless = msgspec.structs.replace(ORDER, client_order_id=None)
            fresh = msgspec.structs.replace(ORDER, client_order_id="9")
            items: list[Any] = [ORDER, nameless, OTHER, fresh, fresh]
            results = (await client.batch(items)).results
            assert results[0].order == placed[0].order
            assert [result.error and result.error.code for result in results] == [
                None, None, "CLIENT_ORDER_ID_USED", None, "CLIENT_ORDER_ID_USED",
            ]  # fmt: skip
            assert len(await client.orders()) == 3
