"""Draws docs/images/market.png from a server that runs the demonstration day, while the market trades:
it waits for the afternoon of that day.

Usage: python -m docs.screenshots [http://127.0.0.1:8230]
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Final

from playwright.async_api import async_playwright

from exchange.client import ExchangeClient

TARGET: Final = Path(__file__).parent / "images" / "market.png"
WIDTH, HEIGHT = 1440, 1010
GRADE: Final = "H100"
LATE: Final = "13:30"
"""Market time from when on the day has something to show."""
POLL_S: Final = 0.2
SETTLE_S: Final = 2.0
"""Until prices have moved a little on the page."""


async def most_traded(base_url: str) -> str:
    """Wait for the afternoon, and return the day contract with bids and offers that traded most."""
    async with ExchangeClient(base_url) as exchange:
        while True:
            status = await exchange.status()
            if status.phase == "continuous" and status.market_time[11:16] >= LATE:
                listed = await exchange.contracts(grade=GRADE, kind="day")
                both = [one.symbol for one in listed if one.bid and one.ask]
                trades = {symbol: len((await exchange.trades(symbol)).trades) for symbol in both}
                if trades:
                    return max(trades, key=lambda symbol: trades[symbol])
            await asyncio.sleep(POLL_S)


async def draw(base_url: str, chromium: str) -> None:
    """Open the market's page, let it live for a moment, and keep what it shows."""
    symbol = await most_traded(base_url)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        await page.goto(f"{base_url}/#{symbol}")
        await page.wait_for_selector("#grid td.live")
        await asyncio.sleep(SETTLE_S)
        await page.screenshot(path=TARGET)
        await browser.close()


def main() -> None:
    """Draw it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("This needs Chromium (Debian: apt-get install chromium).")
    asyncio.run(draw(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8230", chromium))


if __name__ == "__main__":
    main()
