"""Every request gets an id, a line in the log and a place in the figures."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from exchange.ops.metrics import CONTENT_TYPE, Metrics

REQUEST_ID_HEADER: Final = "X-Request-Id"
GATEWAY: Final = "http"
ACCOUNT: Final = web.RequestKey("account", int)
SEQ: Final = web.RequestKey("seq", int)
CODE: Final = web.RequestKey("code", str)

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_LOG = structlog.get_logger("gateway")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def observing(metrics: Metrics) -> Middleware:
    """Return the outermost middleware. It keeps a caller's request id if that is a plain short word.

    What changes something, and every failure of the server, is logged; reads are only at level debug.
    """

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        given = request.headers.get(REQUEST_ID_HEADER, "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = await handler(request)
            if not response.prepared:
                response.headers[REQUEST_ID_HEADER] = request_id
            seconds = time.perf_counter() - began
            operation = f"{request.method} {_path_of(request)}"
            metrics.requested(GATEWAY, operation, response.status, seconds)
            if code := request.get(CODE):
                metrics.refused(GATEWAY, code)
            _log(request, operation, response.status, seconds)
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


def _log(request: web.Request, operation: str, status: int, seconds: float) -> None:
    said = {"operation": operation, "status": status, "ms": round(seconds * 1000, 3), "peer": request.remote}
    known = {"account": request.get(ACCOUNT), "seq": request.get(SEQ), "code": request.get(CODE)}
    said |= {name: value for name, value in known.items() if value is not None}
    if status >= 500:
        _LOG.warning("request", **said)
    elif request.method in _READS:
        _LOG.debug("request", **said)
    else:
        _LOG.info("request", **said)
