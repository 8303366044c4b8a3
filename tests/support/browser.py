"""The system's Chromium, driven as people would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal

import pytest
from exchange_server import Served
from playwright.async_api import Browser, Page

from exchange.client import Profile

TIMEOUT_MS = 30_000
PASSWORD = "correct horse battery"
IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.asyncio(loop_scope="session"),
]
"""Marks of tests that use the fixture `chrome`: one browser serves all, each test has windows of its own."""

Scheme = Literal["light", "dark"]


@asynccontextmanager
async def windows(chrome: Browser, *, outages: bool = False) -> AsyncIterator[Callable[..., Awaitable[Page]]]:
    """Opens an empty page, `await window(scheme="light", width=1280)`, each of a person of its own. What they
    throw or report as an error fails the test at the end; with `outages` a request or connection may fail.
    """
    faults: list[str] = []
    opened: list[Page] = []

    async def window(scheme: Scheme = "light", width: int = 1280, height: int = 900) -> Page:
        page = await chrome.new_page(color_scheme=scheme, viewport={"width": width, "height": height})
        opened.append(page)
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        return page

    try:
        yield window
    finally:
        for page in opened:
            await page.context.close()
    lost = ("Failed to load resource", "WebSocket connection to")
    assert [fault for fault in faults if not (outages and fault.startswith(lost))] == []


@asynccontextmanager
async def browsing(
    chrome: Browser, scheme: Scheme = "light", width: int = 1280, *, outages: bool = False
) -> AsyncIterator[Page]:
    """One person's empty page; see `windows`."""
    async with windows(chrome, outages=outages) as window:
        yield await window(scheme, width)


async def log_in(served: Served, page: Page, profile: Profile, path: str) -> None:
    """Give the member a password and log it in, on the way to a screen of its own."""
    giver = profile if path == "/operator" else served.operator
    async with served.client(giver) as client:
        await client.set_password(profile.member, PASSWORD)
    await page.goto(f"{served.base_url}/login?next={path}")
    await page.fill("#member", profile.member)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.locator("#open:visible, #ticket:visible").first.wait_for()
