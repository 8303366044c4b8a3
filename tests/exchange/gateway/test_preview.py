"""The dry run over HTTP (clause 3.40): what it says is what placing the same then answers."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest
import pytest_asyncio
from order_stage import SYMBOL, Stage, facing, order, staged

from exchange.api.preview import Preview
from exchange.api.requests import Amend, Cancel
from exchange.api.trading import OrderResult
from exchange.client import ExchangeClient, ExchangeError
from exchange.gateway.preview import PREVIEWS_MAX

pytestmark = pytest.mark.asyncio(loop_scope="module")
RULEBOOK = Path(__file__).parents[3] / "docs/rulebook.md"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("exchange")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def client(stage: Stage) -> AsyncIterator[ExchangeClient]:
    """The member's client; the maker offers 4 lots at 12.10 and 4 at 12.11, nothing else is open."""
    async with facing(
        stage,
        *(order(side="sell", price=price, quantity=4) for price in ("12.10", "12.11")),
    ) as member:
        yield member


def agrees(preview: Preview, placed: OrderResult) -> bool:
    names = ("status", "open_quantity", "filled_quantity", "fills", "reason", "price")
    return all(getattr(preview, name) == getattr(placed, name) for name in names)


async def test_the_rulebooks_example(stage: Stage, client: ExchangeClient) -> None:
    clause = re.search(r"\*\*3\.40\*\*.*?\n\n", RULEBOOK.read_text(encoding="utf-8"), re.DOTALL)
    assert clause is not None
    example = clause[0].split("*Example:*")[1]
    figures = {int(text.replace(",", "")) for text in re.findall(r"(\d[\d,]*) fen", example)}
    state = stage.served.state()
    answer = await client.preview([order(price="12.11", quantity=10)])
    assert stage.served.state() == state
    assert answer.as_of_seq == state[0]
    (result,) = answer.results
    assert result.order is not None
    said = result.order
    assert (said.filled_quantity, said.open_quantity, said.average_price) == (8, 2, "12.1050")
    told = (
        said.value_fen,
        said.fee_fen,
        said.open_value_fen,
        said.open_maker_fee_fen,
        said.open_taker_fee_fen,
        answer.after.margin_fen - answer.before.margin_fen,
        answer.before.available_fen - answer.after.available_fen,
    )
    assert set(told) - figures == set()
    placed = await client.place(order(price="12.11", quantity=10))
    assert agrees(said, placed.order)
    balance = await client.balances()
    assert (balance.margin_fen, balance.available_fen) == (
        answer.after.margin_fen,
        answer.after.available_fen,
    )


async def test_a_batch_is_tried_one_after_the_other(client: ExchangeClient) -> None:
    standing = (await client.place(order(price="11.90", quantity=3, client_order_id="77"))).order
    items = [
        order(price="12.10", quantity=3),
        order(price="12.11", quantity=3, time_in_force="ioc"),
        order(price="99.00"),
        Amend(order_id=standing.order_id, price="11.95", quantity=5),
        Cancel(order_id=standing.order_id),
        Cancel(order_id=standing.order_id),
        order(price="11.90", quantity=3, client_order_id="77"),
        order(price="11.90", quantity=4, client_order_id="77"),
        order(type="stop", trigger_price="12.40", client_order_id="78"),
        order(symbol="H100.GUIAN.2701", price="12.00", quantity=2),
        order(symbol="H100.GUIAN.MOON", price="12.00"),
    ]
    previewed = await client.preview(items)
    done = await client.batch(items)
    for at, (said, placed) in enumerate(zip(previewed.results, done.results, strict=True)):
        assert said.error == placed.error, at
        if said.order is not None and placed.order is not None:
            assert agrees(said.order, placed.order), at
    codes = [said.error.code if said.error else None for said in previewed.results]
    assert codes == [
        None,
        None,
        "PRICE_OUTSIDE_LIMITS",
        None,
        None,
        "UNKNOWN_ORDER",
        None,
        "CLIENT_ORDER_ID_USED",
        None,
        None,
        "UNKNOWN_SYMBOL",
    ]
    balance = await client.balances()
    assert balance.available_fen == previewed.after.available_fen


async def test_a_value_is_price_times_hours_times_lots(client: ExchangeClient) -> None:
    """The example of clause 1.2."""
    (result,) = (await client.preview([order(price="12.01", quantity=3)])).results
    assert result.order is not None and result.order.open_value_fen == 86_472


async def test_what_margin_refuses_is_refused_in_the_preview(stage: Stage, client: ExchangeClient) -> None:
    too_much = order(symbol="H100.GUIAN.27Q2", price="12.00", quantity=100_000)
    most = await client.preview([too_much])
    (result,) = most.results
    assert result.error is not None and result.error.code == "MARGIN"
    assert most.before == most.after
    with pytest.raises(ExchangeError) as refused:
        await client.place(too_much)
    assert (refused.value.code, refused.value.message) == ("MARGIN", result.error.message)


async def test_a_key_that_only_reads_may_preview(stage: Stage, client: ExchangeClient) -> None:
    body = orjson.dumps({"items": [{"action": "new", "symbol": SYMBOL, "side": "buy", "quantity": 1}]})
    status, answer = await stage.served.raw("POST", "/v1/orders/preview", body, profile=stage.served.operator)
    assert status == 200, answer


async def test_more_previews_than_may_be_at_once_are_refused(client: ExchangeClient) -> None:
    """All threads are held up, so that every preview is still under way when the last one is asked for."""
    loop, go_on = asyncio.get_running_loop(), threading.Event()
    threads = ThreadPoolExecutor(1)
    threads.submit(go_on.wait)
    loop.set_default_executor(threads)
    asked = [asyncio.create_task(client.preview([order(price="12.10")])) for _ in range(PREVIEWS_MAX + 1)]
    try:
        (refused,), _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        answer = refused.exception()
        assert isinstance(answer, ExchangeError)
        assert (answer.code, answer.status) == ("BUSY", 503)
    finally:
        go_on.set()
        previews = await asyncio.gather(*asked, return_exceptions=True)
        loop.set_default_executor(ThreadPoolExecutor())
        threads.shutdown(wait=False)
    assert [isinstance(one, ExchangeError) for one in previews].count(False) == PREVIEWS_MAX
    assert len((await client.preview([order(price="12.10")])).results) == 1
