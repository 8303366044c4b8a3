"""Who may ask what: every endpoint × every kind of caller, as a table (clauses 9.1, 9.5, 8.10)."""

from __future__ import annotations

import re
from pathlib import Path

from exchange_server import Served, serving

from exchange.api.requests import MemberKind, Role
from exchange.client import Profile
from exchange.gateway.app import ROUTES

TRADERS = {"provider", "enterprise", "broker", "market-maker"}
OPERATORS: tuple[Role, ...] = ("market", "risk", "treasury", "admin")
MEMBERS = TRADERS | set(OPERATORS)
ANYONE = MEMBERS | {"nobody"}

MAY: dict[str, set[str]] = {
    "GET /livez": ANYONE,
    "GET /readyz": ANYONE,
    "GET /version": ANYONE,
    "GET /v1/status": ANYONE,
    "GET /v1/hubs": ANYONE,
    "GET /v1/grades": ANYONE,
    "GET /v1/contracts": ANYONE,
    "GET /v1/contracts/{symbol}": ANYONE,
    "GET /v1/book/{symbol}": ANYONE,
    "GET /v1/trades/{symbol}": ANYONE,
    "GET /v1/settlements": ANYONE,
    "POST /v1/orders": TRADERS,
    "POST /v1/orders/batch": TRADERS,
    "POST /v1/orders/cancel": TRADERS,
    "POST /v1/orders/preview": MEMBERS,
    "PATCH /v1/orders/{order_id}": TRADERS,
    "DELETE /v1/orders/{order_id}": TRADERS,
    "GET /v1/orders": MEMBERS,
    "GET /v1/fills": MEMBERS,
    "GET /v1/positions": MEMBERS,
    "GET /v1/balances": MEMBERS,
    "GET /v1/margin/explain": MEMBERS,
    "GET /v1/statements": MEMBERS,
    "GET /v1/reservations": MEMBERS,
    "POST /v1/clients": TRADERS,
    "GET /v1/clients": MEMBERS,
    "POST /v1/capacity": {"provider"},
    "GET /v1/capacity": MEMBERS,
    "DELETE /v1/capacity/{capacity_id}": {"provider"},
    "POST /v1/deliveries/readings": {"provider"},
    "POST /v1/sites": {"provider"},
    "GET /v1/sites": MEMBERS,
    "POST /v1/sites/{site_id}/agent": {"provider"},
    "POST /v1/capacity/{capacity_id}/attestations": {"provider"},
    "GET /v1/certificates": MEMBERS,
    "POST /v1/certificates/{certificate_id}/transfers": {"provider"},
    "POST /v1/certificates/{certificate_id}/pledge": {"provider"},
    "GET /v1/operator/certificates": set(OPERATORS),
    "POST /v1/operator/certificates": {"market", "risk"},
    "POST /v1/operator/certificates/{certificate_id}/revoke": {"market", "risk"},
    "POST /v1/operator/members": {"admin"},
    "GET /v1/operator/members": set(OPERATORS),
    "POST /v1/operator/members/{name}/state": {"risk", "admin"},
    "GET /v1/operator/keys": {"admin"},
    "POST /v1/operator/keys": {"admin"},
    "DELETE /v1/operator/keys/{key_id}": {"admin"},
    "POST /v1/operator/deposits": {"treasury"},
    "POST /v1/operator/withdrawals": {"treasury"},
    "POST /v1/account/kill": set(),  # with a key of the scope risk, which traders' first keys lack
    "POST /v1/operator/halts": {"market", "risk"},
    "POST /v1/operator/kill": {"market", "risk"},
    "GET /v1/operator/proposals": set(OPERATORS),
    "POST /v1/operator/proposals/cash": {"treasury"},
    "POST /v1/operator/proposals/cash/{proposal_id}": {"treasury"},
    "POST /v1/operator/proposals/restore": {"risk", "admin"},
    "POST /v1/operator/proposals/restore/{proposal_id}": {"risk", "admin"},
    "GET /v1/history/status": ANYONE,
    "GET /v1/history/trades/{symbol}": ANYONE,
    "GET /v1/history/candles/{symbol}": ANYONE,
    "GET /v1/history/orders": MEMBERS,
    "GET /v1/history/fills": MEMBERS,
    "GET /v1/history/ledger": MEMBERS,
    "GET /v1/history/statements": MEMBERS,
}


def test_every_endpoint_is_in_the_table() -> None:
    assert set(MAY) == {f"{route.method} {route.path}" for route in ROUTES}


async def profiles(served: Served) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    kinds: tuple[MemberKind, ...] = ("provider", "enterprise", "broker", "market-maker")
    for kind in kinds:
        found[kind] = await served.admit(f"a-{kind}", kind)
    for role in OPERATORS:
        found[role] = await served.add_operator(f"a-{role}", role)
    return found


async def test_each_may_do_what_the_table_says_and_nothing_else(tmp_path: Path) -> None:
    wrong = []
    async with serving(tmp_path) as served:
        callers: dict[str, Profile | None] = {"nobody": None, **await profiles(served)}
        for route in ROUTES:
            name = f"{route.method} {route.path}"
            target = re.sub(r"\{.*?\}", "1", route.path)
            for caller, profile in callers.items():
                before = served.exchange.views.seq
                status, answer = await served.raw(route.method, target, profile=profile)
                error = answer.get("error")
                code = error["code"] if isinstance(error, dict) else ""
                kept_out = code in ("AUTHENTICATION_REQUIRED", "SCOPE_REQUIRED", "ROLE_REQUIRED")
                if kept_out != (caller not in MAY[name]):
                    wrong.append(f"{caller} {name}: {status} {code}")
                if kept_out and served.exchange.views.seq != before:
                    wrong.append(f"{caller} {name} was kept out and changed something")
    assert wrong == []
