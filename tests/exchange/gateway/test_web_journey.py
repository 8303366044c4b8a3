"""A contract's whole life by three people at their browsers: posted, certified, bought, nominated, delivered
by the site's agent, and paid. Nobody reloads a page to see what another did.
"""

from __future__ import annotations

from pathlib import Path

from agent_site import Site, deliver, site_file
from browser import IN_A_BROWSER, log_in, windows
from exchange_server import serving
from playwright.async_api import Browser, Page, expect

pytestmark = IN_A_BROWSER

SYMBOL = "H100.GUIAN.261205"


async def certify_by_hand(operator: Page) -> None:
    await operator.get_by_label("Good attestations certify at once").click()
    await operator.get_by_role("button", name="Do it").click()
    await expect(operator.locator("#action-note")).to_have_text("Done.")
    await expect(operator.get_by_label("Good attestations certify at once")).not_to_be_checked()


async def post(provider: Page, site: Site) -> None:
    """The agent has registered its site; the provider posts what stands there, and the agent attests it."""
    assert await site.agent.round()
    form = provider.locator("#post")
    await expect(form.locator("[name=site_id] option")).to_have_count(2, timeout=15_000)
    await form.get_by_label("Site").select_option("GUIAN")
    await form.get_by_label("Hub").select_option("GUIAN")
    await form.get_by_label("Last day").fill("2026-12-05")
    await form.get_by_role("button", name="Post").click()
    await expect(provider.locator("#post-note")).to_have_text("Posted as 1.")
    await expect(provider.locator("#capacity")).to_contain_text("waits for the site's agent")
    assert await site.agent.round()
    assert "attested capacity 1; certificate awaits the operator" in site.said


async def certify(operator: Page) -> None:
    await expect(operator.locator("#alerts")).to_contain_text("1 attested post(s) wait for a certificate")
    await expect(operator.locator("#to-certify tbody")).to_contain_text("950,000")
    await operator.locator("#certify").get_by_label("Cards").fill("6")
    await operator.get_by_role("button", name="Certify").click()
    await operator.get_by_role("button", name="Do it").click()
    await expect(operator.locator("#action-note")).to_have_text("Certified as 1.")


async def sell(provider: Page) -> None:
    await expect(provider.locator("#capacity")).to_contain_text("certified", timeout=15_000)
    await expect(provider.locator("#facts")).to_contain_text("Free, next day6")
    sale = provider.locator("#sale")
    await sale.get_by_label("Hub").select_option("GUIAN")
    await sale.get_by_label("Price").fill("11.90")
    await sale.get_by_role("button").click()
    await expect(provider.locator("#sale-note")).to_have_text("Done: free cards follow this price.")


async def bid(enterprise: Page, lots: int) -> None:
    await enterprise.locator("#ticket [name=price]").fill("11.90")
    await enterprise.locator("#ticket [name=quantity]").fill(str(lots))
    await enterprise.locator("#send").click()


async def test_from_posted_capacity_to_the_statement(tmp_path: Path, chrome: Browser) -> None:
    # no process fills the history here, whose absence the browser reports
    passed = [0.0]
    async with (
        serving(tmp_path, monotonic=lambda: passed[0]) as served,
        windows(chrome, outages=True) as window,
    ):
        acme, blue = await served.admit("acme", "provider"), await served.admit("blue", "enterprise")
        provider, operator, enterprise = [await window() for _ in range(3)]
        await served.at(9, 30)
        async with served.client(acme) as client:
            site = Site(client, site_file(tmp_path, "GUIAN", offer=""))
            await log_in(served, provider, acme, "/provider")
            await log_in(served, operator, served.operator, "/operator")
            await log_in(served, enterprise, blue, "/")
            await certify_by_hand(operator)
            await post(provider, site)
            await certify(operator)

            await enterprise.locator(f'#grid [data-symbol="{SYMBOL}"]').click()
            await bid(enterprise, 4)
            await expect(enterprise.locator("#ticket-note")).to_have_text("4 rest in the book")
            await sell(provider)
            # the fill comes over the WebSocket, and what is left of the offer is seen
            await expect(enterprise.locator("#fills tbody")).to_contain_text(SYMBOL)
            await expect(enterprise.locator("#ladder .sell").last).to_contain_text("11.90")
            await bid(enterprise, 1)
            bought = enterprise.locator("#positions tbody tr", has_text=SYMBOL)
            await expect(bought.get_by_role("cell", name="5", exact=True)).to_be_visible()
            assert len(await enterprise.evaluate("performance.getEntriesByType('navigation')")) == 1

            await served.at(15, 45)
            await enterprise.get_by_role("link", name="Enterprise").click()
            await expect(enterprise.locator("#reservations tbody")).to_contain_text(SYMBOL)
            await enterprise.get_by_label("Workload", exact=True).fill("llm-7b")
            await enterprise.get_by_role("button", name="Nominate").click()
            await expect(enterprise.locator("#nominate-note")).to_have_text("Nominated as 1.")
            await deliver(served, site)
            site.close()
            passed[0] += 3 * 30 + 1  # it misses three rounds

        for page, sign in ((enterprise, "-"), (provider, "")):
            (row,) = await page.locator("#reservations, #deliveries").locator("tbody tr").all()
            await expect(row).to_contain_text("finished", timeout=15_000)
            await expect(row.get_by_role("cell", name="120", exact=True)).to_be_visible()
            paid = page.locator("#statement tbody tr", has_text="delivery payment")
            await expect(paid).to_contain_text(f"{sign}1,428.00 CNY")  # 5 cards × 24 h × 11.90
            await page.get_by_label("Another day").fill("2026-12-04")
            await expect(page.locator("#statement-of")).to_have_text("2026-12-04")
            await expect(page.locator("#statement tbody tr", has_text="fee")).to_be_visible()
        await expect(operator.locator("#alerts")).to_contain_text("The agent of GUIAN (GUIAN, account")
        await expect(provider.locator("#sites")).to_contain_text("silent since")
        async with served.client(blue) as client:
            (reservation,) = await client.reservations()
        assert (reservation.delivered_card_hours, reservation.finished) == (120, True)
