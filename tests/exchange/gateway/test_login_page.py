"""The log-in page in a real browser (clause 9.11).

It learns that nobody is logged in from a 401, which a browser reports on its console: `outages`.
"""

from __future__ import annotations

from pathlib import Path

from browser import IN_A_BROWSER, browsing
from exchange_server import Served, serving
from playwright.async_api import Browser, Page, expect

pytestmark = IN_A_BROWSER

PASSWORD = "correct horse battery"


async def with_password(served: Served, name: str) -> None:
    await served.admit(name, "enterprise")
    async with served.client(served.operator) as operator:
        await operator.set_password(name, PASSWORD)


async def log_in_by_keyboard(page: Page, name: str, password: str) -> None:
    """Nothing but keys; the first field has the focus."""
    await expect(page.locator("#member")).to_be_focused()
    await page.keyboard.type(name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(password)
    await page.keyboard.press("Enter")


async def test_log_in_look_and_log_out_by_keyboard(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, browsing(chrome, outages=True) as page:
        await with_password(served, "blue")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(served.base_url)
        await page.get_by_role("link", name="Log in").click()
        await log_in_by_keyboard(page, "blue", PASSWORD)
        await expect(page).to_have_url(served.base_url + "/")
        await page.get_by_role("link", name="blue").click()
        await expect(page.locator("#facts")).to_contain_text("enterprise")
        await expect(page.locator("#facts")).to_contain_text("100,000,000.00 CNY")
        (cookie,) = await page.context.cookies()
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        assert await page.evaluate("document.cookie") == ""
        await page.reload()
        await expect(page.locator("#facts")).to_contain_text("blue")
        await expect(page.locator("#logout")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#note")).to_have_text("Logged out.")
        await expect(page.locator("#inside")).to_be_hidden()
        assert await page.context.cookies() == []
        assert [url for url in asked if not url.startswith(served.base_url)] == []


async def test_what_is_wrong_is_said_and_the_password_changed(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, browsing(chrome, outages=True, width=400) as page:
        await with_password(served, "blue")
        await page.goto(served.base_url + "/login")
        await log_in_by_keyboard(page, "blue", "not the password")
        await expect(page.locator("#note")).to_contain_text("no member of this name with this password")
        await page.fill("#password", PASSWORD)
        await page.keyboard.press("Enter")
        await page.fill("#old", PASSWORD)
        await page.fill("#new", "a better horse battery")
        await page.keyboard.press("Enter")
        await expect(page.locator("#note")).to_contain_text("log in with the new one")
        await page.fill("#password", "a better horse battery")
        await page.keyboard.press("Enter")
        await expect(page.locator("#facts")).to_contain_text("blue")
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 400
