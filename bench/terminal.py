"""The trading terminal under load: how smoothly it paints, how soon it knows, and whether a fill is lost.

The server (``bench.wire_server``) and what drives it run in processes of their own. Book changes come in at a
steady rate, half of them in the contract whose ladder is on the screen. Meanwhile a key sends orders that
trade, and another member's orders show how long a change takes into the terminal's state.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import Any, Final

from textual import events

from bench.report import Result, arguments, show, write
from bench.wire import Running, server
from bench.wire_load import BATCH, Load, settle
from exchange.api.formats import price_text
from exchange.api.requests import NewOrder
from exchange.client import ExchangeClient, Profile
from exchange.terminal.app import FRAMES, TradingApp, Wishes

UPDATES_A_SECOND: Final = 2_000
OTHERS: Final = 50
"""Contracts over which the other half of the changes is spread."""
SIZE: Final = (200, 50)
KEY_S: Final = 0.1
LATENCY_MS: Final = 100.0
"""At most, p99: what is felt as at once."""
WARM_S: Final = 3.0
DRIVERS: Final = (0, 1)
TRADER, PROBER = 2, 3


class TimedApp(TradingApp):
    """A terminal that notes how long its keys took, painting included."""

    def __init__(self, client: ExchangeClient, symbol: str) -> None:
        super().__init__(client, Wishes(symbol=symbol, bell=False))
        self.posted: deque[float] = deque()
        self.taken_ms: list[float] = []

    def type(self, key: str) -> None:
        """Press a key, as the terminal's driver does."""
        self.posted.append(time.perf_counter())
        self.post_message(events.Key(key, key))

    def press(self, action: str, key: str = "") -> None:
        """Do what it means, and note the time."""
        super().press(action, key)
        self.taken_ms.append(1e3 * (time.perf_counter() - self.posted.popleft()))


def drive(
    port: int, profiles: list[Profile], contracts: list[dict[str, Any]], stop: Event, rate: Queue[float]
) -> None:
    """Change books until told to stop, in a process of its own; tells how many changes a second were done."""
    first, *others = contracts
    loads = [Load(port, profiles[0], [first]), Load(port, profiles[1], others[:OTHERS])]
    begin = time.perf_counter()
    while not stop.is_set():
        passed = time.perf_counter() - begin
        for load in loads:
            due = int(passed * UPDATES_A_SECOND / len(loads)) - load.sent
            if due > 0:
                load.socket.sendall(load.make(min(due, BATCH)))
                settle(load)
        time.sleep(0.002)
    rate.put(sum(load.answered for load in loads) / (time.perf_counter() - begin))


@contextmanager
def moving(running: Running) -> Iterator[tuple[Event, Queue[float]]]:
    """Change books until the event is set; the queue then has the rate."""
    context = multiprocessing.get_context("spawn")
    stop, rate = context.Event(), context.Queue()
    profiles = [running.profile(number) for number in DRIVERS]
    port, contracts = running.ready["binary"], running.ready["contracts"]
    job = context.Process(target=drive, args=(port, profiles, contracts, stop, rate))
    job.start()
    try:
        yield stop, rate
    finally:
        stop.set()
        job.join()


async def until(reached: Callable[[], object], every_s: float = 0.05) -> None:
    """Return when something holds."""
    while True:
        if reached():
            return
        await asyncio.sleep(every_s)


async def probe(app: TradingApp, client: ExchangeClient, symbol: str, low: int) -> float:
    """Return how long another member's order takes from its sending into the terminal's book, ms."""
    book = app.model.book
    before = book.asks.at(low)[1] if book else 0
    order = NewOrder(symbol=symbol, side="sell", quantity=1, price=price_text(low), client_order_id=None)
    begin = time.perf_counter()
    placing = asyncio.create_task(client.place(order))
    await until(lambda: app.model.book and app.model.book.asks.at(low)[1] > before, 0.001)
    taken = 1e3 * (time.perf_counter() - begin)
    await placing
    return taken


async def measure(running: Running, seconds: float) -> list[Result]:
    """Run the terminal for a time under load."""
    shown = running.ready["contracts"][0]
    trader, prober = running.profile(TRADER), running.profile(PROBER)
    high = shown["low"] + 200
    async with (
        ExchangeClient(trader.base_url, trader) as own,
        ExchangeClient(prober.base_url, prober) as other,
    ):
        with moving(running) as (stop, rate):  # begun before Textual takes hold of the terminal
            app = TimedApp(own, shown["symbol"])
            screen = asyncio.create_task(app.run_async(headless=True, size=SIZE))
            await until(lambda: app.model.book and app.model.book.bids.best(highest=True))
            await asyncio.sleep(WARM_S)
            frames, cpu_s, begin = app.frames, time.process_time(), time.perf_counter()
            probes: list[float] = []
            while time.perf_counter() - begin < seconds:
                app.type("S")
                probes.append(await probe(app, other, shown["symbol"], high))
                await asyncio.sleep(KEY_S)
            lasted = time.perf_counter() - begin
            painted = (app.frames - frames) / lasted
            share = 100 * (time.process_time() - cpu_s) / lasted
            stop.set()
            done = await asyncio.to_thread(rate.get)
        told = await settled(app, own)
        app.exit()
        await screen
    case = f"{SIZE[0]} × {SIZE[1]}, {UPDATES_A_SECOND:,} updates/s"
    return [
        Result(case, "book changes acknowledged", done, "a second", "higher", 0.98 * UPDATES_A_SECOND),
        Result(case, "repaints", painted, "a second", "lower", 30),
        Result(case, "another's order into the state, p99", p99(probes), "ms", "lower", LATENCY_MS),
        Result(case, "key pressed to handled and painted, p99", p99(app.taken_ms), "ms", "lower", LATENCY_MS),
        Result(case, "CPU of the terminal", share, "% of a core", "lower"),
        Result(case, "fills", told[0], "", "higher"),
        Result(case, "fills lost", told[0] - told[1], "", "lower", 0),
    ]


async def settled(app: TradingApp, client: ExchangeClient) -> tuple[int, int]:
    """Return the account's fills as the exchange has them, and as the terminal was told."""
    await until(lambda: not app.model.outgoing)
    there = len(await client.fills(limit=1_000))
    with suppress(TimeoutError):  # what is told may be a moment behind
        async with asyncio.timeout(5):
            await until(lambda: app.model.account.fills_told >= there)
    return there, app.model.account.fills_told


def p99(values: list[float]) -> float:
    """Return the 99th percentile."""
    return sorted(values)[int(0.99 * (len(values) - 1))]


def main() -> None:
    """Run the benchmark."""
    options = arguments("Terminal: how smoothly it paints under load, and how soon it knows.")
    with server("os") as running:
        results = asyncio.run(measure(running, 8.0 if options.quick else 40.0))
    notes = [
        f"it paints at most {FRAMES} times a second on its own account, and once for each key",
        "another's order: from its sending over HTTP to the book that the ladder shows, exchange included",
        "the screen is Textual's headless one: everything is painted and nothing written",
    ]
    show("terminal", results, notes)
    write(options.json, results, ("textual", "aiohttp"))


if __name__ == "__main__":
    main()
