"""Every way of being wrong: its status, its stable code, a sentence; and nothing changes (clause 9.7)."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
import orjson
import pytest
import pytest_asyncio
from exchange_server import Served, serving

from exchange.api.requests import NewOrder
from exchange.api.signing import NONCE_HEADER, SIGNATURE_HEADER, signed_headers
from exchange.client import Profile
from exchange.gateway.app import ROUTES
from exchange.gateway.call import BODY_BYTES_MAX

pytestmark = pytest.mark.asyncio(loop_scope="module")
SYMBOL = "H100.GUIAN.261205"
GOOD: dict[str, Any] = {"symbol": SYMBOL, "side": "buy", "price": "11.90", "quantity": 1}
SCOPES_BY_KIND = {
    "provider": {"read", "trade", "provide"},
    "enterprise": {"read", "trade"},
    "operator": {"read", "risk", "operate"},
}


@dataclass
class Stage:
    served: Served
    member: Profile
    provider: Profile


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with serving(tmp_path_factory.mktemp("exchange")) as served:
        member = await served.admit("blue", "enterprise")
        provider = await served.admit("guian-provider", "provider")
        await served.at(9, 0)
        yield Stage(served, member, provider)


def problem(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answer["error"]
    assert set(found) == {"code", "message", "field"}
    assert found["message"].endswith(".")
    return found


def changed(**fields: Any) -> bytes:
    return orjson.dumps({name: value for name, value in (GOOD | fields).items() if value is not ...})


BAD_ORDERS = [
    (changed(symbol="H100.NOWHERE.261205"), 404, "UNKNOWN_SYMBOL", "symbol"),
    (changed(symbol="nonsense"), 404, "UNKNOWN_SYMBOL", "symbol"),
    (changed(price="11.905"), 422, "PRICE_OFF_TICK", "price"),
    (changed(price="20.00"), 422, "PRICE_OUTSIDE_LIMITS", "price"),
    (changed(price="1.00"), 422, "PRICE_OUTSIDE_LIMITS", "price"),
    (changed(price="0"), 422, "PRICE_OUTSIDE_LIMITS", "price"),
    (changed(price="999999999.99"), 422, "PRICE_OUTSIDE_LIMITS", "price"),
    (changed(price="-1.00"), 422, "INVALID_FIELD", "price"),
    (changed(price="1e3"), 422, "INVALID_FIELD", "price"),
    (changed(price=11.9), 422, "INVALID_FIELD", "price"),
    (changed(price=...), 422, "MISSING_FIELD", "price"),
    (changed(type="market"), 422, "INVALID_FIELD", "price"),
    (changed(quantity=0), 422, "INVALID_FIELD", "quantity"),
    (changed(quantity=-3), 422, "INVALID_FIELD", "quantity"),
    (changed(quantity=1.5), 422, "INVALID_FIELD", "quantity"),
    (changed(quantity=2**31), 422, "INVALID_FIELD", "quantity"),
    (changed(quantity=2**31 - 1), 422, "ORDER_TOO_LARGE", "quantity"),
    (changed(symbol="H100.GUIAN.2701", quantity=1_000_000), 409, "POSITION_LIMIT", "quantity"),
    (changed(symbol="H100.GUIAN.27Q2", quantity=100_000), 409, "MARGIN", None),
    (changed(quantity=...), 422, "MISSING_FIELD", "quantity"),
    (changed(side="both"), 422, "INVALID_FIELD", "side"),
    (changed(colour="red"), 422, "UNKNOWN_FIELD", "colour"),
    (changed(client_order_id="seven"), 422, "INVALID_FIELD", "client_order_id"),
    (b'{"symbol": ', 400, "MALFORMED_JSON", None),
    (b"\xff\xfe", 400, "MALFORMED_JSON", None),
    (b"[]", 422, "INVALID_FIELD", None),
    (b"", 400, "MALFORMED_JSON", None),
    (b'{"a":"' + b"x" * BODY_BYTES_MAX + b'"}', 413, "BODY_TOO_LARGE", None),
]


@pytest.mark.parametrize(("body", "status", "code", "field"), BAD_ORDERS)
async def test_a_bad_order(stage: Stage, body: bytes, status: int, code: str, field: str | None) -> None:
    orders_before = stage.served.exchange.views.open_orders(int(stage.member.account))
    balance_before = stage.served.exchange.views.balance(int(stage.member.account))
    reached_the_core = code in ("PRICE_OUTSIDE_LIMITS", "ORDER_TOO_LARGE", "POSITION_LIMIT", "MARGIN")
    before = stage.served.state()
    got, answer = await stage.served.raw("POST", "/v1/orders", body, profile=stage.member)
    found = problem(answer)
    assert (got, found["code"], found["field"]) == (status, code, field), found["message"]
    assert stage.served.exchange.views.open_orders(int(stage.member.account)) == orders_before
    assert stage.served.exchange.views.balance(int(stage.member.account)) == balance_before
    if not reached_the_core:
        assert stage.served.state() == before, "refused before it became a command: nothing is journaled"


async def test_the_sentence_says_what_is_allowed(stage: Stage) -> None:
    _, answer = await stage.served.raw("POST", "/v1/orders", changed(price="20.00"), profile=stage.member)
    contract = stage.served.exchange.views.contract(SYMBOL)
    assert contract is not None
    low, high = f"{contract.price_low / 100:.2f}", f"{contract.price_high / 100:.2f}"
    assert f"{low} to {high}" in problem(answer)["message"]
    _, answer = await stage.served.raw("POST", "/v1/orders", changed(colour="red"), profile=stage.member)
    assert "symbol, side, quantity" in problem(answer)["message"]


async def test_wrong_signatures(stage: Stage) -> None:
    served, member, body = stage.served, stage.member, changed()
    before = served.state()
    now = time.time_ns() // 1_000_000
    wrong_secret = msgspec.structs.replace(member, secret="00" * 32)
    unknown_key = msgspec.structs.replace(member, key_id="no-such-key")
    good = signed_headers(member.key_id, member.secret_bytes, "POST", "/v1/orders", body)
    cases = [
        (await served.raw("POST", "/v1/orders", body, profile=wrong_secret), "BAD_SIGNATURE"),
        (await served.raw("POST", "/v1/orders", body, profile=unknown_key), "BAD_SIGNATURE"),
        (await served.raw("POST", "/v1/orders", changed(quantity=2), headers=good), "BAD_SIGNATURE"),
        (await served.raw("POST", "/v1/orders/batch", body, headers=good), "BAD_SIGNATURE"),
        (
            await served.raw("POST", "/v1/orders", body, profile=member, timestamp_ms=now - 31_000),
            "STALE_TIMESTAMP",
        ),
        (
            await served.raw("POST", "/v1/orders", body, profile=member, timestamp_ms=now + 31_000),
            "STALE_TIMESTAMP",
        ),
        (await served.raw("POST", "/v1/orders", body), "AUTHENTICATION_REQUIRED"),
        (
            await served.raw("POST", "/v1/orders", body, headers=good | {NONCE_HEADER: "short"}),
            "AUTHENTICATION_REQUIRED",
        ),
        (
            await served.raw("POST", "/v1/orders", body, headers=good | {SIGNATURE_HEADER: "zz"}),
            "AUTHENTICATION_REQUIRED",
        ),
    ]
    for (status, answer), code in cases:
        assert (status, problem(answer)["code"]) == (401, code)
    unknown, known = cases[1][0][1], cases[0][0][1]
    assert unknown == known, "nobody can tell whether a key exists (clause 9.2)"
    assert served.state() == before


async def test_a_request_is_taken_once(stage: Stage) -> None:
    headers = signed_headers(stage.member.key_id, stage.member.secret_bytes, "GET", "/v1/orders")
    assert (await stage.served.raw("GET", "/v1/orders", headers=headers))[0] == 200
    status, answer = await stage.served.raw("GET", "/v1/orders", headers=headers)
    assert (status, problem(answer)["code"]) == (401, "NONCE_REPLAYED")


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "/v1/nowhere", 404, "NOT_FOUND"),
        ("PUT", "/v1/orders", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/v1/book/H100.NOWHERE.261205", 404, "UNKNOWN_SYMBOL"),
        ("GET", f"/v1/book/{SYMBOL}?depth=0", 422, "INVALID_PARAMETER"),
        ("GET", f"/v1/book/{SYMBOL}?depth=ten", 422, "INVALID_PARAMETER"),
        ("GET", f"/v1/book/{SYMBOL}?deep=10", 422, "INVALID_PARAMETER"),
        ("GET", f"/v1/book/{SYMBOL}?depth=1&depth=2", 422, "INVALID_PARAMETER"),
        ("GET", "/v1/contracts?cursor=x", 422, "INVALID_PARAMETER"),
        ("GET", "/v1/contracts?kind=year", 422, "INVALID_PARAMETER"),
        ("GET", "/v1/settlements?day=yesterday", 422, "INVALID_PARAMETER"),
        ("GET", "/v1/contracts/%F0%9F%92%A5", 404, "UNKNOWN_SYMBOL"),
        ("GET", "/v1/feed", 426, "UPGRADE_REQUIRED"),
        ("GET", "/static/", 404, "NOT_FOUND"),
    ],
)
async def test_a_bad_public_request(stage: Stage, method: str, target: str, status: int, code: str) -> None:
    got, answer = await stage.served.raw(method, target)
    assert (got, problem(answer)["code"]) == (status, code)


async def test_a_body_declared_as_something_else(stage: Stage) -> None:
    headers = {"Content-Type": "application/xml"}
    got, answer = await stage.served.raw(
        "POST", "/v1/orders", changed(), profile=stage.member, headers=headers
    )
    assert (got, problem(answer)["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_streamed_body_is_cut_off_at_the_limit(stage: Stage) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b"x" * 4_096

    async with aiohttp.ClientSession() as session:
        try:
            async with session.post(stage.served.base_url + "/v1/orders", data=endless()) as answer:
                assert answer.status == 413
        except aiohttp.ClientConnectionError:
            pass  # the server may close while the client still sends
    assert (await stage.served.raw("GET", "/livez"))[0] == 200


def filled(path: str) -> str:
    """A path with something in every place of a name or number."""
    return re.sub(r"\{.*?\}", "1", path)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.scope], ids=lambda r: r.method + r.path)
@pytest.mark.parametrize("kind", ["provider", "enterprise", "operator"])
async def test_scopes(stage: Stage, route: Any, kind: str) -> None:
    """Who lacks the scope is refused before anything else is looked at (clause 9.5)."""
    profiles = {"provider": stage.provider, "enterprise": stage.member, "operator": stage.served.operator}
    path = filled(route.path)
    got, answer = await stage.served.raw(route.method, path, profile=profiles[kind])
    if route.scope in SCOPES_BY_KIND[kind]:
        assert got != 403 or problem(answer)["code"] != "SCOPE_REQUIRED"
    else:
        assert (got, problem(answer)["code"]) == (403, "SCOPE_REQUIRED")


@pytest.mark.parametrize("route", [route for route in ROUTES if route.scope], ids=lambda r: r.method + r.path)
async def test_without_a_signature_nothing_is_told(stage: Stage, route: Any) -> None:
    path = filled(route.path)
    got, answer = await stage.served.raw(route.method, path)
    assert (got, problem(answer)["code"]) == (401, "AUTHENTICATION_REQUIRED")


@pytest.mark.parametrize(
    ("target", "body", "status", "code"),
    [
        (
            "/v1/capacity",
            {
                "grade": "H100",
                "hub": "GUIAN",
                "cards": 0,
                "first_day": "2026-12-05",
                "last_day": "2026-12-05",
            },
            422,
            "INVALID_FIELD",
        ),
        (
            "/v1/capacity",
            {"grade": "H100", "hub": "MOON", "cards": 8, "first_day": "2026-12-05", "last_day": "2026-12-05"},
            404,
            "UNKNOWN_PRODUCT",
        ),
        (
            "/v1/capacity",
            {"grade": "T4", "hub": "GUIAN", "cards": 3, "first_day": "2026-12-05", "last_day": "2026-12-05"},
            422,
            "INVALID_CAPACITY",
        ),
        (
            "/v1/capacity",
            {
                "grade": "H100",
                "hub": "GUIAN",
                "cards": 8,
                "first_day": "2026-12-05",
                "last_day": "2026-12-04",
            },
            422,
            "INVALID_CAPACITY",
        ),
        (
            "/v1/deliveries/readings",
            {
                "readings": [
                    {"reservation_id": "7", "hour_start": "2026-12-05T00:00:00+08:00", "cards_delivered": 1}
                ]
            },
            404,
            "UNKNOWN_RESERVATION",
        ),
        (
            "/v1/deliveries/readings",
            {
                "readings": [
                    {"reservation_id": "7", "hour_start": "2026-12-05T00:00:00", "cards_delivered": 1}
                ]
            },
            422,
            "INVALID_FIELD",
        ),
        ("/v1/deliveries/readings", {"readings": []}, 422, "INVALID_FIELD"),
    ],
)
async def test_a_providers_bad_requests(
    stage: Stage, target: str, body: dict[str, Any], status: int, code: str
) -> None:
    got, answer = await stage.served.raw("POST", target, orjson.dumps(body), profile=stage.provider)
    assert (got, problem(answer)["code"]) == (status, code), answer
    assert stage.served.exchange.views.capacity(int(stage.provider.account)) == []


async def test_an_enterprise_posts_no_capacity_with_a_forged_scope(stage: Stage) -> None:
    """A key may carry a scope that its member's kind doesn't allow; the core refuses all the same."""
    async with stage.served.client(stage.served.operator) as operator:
        made = await operator.add_key("blue", ["read", "provide"])
    forged = msgspec.structs.replace(stage.member, key_id=made.key_id, secret=made.secret)
    post = {"grade": "H100", "hub": "GUIAN", "cards": 8, "first_day": "2026-12-05", "last_day": "2026-12-05"}
    for target, body in (
        ("/v1/capacity", post),
        (
            "/v1/deliveries/readings",
            {
                "readings": [
                    {"reservation_id": "1", "hour_start": "2026-12-05T00:00:00+08:00", "cards_delivered": 1}
                ]
            },
        ),
    ):
        got, answer = await stage.served.raw("POST", target, orjson.dumps(body), profile=forged)
        assert (got, problem(answer)["code"]) == (403, "NOT_A_PROVIDER")


async def test_an_order_of_somebody_else_is_an_unknown_one(stage: Stage) -> None:
    """Clause 3.21: nobody else's order can be told from one that doesn't exist."""
    async with stage.served.client(stage.provider) as owner:
        placed = (await owner.place(NewOrder(symbol=SYMBOL, side="sell", price="12.50", quantity=1))).order
    answers = [
        await stage.served.raw("DELETE", f"/v1/orders/{order_id}", profile=stage.member)
        for order_id in (placed.order_id, "4611686018427387904")
    ]
    assert answers[0] == answers[1]
    assert (answers[0][0], problem(answers[0][1])["code"]) == (404, "UNKNOWN_ORDER")
    async with stage.served.client(stage.provider) as owner:
        assert (await owner.cancel(placed.order_id)).order.status == "cancelled"
