"""What a handler gets, and how an endpoint is described: once, for routing, checking and the OpenAPI page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal, get_args

import msgspec

from exchange.api import requests
from exchange.api.answers import Answer, Done
from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.api.requests import NoParameters, Role, Scope
from exchange.domain.messages import RareMessage
from exchange.gateway.auth import Caller
from exchange.gateway.heartbeats import Heartbeats
from exchange.gateway.screens import Browser, Screens
from exchange.history.reader import HistoryReader
from exchange.planning.jobs import PlanJobs
from exchange.service.exchange import Exchange
from exchange.service.results import RareResult

RETRIABLE = frozenset({429, 503})
"""Statuses that come with `Retry-After`."""

BODY_BYTES_MAX = 64 * 1024
BATCH_BYTES_MAX = 1024 * 1024
_FIELD = re.compile(r"([a-z_]+)(\[\d+\])?(\.[a-z_]+)?")
_FIELD_NAMES = frozenset(
    field.name
    for struct in vars(requests).values()
    if isinstance(struct, type) and issubclass(struct, msgspec.Struct)
    for field in msgspec.structs.fields(struct)
)
_OF_ACCOUNTS = ("orders", "account", "history")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, authenticated and parsed. `caller` is None only where the route has no scope."""

    exchange: Exchange
    path: Mapping[str, str]
    query: Any
    body: Any
    signed_by: Caller | None
    history: HistoryReader
    plans: PlanJobs
    screens: Screens
    browser: Browser
    heartbeats: Heartbeats

    @property
    def caller(self) -> Caller:
        """The member who signed; only handlers of routes with a scope may ask."""
        if self.signed_by is None:
            raise AssertionError("a route without a scope asked who signed")
        return self.signed_by

    async def submit(self, message: RareMessage) -> RareResult:
        """Submit a rare command in the caller's name; return its result if it was applied.

        Raises RequestRefused with its code otherwise.
        """
        signed = msgspec.structs.replace(message, by=self.caller.key_id)
        return accepted(await self.exchange.submit_rare(signed))

    async def done(self, message: RareMessage) -> Done:
        """Submit a rare command that has nothing more to answer. Raises RequestRefused as `submit`."""
        await self.submit(message)
        return Done(as_of_seq=self.exchange.views.seq)


Handler = Callable[[Call], Awaitable[Answer]]


ANY_OPERATOR: Final[tuple[Role, ...]] = get_args(Role)
"""Every role of an operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint. `scope` None means that anyone may ask; a route with a `body` takes JSON."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    handler: Handler
    answer: type[Answer]
    summary: str
    tag: str
    scope: Scope | None = None
    roles: tuple[Role, ...] = ()
    """Of these roles an operator needs one (clause 8.10); empty: a member of any kind may ask."""
    query: type[msgspec.Struct] = NoParameters
    body: type[msgspec.Struct] | None = None
    body_bytes_max: int = BODY_BYTES_MAX
    path_help: Mapping[str, str] = field(default_factory=dict)
    statuses: tuple[int, ...] = ()
    """HTTP statuses of refusals that other endpoints don't have."""

    @property
    def for_clients(self) -> bool:
        """Whether a broker may name one of its clients in the query parameter `client`."""
        return self.scope is not None and self.tag in _OF_ACCOUNTS


FROM_HISTORY: Final = partial(Route, method="GET", statuses=(504,))
"""An endpoint that the history answers; a question may take it too long (HISTORY_TIMEOUT)."""


def check_role(route: Route, caller: Caller) -> None:
    """Raise RequestRefused ROLE_REQUIRED if the caller has none of the roles that the route asks for."""
    if route.roles and not set(route.roles) & set(caller.roles):
        raise refuse(
            RequestCode.ROLE_REQUIRED, f"This is for operators with the role {' or '.join(route.roles)}."
        )


def accepted(result: RareResult) -> RareResult:
    """Return the result of a rare command that was applied; raises RequestRefused with its code otherwise."""
    if result.code is None:
        return result
    code, detail = result.code, result.detail
    named = _FIELD.fullmatch(detail)
    if named is not None and named[1] in _FIELD_NAMES:
        raise RequestRefused(code.name, code.status, code.sentence, detail)
    sentence = f"{code.sentence.removesuffix('.')} ({detail})." if detail else code.sentence
    raise RequestRefused(code.name, code.status, sentence)
