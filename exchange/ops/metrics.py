"""Figures for Prometheus. Each exchange has a registry of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from exchange.journal import Files, OsFiles
from exchange.service.exchange import Exchange
from exchange.service.results import Applied
from matching.records import EventKind, RejectCode

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
)
_COMMANDS: Final = (1, 2, 4, 8, 16, 64, 256, 1024, 4096, 16384)


class Metrics:
    """What `/metrics` shows. `watch` an exchange once; gateways report their requests."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Histogram(
            "dongxi_request_seconds",
            "From the request's arrival to its answer.",
            ("gateway", "operation", "status"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._by_request: dict[tuple[str, str, int], Histogram] = {}
        self._refused = self._counter(
            "dongxi_refused_requests", "Requests refused, by code.", ("gateway", "code")
        )
        self._commands = self._counter("dongxi_commands", "Commands applied.", ("kind",))
        self._hot = self._commands.labels("hot")
        self._events = self._counter("dongxi_events", "Events of the matching engine.")
        self._rejects = self._counter("dongxi_rejects", "Commands refused by the core, by code.", ("code",))
        self._batches = Histogram(
            "dongxi_frame_commands",
            "Commands in one journal frame.",
            buckets=_COMMANDS,
            registry=self._registry,
        )
        self._syncs = Histogram(
            "dongxi_journal_sync_seconds",
            "Time of one sync of the journal.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._written = self._counter("dongxi_journal_bytes", "Bytes written to the journal.")

    def watch(self, exchange: Exchange) -> None:
        """Follow an exchange: its frames from now on, and its state whenever somebody asks."""
        exchange.subscribe(self._on_applied)
        self.gauge("dongxi_seq", "Last command applied.", lambda: exchange.views.seq)
        self.gauge(
            "dongxi_queue_commands", "Commands that wait to be durable.", lambda: exchange.waiting_commands
        )
        self.gauge(
            "dongxi_acknowledging",
            "1 while commands are acknowledged.",
            lambda: float(exchange.failure is None and not exchange.draining),
        )
        self.gauge(
            "dongxi_state_hash_age_seconds",
            "Age of the newest state hash that anybody asked for.",
            exchange.state_hash_age_s,
        )

    def requested(self, gateway: str, operation: str, status: int, seconds: float) -> None:
        """Count one request of a gateway with the time that it took."""
        asked = (gateway, operation, status)
        histogram = self._by_request.get(asked)
        if histogram is None:
            histogram = self._by_request[asked] = self._requests.labels(gateway, operation, str(status))
        histogram.observe(seconds)

    def refused(self, gateway: str, code: str) -> None:
        """Count one request that was refused with a code."""
        self._refused.labels(gateway, code).inc()

    def files(self) -> Files:
        """Return the journal's files, timed."""
        return _TimedFiles(self._syncs, self._written)

    def exposition(self) -> bytes:
        """Return every figure in Prometheus's text format."""
        return generate_latest(self._registry)

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Show what `read` returns whenever somebody asks."""
        Gauge(name, meaning, registry=self._registry).set_function(read)

    def _counter(self, name: str, meaning: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, meaning, labels, registry=self._registry)

    def _on_applied(self, applied: Applied) -> None:
        count = applied.last_seq - applied.first_seq + 1
        self._batches.observe(count)
        self._events.inc(len(applied.events))
        if applied.message is not None:
            self._commands.labels(type(applied.message).__name__).inc()
            if applied.result is not None and applied.result.code is not None:
                self._rejects.labels(applied.result.code.name).inc()
            return
        self._hot.inc(count)
        rejected = applied.events["kind"] == EventKind.REJECTED
        if np.count_nonzero(rejected):
            codes, counts = np.unique(applied.events["code"][rejected], return_counts=True)
            for code, times in zip(codes.tolist(), counts.tolist(), strict=True):
                self._rejects.labels(RejectCode(code).name).inc(times)


class _TimedFiles(OsFiles):
    """The journal's files, with a clock on every sync."""

    def __init__(self, syncs: Histogram, written: Counter) -> None:
        self._syncs = syncs
        self._written = written

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """See ``Files``."""
        taken = super().write(descriptor, data)
        self._written.inc(taken)
        return taken

    def sync(self, descriptor: int) -> None:
        """See ``Files``."""
        began = time.perf_counter()
        super().sync(descriptor)
        self._syncs.observe(time.perf_counter() - began)
