"""Orders over HTTP, past everything that one order doesn't need (decision 0007).

`POST /v1/orders`, `PATCH` and `DELETE /v1/orders/ID` with one signed command each make most of the requests.
aiohttp reads them as it does all others; here they are checked by the same functions, those of a turn of the
loop become one block of the sequencer, and each answer is one write. Whatever is out of the ordinary about a
request (a session's cookie, a query, a body in pieces …) isn't taken and goes through the application.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, Protocol

import numpy as np
from aiohttp import HttpVersion11, hdrs
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE, RawRequestMessage
from aiohttp.streams import EmptyStreamReader, StreamReader
from structlog.contextvars import bound_contextvars

from exchange.api.codes import RequestRefused
from exchange.api.signing import KEY_HEADER
from exchange.gateway import trading
from exchange.gateway.auth import Authenticator
from exchange.gateway.call import Route
from exchange.gateway.observe import REQUEST_ID_HEADER, Observed, request_id_of
from exchange.gateway.orders import Command, Outcome, Row, results_of, row_of
from exchange.gateway.parsing import parse_body
from exchange.gateway.repeats import submit_once
from exchange.gateway.replies import CONTENT_TYPE, Reply, answered, failed, refused
from exchange.ops.metrics import Metrics
from exchange.service.exchange import Exchange
from exchange.service.results import HotResult
from matching.records import COMMAND, Records

_ORDERS: Final = "/v1/orders"
_ORDER: Final = _ORDERS + "/"
_ID_DIGITS_MAX: Final = 20
_NO_PATH: Final[Mapping[str, str]] = MappingProxyType({})
_ACCOUNT: Final = list(COMMAND.names or ()).index("account")
_CLIENT_ID: Final = list(COMMAND.names or ()).index("client_id")


@dataclass(frozen=True, slots=True)
class _Operation:
    route: Route
    command: Callable[[Mapping[str, str], Any], Command]
    name: str


_PLACE: Final = _Operation(trading.PLACE, trading.placed, "POST /v1/orders")
_CHANGES: Final = {
    "PATCH": _Operation(trading.AMEND, trading.amended, "PATCH /v1/orders/{order_id}"),
    "DELETE": _Operation(trading.CANCEL, trading.cancelled, "DELETE /v1/orders/{order_id}"),
}


class Asker(Protocol):
    """A connection that waits for the answer to one request."""

    @property
    def remote(self) -> str | None:
        """The address at its other end."""

    def answer(self, response: bytes) -> None:
        """Take the response."""


@dataclass(slots=True)
class _Asked:
    asker: Asker
    observed: Observed
    path: str
    by: str = ""
    row: Row = ()


class OrderLane:
    """The requests of one server that are under way; bounded by one a connection."""

    def __init__(self, exchange: Exchange, authenticator: Authenticator, metrics: Metrics) -> None:
        self._exchange = exchange
        self._authenticator = authenticator
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._named: set[asyncio.Task[None]] = set()
        """Held until they end: the loop itself only remembers tasks weakly."""

    def take(self, message: RawRequestMessage, payload: StreamReader, asker: Asker) -> bool:
        """Take a request if it is one of the usual ones; then `asker` is answered once, now or later."""
        operation = _operation_of(message)
        if operation is None or not _is_usual(message, payload, operation):
            return False
        headers, method, path = message.headers, message.method, message.path
        observed = Observed(method, operation.name, request_id_of(headers), asker.remote, time.perf_counter())
        asked = _Asked(asker, observed, path)
        raw = payload.read_nowait()
        try:
            self._check(asked, operation, headers, raw)
        except Exception as raised:
            self._refuse(asked, raised)
            return True
        if asked.row[_CLIENT_ID]:
            task = self._loop.create_task(self._submit_named(asked))
            self._named.add(task)
            task.add_done_callback(self._named.discard)
            return True
        self._submit(asked)
        return True

    def _check(self, asked: _Asked, operation: _Operation, headers: Mapping[str, str], raw: bytes) -> None:
        """Authenticate and parse."""
        route, observed = operation.route, asked.observed
        caller = self._authenticator.check(
            headers, observed.method, asked.path, "", raw, str(route.scope), observed.peer
        )
        observed.account, asked.by = caller.account, caller.key_id
        body = None if route.body is None else parse_body(raw, route.body)
        path = _NO_PATH if operation is _PLACE else {"order_id": asked.path[len(_ORDER) :]}
        asked.row = row_of(self._exchange, caller.account, operation.command(path, body), {})

    def _submit(self, asked: _Asked) -> None:
        self._exchange.note_sender(asked.row[_ACCOUNT], asked.by)
        code = self._exchange.submit_row(asked.row, asked, self._told)
        if code is not None:
            self._refuse(asked, RequestRefused(code.name, code.status, code.sentence))

    def _told(self, asked: list[_Asked], commands: Records, result: HotResult) -> None:
        self._loop.call_soon(self._answer_all, asked, commands, result)

    def _answer_all(self, block: list[_Asked], commands: Records, result: HotResult) -> None:
        """Answer what became of a block."""
        try:
            outcomes = _outcomes(self._exchange, commands, result)
        except Exception as raised:
            for asked in block:
                self._refuse(asked, raised)
            return
        for asked, outcome in zip(block, outcomes, strict=True):
            self._answer(asked, outcome)

    async def _submit_named(self, asked: _Asked) -> None:
        """Submit an order with a client order id, which is done once."""
        try:
            commands = np.array([asked.row], COMMAND)
            (outcome,) = await submit_once(self._exchange, int(commands["account"][0]), asked.by, commands)
        except Exception as raised:
            self._refuse(asked, raised)
        else:
            self._answer(asked, outcome)

    def _answer(self, asked: _Asked, outcome: Outcome) -> None:
        try:
            reply = answered(trading.answer_of(self._exchange, outcome))
        except Exception as raised:
            self._refuse(asked, raised)
            return
        asked.observed.seq = self._exchange.views.seq
        self._reply(asked, reply)

    def _refuse(self, asked: _Asked, raised: Exception) -> None:
        observed = asked.observed
        if isinstance(raised, RequestRefused):
            why = raised
        else:
            with bound_contextvars(request_id=observed.request_id):
                why = failed(observed.method, asked.path, raised)
        observed.code = why.code
        self._reply(asked, refused(why))

    def _reply(self, asked: _Asked, reply: Reply) -> None:
        asked.asker.answer(_head(reply, asked.observed.request_id) + reply.body)
        asked.observed.answered(self._metrics, reply.status)


def _operation_of(message: RawRequestMessage) -> _Operation | None:
    path = message.path
    if path == _ORDERS:
        return _PLACE if message.method == "POST" else None
    operation = _CHANGES.get(message.method)
    if operation is None or not path.startswith(_ORDER):
        return None
    order_id = path[len(_ORDER) :]
    plain = order_id.isascii() and order_id.isdigit() and len(order_id) <= _ID_DIGITS_MAX
    return operation if plain else None


def _is_usual(message: RawRequestMessage, payload: StreamReader, operation: _Operation) -> bool:
    """Return whether nothing but the operation's own code has to look at the request: all of it is here, it
    is signed, and it asks for nothing special.
    """
    headers = message.headers
    if message.should_close or message.upgrade or message.chunked or message.compression:
        return False
    if message.version != HttpVersion11 or KEY_HEADER not in headers or not payload.is_eof():
        return False
    if hdrs.EXPECT in headers or hdrs.CONTENT_ENCODING in headers:
        return False
    if operation.route.body is None:
        return isinstance(payload, EmptyStreamReader)
    if isinstance(payload, EmptyStreamReader) or headers.get(hdrs.CONTENT_TYPE) != CONTENT_TYPE:
        return False
    return payload.total_bytes <= operation.route.body_bytes_max


def _outcomes(exchange: Exchange, commands: Records, result: HotResult) -> list[Outcome]:
    """Return each command's outcome; a block that was refused as a whole was so for all."""
    if result.code is None:
        return results_of(exchange, commands, result.first_seq, result.events)
    why = RequestRefused(result.code.name, result.code.status, result.code.sentence)
    return [why] * len(commands)


def _head(reply: Reply, request_id: str) -> bytes:
    """Return status line and headers as the application writes them."""
    again = "" if reply.retry_after_s is None else f"Retry-After: {reply.retry_after_s}\r\n"
    return (
        f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n"
        f"{hdrs.CONTENT_TYPE}: {CONTENT_TYPE}\r\n"
        f"{again}"
        f"{REQUEST_ID_HEADER}: {request_id}\r\n"
        f"{hdrs.CONTENT_LENGTH}: {len(reply.body)}\r\n"
        f"{hdrs.DATE}: {rfc822_formatted_time()}\r\n"
        f"{hdrs.SERVER}: {SERVER_SOFTWARE}\r\n\r\n"
    ).encode()
