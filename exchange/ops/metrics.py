"""Figures for Prometheus. Each exchange has a registry of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import numpy as np
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from exchange.journal import Files, OsFiles
from exchange.ops.figures import Counts, Spread, Spreads
from exchange.service.exchange import Exchange
from exchange.service.hot import count_kind
from exchange.service.results import Applied
from matching.records import EventKind, RejectCode

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (
    0.00005,
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
_REJECTED: Final = int(EventKind.REJECTED)
_COMMANDS: Final = (1, 2, 4, 8, 16, 64, 256, 1024, 4096, 16384)


class Metrics:
    """What `/metrics` shows. `watch` an exchange once; gateways report their requests."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Spreads(
            registry,
            "dongxi_request_seconds",
            "From the request's arrival to its answer.",
            _SECONDS,
            ("gateway", "operation", "status"),
        )
        self._by_request: dict[tuple[str, str, int], Spread] = {}
        self._refused = Counts(
            registry, "dongxi_refused_requests", "Requests refused, by code.", ("gateway", "code")
        )
        self._commands = Counts(registry, "dongxi_commands", "Commands applied.", ("kind",))
        self._events = Counts(registry, "dongxi_events", "Events of the matching engine.")
        self._rejects = Counts(
            registry, "dongxi_rejects", "Commands refused by the core, by code.", ("code",)
        )
        self._batches = Spreads(
            registry, "dongxi_frame_commands", "Commands in one journal frame.", _COMMANDS
        ).of()
        self._syncs = Spreads(
            registry, "dongxi_journal_sync_seconds", "Time of one sync of the journal.", _SECONDS
        ).of()
        self._written = Counts(registry, "dongxi_journal_bytes", "Bytes written to the journal.")
        self._dropped = Counts(
            registry, "dongxi_dropped_readers", "Connections cut because they read too slowly.", ("gateway",)
        )

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
        spread = self._by_request.get(asked)
        if spread is None:
            spread = self._by_request[asked] = self._requests.of((gateway, operation, str(status)))
        spread.observe(seconds)

    def refused(self, gateway: str, code: str) -> None:
        """Count one request that was refused with a code."""
        self._refused.add((gateway, code))

    def dropped(self, gateway: str) -> None:
        """Count one connection that was cut because it read too slowly."""
        self._dropped.add((gateway,))

    def files(self) -> Files:
        """Return the journal's files, timed."""
        return _TimedFiles(self._syncs, self._written)

    def exposition(self) -> bytes:
        """Return every figure in Prometheus's text format."""
        return generate_latest(self._registry)

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Show what `read` returns whenever somebody asks."""
        Gauge(name, meaning, registry=self._registry).set_function(read)

    def collect(self, collector: Collector) -> None:
        """Show what a collector yields whenever somebody asks."""
        self._registry.register(collector)

    def _on_applied(self, applied: Applied) -> None:
        count = applied.last_seq - applied.first_seq + 1
        self._batches.observe(count)
        self._events.add((), len(applied.events))
        if applied.message is not None:
            self._commands.add((type(applied.message).__name__,))
            if applied.result is not None and applied.result.code is not None:
                self._rejects.add((applied.result.code.name,))
            return
        self._commands.add(("hot",), count)
        if count_kind(applied.events, _REJECTED):
            rejected = applied.events["kind"] == _REJECTED
            codes, counts = np.unique(applied.events["code"][rejected], return_counts=True)
            for code, times in zip(codes.tolist(), counts.tolist(), strict=True):
                self._rejects.add((RejectCode(code).name,), times)


class _TimedFiles(OsFiles):
    """The journal's files, with a clock on every sync."""

    def __init__(self, syncs: Spread, written: Counts) -> None:
        self._syncs = syncs
        self._written = written

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """See ``Files``."""
        taken = super().write(descriptor, data)
        self._written.add((), taken)
        return taken

    def sync(self, descriptor: int) -> None:
        """See ``Files``."""
        began = time.perf_counter()
        super().sync(descriptor)
        self._syncs.observe(time.perf_counter() - began)
