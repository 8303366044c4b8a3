"""The pages in a real browser: the market, and the API's reference.

No process fills the history here, which the market's page may report: `outages`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browser import IN_A_BROWSER, browsing
from exchange_server import serving
from playwright.async_api import Browser, expect

from exchange.api.requests import NewOrder

pytestmark = IN_A_BROWSER

SYMBOL = "H100.GUIAN.261205"
PHONE_PX = 400


async def test_the_market_page_shows_the_market(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, browsing(chrome, outages=True) as page:
        await served.at(9, 30)
        member = await served.admit("blue", "enterprise")
        await page.goto(served.base_url)
        await expect(page.locator("#phase")).to_have_text("continuous trading")
        cell = page.locator(f'#grid [data-symbol="{SYMBOL}"]')
        await expect(cell).to_have_attribute("title", re.compile("– / –"))

        async with served.client(member) as client:
            await client.place(NewOrder(symbol=SYMBOL, side="buy", price="11.85", quantity=2))
        await expect(cell).to_have_attribute("title", re.compile("11.85 × 2 / –"))
        await expect(page.locator("#grid tbody tr")).to_have_count(23)
        await expect(page.locator("#curve path")).to_have_count(23)


async def test_the_market_page_says_when_the_exchange_is_gone(tmp_path: Path, chrome: Browser) -> None:
    async with browsing(chrome, outages=True) as page:
        async with serving(tmp_path) as served:
            await served.at(9, 30)
            await page.goto(served.base_url)
            await expect(page.locator("#light")).to_have_text("live")
        await expect(page.locator("#light")).to_have_text("connection lost, trying again")


async def test_the_reference_page_shows_every_operation(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, browsing(chrome) as page:
        status, openapi = await served.raw("GET", "/openapi.json")
        assert status == 200
        paths = openapi["paths"]
        assert isinstance(paths, dict)
        await page.goto(served.base_url + "/docs")
        for path, operations in paths.items():
            for method in operations:
                place = page.locator(f'[data-operation="{method} {path}"]')
                await expect(place).to_have_count(1)
        first = page.locator("[data-operation]").first
        await first.locator("summary").click()
        await expect(first.locator("pre").first).to_be_visible()


@pytest.mark.parametrize(
    ("path", "last"), [("/", "#grid tbody tr:last-child"), ("/docs", "#operations section:last-child")]
)
async def test_pages_fit_a_phone(tmp_path: Path, chrome: Browser, path: str, last: str) -> None:
    async with serving(tmp_path) as served, browsing(chrome, width=PHONE_PX, outages=True) as page:
        await served.at(9, 30)
        await page.goto(served.base_url + path)
        await expect(page.locator(last)).to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE_PX, "what is wide scrolls inside its own box"


async def test_the_pages_ask_nobody_else(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, browsing(chrome) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for path in ("/", "/docs"):
            await page.goto(served.base_url + path, wait_until="networkidle")
        assert [url for url in asked if not url.startswith(served.base_url)] == []
