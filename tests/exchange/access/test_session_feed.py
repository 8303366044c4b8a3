"""The account's own channel for a page of the exchange, opened with a session (clause 9.11)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from exchange_server import Served, serving

from exchange.api.plans import NewPlan
from exchange.api.requests import NewOrder
from exchange.client import Profile

PASSWORD = "correct horse battery"
SYMBOL = "H100.GUIAN.261205"
WORKLOAD = {"id": "far", "origin": "Shanghai", "grade": "H100", "cards": 3}


class Page:
    """A browser's cookies, and the token that a page of this site would read."""

    def __init__(self, served: Served, http: aiohttp.ClientSession, csrf_token: str) -> None:
        self.served, self.http, self.csrf_token = served, http, csrf_token

    @asynccontextmanager
    async def feed(self, **headers: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self.http.ws_connect(self.served.base_url + "/v1/feed", headers=headers) as socket:
            yield socket

    async def log_on(self, socket: aiohttp.ClientWebSocketResponse, token: str | None = None) -> Any:
        """Log on and return the answer."""
        given = self.csrf_token if token is None else token
        await socket.send_json({"op": "logon_session", "csrf_token": given})
        return await heard(socket, "welcome", "error")

    async def log_out(self) -> None:
        headers = {"Dongxi-Csrf": self.csrf_token}
        async with self.http.delete(self.served.base_url + "/v1/session", headers=headers) as answer:
            assert answer.status == 200


async def heard(socket: aiohttp.ClientWebSocketResponse, *kinds: str) -> Any:
    """The next message of one of these kinds."""
    while True:
        message = await socket.receive_json(timeout=30)
        if message["type"] in kinds:
            return message


@asynccontextmanager
async def logged_in(served: Served, profile: Profile) -> AsyncIterator[Page]:
    async with served.client(served.operator) as operator:
        await operator.set_password(profile.member, PASSWORD)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        body = {"member": profile.member, "password": PASSWORD}
        async with http.post(served.base_url + "/v1/session", json=body) as answer:
            token = (await answer.json())["csrf_token"]
        yield Page(served, http, token)


async def test_a_page_hears_of_its_account_and_sends_no_orders(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        blue = await served.admit("blue", "enterprise")
        await served.at(9, 30)
        async with logged_in(served, blue) as page, page.feed(Origin=served.base_url) as socket:
            welcome = await page.log_on(socket)
            assert (welcome["type"], welcome["account"]) == ("welcome", blue.account)
            async with served.client(blue) as client:
                await client.place(NewOrder(symbol=SYMBOL, side="buy", price="11.85", quantity=2))
            while not (news := await heard(socket, "account"))["orders"]:
                pass
            assert (news["orders"][0]["event"], news["orders"][0]["open_quantity"]) == ("accepted", 2)
            item = {"action": "new", "symbol": SYMBOL, "side": "buy", "price": "11.85", "quantity": 1}
            await socket.send_json({"op": "orders", "id": "1", "items": [item]})
            refused = await heard(socket, "error")
            assert (refused["code"], refused["id"]) == ("SCOPE_REQUIRED", "1")
            again = await page.log_on(socket)
            assert again["code"] == "INVALID_FIELD"


async def test_another_sites_page_and_a_wrong_token_are_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        blue = await served.admit("blue", "enterprise")
        async with logged_in(served, blue) as page:
            async with page.feed(Origin="https://evil.example") as socket:
                assert (await page.log_on(socket))["code"] == "CSRF_REQUIRED"
            async with page.feed(Origin=served.base_url) as socket:
                for wrong in ("", page.csrf_token[:-1], "é"):
                    assert (await page.log_on(socket, wrong))["code"] == "CSRF_REQUIRED"
        stranger = aiohttp.ClientSession()
        async with stranger, stranger.ws_connect(served.base_url + "/v1/feed") as socket:
            await socket.send_json({"op": "logon_session", "csrf_token": "x"})
            assert (await heard(socket, "error"))["code"] == "NOT_LOGGED_IN"


async def test_the_channel_ends_with_the_session(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        blue = await served.admit("blue", "enterprise")
        async with logged_in(served, blue) as page, page.feed() as socket:
            await page.log_on(socket)
            await page.log_out()
            while not (message := await socket.receive(timeout=30)).type.name.startswith("CLOSE"):
                pass
            assert (message.data, socket.close_code) == (1008, 1008)


async def test_a_page_watches_its_members_plans(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        blue, red = await served.admit("blue", "enterprise"), await served.admit("red", "enterprise")
        await served.at(9, 30)
        async with served.client(blue) as client:
            posted = await client.plan(NewPlan(workloads=[WORKLOAD], first_day="2026-12-05"))
            await client.cancel_plan(posted.plan.plan_id)
        events = f"{served.base_url}/v1/plans/{posted.plan.plan_id}/events"
        async with logged_in(served, blue) as page:
            async with page.http.get(events, headers={"Origin": served.base_url}) as answer:
                assert (answer.status, answer.content_type) == (200, "text/event-stream")
                state, _, shown = (await answer.text()).rstrip().rpartition("event: ")[2].partition("\n")
                assert (state, posted.plan.plan_id) == ("cancelled", json.loads(shown[6:])["plan"]["plan_id"])
            assert await refusal(page.http, events, Origin="https://evil.example") == "CSRF_REQUIRED"
            await page.log_out()
            assert await refusal(page.http, events) == "AUTHENTICATION_REQUIRED"
        async with logged_in(served, red) as page:
            assert await refusal(page.http, events) == "UNKNOWN_PLAN"


async def refusal(http: aiohttp.ClientSession, url: str, **headers: str) -> str:
    """The code of the refusal of a GET."""
    async with http.get(url, headers=headers) as answer:
        return str((await answer.json())["error"]["code"])
