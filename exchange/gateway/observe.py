"""Every request gets an id, a line in the log and a place in the figures."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from logging import DEBUG, INFO, WARNING, getLogger
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from exchange.ops.log import gathering_file
from exchange.ops.metrics import CONTENT_TYPE, Metrics

REQUEST_ID_HEADER: Final = "X-Request-Id"
GATEWAY: Final = "http"

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_LOG = structlog.get_logger("gateway")
_STANDARD_LOG: Final = getLogger("gateway")
"""Where structlog writes to; asked first whether a line is wanted, which costs a tenth."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def request_id_of(headers: Mapping[str, str]) -> str:
    """Return a caller's request id if that is a plain short word, else a new one."""
    given = headers.get(REQUEST_ID_HEADER, "")
    return given if _ID.fullmatch(given) else secrets.token_hex(8)


@dataclass(slots=True)
class Observed:
    """One request on its way, for the log and the figures; times from `time.perf_counter`, seconds."""

    method: str
    operation: str
    """Method and path as the endpoint is declared."""
    request_id: str
    peer: str | None
    began: float
    account: int | None = None
    seq: int | None = None
    code: str | None = None
    """Why it was refused."""

    def answered(self, metrics: Metrics, status: int) -> None:
        """Count and log the request. What changes something, and every failure of the server, is logged;
        reads are only at level debug.
        """
        seconds = time.perf_counter() - self.began
        metrics.requested(GATEWAY, self.operation, status, seconds)
        if self.code is not None:
            metrics.refused(GATEWAY, self.code)
        level = WARNING if status >= 500 else DEBUG if self.method in _READS else INFO
        if _STANDARD_LOG.isEnabledFor(level):
            self._log(level, status, seconds)

    def _log(self, level: int, status: int, seconds: float) -> None:
        known = {"account": self.account, "seq": self.seq, "code": self.code}
        fields = {
            "request_id": self.request_id,
            "operation": self.operation,
            "status": status,
            "ms": round(seconds * 1000, 3),
            "peer": self.peer,
            **{name: value for name, value in known.items() if value is not None},
        }
        file = gathering_file() if level == INFO else None
        if file is None:
            _LOG.log(level, "request", **fields)
        else:
            file.gather("info", _STANDARD_LOG.name, "request", fields)


OBSERVED: Final = web.RequestKey("observed", Observed)


def observing(metrics: Metrics) -> Middleware:
    """Return the outermost middleware: what is logged on the way carries the request's id."""

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        operation = f"{request.method} {_path_of(request)}"
        request_id = request_id_of(request.headers)
        observed = Observed(request.method, operation, request_id, request.remote, time.perf_counter())
        request[OBSERVED] = observed
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = await handler(request)
        if not response.prepared:
            response.headers[REQUEST_ID_HEADER] = request_id
        observed.answered(metrics, response.status)
        return response

    return observe


def add_metrics(app: web.Application, metrics: Metrics, *, to_anyone: bool) -> None:
    """Serve the figures at /metrics: to this machine, or to anyone who asks."""

    async def show(request: web.Request) -> web.Response:
        if not to_anyone and request.remote not in _LOOPBACK:
            raise web.HTTPNotFound
        return web.Response(body=metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    app.router.add_get("/metrics", show)


def _path_of(request: web.Request) -> str:
    """Return the endpoint's path as it is declared; one word for whatever isn't an endpoint."""
    resource = request.match_info.route.resource
    return "elsewhere" if resource is None else resource.canonical
