"""Other engines that pip can install, given the beginning of the same stream; skipped with a note where
absent.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable
from typing import Any

from bench.report import Result, versions
from bench.streams import Stream
from matching.records import CommandKind, EventKind, Records, TimeInForce
from matching.reference import ReferenceEngine

Peer = Callable[[Records, dict[int, int]], float]


def order_places(stream: Stream) -> dict[int, int]:
    """Return the place in the stream of the order behind each exchange order id."""
    engine = stream.engine()
    events = engine.apply(stream.commands)
    accepted = events[events["kind"] == EventKind.ACCEPTED]
    return dict(zip(accepted["order_id"].tolist(), (accepted["seq"] - 1).tolist(), strict=True))


def light_matching_engine(commands: Records, places: dict[int, int]) -> float:
    """Return the seconds that lightmatchingengine takes; the rest of an IOC is cancelled by hand."""
    module: Any = importlib.import_module("lightmatchingengine.lightmatchingengine")
    engine = module.LightMatchingEngine()
    sides = (module.Side.BUY, module.Side.SELL)
    orders: dict[int, int] = {}
    start = time.perf_counter()
    for place, row in enumerate(commands.tolist()):
        command = dict(zip(commands.dtype.names or (), row, strict=True))
        if command["kind"] == CommandKind.NEW:
            order, _ = engine.add_order("X", command["price"], command["quantity"], sides[command["side"]])
            orders[place] = order.order_id
            if command["tif"] == TimeInForce.IOC and order.leaves_qty > 0:
                engine.cancel_order(order.order_id, "X")
        else:
            with contextlib.suppress(AssertionError):  # it asserts that the order is still open
                engine.cancel_order(orders.get(places.get(command["order_id"], -1), 0), "X")
    return time.perf_counter() - start


PEERS: dict[str, Peer] = {"lightmatchingengine": light_matching_engine}
"""Name on the package index and how to drive it."""


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
    for name, peer in PEERS.items():
        found = versions(name)
        if name not in found:
            notes.append(f"{name} isn't installed: skipped")
            continue
        seconds = peer(stream.commands[:count], places)
        label = f"{name} {found[name]}"
        rate = count / seconds / 1e6
        results.append(Result("a mixed", label, rate, "M commands/s", "higher", note=f"(first {count})"))
    return results, notes
