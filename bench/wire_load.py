"""The client of the binary part of the wire benchmark: compiled, so that it isn't what is measured."""

from __future__ import annotations

import select
import socket
import time
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from exchange.api.binary import ANSWER_SIZE, AnswerKind, unpack_answer
from exchange.client import Profile
from exchange.client.binary import logon_bytes, new_logon
from matching.records import COMMAND, EVENT, CommandKind, EventKind, OrderType

RECEIVE_BYTES = 4 << 20
BATCH = 4_096
"""Commands that are made at a time."""
LEVELS = 20
FIFO = 1 << 20
_NEW, _CANCEL = int(CommandKind.NEW), int(CommandKind.CANCEL)
_ACCEPTED, _REJECTED, _BLOCK = int(EventKind.ACCEPTED), int(EventKind.REJECTED), int(AnswerKind.BLOCK)
_LIMIT = int(OrderType.LIMIT)


@njit(cache=True)
def fill(
    commands: NDArray[Any],
    first: int,
    contracts: NDArray[Any],
    lows: NDArray[Any],
    orders: NDArray[Any],
    ends: NDArray[Any],
    told: NDArray[Any],
    now: int,
) -> None:
    """Make orders that rest and cancels of the oldest ones, in turn; orders only while none rests. Note `now`
    (ns) as when they are sent.
    """
    for i in range(len(commands)):
        number = first + i
        told[number % len(told)] = now
        row = commands[i]
        row["client_id"] = number
        if number % 2 and ends[0] < ends[1]:
            row["kind"] = _CANCEL
            row["order_id"] = orders[ends[0] % FIFO]
            ends[0] += 1
            continue
        chosen = number * 2654435761 % 4294967296
        row["kind"] = _NEW
        row["order_id"] = 0
        row["type"] = _LIMIT
        row["instrument"] = contracts[chosen % len(contracts)]
        row["price"] = lows[chosen % len(contracts)] + chosen // 1024 % LEVELS
        row["quantity"] = 1 + chosen // 65536 % 5


@njit(cache=True)
def read(
    records: NDArray[Any], counts: NDArray[Any], orders: NDArray[Any], ends: NDArray[Any], told: NDArray[Any]
) -> None:
    """Take in what came: durable commands into counts[0], events into counts[1], rejects into counts[2],
    times (ns) of commands by number into `told`.
    """
    now = counts[3]
    for i in range(len(records)):
        row = records[i]
        kind = row["kind"]
        if kind == _BLOCK:
            count = row["contra_id"]
            for number in range(row["order_id"], row["order_id"] + count):
                told[number % len(told)] = now - told[number % len(told)]
            counts[0] += count
        else:
            counts[1] += 1
            if kind == _ACCEPTED:
                orders[ends[1] % FIFO] = row["order_id"]
                ends[1] += 1
            elif kind == _REJECTED:
                counts[2] += 1


class Load:
    """One connection and what is known of its commands."""

    def __init__(self, port: int, profile: Profile, contracts: list[dict[str, Any]]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(logon_bytes(profile, new_logon(profile, heartbeat_ms=60_000, cancel_group=0)))
        welcome = unpack_answer(self.socket.recv(ANSWER_SIZE, socket.MSG_WAITALL))
        if welcome.kind != AnswerKind.WELCOME:
            raise ConnectionError(f"logon refused: {welcome}")
        self.sent = 0
        self.counts = np.zeros(4, np.int64)
        self.told = np.zeros(1 << 20, np.int64)
        """By command number: when it was sent, then how long its answer took, ns."""
        self._contracts = np.array([row["index"] for row in contracts], np.int64)
        self._lows = np.array([row["low"] for row in contracts], np.int64)
        self._orders = np.zeros(FIFO, np.int64)
        self._ends = np.zeros(2, np.int64)
        self._buffer = bytearray(RECEIVE_BYTES)
        self._records = np.frombuffer(self._buffer, EVENT)
        self._partial = 0
        self._batch = np.zeros(BATCH, COMMAND)
        self._bytes = self._batch.view(np.uint8).data

    @property
    def answered(self) -> int:
        """Commands that are acknowledged."""
        return int(self.counts[0])

    @property
    def received_ns(self) -> int:
        """When something was received last."""
        return int(self.counts[3])

    def make(self, count: int) -> memoryview:
        """Return the bytes of the next `count` commands, valid until the next call, and count them sent."""
        rows = self._batch[:count]
        now = time.perf_counter_ns()
        fill(rows, self.sent + 1, self._contracts, self._lows, self._orders, self._ends, self.told, now)
        self.sent += count
        return self._bytes[: rows.nbytes]

    def take(self) -> None:
        """Read what has come."""
        with memoryview(self._buffer) as view:
            got = self.socket.recv_into(view[self._partial :])
        if not got:
            raise ConnectionError("the server closed")
        filled = self._partial + got
        whole = filled // ANSWER_SIZE
        self.counts[3] = time.perf_counter_ns()
        read(self._records[:whole], self.counts, self._orders, self._ends, self.told)
        rest = self._buffer[whole * ANSWER_SIZE : filled]
        self._buffer[: len(rest)] = rest
        self._partial = len(rest)

    def close(self) -> None:
        """End the connection."""
        self.socket.close()


def pipelined(load: Load, seconds: float, window: int, batch: int = BATCH) -> float:
    """Keep `window` commands under way for a time; return acknowledged commands a second."""
    load.socket.setblocking(False)
    begin, before = time.perf_counter(), load.answered
    pending = memoryview(b"")
    while time.perf_counter() - begin < seconds:
        if not pending and load.sent - load.answered + batch <= window:
            pending = load.make(batch)
        readable, writable, _ = select.select([load.socket], [load.socket] if pending else [], [], 1.0)
        if writable:
            pending = pending[load.socket.send(pending) :]
        if readable:
            load.take()
    rate = (load.answered - before) / (time.perf_counter() - begin)
    load.socket.setblocking(True)
    if pending:
        load.socket.sendall(pending)
    settle(load)
    return rate


def settle(load: Load) -> None:
    """Wait until everything is answered."""
    while load.answered < load.sent:
        load.take()


def round_trips(load: Load, count: int) -> NDArray[Any]:
    """Return how long each of `count` commands took until its answer was received, one under way at a time,
    µs.
    """
    taken = np.zeros(count)
    for place in range(count):
        raw = load.make(1)
        begin = time.perf_counter_ns()
        load.socket.sendall(raw)
        settle(load)
        taken[place] = load.received_ns - begin
    return taken / 1e3


def paced(load: Load, rate: float, seconds: float) -> NDArray[Any]:
    """Send at a steady rate, whatever comes back; return how long each command took, µs."""
    load.socket.setblocking(False)
    begin, first = time.perf_counter(), load.sent
    last = begin
    while (now := time.perf_counter()) - begin < seconds:
        due = int((now - begin) * rate) - (load.sent - first)
        if due > 0 and now - last > 50e-6:
            last = now
            pending = load.make(min(due, BATCH))
            while pending:
                try:
                    pending = pending[load.socket.send(pending) :]
                except BlockingIOError:
                    break
            if pending:
                load.socket.setblocking(True)
                load.socket.sendall(pending)
                load.socket.setblocking(False)
        try:
            load.take()
        except BlockingIOError:
            continue
    load.socket.setblocking(True)
    settle(load)
    numbers = np.arange(max(first + 1, load.sent - len(load.told) + 1), load.sent + 1)
    return load.told[numbers % len(load.told)] / 1e3
