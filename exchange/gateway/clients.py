"""A broker and its clients: sub-accounts, and on whose account a request acts (clause 8.9)."""

from __future__ import annotations

from dataclasses import replace

from exchange.api import requests
from exchange.api.access import Client, ClientAnswer, Clients
from exchange.api.codes import RequestCode, refuse
from exchange.domain import messages
from exchange.gateway.auth import Caller
from exchange.gateway.call import Call, Route
from exchange.service.exchange import Exchange
from exchange.service.viewtypes import MemberView


def acting_for(exchange: Exchange, caller: Caller, client: str) -> Caller:
    """Return the caller with the account of one of its own clients. Raises RequestRefused UNKNOWN_CLIENT."""
    member = exchange.views.member(f"{caller.member}/{client}")
    if member is None:
        raise refuse(
            RequestCode.UNKNOWN_CLIENT,
            f"{caller.member} has no client {client[:64]!r}; GET /v1/clients lists a broker's clients.",
            "client",
        )
    return replace(caller, account=member.account)


async def add_client(call: Call) -> ClientAnswer:
    """Open a sub-account for a client; orders, positions and balances name it as `client`."""
    message = messages.AddClient(broker=call.caller.account, name=call.body.name)
    await call.submit(message)
    views = call.exchange.views
    view = views.member(f"{call.caller.member}/{call.body.name}")
    if view is None:
        raise AssertionError(f"client {call.body.name} was added and isn't there")
    return ClientAnswer(client=_client(view), as_of_seq=views.seq)


async def clients(call: Call) -> Clients:
    """Answer the broker's clients; none for a member of another kind."""
    views = call.exchange.views
    own = [_client(view) for view in views.members() if view.broker == call.caller.member]
    return Clients(clients=own, as_of_seq=views.seq)


def _client(view: MemberView) -> Client:
    name = view.name.partition("/")[2]
    return Client(name=name, account=str(view.account), cash_fen=view.cash_fen)


ROUTES = (
    Route(
        method="POST",
        path="/v1/clients",
        handler=add_client,
        answer=ClientAnswer,
        summary="Open a client's sub-account",
        tag="broker",
        scope="trade",
        body=requests.AddClient,
    ),
    Route(
        method="GET",
        path="/v1/clients",
        handler=clients,
        answer=Clients,
        summary="The broker's clients",
        tag="broker",
        scope="read",
    ),
)
