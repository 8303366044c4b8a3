"""The hash of the whole state, kept for a moment: computing it takes tens of milliseconds."""

from __future__ import annotations

import math
from typing import Final

from exchange.service.views import Views

HASH_AGE_S: Final = 1.0


class RecentHash:
    """The newest hash that anybody asked for. Times are the event loop's, seconds."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._found: tuple[int, str] | None = None
        self._found_at = 0.0

    def recent(self, now: float) -> tuple[int, str]:
        """Return (seq, hash in hex) of a state that is at most `HASH_AGE_S` old."""
        if self._found is None or self.age_s(now) >= HASH_AGE_S:
            self._found = (self._views.seq, self._views.state_hash())
            self._found_at = now
        return self._found

    def age_s(self, now: float) -> float:
        """Return how old it is; infinite before the first."""
        return math.inf if self._found is None else now - self._found_at
