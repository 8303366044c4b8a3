"""Every screen by all of axe's rules (WCAG 2.2 A and AA, and best practice), in both languages, light and
dark; whether they fit a laptop and a wall; and every control of a screen by the Tab key.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from accessibility import violations
from browser import IN_A_BROWSER, Scheme, log_in, windows
from exchange_server import Served, serving
from playwright.async_api import Browser, Page, expect

from exchange.api import delivering
from exchange.api.attest import AgentKey
from exchange.api.requests import NewOrder, PostCapacity
from exchange.client import Profile
from exchange.domain.calendar import local_datetime

pytestmark = IN_A_BROWSER

SYMBOL, MONTH = "H100.GUIAN.261205", "H100.GUIAN.2701"
SIZES = {"laptop": (1366, 768), "wall": (2560, 1440)}
KEY = AgentKey(bytes(range(32)))
POST = PostCapacity(
    grade="H100", hub="GUIAN", cards=4, first_day="2026-12-05", last_day="2026-12-06", site_id="1"
)


async def furnish(served: Served, acme: Profile, blue: Profile) -> None:
    """Something in every table: capacity attested and not, trades, orders, a reservation, a proposal."""
    async with served.client(acme) as provider, served.client(blue) as enterprise:
        site = await provider.primary.register_site("hall 1", "GUIAN", {"H100": 8}, KEY.public_bytes)
        now = local_datetime(served.exchange.status().market_time_ns)
        for _ in range(2):
            posted = await provider.post_capacity(POST)
        await provider.primary.attest(site, KEY, posted.capacity_id, now, 4, 950_000, 80)
        await provider.primary.set_sale("H100", "GUIAN", "day", "12.50")
        for symbol in (SYMBOL, MONTH):
            ask = NewOrder(symbol=symbol, side="sell", quantity=3, price="11.90", time_in_force="gtc")
            await provider.place(ask)
            await enterprise.place(NewOrder(symbol=symbol, side="buy", quantity=2, price="11.90"))
        await enterprise.place(
            NewOrder(symbol=MONTH, side="buy", quantity=1, price="11.80", time_in_force="gtc")
        )
        async with served.client(served.operator) as operator:
            await operator.halt(True, hub="TIANFU")
            await operator.propose_cash(blue.member, 12_300, "a fee was booked twice")
        await served.at(15, 45)
        (reservation,) = await enterprise.reservations()
        workload = delivering.Nominate(workload="llm", use="training", cards=1)
        await enterprise.delivery.nominate(reservation.reservation_id, workload)
        await enterprise.delivery.offer(reservation.reservation_id, 1, "12.34")


async def look(page: Page, url: str, shown: str, language: str) -> list[str]:
    await page.evaluate("language => localStorage.setItem('language', language)", language)
    await page.goto(url)
    await page.reload()  # a fragment alone opens nothing anew
    await expect(page.locator(shown).first).to_be_visible()
    return [f"{url} {language}: {one}" for one in [*await violations(page), *await too_wide(page)]]


async def too_wide(page: Page) -> list[str]:
    """On which screens the page would have to be pushed sideways; wide tables scroll in their own boxes."""
    found = []
    for name, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        wide = await page.evaluate("document.documentElement.scrollWidth")
        found += [f"{wide} px wide on the {name}"] if wide > width else []
    return found


@pytest.mark.parametrize(
    ("language", "scheme"),
    [
        ("en", "light"),
        ("zh", "dark"),
        pytest.param("en", "dark", marks=pytest.mark.soak),
        pytest.param("zh", "light", marks=pytest.mark.soak),
    ],
)
async def test_no_rule_is_broken_on_any_screen(
    tmp_path: Path, chrome: Browser, language: str, scheme: Scheme
) -> None:
    # no process fills the history here, whose absence the browser reports
    async with serving(tmp_path) as served, windows(chrome, outages=True) as window:
        await served.at(9, 30)
        acme, blue = await served.admit("acme", "provider"), await served.admit("blue", "enterprise")
        await furnish(served, acme, blue)
        provider, operator, enterprise, stranger = [await window(scheme) for _ in range(4)]
        await log_in(served, provider, acme, "/provider")
        await log_in(served, operator, served.operator, "/operator")
        await log_in(served, enterprise, blue, "/enterprise")
        await stranger.goto(served.base_url + "/login")
        found = []
        for page, path, shown in (
            (provider, "/provider", "#deliveries tbody td:nth-child(2)"),
            (operator, "/operator", "#issued tbody td:nth-child(2)"),
            (enterprise, "/enterprise", "#nominations tbody button"),
            (enterprise, f"/#{MONTH}", "#ladder .buy button:visible"),
            (enterprise, "/login", "#logout"),
            (stranger, "/docs", "#operations section"),
            (stranger, "/login", "#login button"),
            (stranger, f"/contracts/{MONTH}", "#terms tr"),
            (stranger, "/operator", "#closed"),
        ):
            found += await look(page, served.base_url + path, shown, language)
        assert found == []


STOPS = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, .scroll")]
  .filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0 && one.type !== "radio")
  .map((one) => one.dataset.stop = String(Math.random()))"""
HERE = """() => {
  const here = document.activeElement;
  return [here.dataset.stop ?? "", getComputedStyle(here).outlineStyle];
}"""


async def test_every_control_has_its_turn_by_the_tab_key_and_is_seen(tmp_path: Path, chrome: Browser) -> None:
    async with serving(tmp_path) as served, windows(chrome) as window:
        page = await window()
        await log_in(served, page, await served.admit("blue", "enterprise"), "/enterprise")
        await expect(page.locator("#statement tbody tr").first).to_be_visible()
        stops = await page.evaluate(STOPS)
        seen: dict[str, str] = {}
        for _ in range(2 * len(stops)):  # a date has a stop for each of its parts
            await page.keyboard.press("Tab")
            stop, outline = await page.evaluate(HERE)
            seen.setdefault(stop, outline)
        assert [stop for stop in seen if stop in stops] == stops, "in the order of the page"
        assert {seen[stop] for stop in stops} == {"solid"}
