"""The system's Chromium, driven as a person would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from playwright.async_api import Page, async_playwright

TIMEOUT_MS = 30_000


@asynccontextmanager
async def browsing(
    chromium: str, scheme: Literal["light", "dark"] = "light", width: int = 1280, *, outages: bool = False
) -> AsyncIterator[Page]:
    """An empty page; what it throws or reports as an error fails the test at the end. With `outages` a
    request or connection may fail.
    """
    faults: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = await browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
            page.set_default_timeout(TIMEOUT_MS)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
            yield page
        finally:
            await browser.close()
    lost = ("Failed to load resource", "WebSocket connection to")
    assert [fault for fault in faults if not (outages and fault.startswith(lost))] == []
