"""Whose request it is: a key's, by its signature, or a session's, by its cookie (clauses 9.2, 9.11)."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from exchange.api.requests import Scope
from exchange.api.signing import KEY_HEADER
from exchange.gateway.auth import Authenticator, Caller
from exchange.gateway.screens import Browser, Screens


@dataclass(frozen=True, slots=True)
class Doors:
    """The two ways in."""

    authenticator: Authenticator
    screens: Screens

    def caller(self, request: web.Request, browser: Browser, body: bytes, scope: Scope) -> Caller:
        """Return who makes a request that needs a scope. Raises RequestRefused as `Authenticator.check`, or
        as `Screens.caller` if it brings the cookie and isn't signed.
        """
        if by_session(request, browser):
            return self.screens.caller(browser, request.method, scope)
        path, _, query = request.raw_path.partition("?")
        return self.authenticator.check(
            request.headers, request.method, path, query, body, scope, request.remote
        )


def by_session(request: web.Request, browser: Browser) -> bool:
    """Whether a request comes with a session's cookie and without a signature."""
    return bool(browser.token) and KEY_HEADER not in request.headers
