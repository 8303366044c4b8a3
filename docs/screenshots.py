"""Draws docs/images/market.png from a server that runs the demonstration day, while the market trades.

Usage: python -m docs.screenshots [http://127.0.0.1:8230]
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Final

from playwright.async_api import async_playwright

TARGET: Final = Path(__file__).parent / "images" / "market.png"
WIDTH, HEIGHT = 1440, 1010
SYMBOL: Final = "H100.TIANFU.261205"
"""One that the demonstration day trades from the morning on."""
SETTLE_S: Final = 4.0
"""Until prices have moved a little on the page."""


async def draw(base_url: str, chromium: str) -> None:
    """Open the market's page, let it live for a moment, and keep what it shows."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        await page.goto(f"{base_url}/#{SYMBOL}")
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
