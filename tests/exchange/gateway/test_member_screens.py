"""The provider's and the enterprise's screens in a real browser: capacity, its sale, delivery, a plan.

A browser reports a refusal's status on its console: `outages`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from accessibility import violations
from browser import IN_A_BROWSER, browsing, log_in
from exchange_server import Served, serving
from playwright.async_api import Browser, Page, Route, expect

from exchange.api.attest import AgentKey
from exchange.api.plans import PlanChanges, PlannedMove, PlannedStop, PlannedWait
from exchange.api.requests import NewOrder, PostCapacity
from exchange.client import Profile

pytestmark = IN_A_BROWSER

SYMBOL = "H100.GUIAN.261205"
KEY = AgentKey(bytes(range(32)))


async def sold(served: Served, provider: Profile, buyer: Profile) -> None:
    """Sell two cards of the morrow, and end the trading day."""
    for side, profile in (("sell", provider), ("buy", buyer)):
        async with served.client(profile) as client:
            price = (await client.contract(SYMBOL)).reference_price
            await client.place(NewOrder(symbol=SYMBOL, side=side, quantity=2, price=price))  # type: ignore[arg-type]
    await served.at(15, 45)


async def test_a_provider_registers_a_site_and_sees_its_share(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, browsing(chrome) as page:
        await served.at(9, 30)
        acme, blue = await served.admit("acme", "provider"), await served.admit("blue", "enterprise")
        await sold(served, acme, blue)
        await log_in(served, page, acme, "/provider")
        await expect(page.locator("#statement tbody")).to_contain_text("revenue share")
        site = page.locator("#site")
        await site.locator("[name=name]").fill("hall 1")
        await site.locator("[name=hub]").select_option("GUIAN")
        await site.locator("[name=agent_key]").fill(KEY.public_bytes.hex())
        await site.get_by_role("button").click()
        await expect(page.locator("#site-note")).to_have_text("Registered as 1.")
        await expect(page.locator("#sites tbody")).to_contain_text("hall 1")


async def test_an_enterprise_nominates_and_offers_what_it_bought(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, browsing(chrome, outages=True) as page:
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


async def test_a_plan_is_searched_and_its_orders_placed(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, browsing(chrome, outages=True) as page:
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
        row = page.locator("#plan-baselines tbody tr", has_text="room for everybody")
        async with served.client(blue) as client:
            (job,) = await client.plans()
            result = (await client.planned(job.plan_id)).result
        assert result is not None and result.baselines is not None
        (east,) = [one for one in result.baselines if one.name == "all_east_unlimited"]
        assert 0 < east.plan_cost_fen < east.cost_fen, "what Guian offers is cheaper than Shanghai's list"
        assert east.cost_saving == pytest.approx(1 - east.plan_cost_fen / east.cost_fen, abs=1e-6)
        await expect(row).to_contain_text(f"{east.cost_fen / 100:,.2f} CNY")
        await expect(row).to_contain_text(f"{100 * east.cost_saving:.1f}".removesuffix(".0"))
        (tier,) = result.classes
        assert (tier.latency_class, tier.placed) == ("ai_train", 1)
        await expect(page.locator("#plan-classes tbody")).to_contain_text("ai_train")
        assert await violations(page) == []
        await page.get_by_role("button", name="Place 1 order(s)").click()
        await expect(page.locator("#plan-note")).to_have_text("1 of 1 order(s) taken.")
        await expect(page.locator("#positions tbody")).to_contain_text(SYMBOL)
        async with served.client(blue) as client:
            positions = {p.symbol: p.quantity for p in await client.positions()}
        assert positions == {SYMBOL: 16}
        await plan_on_after_a_failure(page, job.plan_id)


CHANGES = PlanChanges(
    goes_on=7,
    moved=[
        PlannedMove(
            workload="m",
            reason="gives way",
            before="GUIAN",
            after="WUHU",
            first_hour=2,
            gain_fen=None,
            cost_fen=1,
        )
    ],
    paused=[PlannedWait(workload="p", site="WUHU", resumes_hour=5)],
    waits=[],
    stopped=[PlannedStop(workload="s", site="WUHU", best_effort=True, detail="")],
    ended=["e"],
    expired=[],
    withdrawn=[],
)


async def plan_on_after_a_failure(page: Page, before: str) -> None:
    """The form sends what the next plan goes on from, and a result says what that changes."""
    await page.select_option("#plan [name=after]", before)
    await page.fill("#plan [name=first_day]", "2026-12-09")
    await page.fill("#plan [name=failed]", "GUIAN, HORINGER@0-4")
    await page.fill("#plan [name=moves_max]", "3")
    async with page.expect_request(
        lambda one: one.method == "POST" and one.url.endswith("/v1/plans")
    ) as asked:
        await page.get_by_role("button", name="Plan", exact=True).click()
    sent = (await asked.value).post_data_json
    wanted = {"after": before, "failed": ["GUIAN", "HORINGER@0-4"], "moves_max": 3, "migration_cny": 0}
    assert sent is not None
    assert {name: sent[name] for name in wanted} == wanted
    await expect(page.locator("#plan-note")).to_contain_text("spans 1 days from 2026-12-05")

    async def changed(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        body["result"]["changes"] = msgspec.to_builtins(CHANGES)
        await route.fulfill(response=answer, json=body)

    await page.route(f"**/v1/plans/{before}", changed)
    await page.locator("#plans").get_by_role("button", name=before, exact=True).click()
    rows = page.locator("#plan-changes tbody tr")
    await expect(rows).to_have_count(4)
    await expect(rows.nth(0)).to_contain_text("moves at hour 2: gives way")
    await expect(rows.nth(0)).to_contain_text("GUIAN → WUHU")
    await expect(rows.nth(1)).to_contain_text("pauses until hour 5")
    await expect(page.locator("#result")).to_contain_text("7 go on as they were.")


COUNT_TIMERS = """
  window.waiting = new Set();
  const [set, clear] = [setTimeout, clearTimeout];
  window.setTimeout = (work, ms, ...rest) => {
    const timer = set(() => { window.waiting.delete(timer); work(...rest); }, ms);
    if (ms === 4_000) window.waiting.add(timer);
    return timer;
  };
  window.clearTimeout = (timer) => { window.waiting.delete(timer); clear(timer); };
"""


async def test_news_during_a_drawing_begins_no_second_round(tmp_path: Path, chrome: Browser) -> None:
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

    async with serving(tmp_path) as served, browsing(chrome, outages=True) as page:
        await served.at(9, 30)
        blue = await served.admit("blue", "enterprise")
        await page.add_init_script(COUNT_TIMERS)
        await page.route("**/v1/reservations*", hold)
        await log_in(served, page, blue, "/enterprise")
        await asyncio.wait_for(twice.wait(), 10)
        await page.wait_for_load_state("networkidle")
        await expect(page.locator("#facts")).to_contain_text("Cash")
        assert await page.evaluate("window.waiting.size") == 1
