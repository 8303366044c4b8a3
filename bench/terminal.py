"""The trading terminal under load: how smoothly it paints, how soon it knows, and whether a fill is lost.

The server (``bench.wire_server``) and what drives it run in processes of their own. Book changes come in at a
steady rate, most of them in the contract whose ladder is on the screen. Meanwhile a key sends orders that
trade, and another member's orders show how long a change takes into the terminal's state.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import select
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import Any, Final

import msgspec
from textual import events

from bench.report import Result, arguments, show, write
from bench.wire import Running, server
from bench.wire_load import BATCH, Load, settle
from exchange.api.feed import FeedMessage, FeedOrders, FeedOrdersDelta
from exchange.api.formats import price_text
from exchange.api.requests import NewOrder
from exchange.client import ExchangeClient, LocalOrders, Market, Profile
from exchange.terminal.app import FRAMES, TradingApp, Wishes
from exchange.terminal.state.model import TradingModel
from exchange.terminal.state.ticket import Ticket
from exchange.terminal.words import Say

CHANGES_A_SECOND: Final = (2_000, 500)
"""Of the book whose ladder is shown, order by order, and of all others, of which it has the tops."""
SIZE: Final = (200, 50)
MESSAGES: Final = 2_000
STANDING: Final = 400
"""Orders in the book of the messages that come one by one."""
SYMBOL: Final = "H100.GUIAN.261205"
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
    loads = [Load(port, profiles[0], [first]), Load(port, profiles[1], others)]
    begin = time.perf_counter()
    while not stop.is_set():
        passed = time.perf_counter() - begin
        for load, each_second in zip(loads, CHANGES_A_SECOND, strict=True):
            due = int(passed * each_second) - load.sent
            if due > 0:
                load.socket.sendall(load.make(min(due, BATCH)))
        answering, _, _ = select.select([load.socket for load in loads], [], [], 0.0005)
        for load in loads:
            if load.socket in answering:
                load.take()
    for load in loads:
        settle(load)
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
            frames, heard, cpu_s, begin = (
                app.frames,
                app.model.heard,
                time.process_time(),
                time.perf_counter(),
            )
            probes: list[float] = []
            while time.perf_counter() - begin < seconds:
                app.type("S")
                probes.append(await probe(app, other, shown["symbol"], high))
                await asyncio.sleep(KEY_S)
            lasted = time.perf_counter() - begin
            painted, taken_in = (app.frames - frames) / lasted, (app.model.heard - heard) / lasted
            share = 100 * (time.process_time() - cpu_s) / lasted
            stop.set()
            done = await asyncio.to_thread(rate.get)
        told = await settled(app, own)
        app.exit()
        await screen
    case = f"{SIZE[0]} × {SIZE[1]}"
    return [
        Result(case, "book changes acknowledged", done, "a second", "higher", 0.98 * sum(CHANGES_A_SECOND)),
        Result(case, "messages taken into the state", taken_in, "a second", "higher"),
        Result(case, "repaints", painted, "a second", "lower", 30),
        Result(case, "another's order into the state, p99", p99(probes), "ms", "lower", LATENCY_MS),
        Result(case, "key pressed to handled and painted, p99", p99(app.taken_ms), "ms", "lower", LATENCY_MS),
        Result(case, "CPU of the terminal", share, "% of a core", "lower"),
        Result(case, "fills", told[0], "", "higher"),
        Result(case, "fills lost", told[0] - told[1], "", "lower", 0),
    ]


def deltas(count: int) -> list[bytes]:
    """Return messages of a book of orders as the feed sends them, each with one order that comes or goes."""
    chance = random.Random(1)
    book, standing, made = LocalOrders(SYMBOL), deque[tuple[str, str]](), []
    for number in range(count):
        if len(standing) > STANDING:
            order, price = standing.popleft()
            row = (order, price, 0)
        else:
            price = price_text(1_200 + chance.randrange(-40, 0))
            standing.append((str(number), price))
            row = (str(number), price, chance.randrange(1, 50))
        book.bids.write([row])
        made.append(msgspec.json.encode(FeedOrdersDelta(number, SYMBOL, [row], [], book.checksum())))
    return made


def bare() -> list[Result]:
    """Return what messages that come one by one cost in processor time, which other work doesn't change."""
    messages = deltas(4 * MESSAGES)
    decoder: msgspec.json.Decoder[FeedMessage] = msgspec.json.Decoder(FeedMessage)
    market, model = Market(), TradingModel(Say("en"), Ticket(), "", 0.0)
    model.symbol = SYMBOL
    market.follow(FeedOrders(-1, SYMBOL, [], [], LocalOrders(SYMBOL).checksum()))
    begin = time.process_time()
    for raw in messages:
        market.follow(decoder.decode(raw))
        model.follow_book(market.orders[SYMBOL], 0.0)
    share = 100 * (time.process_time() - begin) / (len(messages) / MESSAGES)
    case = f"{MESSAGES:,} messages/s, one change each"
    return [Result(case, "CPU of decoding, checking and taking in", share, "% of a core", "lower", 50)]


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
        results = bare() + asyncio.run(measure(running, 8.0 if options.quick else 40.0))
    notes = [
        f"it paints at most {FRAMES} times a second on its own account, and once for each key",
        "another's order: from its sending over HTTP to the book that the ladder shows, exchange included",
        "one message of the feed has what was journaled together: the busier the machine, the fewer",
        "the screen is Textual's headless one: everything is painted and nothing written",
    ]
    show("terminal", results, notes)
    write(options.json, results, ("textual", "aiohttp"))


if __name__ == "__main__":
    main()
