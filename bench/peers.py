"""Other engines that pip can install, given the beginning of the same stream; skipped with a note where
absent.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any, Protocol

from bench.report import Result
from bench.streams import Stream
from matching.records import CommandKind, EventKind, Records, TimeInForce
from matching.reference import ReferenceEngine


def order_places(stream: Stream) -> dict[int, int]:
    """Return the place in the stream of the order behind each exchange order id."""
    engine = stream.engine()
    events = engine.apply(stream.commands)
    accepted = events[events["kind"] == EventKind.ACCEPTED]
    return dict(zip(accepted["order_id"].tolist(), (accepted["seq"] - 1).tolist(), strict=True))


class Venue(Protocol):
    """A peer as the streams drive it; `number` is the order's place in the stream."""

    def add(self, number: int, command: dict[str, Any], *, immediate: bool) -> None:
        """Take a limit order; what an immediate one doesn't trade at once is cancelled."""

    def cancel(self, number: int) -> None:
        """Cancel an order if it is still open."""


class LightMatchingEngine:
    """lightmatchingengine."""

    def __init__(self) -> None:
        self._module: Any = importlib.import_module("lightmatchingengine.lightmatchingengine")
        self._engine = self._module.LightMatchingEngine()
        self._sides = (self._module.Side.BUY, self._module.Side.SELL)
        self._ids: dict[int, int] = {}

    def add(self, number: int, command: dict[str, Any], *, immediate: bool) -> None:
        """See ``Venue``."""
        side = self._sides[command["side"]]
        order, _ = self._engine.add_order("X", command["price"], command["quantity"], side)
        self._ids[number] = order.order_id
        if immediate and order.leaves_qty > 0:
            self._engine.cancel_order(order.order_id, "X")

    def cancel(self, number: int) -> None:
        """See ``Venue``."""
        with contextlib.suppress(AssertionError):  # it asserts that the order is still open
            self._engine.cancel_order(self._ids.get(number, 0), "X")


class OrderMatching:
    """order-matching, which needs polars and pandera without saying so."""

    def __init__(self) -> None:
        loguru: Any = importlib.import_module("loguru")
        loguru.logger.remove()  # it writes a line an order
        self._engine = importlib.import_module("order_matching.matching_engine").MatchingEngine(seed=1)
        self._order = importlib.import_module("order_matching.order").LimitOrder
        self._orders = importlib.import_module("order_matching.orders").Orders
        side = importlib.import_module("order_matching.enums").Side
        self._sides = (side.BUY, side.SELL)

    def add(self, number: int, command: dict[str, Any], *, immediate: bool) -> None:
        """See ``Venue``."""
        now = datetime(2026, 1, 1) + timedelta(microseconds=number)  # noqa: DTZ001  (it compares with naive times)
        order = self._order(
            side=self._sides[command["side"]],
            price=command["price"],
            size=command["quantity"],
            timestamp=now,
            order_id=str(number),
            trader_id=str(command["account"]),
        )
        self._engine.place(self._orders([order]))
        self._engine.match(timestamp=now)
        if immediate:
            self.cancel(number)

    def cancel(self, number: int) -> None:
        """See ``Venue``."""
        with contextlib.suppress(ValueError):  # it isn't open any more
            self._engine.cancel_order(str(number))


PEERS: dict[str, tuple[Callable[[], Venue], float]] = {
    "lightmatchingengine": (LightMatchingEngine, 1.0),
    "order-matching": (OrderMatching, 0.1),
}
"""Name on the package index, how to begin, and what share of the commands it gets (a slow one gets fewer)."""


def drive(venue: Venue, commands: Records, places: dict[int, int]) -> float:
    """Return the seconds that a peer takes for the commands."""
    start = time.perf_counter()
    for place, row in enumerate(commands.tolist()):
        command = dict(zip(commands.dtype.names or (), row, strict=True))
        if command["kind"] == CommandKind.NEW:
            venue.add(place, command, immediate=command["tif"] == TimeInForce.IOC)
        else:
            venue.cancel(places.get(command["order_id"], -1))
    return time.perf_counter() - start


def reference(stream: Stream, count: int) -> Result:
    """Measure the reference engine on the first `count` commands of a stream."""
    engine = ReferenceEngine(stream.limits)
    stream.prepare(engine)
    start = time.perf_counter()
    engine.apply(stream.commands[:count])
    rate = count / (time.perf_counter() - start) / 1e6
    return Result("a mixed", "reference engine", rate, "M commands/s", "higher", note=f"(first {count})")


def measure(stream: Stream, count: int) -> tuple[list[Result], list[str]]:
    """Measure every peer that is installed; returns the results and a note for each that isn't."""
    results, notes = [], []
    places = order_places(stream)
    for name, (begin, share) in PEERS.items():
        try:
            venue = begin()
        except ImportError as absent:
            notes.append(f"{name} is skipped ({absent}); pip install -e '.[peers]' brings it")
            continue
        first = int(count * share)
        rate = first / drive(venue, stream.commands[:first], places) / 1e6
        label = f"{name} {version(name)}"
        results.append(Result("a mixed", label, rate, "M commands/s", "higher", note=f"(first {first})"))
    return results, notes
