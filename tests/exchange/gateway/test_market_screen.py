"""The market's screen in a real browser: a member logs in, trades, and sees it without reloading."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from browser import IN_A_BROWSER, PASSWORD, browsing, log_in
from exchange_server import Served, serving
from playwright.async_api import Browser, Page, Route, WebSocketRoute, expect

from exchange.api.requests import NewOrder
from exchange.client import Profile

pytestmark = IN_A_BROWSER

SYMBOL = "H100.GUIAN.261205"
NO_HISTORY = "Failed to load resource: the server responded with a status of 503"


@asynccontextmanager
async def trading(tmp_path: Path, chrome: Browser) -> AsyncIterator[tuple[Served, Page, Profile]]:
    """A market with one seller, and a buyer logged in at the screen. No process fills the history here, so
    its absence may be reported.
    """
    async with serving(tmp_path) as served, browsing(chrome, outages=True) as page:
        seller = await served.admit("red", "provider")
        await served.at(9, 30)
        await log_in(served, page, await served.admit("blue", "enterprise"), "/")
        await expect(page.locator("#phase")).to_have_text("continuous trading")
        await page.goto(f"{served.base_url}/#{SYMBOL}")
        await expect(page.locator("#symbol")).to_have_text(SYMBOL)
        yield served, page, seller


async def sell(served: Served, seller: Profile, price: str, quantity: int) -> None:
    async with served.client(seller) as client:
        await client.place(NewOrder(symbol=SYMBOL, side="sell", price=price, quantity=quantity))


async def write_order(page: Page, price: str, quantity: int) -> None:
    await page.fill("#ticket [name=price]", price)
    await page.fill("#ticket [name=quantity]", str(quantity))


async def test_an_order_is_previewed_sent_filled_and_cancelled(tmp_path: Path, chrome: Browser) -> None:
    async with trading(tmp_path, chrome) as (served, page, seller):
        await sell(served, seller, "11.90", 3)
        await expect(page.locator("#ladder .sell").last).to_contain_text("11.90")
        await page.locator("#ladder .sell button").last.click()
        await expect(page.locator("#ticket [name=price]")).to_have_value("11.90")
        await write_order(page, "11.90", 5)
        await expect(page.locator("#preview")).to_contain_text("3 filled at 11.90; 2 rest in the book")
        await page.click("#send")
        await expect(page.locator("#ticket-note")).to_have_text("3 filled at 11.90; 2 rest in the book")
        await expect(page.locator("#positions tbody")).to_contain_text(SYMBOL)
        await expect(page.locator("#fills tbody tr")).to_have_count(1)
        await expect(page.locator("#trades tbody tr")).to_have_count(1)
        await expect(page.locator("#ladder .buy").first.locator("td").first).to_have_text("2")

        await sell(served, seller, "11.90", 1)  # the fill comes by itself
        await expect(page.locator("#fills tbody tr")).to_have_count(2)
        await expect(page.locator("#orders tbody")).to_contain_text("1 / 5")
        await page.locator("#orders tbody button", has_text="Cancel").click()
        await expect(page.locator("#desk-note")).to_have_text("The order is cancelled.")
        await expect(page.locator("#orders tbody")).to_contain_text("none")
        async with served.client(seller) as client:
            assert (await client.book(SYMBOL)).bids == []


async def test_a_refusal_says_why_and_limits_are_shown(tmp_path: Path, chrome: Browser) -> None:
    async with trading(tmp_path, chrome) as (_, page, _seller):
        await expect(page.locator("#limits")).to_contain_text("today's limits")
        await write_order(page, "11.90", 20_000_000)
        await expect(page.locator("#preview .refused")).to_contain_text("larger than one order may be")
        await page.click("#send")
        await expect(page.locator("#ticket-note")).to_contain_text("larger than one order may be")


async def test_an_order_whose_answer_is_lost_is_asked_for_and_not_doubled(
    tmp_path: Path, chrome: Browser
) -> None:
    async def lose_answer(route: Route) -> None:
        await route.fetch()  # the exchange has taken it
        await route.abort()

    async with trading(tmp_path, chrome) as (served, page, seller):
        await write_order(page, "11.80", 2)
        await page.route("**/v1/orders", lose_answer)
        await page.click("#send")
        await expect(page.locator("#ticket-note")).to_contain_text("it isn't certain")
        await expect(page.locator("#send")).to_be_disabled()
        await page.unroute("**/v1/orders")
        await page.click("#ask-again")
        await expect(page.locator("#ticket-note")).to_have_text("2 rest in the book")
        async with served.client(seller) as client:
            (bid,) = (await client.book(SYMBOL)).bids
            assert (bid.price, bid.quantity, bid.orders) == ("11.80", 2, 1)


async def test_a_connection_that_broke_goes_on(tmp_path: Path, chrome: Browser) -> None:
    open_sockets: list[WebSocketRoute] = []
    reachable = True

    async def relay(socket: WebSocketRoute) -> None:
        if not reachable:
            await socket.close()
            return
        socket.connect_to_server()
        open_sockets.append(socket)

    async with trading(tmp_path, chrome) as (served, page, seller):
        await page.route_web_socket("**/v1/feed", relay)
        await page.reload()
        await sell(served, seller, "11.90", 3)
        await expect(page.locator("#ladder .sell").last).to_contain_text("11.90")
        reachable = False
        await open_sockets[-1].close()
        await expect(page.locator("#light")).to_have_text("connection lost, trying again")
        await sell(served, seller, "11.89", 2)
        reachable = True
        await expect(page.locator("#light")).to_have_text("live")
        await expect(page.locator("#ladder .sell").last).to_contain_text("11.89")


async def test_a_preview_that_comes_late_is_not_shown(tmp_path: Path, chrome: Browser) -> None:
    first_asked, first_may_come = asyncio.Event(), asyncio.Event()

    async def hold_the_first(route: Route) -> None:
        if not first_asked.is_set():
            first_asked.set()
            await first_may_come.wait()
        await route.continue_()

    async with trading(tmp_path, chrome) as (_, page, _seller):
        await page.route("**/v1/orders/preview", hold_the_first)
        await write_order(page, "11.80", 20_000_000)
        await asyncio.wait_for(first_asked.wait(), 10)
        await write_order(page, "11.80", 2)
        await expect(page.locator("#preview")).to_contain_text("2 rest in the book")
        async with page.expect_response("**/v1/orders/preview") as late:
            first_may_come.set()
        await (await late.value).finished()
        await expect(page.locator("#preview")).to_contain_text("2 rest in the book")
        assert await page.locator("#preview .refused").count() == 0


async def test_a_session_that_is_over_is_said_and_leads_back_by_the_log_in(
    tmp_path: Path, chrome: Browser
) -> None:
    async with trading(tmp_path, chrome) as (served, page, _seller):
        await expect(page.locator("#trouble")).to_have_text("")
        async with served.client(served.operator) as operator:
            await operator.set_password("blue", PASSWORD)  # which ends the member's sessions
        await write_order(page, "11.90", 1)
        await page.click("#send")
        await expect(page.locator("#ticket-note")).to_contain_text("it is over; log in")
        await expect(page.locator("#trouble")).to_contain_text("Your session is over")
        await expect(page.locator("#light")).to_have_text("live")
        await page.locator("#trouble a").click()
        await page.fill("#member", "blue")
        await page.fill("#password", PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("#symbol")).to_have_text(SYMBOL)
        await expect(page.locator("#ticket")).to_be_visible()
        async with served.client(served.operator) as client:
            assert (await client.book(SYMBOL)).bids == [], "what was sent in between was not taken"


async def test_the_grid_is_walked_by_keys_and_the_language_switched(tmp_path: Path, chrome: Browser) -> None:
    async with trading(tmp_path, chrome) as (_, page, _seller):
        await page.locator("#grid td[aria-selected=true]").focus()
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("Enter")
        await expect(page.locator("#symbol")).to_have_text("H100.GUIAN.261206")
        await page.keyboard.press("s")
        await expect(page.locator("#ticket [name=quantity]")).to_be_focused()
        await expect(page.locator("#send")).to_contain_text("Sell 1")
        await page.get_by_role("button", name="中文").click()
        await expect(page.locator("#phase")).to_have_text("连续竞价")
        await expect(page.locator("#symbol")).to_have_text("H100.GUIAN.261206")
        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
