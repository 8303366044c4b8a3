"""The operator's screen in a real browser: the whole market, its alerts, and actions that are asked back.

Where no process fills the history, the browser reports the missing health index: `outages`.
"""

from __future__ import annotations

import re
from pathlib import Path

from browser import IN_A_BROWSER, browsing, log_in
from exchange_server import Served, serving
from history_filling import caught_up, filling
from playwright.async_api import Browser, Page, expect

from exchange.api.requests import NewOrder
from exchange.client import Profile

pytestmark = IN_A_BROWSER

SYMBOL = "H100.GUIAN.261205"


async def open_screen(served: Served, page: Page, profile: Profile) -> None:
    """Log the member in and open the screen."""
    await log_in(served, page, profile, "/operator")
    await expect(page.locator("#facts")).to_contain_text("continuous trading")


async def trade(served: Served) -> tuple[Profile, Profile]:
    red, blue = await served.admit("red", "provider"), await served.admit("blue", "enterprise")
    for side, profile in (("sell", red), ("buy", blue)):
        async with served.client(profile) as client:
            await client.place(NewOrder(symbol=SYMBOL, side=side, price="11.90", quantity=3))  # type: ignore[arg-type]
    return red, blue


async def test_the_screen_shows_the_market_and_a_hub_is_halted_and_resumed(
    tmp_path: Path, chrome: Browser
) -> None:
    async with serving(tmp_path) as served, browsing(chrome, outages=True) as page:
        await served.at(9, 30)
        await open_screen(served, page, served.operator)
        await expect(page.locator("#map text")).to_have_count(23)
        await expect(page.locator("#alerts")).to_have_text("Nothing to look at.")
        await trade(served)
        hub = page.locator("#hubs tbody tr", has_text="Guian")
        await expect(hub.locator("td").nth(1)).to_have_text("11.90")
        await expect(hub.locator("td").nth(3)).to_have_text("3")
        await expect(page.locator("#load")).to_contain_text("Acknowledging")

        await page.select_option("#halt-hub", "GUIAN")
        await page.get_by_role("button", name="Halt", exact=True).click()
        await page.get_by_role("button", name="Leave it").click()
        async with served.client() as anyone:
            assert not (await anyone.contract(SYMBOL)).halted, "an action that is not meant is not done"
        await page.get_by_role("button", name="Halt", exact=True).click()
        await page.get_by_role("button", name="Do it").click()
        await expect(page.locator("#action-note")).to_contain_text("contract(s) halted")
        await expect(page.locator("#alerts")).to_contain_text("are halted")
        await expect(page.locator("#map g.halted")).to_contain_text("Guian")
        await page.get_by_role("button", name="Resume").click()
        await page.get_by_role("button", name="Do it").click()
        await expect(page.locator("#alerts")).to_have_text("Nothing to look at.")


async def test_a_proposal_waits_for_another_operator(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, browsing(chrome, outages=True) as page:
        await served.at(9, 30)
        _, blue = await trade(served)
        second = await served.add_operator("second", "market", "risk", "treasury", "admin")
        async with served.client(served.operator) as operator:
            await operator.propose_cash(blue.member, 12_300, "a fee was booked twice")
        await open_screen(served, page, second)
        row = page.locator("#proposals tbody tr", has_text="a fee was booked twice")
        await expect(row).to_contain_text("123.00 CNY")
        await expect(page.locator("#alerts")).to_contain_text("1 proposal(s) wait for a second operator")
        await row.get_by_role("button", name="Approve").click()
        await page.get_by_role("button", name="Do it").click()
        await expect(page.locator("#action-note")).to_have_text("Proposal 1 is approved.")
        await expect(page.locator("#proposals tbody")).to_have_text("none")
        async with served.client(served.operator) as operator:
            (decided,) = await operator.proposals()
        assert (decided.decided_by, decided.approved) == ("second", True)


async def test_members_and_strangers_see_nothing_of_it(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, browsing(chrome, width=400) as page:
        await served.at(9, 30)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(served.base_url + "/operator")
        await expect(page.locator("#closed")).to_have_text("Log in as an operator to see this screen.")
        await expect(page.locator("#open")).to_be_hidden()
        assert [url for url in asked if "/v1/operator" in url] == []


async def test_the_health_index_is_shown_as_it_is_measured(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, browsing(chrome) as page:
        await served.at(9, 30)
        with filling(tmp_path / "data"):
            red, _ = await trade(served)
            for minute in (46, 59):  # it is measured every quarter of an hour in which something happened
                await served.at(9, minute)
                async with served.client(red) as client:
                    await client.place(NewOrder(symbol=SYMBOL, side="sell", price="12.00", quantity=6))
                    await caught_up(served, client)
            await open_screen(served, page, served.operator)
            await expect(page.locator("#health-index")).to_have_text(re.compile(r"\d+\.\d\d"))
            await expect(page.locator("#health dt").first).to_be_visible()
            async with served.client() as anyone:
                overall = (await anyone.health()).overall
            assert overall is not None
            await expect(page.locator("#health-index")).to_have_text(f"{overall.index:.2f}")
            assert await page.locator("#health section").count() == len(overall.groups)
