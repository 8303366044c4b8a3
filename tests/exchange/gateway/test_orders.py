"""Every order type and attribute over HTTP, against chapter 3 of the rulebook."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
import pytest_asyncio
from order_stage import SYMBOL, Stage, facing, order, staged

from exchange.api.answers import ProblemAnswer
from exchange.client import ExchangeClient

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROTOCOL = Path(__file__).parents[3] / "docs/protocol.md"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("exchange")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def client(stage: Stage) -> AsyncIterator[ExchangeClient]:
    """The member's client; the maker offers 4 lots at 12.10 and bids for 4 at 11.80, nothing else is open."""
    async with facing(
        stage,
        order(side="sell", price="12.10", quantity=4),
        order(side="buy", price="11.80", quantity=4),
    ) as member:
        yield member


TAKEN = [
    ("3.14", {"price": "11.90"}, "resting", [], None),
    ("3.18", {"price": "12.10", "quantity": 2}, "filled", [("12.10", 2)], None),
    ("3.18", {"type": "market", "quantity": 3}, "filled", [("12.10", 3)], None),
    ("3.14", {"type": "market", "quantity": 6}, "cancelled", [("12.10", 4)], "UNFILLED"),
    ("3.18", {"type": "market_to_limit", "quantity": 6}, "resting", [("12.10", 4)], None),
    ("3.14", {"price": "12.10", "quantity": 6, "time_in_force": "ioc"}, "cancelled", [("12.10", 4)],
     "IMMEDIATE_OR_CANCEL"),
    ("3.19", {"price": "12.10", "quantity": 6, "time_in_force": "fok"}, "cancelled", [], "FILL_OR_KILL"),
    ("3.19", {"price": "12.10", "quantity": 6, "minimum_quantity": 5}, "cancelled", [], "MIN_QUANTITY"),
    ("3.19", {"price": "12.10", "quantity": 6, "minimum_quantity": 4}, "resting", [("12.10", 4)], None),
    ("3.14", {"type": "stop", "trigger_price": "12.40"}, "resting", [], None),
    ("3.13", {"type": "market", "time_in_force": "at_close"}, "resting", [], None),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "fields", "status", "fills", "reason"), TAKEN)
async def test_what_becomes_of_it(
    client: ExchangeClient, clause: str, fields: dict[str, Any], status: str, fills: list[Any], reason: str
) -> None:
    result = (await client.place(order(**fields))).order
    assert (result.status, result.reason) == (status, reason), clause
    assert [(fill.price, fill.quantity) for fill in result.fills] == fills, clause
    total = fields.get("quantity", 1)
    assert result.open_quantity == (total - sum(lots for _, lots in fills) if status == "resting" else 0)


SHOWN: list[dict[str, Any]] = [
    {"price": "11.90", "time_in_force": "gtc", "group": 65_535},
    {"price": "11.90", "time_in_force": "gtd", "expiry_day": "2026-12-04"},
    {"price": "11.90", "quantity": 9, "display_quantity": 2},
    {"price": "11.90", "post_only": "reject"},
    {"price": "11.90", "self_trade_prevention": "decrement"},
    {"type": "stop", "trigger_price": "12.40", "reduce_only": True},
    {"type": "stop_limit", "trigger_price": "12.40", "price": "12.50"},
    {"type": "trailing_stop", "trailing_offset": "0.20"},
    {"price": "12.00", "time_in_force": "at_close"},
]


@pytest.mark.parametrize("fields", SHOWN)
async def test_open_orders_show_what_was_asked(client: ExchangeClient, fields: dict[str, Any]) -> None:
    asked = order(client_order_id=str(1 + SHOWN.index(fields)), **fields)
    placed = (await client.place(asked)).order
    (row,) = await client.orders()
    shown = msgspec.structs.asdict(row)
    expected = msgspec.structs.asdict(asked) | {"order_id": placed.order_id}
    del expected["minimum_quantity"]  # it holds at entry only
    if asked.type == "trailing_stop":
        del expected["trigger_price"]  # where it trails now
        assert row.trigger_price is not None
    assert {name: shown[name] for name in expected} == expected
    assert row.shown_quantity == fields.get("display_quantity", row.quantity)


REFUSED = [
    ({}, 422, "MISSING_FIELD", "price"),
    ({"type": "market", "price": "12.00"}, 422, "INVALID_FIELD", "price"),
    ({"type": "stop"}, 422, "MISSING_FIELD", "trigger_price"),
    ({"price": "12.00", "trigger_price": "12.00"}, 422, "INVALID_FIELD", "trigger_price"),
    ({"type": "stop", "trigger_price": "99.00"}, 422, "TRIGGER_OUTSIDE_LIMITS", "trigger_price"),
    ({"type": "stop", "trigger_price": "12.001"}, 422, "PRICE_OFF_TICK", "trigger_price"),
    ({"type": "trailing_stop"}, 422, "MISSING_FIELD", "trailing_offset"),
    ({"type": "trailing_stop", "trailing_offset": "0"}, 422, "INVALID_OFFSET", "trailing_offset"),
    ({"price": "12.00", "time_in_force": "gtd"}, 422, "MISSING_FIELD", "expiry_day"),
    ({"price": "12.00", "expiry_day": "2026-12-04"}, 422, "INVALID_FIELD", "expiry_day"),
    ({"price": "12.00", "time_in_force": "gtd", "expiry_day": "1970-01-01"}, 422, "INVALID_EXPIRY",
     "expiry_day"),
    ({"price": "12.00", "time_in_force": "gtd", "expiry_day": "2500-01-01"}, 422, "INVALID_FIELD",
     "expiry_day"),
    ({"price": "12.00", "display_quantity": 2}, 422, "INVALID_DISPLAY", "display_quantity"),
    ({"price": "12.00", "minimum_quantity": 2}, 422, "INVALID_MIN_QUANTITY", "minimum_quantity"),
    ({"type": "market", "display_quantity": 1}, 422, "INVALID_COMBINATION", "display_quantity"),
    ({"type": "market", "post_only": "slide"}, 422, "INVALID_COMBINATION", "post_only"),
    ({"price": "12.00", "reduce_only": True}, 422, "INVALID_COMBINATION", "reduce_only"),
    ({"price": "12.00", "time_in_force": "fok", "minimum_quantity": 1}, 422, "INVALID_COMBINATION",
     "minimum_quantity"),
    ({"type": "stop", "trigger_price": "12.40", "time_in_force": "ioc"}, 422, "INVALID_COMBINATION",
     "time_in_force"),
    ({"price": "12.00", "time_in_force": "at_open"}, 409, "NOT_IN_THIS_PHASE", "time_in_force"),
    ({"price": "12.10", "post_only": "reject"}, 409, "POST_ONLY_WOULD_TRADE", "post_only"),
    ({"price": "12.00", "group": 65_536}, 422, "INVALID_FIELD", "group"),
    ({"price": "12.00", "self_trade_prevention": "perhaps"}, 422, "INVALID_FIELD", "self_trade_prevention"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status", "code", "field"), REFUSED)
async def test_refusals_name_the_field(
    stage: Stage, client: ExchangeClient, fields: dict[str, Any], status: int, code: str, field: str
) -> None:
    body = orjson.dumps({"symbol": SYMBOL, "side": "buy", "quantity": 1} | fields)
    got, answer = await stage.served.raw("POST", "/v1/orders", body, profile=stage.member)
    problem = msgspec.convert(answer, ProblemAnswer).error
    assert (got, problem.code, problem.field) == (status, code, field), problem.message
    assert await client.orders() == []


async def test_post_only_slides_below_the_best_offer(client: ExchangeClient) -> None:
    """Clause 3.16."""
    assert (await client.place(order(price="12.30", post_only="slide"))).order.price == "12.09"


async def test_a_stops_trigger_is_amended(client: ExchangeClient) -> None:
    """Clause 3.20."""
    placed = (await client.place(order(type="stop", trigger_price="12.40"))).order
    await client.amend(placed.order_id, trigger_price="12.30")
    assert [row.trigger_price for row in await client.orders()] == ["12.30"]


async def test_self_trade_prevention(client: ExchangeClient) -> None:
    """Clause 3.22."""
    await client.place(order(side="sell", price="12.00", quantity=2))
    taking = order(price="12.00", quantity=2, self_trade_prevention="cancel_taking")
    result = (await client.place(taking)).order
    assert (result.status, result.reason, result.fills) == ("cancelled", "SELF_TRADE", [])
    assert len(await client.orders()) == 1


async def test_mass_cancel_by_each_filter(stage: Stage, client: ExchangeClient) -> None:
    """Clause 3.27."""
    other = "H100.GUIAN.2701"
    for fields in ({"group": 3}, {"side": "sell", "price": "12.00"}, {"symbol": other}, {}):
        await client.place(order(**({"price": "11.90"} | fields)))
    assert (await client.cancel_all(hub="SHAOGUAN")).cancelled == 0
    assert (await client.cancel_all(group=3)).cancelled == 1
    assert (await client.cancel_all(symbol=other)).cancelled == 1
    assert (await client.cancel_all(side="sell")).cancelled == 1
    assert (await client.cancel_all(hub="GUIAN")).cancelled == 1
    assert (await client.cancel_all()).cancelled == 0
    for body, field in ((b'{"hub":"MOON"}', "hub"), (b'{"symbol":"A.B.C"}', "symbol")):
        status, answer = await stage.served.raw("POST", "/v1/orders/cancel", body, profile=stage.member)
        problem = msgspec.convert(answer, ProblemAnswer).error
        assert (status, problem.code, problem.field) == (404, f"UNKNOWN_{field.upper()}", field)


async def test_each_example_of_the_protocol_page_is_taken(stage: Stage, client: ExchangeClient) -> None:
    found = re.search(r"```json orders\n(.*?)```", PROTOCOL.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    for example in orjson.loads(found[1]):
        status, answer = await stage.served.raw(
            "POST", "/v1/orders", orjson.dumps(example), profile=stage.member
        )
        assert status == 200, (example, answer)
