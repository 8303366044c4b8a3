"""The part of the wire benchmark with 500 readers of the feed: 50 that never read and one that floods beside
449 whose delivery is timed, in turn with and without them.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from bench.wire_feed import masked
from bench.wire_load import Load

HEALTHY = 449
UNREADING = 50
A_SECOND = 20
TURNS = 5
"""Book changes that each reader is to get."""
CHANGE = b'"l2_delta"'
PING, PONG = b"\x89\x00", b"\x8a\x80\x00\x00\x00\x00"
READ_BYTES = 1 << 16
_UPGRADE = (
    b"GET /v1/feed HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def connect(port: int, symbol: str | None, receive_bytes: int | None = None) -> socket.socket:
    """Open a WebSocket on the feed and subscribe to a book."""
    end = socket.socket()
    if receive_bytes is not None:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    end.connect(("127.0.0.1", port))
    end.sendall(_UPGRADE)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += end.recv(1)
    if symbol is not None:
        end.sendall(masked(orjson.dumps({"op": "subscribe", "channels": ["l2"], "symbols": [symbol]})))
    return end


class Readers:
    """Readers of one book, and when each change reached each of them."""

    def __init__(self, port: int, symbol: str, count: int) -> None:
        self._ends = {end.fileno(): end for end in (connect(port, symbol) for _ in range(count))}
        self._poll = select.epoll()
        for number, end in self._ends.items():
            end.setblocking(False)
            self._poll.register(number, select.EPOLLIN)
        self._seen = dict.fromkeys(self._ends, 0)
        self._tails = dict.fromkeys(self._ends, b"")
        self._sent: list[int] = []
        self.taken: list[int] = []
        """ns from an order to each reader's change."""
        self._read_for(1.0)  # the snapshots

    def run(self, load: Load, seconds: float) -> None:
        """Send orders at a steady rate and read what comes, until all of it came."""
        begin = time.perf_counter()
        for number in range(int(seconds * A_SECOND)):
            self._read_for(begin + number / A_SECOND - time.perf_counter())
            raw = load.make(1)
            self._sent.append(time.perf_counter_ns())
            load.socket.sendall(raw)
            load.take()
        while any(seen < len(self._sent) for seen in self._seen.values()):
            self._read_for(0.01)

    def times_us(self) -> NDArray[Any]:
        """Return the times since the last call, µs."""
        taken, self.taken = self.taken, []
        return np.array(taken) / 1e3

    def close(self) -> None:
        """End all."""
        self._poll.close()
        for end in self._ends.values():
            end.close()

    def _read_for(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            for number, _ in self._poll.poll(left):
                self._read(number)

    def _read(self, number: int) -> None:
        received = self._ends[number].recv(READ_BYTES)
        if not received:
            raise ConnectionError("the server closed a reader that reads")
        now = time.perf_counter_ns()
        if PING in received:
            self._ends[number].sendall(PONG)
        data = self._tails[number] + received
        for _ in range(data.count(CHANGE)):
            self.taken.append(now - self._sent[self._seen[number]])
            self._seen[number] += 1
        self._tails[number] = data[-(len(CHANGE) - 1) :]


@contextlib.contextmanager
def troublesome(port: int, symbol: str) -> Iterator[None]:
    """Have readers that never read, and one that asks without end."""
    ends = [connect(port, symbol, receive_bytes=4_096) for _ in range(UNREADING)]
    flooding = connect(port, None)
    pings = masked(b'{"op":"ping"}') * 1_000

    def flood() -> None:
        with contextlib.suppress(OSError):
            while True:
                flooding.sendall(pings)

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    try:
        yield
    finally:
        flooding.shutdown(socket.SHUT_RDWR)
        thread.join()
        for end in (*ends, flooding):
            end.close()


def resident_mib(pid: int) -> float:
    """Return the memory that a process holds."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def measure(port: int, pid: int, load: Load, symbol: str, seconds: float) -> dict[str, float]:
    """Return delivery times (p50, p99; µs) without and with troublesome readers, and the server's growth."""
    readers = Readers(port, symbol, HEALTHY)
    readers.run(load, min(2.0, seconds))
    readers.times_us()
    alone: list[NDArray[Any]] = []
    beside: list[NDArray[Any]] = []
    before = resident_mib(pid)
    for _ in range(TURNS):
        readers.run(load, seconds / TURNS / 2)
        alone.append(readers.times_us())
        with troublesome(port, symbol):
            readers.run(load, seconds / TURNS / 2)
            beside.append(readers.times_us())
    grown = resident_mib(pid) - before
    readers.close()
    return {
        "alone_p50": typical(alone, 50),
        "alone_p99": typical(alone, 99),
        "beside_p50": typical(beside, 50),
        "beside_p99": typical(beside, 99),
        "grown_mib": grown,
    }


def typical(turns: list[NDArray[Any]], level: float) -> float:
    """Return the median over turns of a percentile: what else the machine does hits some of either kind."""
    return float(np.median([np.percentile(turn, level) for turn in turns]))
