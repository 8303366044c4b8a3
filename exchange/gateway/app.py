"""The HTTP application: every endpoint is authenticated, parsed, handled and answered the same way."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import orjson
from aiohttp import web

from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.gateway import (
    account,
    brokerage,
    calendar,
    certifying,
    clients,
    defaults,
    delivering,
    halting,
    health,
    history,
    listing,
    login,
    margins,
    operating,
    planning,
    positions,
    preview,
    primary,
    proposals,
    providing,
    public,
    regimes,
    reselling,
    selling,
    specification,
    trading,
    uses,
    vouchers,
)
from exchange.gateway.auth import Authenticator
from exchange.gateway.call import Call, Route, check_role
from exchange.gateway.feed import FeedHub
from exchange.gateway.heartbeats import Heartbeats
from exchange.gateway.identify import Doors
from exchange.gateway.lane import OrderLane
from exchange.gateway.observe import OBSERVED, add_metrics, observing
from exchange.gateway.openapi import document
from exchange.gateway.parsing import parse_body, parse_query
from exchange.gateway.protocol import LANE
from exchange.gateway.rates import UNLIMITED, RateLimit, Rates
from exchange.gateway.replies import CONTENT_TYPE, Reply, answered, failed, refused
from exchange.gateway.screens import Screens, browser_of
from exchange.history.mark import DurableMark, history_folder
from exchange.history.reader import HistoryReader
from exchange.ops.metrics import Metrics
from exchange.planning.jobs import PlanJobs
from exchange.service.exchange import Exchange

ROUTES: Final = (
    *public.ROUTES,
    *calendar.ROUTES,
    *regimes.ROUTES,
    *specification.ROUTES,
    *trading.ROUTES,
    *preview.ROUTES,
    *account.ROUTES,
    *clients.ROUTES,
    *brokerage.ROUTES,
    *defaults.ROUTES,
    *providing.ROUTES,
    *primary.ROUTES,
    *certifying.ROUTES,
    *selling.ROUTES,
    *delivering.ROUTES,
    *vouchers.ROUTES,
    *reselling.ROUTES,
    *operating.ROUTES,
    *proposals.ROUTES,
    *login.ROUTES,
    *halting.ROUTES,
    *planning.ROUTES,
    *history.ROUTES,
    *health.ROUTES,
    *positions.ROUTES,
    *uses.ROUTES,
    *listing.ROUTES,
    *margins.ROUTES,
)
"""Every endpoint; routing, `/openapi.json` and the tests read this table."""

_STATIC: Final = Path(__file__).parent / "static"
_PAGES: Final = {
    "/": "market.html",
    "/provider": "provider.html",
    "/enterprise": "enterprise.html",
    "/operator": "operator.html",
    "/login": "login.html",
    "/docs": "docs.html",
    "/contracts/{symbol}": "contract.html",
}

Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(
    exchange: Exchange,
    metrics: Metrics | None = None,
    *,
    metrics_to_anyone: bool = False,
    rate_limit: RateLimit = UNLIMITED,
    monotonic: Callable[[], float] = time.monotonic,
) -> web.Application:
    """Return the application that serves `exchange`; its feed ends with the application.

    `/metrics` shows `metrics`, which begin here to watch the exchange, to this machine or to anyone.
    `rate_limit` holds for each key, and for the sessions of each member; by `monotonic` agents fall silent.
    """
    metrics = metrics or Metrics()
    metrics.watch(exchange)
    app = web.Application(middlewares=[observing(metrics), _answer_everything])
    add_metrics(app, metrics, to_anyone=metrics_to_anyone)
    rates = Rates(rate_limit)
    authenticator = Authenticator(exchange, rates=rates)
    app[LANE] = OrderLane(exchange, authenticator, metrics)
    screens = Screens(exchange, rates)
    doors = Doors(authenticator, screens)
    folder = history_folder(exchange.config.data_dir)
    mark, reader = DurableMark(folder), HistoryReader(folder)
    metrics.gauge("dongxi_history_seq", "Last command in the history.", lambda: mark.folded)
    metrics.collect(health.Gauges(exchange, folder))
    plans, heartbeats = PlanJobs(), Heartbeats(monotonic)
    metrics.gauge(
        "dongxi_silent_sites",
        "Sites whose agents should have spoken.",
        lambda: heartbeats.silent_count(exchange.views.primary.sites),
    )
    for route in ROUTES:
        path = _unambiguous(route.path)
        endpoint = _endpoint(route, exchange, doors, reader, plans, heartbeats)
        app.router.add_route(route.method, path, endpoint)
    app.router.add_get(planning.EVENTS_PATH, planning.events(plans, doors))
    app.on_shutdown.append(_ending(plans))
    app.on_cleanup.append(_closing(reader))
    feed = FeedHub(exchange, authenticator, screens, metrics)
    app.router.add_get("/v1/feed", feed.serve)
    app.on_startup.append(feed.start)
    app.on_shutdown.append(feed.stop)
    _add_pages(app)
    return app


def _unambiguous(path: str) -> str:
    """Return a path as it is routed: a parameter at its end isn't taken for an endpoint's own name, whose
    answer to another method is 405.
    """
    folder, _, last = path.rpartition("/")
    named = [route.path.rpartition("/")[2] for route in ROUTES if route.path.rpartition("/")[0] == folder]
    beside = [name for name in named if not name.startswith("{")]
    if not last.startswith("{") or not beside:
        return path
    return f"{folder}/{last[:-1]}:(?!(?:{'|'.join(map(re.escape, beside))})$)[^{{}}/]+}}"


def _closing(reader: HistoryReader) -> Callable[[web.Application], Awaitable[None]]:
    async def close(_: web.Application) -> None:
        await asyncio.to_thread(reader.close)

    return close


def _ending(plans: PlanJobs) -> Callable[[web.Application], Awaitable[None]]:
    async def end(_: web.Application) -> None:
        await plans.close()

    return end


def _endpoint(
    route: Route,
    exchange: Exchange,
    doors: Doors,
    history_reader: HistoryReader,
    plans: PlanJobs,
    heartbeats: Heartbeats,
) -> Endpoint:
    async def serve(request: web.Request) -> web.StreamResponse:
        raw = await read_body(request, route.body_bytes_max)
        browser = browser_of(request)
        query = request.raw_path.partition("?")[2]
        caller = None if route.scope is None else doors.caller(request, browser, raw, route.scope)
        given = dict(request.query) if query else {}
        if caller is not None:
            check_role(route, caller)
            if route.for_clients and "client" in given:
                caller = clients.acting_for(exchange, caller, given.pop("client"))
            request[OBSERVED].account = caller.account
        parameters = parse_query(
            given, bool(query) and len(request.query) != len(set(request.query)), route.query
        )
        body = None if route.body is None else parse_body(raw, route.body)
        path, screens = request.match_info, doors.screens
        call = Call(
            exchange, path, parameters, body, caller, history_reader, plans, screens, browser, heartbeats
        )
        answer = await route.handler(call)
        request[OBSERVED].seq = exchange.views.seq
        response = _response(answered(answer))
        if browser.set_cookie is not None:
            response.headers["Set-Cookie"] = browser.set_cookie
        if route.tag == "session":
            response.headers["Cache-Control"] = "no-store"
        return response

    return serve


async def read_body(request: web.Request, bytes_max: int) -> bytes:
    """Return the body. Raises RequestRefused: BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE."""
    if (request.content_length or 0) > bytes_max:
        raise _too_large(bytes_max)
    if request.body_exists and request.content_type not in ("application/json", "application/octet-stream"):
        raise refuse(
            RequestCode.UNSUPPORTED_MEDIA_TYPE,
            f"The body is declared as {request.content_type}; send JSON with Content-Type: application/json.",
        )
    if request.content_length is not None and "Content-Encoding" not in request.headers:
        try:
            return await request.content.readexactly(request.content_length)  # it isn't longer
        except asyncio.IncompleteReadError as short:
            return short.partial
    raw = bytearray()
    async for chunk in request.content.iter_chunked(bytes_max + 1):
        raw += chunk
        if len(raw) > bytes_max:
            raise _too_large(bytes_max)
    return bytes(raw)


def _too_large(bytes_max: int) -> RequestRefused:
    return refuse(
        RequestCode.BODY_TOO_LARGE,
        f"The body is larger than the {bytes_max} bytes that this endpoint takes; send less at a time.",
    )


def _response(reply: Reply) -> web.Response:
    response = web.Response(body=reply.body, status=reply.status, content_type=CONTENT_TYPE)
    if reply.retry_after_s is not None:
        response.headers["Retry-After"] = str(reply.retry_after_s)
    return response


@web.middleware
async def _answer_everything(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Give every failure its status, code and sentence; nothing about the inside of the program gets out."""
    try:
        return await handler(request)
    except Exception as raised:
        why = _refusal(request, raised)
        request[OBSERVED].code = why.code
        response = _response(refused(why))
        if isinstance(raised, web.HTTPMethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(raised.allowed_methods))
        if why.code == RequestCode.UPGRADE_REQUIRED.name:
            response.headers["Upgrade"] = "websocket"
        return response


def _refusal(request: web.Request, raised: Exception) -> RequestRefused:
    """Return what the caller is told of an exception."""
    path = request.path[:200]
    if isinstance(raised, RequestRefused):
        return raised
    if isinstance(raised, web.HTTPNotFound | web.HTTPForbidden):  # the latter for a folder of files
        return refuse(RequestCode.NOT_FOUND, f"Nothing answers at {path}; /docs lists what does.")
    if isinstance(raised, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(raised.allowed_methods))
        return refuse(
            RequestCode.METHOD_NOT_ALLOWED, f"{path} does not answer {raised.method}, only {allowed}."
        )
    if isinstance(raised, web.HTTPException):
        return refuse(RequestCode.BAD_REQUEST, f"{raised.reason}.")
    return failed(request.method, path, raised)


def _add_pages(app: web.Application) -> None:
    described = orjson.dumps(document(ROUTES))

    async def openapi(_: web.Request) -> web.Response:
        return web.Response(body=described, content_type="application/json")

    app.router.add_get("/openapi.json", openapi)
    for path, name in _PAGES.items():
        app.router.add_get(path, _page(_STATIC / name))
    app.router.add_static("/static/", _STATIC)


def _page(file: Path) -> Endpoint:
    text = file.read_text(encoding="utf-8")

    async def serve(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'"}
        return web.Response(text=text, content_type="text/html", headers=headers)

    return serve
