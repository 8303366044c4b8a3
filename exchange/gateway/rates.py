"""How often a key may ask: a token bucket a key, kept as the moment at which it will be full again."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from exchange.api.codes import RequestCode, RequestRefused

KEYS_MAX = 4_096
"""Buckets remembered; the one unused for longest goes first, which is full again long before."""
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What a key may do: `per_second` requests on average, `burst` at once. 0 a second: any number."""

    per_second: int = 0
    burst: int = 1


UNLIMITED: Final = RateLimit()


class Rates:
    """The buckets of all keys (generic cell rate algorithm: one integer a key)."""

    def __init__(self, limit: RateLimit, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._now_ns = now_ns
        self._interval_ns = _SECOND_NS // limit.per_second if limit.per_second else 0
        self._room_ns = (limit.burst - 1) * self._interval_ns
        self._full_at_ns: OrderedDict[str, int] = OrderedDict()
        self._limit = limit

    def spend(self, key_id: str) -> None:
        """Take one token. Raises RequestRefused RATE_LIMIT if there is none, with the seconds until there
        is.
        """
        if not self._interval_ns:
            return
        now = self._now_ns()
        full_at = max(self._full_at_ns.get(key_id, now), now)
        missing_ns = full_at - now - self._room_ns
        if missing_ns > 0:
            raise self._refusal(missing_ns)
        self._full_at_ns[key_id] = full_at + self._interval_ns
        self._full_at_ns.move_to_end(key_id)
        if len(self._full_at_ns) > KEYS_MAX:
            self._full_at_ns.popitem(last=False)

    def _refusal(self, missing_ns: int) -> RequestRefused:
        seconds = math.ceil(missing_ns / _SECOND_NS)
        return RequestRefused(
            RequestCode.RATE_LIMIT.name,
            RequestCode.RATE_LIMIT.status,
            f"This key has made more than {self._limit.per_second} requests a second, or "
            f"{self._limit.burst} at once; nothing was done. Send it again in {seconds} s.",
            retry_after_s=seconds,
        )
