"""People at the screens: checking passwords, the session cookie, and whose request it makes (clause 9.11)."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.api.requests import SCOPES_BY_KIND
from exchange.gateway.auth import Caller
from exchange.gateway.rates import Rates
from exchange.gateway.sessions import LIFE_S, Session, Sessions
from exchange.gateway.slowdown import Slowdown
from exchange.service.exchange import Exchange
from exchange.service.passwords import password_matches

_LOG = structlog.get_logger("gateway")
COOKIE: Final = "dongxi_session"
CSRF_HEADER: Final = "Dongxi-Csrf"
CHECKS_AT_ONCE: Final = 2
"""Passwords checked at once; each takes 64 MiB and a processor for tens of milliseconds."""
CHECKS_WAITING_MAX: Final = 32
FREE_OF_A_NAME: Final = 5
FREE_OF_AN_ADDRESS: Final = 20


@dataclass(slots=True)
class Browser:
    """What a request says beside its body: where it comes from, and the cookie that it brings or gets."""

    peer: str
    secure: bool
    host: str
    headers: Mapping[str, str]
    token: str
    """The session cookie; empty without one."""
    set_cookie: str | None = None

    def keep(self, token: str) -> None:
        """Give the browser the session's token; empty takes it away."""
        life = LIFE_S if token else 0
        secure = "; Secure" if self.secure else ""
        self.set_cookie = f"{COOKIE}={token}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict{secure}"


def browser_of(request: web.Request) -> Browser:
    """Return what a request says of where it comes from."""
    return Browser(
        peer=request.remote or "",
        secure=request.secure,
        host=request.host,
        headers=request.headers,
        token=request.cookies.get(COOKIE, ""),
    )


class Screens:
    """The sessions of one server."""

    def __init__(self, exchange: Exchange, rates: Rates, now: Callable[[], float] = time.monotonic) -> None:
        self._exchange = exchange
        self._rates = rates
        self.sessions = Sessions(now)
        self._names = Slowdown(FREE_OF_A_NAME, now)
        self._addresses = Slowdown(FREE_OF_AN_ADDRESS, now)
        self._checking = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._waiting = 0

    async def log_in(self, browser: Browser, member: str, password: str) -> Session:
        """Open a session. Raises RequestRefused: CSRF_REQUIRED, LOGIN_SLOWED, LOGIN_BUSY, LOGIN_FAILED,
        SESSION_LIMIT.
        """
        _check_origin(browser)
        known = await self.check_password(browser, member, password)
        opened = self.sessions.open(member, known)
        if opened is None:
            raise refuse(
                RequestCode.SESSION_LIMIT, "As many people are logged in as may be; try again later."
            )
        self.sessions.close(browser.token)
        _LOG.info("logged in", member=member, peer=browser.peer)
        token, session = opened
        browser.keep(token)
        return session

    async def check_password(self, browser: Browser, member: str, password: str) -> str:
        """Return the hash that the password matches. Raises RequestRefused: LOGIN_SLOWED, LOGIN_BUSY,
        LOGIN_FAILED.
        """
        wait = max(self._names.wait_s(member), self._addresses.wait_s(browser.peer))
        if wait:
            raise RequestRefused(
                RequestCode.LOGIN_SLOWED.name,
                RequestCode.LOGIN_SLOWED.status,
                f"Too many log-ins have failed; try again in {wait} s.",
                retry_after_s=wait,
            )
        if self._waiting >= CHECKS_WAITING_MAX:
            raise refuse(RequestCode.LOGIN_BUSY, "As many people are logging in as may at once; try again.")
        self._names.begin(member)
        self._addresses.begin(browser.peer)
        known = self._exchange.views.password_hash(member)
        self._waiting += 1
        try:
            async with self._checking:
                matches = await asyncio.to_thread(password_matches, known, password)
        finally:
            self._waiting -= 1
        if known is None or not matches:
            _LOG.warning("log-in failed", member=member, peer=browser.peer)
            raise refuse(RequestCode.LOGIN_FAILED, "There is no member of this name with this password.")
        self._names.succeeded(member)
        self._addresses.succeeded(browser.peer)
        return known

    def session_of(self, browser: Browser, *, changes: bool) -> Session:
        """Return the session of a request. Raises RequestRefused: NOT_LOGGED_IN, and CSRF_REQUIRED if another
        site's page sends it, or it changes something and doesn't bring the session's token.
        """
        session = self.sessions.find(browser.token) if browser.token else None
        if session is None or self._exchange.views.password_hash(session.member) != session.password_hash:
            raise refuse(RequestCode.NOT_LOGGED_IN, "There is no session, or it is over; log in.")
        _check_origin(browser)
        if changes:
            _check_token(session, browser.headers.get(CSRF_HEADER, ""))
        return session

    def watcher(self, browser: Browser, csrf_token: str) -> Caller:
        """Return who watches its account over a WebSocket, which a browser opens for any site's page and with
        the cookie: so the page must show that it can read this site's. Raises RequestRefused: NOT_LOGGED_IN,
        CSRF_REQUIRED.
        """
        session = self.session_of(browser, changes=False)
        _check_token(session, csrf_token)
        return replace(self.caller_of(session), scopes=("read",))

    def is_open(self, browser: Browser) -> bool:
        """Whether the browser's session goes on; looking doesn't count as using it."""
        session = self.sessions.look(browser.token)
        return (
            session is not None
            and self._exchange.views.password_hash(session.member) == session.password_hash
        )

    def caller(self, browser: Browser, method: str, scope: str) -> Caller:
        """Return who makes a request, with the scopes of the member's kind. Raises RequestRefused as
        `session_of`, RATE_LIMIT, SCOPE_REQUIRED.
        """
        session = self.session_of(browser, changes=method != "GET")
        caller = self.caller_of(session)
        self._rates.spend(caller.key_id)
        if scope not in caller.scopes:
            raise refuse(
                RequestCode.SCOPE_REQUIRED,
                f"This needs the scope {scope!r}; a session of {caller.member} has "
                f"{', '.join(caller.scopes)}.",
            )
        return caller

    def caller_of(self, session: Session) -> Caller:
        """Return the member behind a session; what it does is journaled as the session's."""
        member = self._exchange.views.member(session.member)
        if member is None:
            raise AssertionError(f"{session.member} has a session and isn't a member")
        by = f"session of {member.name}"
        roles = member.roles if member.state == "approved" else ()
        return Caller(member.name, member.account, member.kind, roles, SCOPES_BY_KIND[member.kind], by)


def _check_token(session: Session, given: str) -> None:
    if not hmac.compare_digest(given.encode(), session.csrf_token.encode()):
        raise refuse(
            RequestCode.CSRF_REQUIRED,
            "A request that changes something needs the csrf_token of GET /v1/session, over HTTP in the "
            f"header {CSRF_HEADER}, over the feed in the log-on.",
        )


def _check_origin(browser: Browser) -> None:
    """Refuse what another site's page sends; what is no browser says no origin."""
    origin = browser.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != browser.host:
        raise refuse(RequestCode.CSRF_REQUIRED, "The request comes from a page of another site.")
