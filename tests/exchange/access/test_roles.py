"""Who may ask what: every endpoint of the running server × every kind of caller, as a table.

Clauses 8.10, 9.1, 9.5, 9.11. Each caller sends each endpoint an empty request, signed and from a session:
whoever may ask gets as far as the endpoint (what it says to that is in the table), and whoever may not is
told so with the status and code of what is missing, and nothing is changed.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp
import pytest
from exchange_server import Served, serving

from exchange.api.requests import MemberKind, Role
from exchange.api.signing import signed_headers
from exchange.client import Profile
from exchange.domain.messages import SetPassword
from exchange.service.passwords import hash_password

TRADERS: Final[tuple[MemberKind, ...]] = ("provider", "enterprise", "broker", "market-maker")
OPERATORS: Final[tuple[Role, ...]] = ("market", "risk", "treasury", "admin")
SCOPES: Final = {
    "provider": {"read", "trade", "provide"},
    "enterprise": {"read", "trade"},
    "broker": {"read", "trade"},
    "market-maker": {"read", "trade"},
    **{role: {"read", "risk", "operate"} for role in OPERATORS},
    "nobody": set(),
}
PASSWORD: Final = "correct horse battery"
ANYONE: Final = ""


class Row(NamedTuple):
    """Scope and roles that an endpoint needs, and its answer to an empty request of who has them."""

    scope: str
    roles: set[str]
    answer: str


def row(scope: str, answer: str, *roles: Role) -> Row:
    return Row(scope, set(roles), answer)


TABLE: Final = {
    "GET /livez": row(ANYONE, "200"),
    "GET /readyz": row(ANYONE, "200"),
    "GET /version": row(ANYONE, "200"),
    "GET /v1/status": row(ANYONE, "200"),
    "GET /v1/calendar": row(ANYONE, "200"),
    "GET /v1/regimes": row(ANYONE, "200"),
    "GET /v1/refused-uses": row(ANYONE, "200"),
    "GET /v1/hubs": row(ANYONE, "200"),
    "GET /v1/grades": row(ANYONE, "200"),
    "GET /v1/contracts": row(ANYONE, "200"),
    "GET /v1/contracts/{symbol}": row(ANYONE, "404 UNKNOWN_SYMBOL"),
    "GET /v1/contracts/{symbol}/specification": row(ANYONE, "404 UNKNOWN_SYMBOL"),
    "GET /v1/book/{symbol}": row(ANYONE, "404 UNKNOWN_SYMBOL"),
    "GET /v1/trades/{symbol}": row(ANYONE, "404 UNKNOWN_SYMBOL"),
    "GET /v1/settlements": row(ANYONE, "200"),
    "POST /v1/orders": row("trade", "400 MALFORMED_JSON"),
    "POST /v1/orders/batch": row("trade", "400 MALFORMED_JSON"),
    "POST /v1/orders/cancel": row("trade", "400 MALFORMED_JSON"),
    "PATCH /v1/orders/{order_id}": row("trade", "400 MALFORMED_JSON"),
    "DELETE /v1/orders/{order_id}": row("trade", "404 UNKNOWN_ORDER"),
    "GET /v1/orders": row("read", "200"),
    "POST /v1/orders/preview": row("read", "400 MALFORMED_JSON"),
    "GET /v1/fills": row("read", "200"),
    "GET /v1/positions": row("read", "200"),
    "GET /v1/balances": row("read", "200"),
    "GET /v1/margin/explain": row("read", "200"),
    "GET /v1/margin/calls": row("read", "200"),
    "GET /v1/auctions": row("read", "200"),
    "POST /v1/auctions/bids": row("trade", "400 MALFORMED_JSON"),
    "GET /v1/operator/margin-calls": row("operate", "200", "risk", "treasury"),
    "POST /v1/operator/margin-runs": row("operate", "400 MALFORMED_JSON", "risk"),
    "POST /v1/operator/contributions": row("operate", "400 MALFORMED_JSON", "treasury"),
    "GET /v1/operator/claims": row("operate", "200", "risk", "treasury"),
    "GET /v1/statements": row("read", "200"),
    "GET /v1/reservations": row("read", "200"),
    "POST /v1/clients": row("trade", "400 MALFORMED_JSON"),
    "GET /v1/clients": row("read", "200"),
    "GET /v1/fees": row(ANYONE, "200"),
    "GET /v1/operator/large-positions": row("operate", "200", "market", "risk"),
    "POST /v1/operator/position-rules": row("operate", "400 MALFORMED_JSON", "risk"),
    "GET /v1/margin-rules": row(ANYONE, "200"),
    "POST /v1/operator/margin-rules": row("operate", "400 MALFORMED_JSON", "risk"),
    "GET /v1/listing": row(ANYONE, "200"),
    "POST /v1/operator/listing-rules": row("operate", "400 MALFORMED_JSON", "market"),
    "POST /v1/operator/load-profiles": row("operate", "400 MALFORMED_JSON", "market"),
    "POST /v1/operator/refused-uses": row("operate", "400 MALFORMED_JSON", "market", "risk"),
    "POST /v1/operator/revenue-split": row("operate", "400 MALFORMED_JSON", "admin"),
    "GET /v1/commissions": row("read", "200"),
    "POST /v1/commissions": row("trade", "400 MALFORMED_JSON"),
    "GET /v1/give-ups": row("read", "200"),
    "POST /v1/give-ups": row("trade", "400 MALFORMED_JSON"),
    "POST /v1/give-ups/{give_up_id}": row("trade", "400 MALFORMED_JSON"),
    "GET /v1/health-index": row(ANYONE, "503 HISTORY_UNAVAILABLE"),
    "GET /v1/health-index/{hub}": row(ANYONE, "404 UNKNOWN_HUB"),
    "POST /v1/capacity": row("provide", "400 MALFORMED_JSON"),
    "GET /v1/capacity": row("read", "200"),
    "DELETE /v1/capacity/{capacity_id}": row("provide", "404 UNKNOWN_CAPACITY"),
    "POST /v1/deliveries/readings": row("provide", "400 MALFORMED_JSON"),
    "POST /v1/sites": row("provide", "400 MALFORMED_JSON"),
    "GET /v1/sites": row("read", "200"),
    "POST /v1/sites/{site_id}/agent": row("provide", "400 MALFORMED_JSON"),
    "POST /v1/sites/{site_id}/heartbeats": row("provide", "400 MALFORMED_JSON"),
    "GET /v1/operator/sites": row("operate", "200", *OPERATORS),
    "POST /v1/capacity/{capacity_id}/attestations": row("provide", "400 MALFORMED_JSON"),
    "GET /v1/certificates": row("read", "200"),
    "POST /v1/sales": row("provide", "400 MALFORMED_JSON"),
    "GET /v1/sales": row("read", "200"),
    "POST /v1/certificates/{certificate_id}/transfers": row("provide", "400 MALFORMED_JSON"),
    "POST /v1/certificates/{certificate_id}/pledge": row("provide", "400 MALFORMED_JSON"),
    "GET /v1/operator/capacity": row("operate", "200", *OPERATORS),
    "POST /v1/operator/certification": row("operate", "400 MALFORMED_JSON", "market", "risk"),
    "GET /v1/operator/certificates": row("operate", "200", *OPERATORS),
    "POST /v1/operator/certificates": row("operate", "400 MALFORMED_JSON", "market", "risk"),
    "POST /v1/operator/certificates/{certificate_id}/transfers": row(
        "operate", "400 MALFORMED_JSON", "treasury"
    ),
    "POST /v1/operator/certificates/{certificate_id}/revoke": row(
        "operate", "400 MALFORMED_JSON", "market", "risk"
    ),
    "POST /v1/reservations/{reservation_id}/nominations": row("trade", "400 MALFORMED_JSON"),
    "POST /v1/operator/voucher-programmes": row("operate", "400 MALFORMED_JSON", "treasury"),
    "GET /v1/voucher-programmes": row("read", "200"),
    "POST /v1/voucher-programmes/{programme_id}/vouchers": row("trade", "400 MALFORMED_JSON"),
    "GET /v1/vouchers": row("read", "200"),
    "GET /v1/nominations": row("read", "200"),
    "GET /v1/buy-ins": row("read", "200"),
    "POST /v1/reservations/{reservation_id}/offers": row("trade", "400 MALFORMED_JSON"),
    "GET /v1/offers": row("read", "200"),
    "POST /v1/offers/{offer_id}/acceptances": row("trade", "400 MALFORMED_JSON"),
    "DELETE /v1/offers/{offer_id}": row("trade", "404 UNKNOWN_OFFER"),
    "DELETE /v1/nominations/{nomination_id}": row("trade", "404 UNKNOWN_NOMINATION"),
    "POST /v1/disputes": row("trade", "400 MALFORMED_JSON"),
    "GET /v1/disputes": row("read", "200"),
    "GET /v1/operator/disputes": row("operate", "200", *OPERATORS),
    "POST /v1/operator/disputes/{dispute_id}": row("operate", "400 MALFORMED_JSON", "market", "risk"),
    "GET /v1/operator/deliveries": row("operate", "200", *OPERATORS),
    "POST /v1/operator/members": row("operate", "400 MALFORMED_JSON", "admin"),
    "GET /v1/operator/members": row("operate", "200", *OPERATORS),
    "POST /v1/operator/members/{name}/state": row("risk", "400 MALFORMED_JSON", "risk", "admin"),
    "GET /v1/operator/keys": row("operate", "200", "admin"),
    "POST /v1/operator/keys": row("operate", "400 MALFORMED_JSON", "admin"),
    "DELETE /v1/operator/keys/{key_id}": row("operate", "404 UNKNOWN_KEY", "admin"),
    "POST /v1/operator/deposits": row("operate", "400 MALFORMED_JSON", "treasury"),
    "POST /v1/operator/withdrawals": row("operate", "400 MALFORMED_JSON", "treasury"),
    "GET /v1/operator/proposals": row("operate", "200", *OPERATORS),
    "POST /v1/operator/proposals/cash": row("operate", "400 MALFORMED_JSON", "treasury"),
    "POST /v1/operator/proposals/cash/{proposal_id}": row("operate", "400 MALFORMED_JSON", "treasury"),
    "POST /v1/operator/proposals/regime": row("operate", "400 MALFORMED_JSON", "market"),
    "POST /v1/operator/proposals/regime/{proposal_id}": row("operate", "400 MALFORMED_JSON", "market"),
    "POST /v1/operator/sessions": row("operate", "400 MALFORMED_JSON", "market"),
    "POST /v1/operator/closed-days": row("operate", "400 MALFORMED_JSON", "market"),
    "POST /v1/operator/proposals/restore": row("risk", "400 MALFORMED_JSON", "risk", "admin"),
    "POST /v1/operator/proposals/restore/{proposal_id}": row("risk", "400 MALFORMED_JSON", "risk", "admin"),
    "POST /v1/session": row(ANYONE, "400 MALFORMED_JSON"),
    "GET /v1/session": row(ANYONE, "401 NOT_LOGGED_IN"),
    "DELETE /v1/session": row(ANYONE, "401 NOT_LOGGED_IN"),
    "POST /v1/session/password": row(ANYONE, "400 MALFORMED_JSON"),
    "POST /v1/operator/passwords": row("operate", "400 MALFORMED_JSON", "admin"),
    "POST /v1/account/kill": row("risk", "403 ROLE_REQUIRED"),
    "POST /v1/operator/halts": row("risk", "400 MALFORMED_JSON", "market", "risk"),
    "POST /v1/operator/kill": row("risk", "400 MALFORMED_JSON", "market", "risk"),
    "GET /v1/history/status": row(ANYONE, "503 HISTORY_UNAVAILABLE"),
    "GET /v1/history/trades/{symbol}": row(ANYONE, "404 UNKNOWN_SYMBOL"),
    "GET /v1/history/candles/{symbol}": row(ANYONE, "404 UNKNOWN_SYMBOL"),
    "GET /v1/history/orders": row("read", "503 HISTORY_UNAVAILABLE"),
    "GET /v1/history/fills": row("read", "503 HISTORY_UNAVAILABLE"),
    "GET /v1/history/ledger": row("read", "503 HISTORY_UNAVAILABLE"),
    "GET /v1/history/statements": row("read", "503 HISTORY_UNAVAILABLE"),
    "GET /v1/stock": row("read", "422 INVALID_PARAMETER"),
    "POST /v1/plans": row("trade", "400 MALFORMED_JSON"),
    "GET /v1/plans": row("read", "200"),
    "GET /v1/plans/{plan_id}": row("read", "404 UNKNOWN_PLAN"),
    "DELETE /v1/plans/{plan_id}": row("trade", "404 UNKNOWN_PLAN"),
    "POST /v1/plans/{plan_id}/accept": row("trade", "400 MALFORMED_JSON"),
    "POST /v1/plans/{plan_id}/nominate": row("trade", "400 MALFORMED_JSON"),
}
"""The answer to who may ask: status, and code where the empty request is refused for itself."""


def expected(caller: str, of: Row) -> str:
    """What the rulebook says that a caller gets."""
    if of.scope != ANYONE and caller == "nobody":
        return "401 AUTHENTICATION_REQUIRED"
    if of.scope != ANYONE and of.scope not in SCOPES[caller]:
        return "403 SCOPE_REQUIRED"
    if of.roles and caller not in of.roles:
        return "403 ROLE_REQUIRED"
    return of.answer


class Asking:
    """Sends empty requests to the endpoints of a server, from one caller after the other."""

    def __init__(self, served: Served, http: aiohttp.ClientSession) -> None:
        self.served = served
        self.http = http

    async def endpoints(self) -> list[str]:
        """Return every endpoint that the running server says it has."""
        async with self.http.get("/openapi.json") as answer:
            paths = (await answer.json())["paths"]
        return [f"{method.upper()} {path}" for path, of in paths.items() for method in of]

    async def signed(self, endpoint: str, profile: Profile | None) -> str:
        method, target = _request(endpoint)
        headers = {}
        if profile is not None:
            headers = signed_headers(profile.key_id, profile.secret_bytes, method, target)
        return await self._ask(method, target, headers)

    async def log_in(self, member: str) -> dict[str, str]:
        """Return the headers of a session's requests."""
        async with self.http.post("/v1/session", json={"member": member, "password": PASSWORD}) as answer:
            token = (await answer.json())["csrf_token"]
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return {"Cookie": cookie, "Dongxi-Csrf": token}

    async def in_session(self, endpoint: str, headers: dict[str, str]) -> str:
        return await self._ask(*_request(endpoint), headers)

    async def _ask(self, method: str, target: str, headers: dict[str, str]) -> str:
        async with self.http.request(method, target, headers=headers) as answer:
            code = (await answer.json())["error"]["code"] if answer.status >= 400 else ""
        return f"{answer.status} {code}".strip()


def _request(endpoint: str) -> tuple[str, str]:
    method, _, path = endpoint.partition(" ")
    return method, re.sub(r"\{.*?\}", "1", path)


@asynccontextmanager
async def asking(folder: Path) -> AsyncIterator[tuple[Asking, dict[str, Profile | None]]]:
    """A server with a member of every kind and an operator of every role."""
    callers: dict[str, Profile | None] = {"nobody": None}
    async with (
        serving(folder) as served,
        aiohttp.ClientSession(served.base_url, cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        for kind in TRADERS:
            callers[kind] = await served.admit(f"a-{kind}", kind)
        for role in OPERATORS:
            callers[role] = await served.add_operator(f"a-{role}", role)
        yield Asking(served, http), callers


async def test_every_endpoint_of_the_server_is_in_the_table(tmp_path: Path) -> None:
    async with asking(tmp_path) as (ask, _):
        assert sorted(await ask.endpoints()) == sorted(TABLE)


async def test_each_key_may_do_what_the_table_says_and_nothing_else(tmp_path: Path) -> None:
    async with asking(tmp_path) as (ask, callers):
        wrong = []
        for endpoint in await ask.endpoints():
            for caller, profile in callers.items():
                before = ask.served.exchange.views.seq
                got, wanted = await ask.signed(endpoint, profile), expected(caller, TABLE[endpoint])
                changed = ask.served.exchange.views.seq != before
                # what is allowed may note its nonce; what is refused for who asks leaves no trace
                if got != wanted or (changed and _kept_out(got)):
                    wrong.append(f"{caller} {endpoint}: {got}, not {wanted}")
        assert wrong == []


@pytest.mark.parametrize("with_token", [True, False])
async def test_each_session_may_do_what_its_members_key_may(tmp_path: Path, with_token: bool) -> None:
    hashed = hash_password(PASSWORD)
    async with asking(tmp_path) as (ask, callers):
        wrong = []
        endpoints = [of for of in await ask.endpoints() if "/v1/session" not in of]
        for caller in [caller for caller in callers if caller != "nobody"]:
            await ask.served.exchange.submit_rare(SetPassword(member=f"a-{caller}", hash=hashed))
            headers = await ask.log_in(f"a-{caller}")
            if not with_token:
                del headers["Dongxi-Csrf"]
            for endpoint in endpoints:
                before = ask.served.exchange.views.seq
                got, wanted = await ask.in_session(endpoint, headers), expected(caller, TABLE[endpoint])
                if not with_token and TABLE[endpoint].scope and not endpoint.startswith("GET"):
                    wanted = "403 CSRF_REQUIRED"
                if got != wanted or (_kept_out(got) and ask.served.exchange.views.seq != before):
                    wrong.append(f"{caller} {endpoint}: {got}, not {wanted}")
        assert wrong == []


def _kept_out(got: str) -> bool:
    return got.startswith("401") or got in ("403 SCOPE_REQUIRED", "403 CSRF_REQUIRED")
