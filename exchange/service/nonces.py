"""Nonces of signed requests that changed something: journaled, so that no restart lets one in again.

A request is good while its timestamp lies within `WINDOW_MS` of the server's clock. The core reads no clock:
the timestamp of each accepted request is journaled with its nonce, and a nonce is forgotten once a request is
accepted that is so much younger that the older one has surely left the window.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from hashlib import blake2b

from exchange.api.signing import WINDOW_MS

_ENTRY = struct.Struct("<16sq")
_FORGET_MS = 2 * WINDOW_MS
"""An accepted timestamp lies at most a window ahead of the clock, and is good for a window behind it."""


def nonce_digest(key_id: str, nonce: str) -> bytes:
    """Return the 16 bytes that stand for a key's nonce."""
    return blake2b(f"{key_id}\n{nonce}".encode(), digest_size=16).digest()


def nonce_entry(digest: bytes, timestamp_ms: int) -> bytes:
    """Return 24 bytes: digest, then the request's wall-clock timestamp, int64 little-endian."""
    return _ENTRY.pack(digest, timestamp_ms)


class Nonces:
    """What was used lately, oldest first. Bounded by the requests of some 90 seconds."""

    def __init__(self) -> None:
        self._stamps: dict[bytes, int] = {}
        self._latest_ms = 0

    def note(self, entries: bytes) -> None:
        """Add entries and forget what can't be used any more."""
        for digest, stamp_ms in _ENTRY.iter_unpack(entries):
            self._stamps[digest] = stamp_ms
            self._latest_ms = max(self._latest_ms, stamp_ms)
        horizon = self._latest_ms - _FORGET_MS
        while self._stamps:
            oldest = next(iter(self._stamps))
            if self._stamps[oldest] >= horizon:
                break
            del self._stamps[oldest]

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        return iter(self._stamps.items())

    def state_bytes(self) -> bytes:
        """Return everything as bytes, for the state hash."""
        return b"".join(nonce_entry(*entry) for entry in self)


def whole_entries(entries: bytes) -> bool:
    """Return whether these are entries without a rest."""
    return len(entries) % _ENTRY.size == 0
