"""The terms of a contract as a page, in both languages, light and dark, on a desk and on a phone."""

from __future__ import annotations

from pathlib import Path

from browser import IN_A_BROWSER, windows
from exchange_server import serving
from playwright.async_api import Browser, expect

pytestmark = IN_A_BROWSER

SYMBOL = "H100.GUIAN.2701"
PHONE_PX = 400


async def test_a_contracts_terms_are_a_page_linked_from_the_market(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, windows(chrome, outages=True) as window:
        await served.at(9, 30)
        page = await window("dark")
        await page.goto(f"{served.base_url}/#{SYMBOL}")
        await page.get_by_role("link", name="Terms of the contract").click()
        await expect(page).to_have_url(f"{served.base_url}/contracts/{SYMBOL}")
        for term, clause in (
            ("1 card(s) for 744 h: 744 card-hours", "clause 2.5"),
            ("60,000 lots", "clause 5.13"),
            ("maker 0, taker 2 basis points", "clause 8.1"),
            ("2026-12-31", "clause 4.3"),
        ):
            await expect(page.locator("tr", has_text=term)).to_contain_text(clause)
        await page.get_by_role("link", name="H100.GUIAN.270131").click()
        await expect(page.locator("#symbol")).to_have_text("H100.GUIAN.270131")
        await expect(page.locator("#note")).to_contain_text("H100.GUIAN.270131")  # it isn't listed yet

        phone = await window("light", PHONE_PX)
        await phone.goto(f"{served.base_url}/contracts/{SYMBOL.lower()}")
        await phone.get_by_role("button", name="中文").click()
        await expect(phone.locator("#terms")).to_contain_text("60,000 手")
        assert await phone.evaluate("document.documentElement.scrollWidth") <= PHONE_PX
