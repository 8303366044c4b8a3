"""The provider's and the enterprise's screens in a real browser: capacity, its sale, delivery, a plan.

A browser reports a refusal's status on its console: `outages`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from browser import browsing
from exchange_server import Served, serving
from playwright.async_api import Page, Route, expect

from exchange.api.attest import AgentKey
from exchange.api.requests import NewOrder, PostCapacity
from exchange.client import Profile
from exchange.domain.calendar import local_datetime

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PASSWORD = "correct horse battery"
SYMBOL = "H100.GUIAN.261205"
KEY = AgentKey(bytes(range(32)))


async def log_in(served: Served, page: Page, profile: Profile, path: str) -> None:
    async with served.client(served.operator) as operator:
        await operator.set_password(profile.member, PASSWORD)
    await page.goto(f"{served.base_url}/login?next={path}")
    await page.fill("#member", profile.member)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("#open")).to_be_visible()


async def attest(served: Served, provider: Profile) -> None:
    """The site's agent measures the first posted capacity."""
    async with served.client(provider) as client:
        (site,) = await client.primary.sites()
        (posted,) = await client.capacity()
        now = local_datetime(served.exchange.status().market_time_ns)
        await client.primary.attest(site, KEY, posted.capacity_id, now, 8, 950_000, 80)


async def sold(served: Served, provider: Profile, buyer: Profile) -> None:
    """Sell two cards of the morrow, and end the trading day."""
    for side, profile in (("sell", provider), ("buy", buyer)):
        async with served.client(profile) as client:
            price = (await client.contract(SYMBOL)).reference_price
            await client.place(NewOrder(symbol=SYMBOL, side=side, quantity=2, price=price))  # type: ignore[arg-type]
    await served.at(15, 45)


async def test_a_provider_posts_is_certified_sells_and_sees_the_money(tmp_path: Path, chromium: str) -> None:
    async with serving(tmp_path) as served, browsing(chromium) as page:
        await served.at(8, 45)
        acme, blue = await served.admit("acme", "provider"), await served.admit("blue", "enterprise")
        await log_in(served, page, acme, "/provider")
        site = page.locator("#site")
        await site.locator("[name=name]").fill("hall 1")
        await site.locator("[name=hub]").select_option("GUIAN")
        await site.locator("[name=agent_key]").fill(KEY.public_bytes.hex())
        await site.get_by_role("button").click()
        await expect(page.locator("#site-note")).to_have_text("Registered as 1.")
        post = page.locator("#post")
        await expect(post.locator("[name=site_id] option")).to_have_count(2)
        await post.locator("[name=hub]").select_option("GUIAN")
        await post.locator("[name=site_id]").select_option("1")
        await post.get_by_role("button").click()
        await expect(page.locator("#post-note")).to_have_text("Posted as 1.")
        await attest(served, acme)
        await expect(page.locator("#certificates svg rect").first).to_be_attached(timeout=15_000)
        await expect(page.locator("#facts")).to_contain_text("Free, next day8")

        await served.at(9, 30)
        await sold(served, acme, blue)
        await expect(page.locator("#deliveries tbody")).to_contain_text(SYMBOL)
        await expect(page.locator("#facts")).to_contain_text("Sold, next day2")
        await expect(page.locator("#statement tbody")).to_contain_text("revenue share")
        sale = page.locator("#sale")
        await sale.locator("[name=hub]").select_option("GUIAN")
        await sale.locator("[name=price]").fill("12.50")
        await sale.get_by_role("button").click()
        await expect(page.locator("#sales tbody")).to_contain_text("12.50")


async def test_an_enterprise_nominates_and_offers_what_it_bought(tmp_path: Path, chromium: str) -> None:
    async with serving(tmp_path) as served, browsing(chromium, outages=True) as page:
        await served.at(9, 30)
        acme, blue = await served.admit("acme", "provider"), await served.admit("blue", "enterprise")
        async with served.client(acme) as provider:
            await provider.post_capacity(
                PostCapacity(
                    grade="H100", hub="GUIAN", cards=8, first_day="2026-12-05", last_day="2026-12-05"
                )
            )
        await sold(served, acme, blue)
        await log_in(served, page, blue, "/enterprise")
        await expect(page.locator("#reservations tbody tr")).to_have_count(1)
        await page.locator("#nominate [name=workload]").fill("llm")
        await page.locator("#nominate").get_by_role("button").click()
        await expect(page.locator("#nominate-note")).to_have_text("Nominated as 1.")
        await expect(page.locator("#nominations tbody")).to_contain_text("llm")
        await page.locator("#nominate [name=use]").fill("virtual-currency mining")
        await page.locator("#nominate").get_by_role("button").click()
        await expect(page.locator("#nominate-note")).to_contain_text("use")
        await page.locator("#nominations tbody button").click()
        await expect(page.locator("#nominations tbody")).to_have_text("none")
        await page.locator("#resell [name=price]").fill("12.34")
        await page.locator("#resell").get_by_role("button").click()
        await expect(page.locator("#resell-note")).to_have_text("Offered as 1.")
        await expect(page.locator("#offers tbody")).to_contain_text("12.34")


async def test_a_plan_is_searched_and_its_orders_placed(tmp_path: Path, chromium: str) -> None:
    async with serving(tmp_path) as served, browsing(chromium) as page:
        await served.at(9, 30)
        acme, blue = await served.admit("acme", "provider"), await served.admit("blue", "enterprise")
        async with served.client(acme) as provider:
            await provider.place(NewOrder(symbol=SYMBOL, side="sell", quantity=20, price="11.90"))
        await log_in(served, page, blue, "/enterprise")
        rows = 'id,origin,class,grade,cards\n"train, first",Shanghai,ai_train,H100,16\n'
        await page.fill("#workloads", rows)
        await page.get_by_role("button", name="Plan", exact=True).click()
        await expect(page.locator("#plans tbody")).to_contain_text("done", timeout=240_000)
        await expect(page.locator("#result")).to_contain_text("1 / 1")
        await expect(page.locator("#plan-runs tbody")).to_contain_text("train, first")
        await page.get_by_role("button", name="Place 1 order(s)").click()
        await expect(page.locator("#plan-note")).to_have_text("1 of 1 order(s) taken.")
        await expect(page.locator("#positions tbody")).to_contain_text(SYMBOL)
        async with served.client(blue) as client:
            (position,) = await client.positions()
        assert (position.symbol, position.quantity) == (SYMBOL, 16)


COUNT_TIMERS = """
  window.waiting = new Set();
  const [set, clear] = [setTimeout, clearTimeout];
  window.setTimeout = (work, ms, ...rest) => {
    const timer = set(() => { window.waiting.delete(timer); work(...rest); }, ms);
    if (ms === 10_000) window.waiting.add(timer);
    return timer;
  };
  window.clearTimeout = (timer) => { window.waiting.delete(timer); clear(timer); };
"""


async def test_news_during_a_drawing_begins_no_second_round(tmp_path: Path, chromium: str) -> None:
    asked: list[Route] = []
    twice = asyncio.Event()

    async def hold(route: Route) -> None:
        asked.append(route)
        if len(asked) == 1:  # what the account hears while it is being drawn
            async with served.client(blue) as client:
                await client.place(NewOrder(symbol=SYMBOL, side="buy", quantity=1, price="11.80"))
            await asyncio.wait_for(twice.wait(), 10)
        twice.set()
        await route.continue_()

    async with serving(tmp_path) as served, browsing(chromium, outages=True) as page:
        await served.at(9, 30)
        blue = await served.admit("blue", "enterprise")
        await page.add_init_script(COUNT_TIMERS)
        await page.route("**/v1/reservations*", hold)
        await log_in(served, page, blue, "/enterprise")
        await asyncio.wait_for(twice.wait(), 10)
        await page.wait_for_load_state("networkidle")
        await expect(page.locator("#facts")).to_contain_text("Cash")
        assert await page.evaluate("window.waiting.size") == 1
