"""The wire benchmark: from socket to durable acknowledgement, the client in a process of its own.

The server (``bench.wire_server``) runs every gateway and the history process beside it. Half of the
commands are orders that rest, half are cancels. The device's own fdatasync, a bare aiohttp handler, and a
server that echoes as many bytes to the same client (``bench.wire_echo``) are measured in the same run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.report import ROOT, Result, arguments, show, write
from bench.wire_feed import fan_out, order_rate
from bench.wire_http import constant_requests, exchange_all, order_requests
from bench.wire_load import Load, paced, pipelined, round_trips
from bench.wire_readers import HEALTHY, UNREADING, measure
from exchange.client import Profile
from exchange.service.secrets import new_key_id, new_secret

WINDOW = 32_768
HTTP_CONNECTIONS = 32
SUBSCRIBERS = 200
PERCENTILES = (50.0, 99.0, 99.9)
PARTS = ("binary", "http", "websocket", "readers")


@dataclass
class Running:
    """A server and what it said of itself."""

    ready: dict[str, Any]
    pid: int

    def cpu_s(self) -> float:
        """Return the processor time that the server has used, its read models' process not counted."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def profile(self, number: int) -> Profile:
        """Return a member's key."""
        return Profile(**self.ready["profiles"][number], base_url=f"http://127.0.0.1:{self.ready['http']}")

    def load(self, number: int = 0, contracts: list[dict[str, Any]] | None = None) -> Load:
        """Log a member on to the binary gateway, for some contracts or all."""
        return Load(self.ready["binary"], self.profile(number), contracts or self.ready["contracts"])


@contextlib.contextmanager
def server(durability: str) -> Iterator[Running]:
    """Run a fresh server."""
    with tempfile.TemporaryDirectory(dir=ROOT / "var" if (ROOT / "var").is_dir() else None) as folder:
        words = (sys.executable, "-m", "bench.wire_server", folder, "--durability", durability)
        process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield Running(json.loads(line), process.pid)
        finally:
            if process.stdin:
                process.stdin.close()
            if process.wait():
                raise RuntimeError("the server failed; see its log")


@contextlib.contextmanager
def echo() -> Iterator[Load]:
    """Log a member on to a server that only answers as many bytes (``bench.wire_echo``)."""
    words = (sys.executable, "-m", "bench.wire_echo")
    process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline()) if process.stdout else 0
        profile = Profile(
            member="m", account="1", key_id=new_key_id(), secret=new_secret().hex(), base_url=""
        )
        load = Load(port, profile, [{"index": 0, "low": 1}])
        yield load
        load.close()
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait()


def floor(seconds: float, trips: int) -> list[Result]:
    """Measure what client, sockets and event loop allow if the server does nothing with the commands."""
    with echo() as load:
        pipelined(load, seconds / 4, WINDOW)
        rate = pipelined(load, seconds, WINDOW)
        round_trips(load, trips // 10)
        alone = round_trips(load, trips)
    case = "echo of as many bytes"
    return [
        Result(case, "pipelined", rate / 1e6, "M commands/s", "higher"),
        *percentiles(f"{case}, one in flight", alone),
    ]


def fdatasync(seconds: float) -> NDArray[Any]:
    """Return times of the device's own sync after a write of one small frame, µs."""
    with tempfile.NamedTemporaryFile(dir=ROOT / "var" if (ROOT / "var").is_dir() else None) as file:
        taken: list[int] = []
        begin = time.perf_counter()
        while time.perf_counter() - begin < seconds:
            os.write(file.fileno(), bytes(160))
            start = time.perf_counter_ns()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter_ns() - start)
    return np.array(taken) / 1e3


def percentiles(case: str, taken: NDArray[Any], p50_target: float | None = None) -> list[Result]:
    """Return the rows of a latency case."""
    return [
        Result(case, f"p{level:g}", float(np.percentile(taken, level)), "µs", "lower", p50_target)
        if level == 50.0
        else Result(case, f"p{level:g}", float(np.percentile(taken, level)), "µs", "lower")
        for level in PERCENTILES
    ]


def binary(durability: str, seconds: float, trips: int) -> list[Result]:
    """Measure the binary gateway under one durability."""
    sync = fdatasync(min(1.0, seconds)) if durability == "sync" else np.zeros(1)
    floor = float(np.median(sync))
    target = 60.0 if durability == "os" else 1.5 * floor + 100
    with server(durability) as running:
        load = running.load()
        pipelined(load, seconds / 4, WINDOW)
        used, before = running.cpu_s(), load.answered
        rate = pipelined(load, seconds, WINDOW)
        cost = (running.cpu_s() - used) / (load.answered - before) * 1e9
        round_trips(load, trips // 10)
        alone = round_trips(load, trips)
        light = paced(load, rate / 10, seconds)
        rejected = int(load.counts[2])
        load.close()
    results = [Result("fdatasync", "p50", floor, "µs", "lower")] if durability == "sync" else []
    wanted = 5.0 if durability == "os" else 2.5
    note = f"({rejected} rejected)" if rejected else ""
    results.append(
        Result(f"binary, {durability}", "pipelined", rate / 1e6, "M commands/s", "higher", wanted, note)
    )
    results.append(Result(f"binary, {durability}", "server's processor time", cost, "ns/command", "lower"))
    results += percentiles(f"binary, {durability}, one in flight", alone, target)
    return results + percentiles(f"binary, {durability}, 10 % of capacity", light)


def with_server(measured: Callable[[Running], list[Result]]) -> list[Result]:
    """Measure on a fresh server that syncs."""
    with server("sync") as running:
        return measured(running)


def costing(running: Running, work: Coroutine[Any, Any, float], seconds: float) -> tuple[float, float]:
    """Return the rate that `work` gives (a second, over `seconds`) and the server's processor time for each,
    µs.
    """
    used = running.cpu_s()
    rate = asyncio.run(work)
    return rate, (running.cpu_s() - used) / (rate * seconds) * 1e6


class Cost(NamedTuple):
    """What a load came to: answers a second, and what each took of a processor."""

    rate: float
    server_us: float
    client_us: float


def measured(running: Running, port: int, requests: Iterator[bytes], seconds: float) -> Cost:
    """Send requests over all connections for a time."""
    used, own = running.cpu_s(), time.process_time()
    answered, taken = exchange_all(port, HTTP_CONNECTIONS, requests, seconds)
    own = time.process_time() - own
    return Cost(answered / taken, (running.cpu_s() - used) / answered * 1e6, own / answered * 1e6)


def http(running: Running, seconds: float) -> list[Result]:
    """Measure orders over HTTP, one signed order a request, beside the bare handler, in turn."""
    each = seconds / 4
    member, contracts = running.profile(1), running.ready["contracts"]
    bare_port, port = running.ready["bare"], running.ready["http"]
    found: list[list[Cost]] = [[], []]
    for _ in range(2):
        found[0].append(measured(running, bare_port, constant_requests(), each))
        found[1].append(measured(running, port, order_requests(member, contracts, each), each))
    plain, orders = (max(costs) for costs in found)
    bare, own = "HTTP, bare aiohttp handler", "HTTP, sync, one signed order"
    return [
        Result(bare, "32 connections", plain.rate, "requests/s", "higher"),
        Result(bare, "server's processor time", plain.server_us, "µs/request", "lower"),
        Result(bare, "client's processor time", plain.client_us, "µs/request", "lower"),
        Result(own, "32 connections", orders.rate, "orders/s", "higher", plain.rate / 2),
        Result(own, "server's processor time", orders.server_us, "µs/order", "lower", 2 * plain.server_us),
        Result(own, "client's processor time", orders.client_us, "µs/order", "lower"),
    ]


def websocket(running: Running, seconds: float) -> list[Result]:
    """Measure order entry and fan-out over WebSocket."""
    port, contract = running.ready["http"], running.ready["contracts"][0]
    members = [running.profile(number) for number in range(11)]
    half = seconds / 2
    one, cost = costing(running, order_rate(port, members[:1], contract, half), half)
    ten, _ = costing(running, order_rate(port, members[1:], contract, half), half)
    few = running.ready["contracts"][:4]
    load = running.load(11, few)
    symbols = [row["symbol"] for row in few]
    changes, change_cost = costing(running, fan_out(port, load, symbols, SUBSCRIBERS, seconds), seconds)
    load.close()
    entry, feed = "WebSocket, sync", f"feed, L2 to {SUBSCRIBERS} subscribers"
    return [
        Result(entry, "one connection, pipelined", one, "orders/s", "higher", 120_000),
        Result(entry, "server's processor time", cost, "µs/order", "lower"),
        Result(entry, "ten connections", ten, "orders/s", "higher", 120_000),
        Result(feed, "changes delivered", changes, "deltas/s", "higher"),
        Result(feed, "server's processor time", change_cost, "µs/delta", "lower"),
    ]


def many_readers(running: Running, seconds: float) -> list[Result]:
    """Measure delivery to many readers, with and without those that don't read and one that floods."""
    contract = running.ready["contracts"][0]
    load = running.load(12, [contract])
    found = measure(running.ready["http"], running.pid, load, contract["symbol"], seconds)
    load.close()
    case = f"feed, {HEALTHY} readers"
    others = f"{case}, {UNREADING} unreading and a flood beside"
    return [
        Result(case, "p50", found["alone_p50"], "µs", "lower"),
        Result(case, "p99", found["alone_p99"], "µs", "lower"),
        Result(others, "p50", found["beside_p50"], "µs", "lower"),
        Result(others, "p99", found["beside_p99"], "µs", "lower", 2 * found["alone_p99"]),
        Result(others, "memory grown", found["grown_mib"], "MiB", "lower"),
    ]


def main() -> None:
    """Run the benchmark."""
    options = arguments(
        "Wire: from socket to durable acknowledgement, with the client in its own process.", parts=PARTS
    )
    seconds, trips = (1.5, 1_000) if options.quick else (10.0, 20_000)
    parts: dict[str, Callable[[], list[Result]]] = {
        "binary": lambda: [
            *floor(seconds / 2, trips),
            *binary("sync", seconds, trips),
            *binary("os", seconds, trips),
        ],
        "http": lambda: with_server(lambda running: http(running, 2 * seconds)),
        "websocket": lambda: with_server(lambda running: websocket(running, 2 * seconds)),
        "readers": lambda: with_server(lambda running: many_readers(running, 4 * seconds)),
    }
    results = [result for name, part in parts.items() if options.only in (None, name) for result in part()]
    notes = ["half orders that rest, half cancels; the history process runs beside the server"]
    show("wire", results, notes)
    write(options.json, results, ("numpy", "numba", "aiohttp", "uvloop"))


if __name__ == "__main__":
    main()
