"""A person at the screens: a browser's cookie jar and the token that a page of this site would read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from exchange_server import Served

PASSWORD = "correct horse battery"


class Browser:
    """A browser's cookie jar, and the token that a page of this site would read."""

    def __init__(self, served: Served, session: aiohttp.ClientSession) -> None:
        self.served = served
        self.http = session
        self.csrf = ""
        self.cookie = ""
        self.retry_after = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.csrf:
            sent = {"Dongxi-Csrf": self.csrf} | sent
        async with self.http.request(method, self.served.base_url + path, json=body, headers=sent) as answer:
            self.cookie = answer.headers.get("Set-Cookie", "")
            self.retry_after = answer.headers.get("Retry-After", "")
            decoded = await answer.json()
        return answer.status, decoded["error"]["code"] if answer.status >= 400 else decoded

    async def log_in(self, member: str, password: str = PASSWORD, **headers: str) -> tuple[int, Any]:
        status, answer = await self.ask(
            "POST", "/v1/session", {"member": member, "password": password}, **headers
        )
        if status == 200:
            self.csrf = answer["csrf_token"]
        return status, answer


@asynccontextmanager
async def browsing(served: Served) -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)  # an address is no name, and cookies of it are kept all the same
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Browser(served, session)
