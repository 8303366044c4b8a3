"""The screens in a headless browser: how soon a page shows the market, and how smoothly it moves there.

The server (``bench.wire_server``) and the browser run beside each other; book changes come in over the binary
gateway at a steady rate, half of them in the contract whose book, chart and trades the page shows.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from bench.report import Result, arguments, show, write
from bench.wire import Running, server
from bench.wire_load import paced

UPDATES_A_SECOND = 500
FRAMES = 59.5
"""A second, of the 60 that the browser asks for: one frame in two seconds may be lost."""
OPENINGS = 5
PAGES = {"/": "#grid tbody tr", "/docs": "#operations section:last-child", "/login": "#login:not([hidden])"}
"""Each page, and what is there once it shows what it is for."""

# when, in ms after the navigation began, the page shows what it is for
_READY = """selector => new Promise(resolve => {
  const there = () => document.querySelector(selector);
  const look = () => there() ? resolve(performance.now()) : requestAnimationFrame(look);
  look();
})"""

# gaps between frames, ms, over a time, ms
_GAPS = """lasts => new Promise(resolve => {
  const gaps = [], begin = performance.now();
  let before = begin;
  const frame = now => {
    gaps.push(now - before);
    before = now;
    now - begin < lasts ? requestAnimationFrame(frame) : resolve(gaps.slice(1));
  };
  requestAnimationFrame(frame);
})"""


@contextmanager
def moving(running: Running, seconds: float) -> Iterator[None]:
    """Change books for a time, half of the changes in the first contract."""
    first, *others = running.ready["contracts"]
    loads = [running.load(0, [first]), running.load(1, others[:50])]
    threads = [threading.Thread(target=paced, args=(load, UPDATES_A_SECOND / 2, seconds)) for load in loads]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread, load in zip(threads, loads, strict=True):
            thread.join()
            load.close()


async def opening(browser: Browser, base: str, path: str, selector: str) -> float:
    """Return the median time until a page shows what it is for, ms; each time without a cache."""
    taken = []
    for _ in range(OPENINGS):
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(base + path, wait_until="commit")
        taken.append(float(await page.evaluate(_READY, selector)))
        await context.close()
    return sorted(taken)[len(taken) // 2]


async def gaps(page: Page, seconds: float) -> list[float]:
    """Return the times between frames, ms, ascending."""
    found: list[float] = await page.evaluate(_GAPS, seconds * 1_000)
    return sorted(found)


def smoothness(case: str, found: list[float]) -> list[Result]:
    """Return the rows of a series of frames."""
    rate = 1_000 * len(found) / sum(found)
    return [
        Result(case, "frames", rate, "a second", "higher", FRAMES),
        Result(case, "between frames, p99", found[int(0.99 * (len(found) - 1))], "ms", "lower"),
        Result(case, "between frames, longest", found[-1], "ms", "lower"),
    ]


async def measure(running: Running, chromium: str, seconds: float) -> list[Result]:
    """Measure everything."""
    base = f"http://127.0.0.1:{running.ready['http']}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        results = [
            Result(
                f"page {path}", "shows the market" if path == "/" else "is there", taken, "ms", "lower", 1_000
            )
            for path, selector in PAGES.items()
            for taken in [await opening(browser, base, path, selector)]
        ]
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        await page.goto(f"{base}/#{running.ready['contracts'][0]['symbol']}")
        await page.wait_for_selector(PAGES["/"])
        results += smoothness("market page, quiet", await gaps(page, seconds))
        with moving(running, seconds + 2):
            await asyncio.sleep(1)
            found = await gaps(page, seconds)
        results += smoothness(f"market page, {UPDATES_A_SECOND} updates/s", found)
        await browser.close()
    return results


def main() -> None:
    """Run the benchmark."""
    options = arguments("Screens: how soon pages are there, and how smoothly the market moves on them.")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("This needs Chromium (Debian: apt-get install chromium).")
    with server("os") as running:
        results: list[Any] = asyncio.run(measure(running, chromium, 3.0 if options.quick else 15.0))
    show("screens", results, ["headless Chromium draws without a graphics card, on the server's machine"])
    write(options.json, results, ("aiohttp", "playwright"))


if __name__ == "__main__":
    main()
