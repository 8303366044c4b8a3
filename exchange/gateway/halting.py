"""Kill switches and halts: an account's own, a contract's, a hub's, the market's."""

from __future__ import annotations

from exchange.api import requests
from exchange.api.codes import RequestCode, refuse
from exchange.api.operating import Halted, Killed, MarketKilled
from exchange.domain import messages
from exchange.gateway.call import Call, Route
from exchange.service.results import RareResult


async def kill_account(call: Call) -> Killed:
    """Cancel every open order of the member and its clients, or of the client named, and suspend it: only
    the operator lets it trade again (clause 5.4).
    """
    if call.caller.kind == "operator":
        raise refuse(RequestCode.ROLE_REQUIRED, "A kill switch is for those who trade; operators have none.")
    views = call.exchange.views
    member = views.member_of(call.caller.account)
    if member is None:
        raise AssertionError(f"account {call.caller.account} signed and has no member")
    message = messages.SetMemberState(name=member.name, state="suspended")
    result = await call.submit(message)
    return Killed(cancelled=_count(result, "cancelled"), as_of_seq=views.seq)


async def halt(call: Call) -> Halted:
    """Halt or resume a contract, all contracts of a hub, or all, on an open trading day (clause 4.7)."""
    asked: requests.Halt = call.body
    if asked.symbol is not None and asked.hub is not None:
        raise refuse(RequestCode.INVALID_FIELD, "Name a symbol or a hub, not both; neither for all.", "hub")
    if asked.hub is not None and call.exchange.views.hub_index(asked.hub) is None:
        raise refuse(
            RequestCode.UNKNOWN_HUB, f"There is no hub {asked.hub!r}; GET /v1/hubs lists them.", "hub"
        )
    message = messages.Halt(symbol=asked.symbol, hub=asked.hub, halted=asked.halted)
    result = await call.submit(message)
    return Halted(contracts=_count(result, "contracts"), as_of_seq=call.exchange.views.seq)


async def kill_market(call: Call) -> MarketKilled:
    """Halt every contract at once, and cancel every open order if asked (clause 4.8)."""
    message = messages.KillMarket(cancel_orders=call.body.cancel_orders)
    result = await call.submit(message)
    return MarketKilled(
        contracts=_count(result, "contracts"),
        cancelled=_count(result, "cancelled"),
        as_of_seq=call.exchange.views.seq,
    )


def _count(result: RareResult, name: str) -> int:
    return int((result.data or {})[name])


ROUTES = (
    Route(
        method="POST",
        path="/v1/account/kill",
        handler=kill_account,
        answer=Killed,
        summary="Kill switch: cancel all orders and stop trading",
        tag="account",
        scope="risk",
    ),
    Route(
        method="POST",
        path="/v1/operator/halts",
        handler=halt,
        answer=Halted,
        summary="Halt or resume contracts",
        tag="operator",
        scope="risk",
        roles=("market", "risk"),
        body=requests.Halt,
    ),
    Route(
        method="POST",
        path="/v1/operator/kill",
        handler=kill_market,
        answer=MarketKilled,
        summary="Kill switch: halt the market",
        tag="operator",
        scope="risk",
        roles=("market", "risk"),
        body=requests.KillMarket,
    ),
)
