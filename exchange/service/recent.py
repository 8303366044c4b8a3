"""The latest events, kept in memory for readers that come back. A read model, not state."""

from __future__ import annotations

from collections import deque

from exchange.service.results import Applied
from matching.records import Records


class Recent:
    """Events of the latest frames, at most `events_max` of them and always whole frames.

    Holds everything after `after_seq`, which rises as old frames are forgotten.
    """

    def __init__(self, events_max: int, after_seq: int) -> None:
        self.after_seq = after_seq
        self._events_max = events_max
        self._frames: deque[tuple[int, Records]] = deque()
        self._held = 0

    def record(self, applied: Applied) -> None:
        """Add a frame and forget what is too much."""
        self._frames.append((applied.last_seq, applied.events))
        self._held += max(1, len(applied.events))
        while self._held > self._events_max:
            self.after_seq, events = self._frames.popleft()
            self._held -= max(1, len(events))

    def since(self, seq: int) -> list[Records] | None:
        """Return the events (dtype EVENT) of every frame that ends after `seq`, oldest first; None if some
        are forgotten.
        """
        if seq < self.after_seq:
            return None
        return [events for last_seq, events in self._frames if last_seq > seq]
