"""Slower and slower: how failed log-ins of a name, or from an address, delay the next one."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

REMEMBERED_MAX = 10_000
"""Names or addresses remembered; the one quiet for longest is forgotten first."""
FORGET_S = 900.0
LONGEST_S = 60.0


class Slowdown:
    """After `free` failures in a row each further one doubles the wait, from 1 s to a minute.

    A wait and no lock: whoever fails on purpose under another's name keeps its owner out for a
    minute at most.
    """

    def __init__(self, free: int, now: Callable[[], float]) -> None:
        self._free = free
        self._now = now
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, name: str) -> int:
        """Return the whole seconds to wait; 0 if an attempt may be made now."""
        count, last = self._known(name)
        if count < self._free:
            return 0
        delay = min(2.0 ** min(count - self._free, 16), LONGEST_S)
        return max(0, math.ceil(last + delay - self._now()))

    def begin(self, name: str) -> None:
        """Count an attempt as failed before it is made, so that many at once aren't all free."""
        count, _ = self._known(name)
        self._failures[name] = (count + 1, self._now())
        self._failures.move_to_end(name)
        if len(self._failures) > REMEMBERED_MAX:
            self._failures.popitem(last=False)

    def succeeded(self, name: str) -> None:
        """Forget the failures: the attempt was good."""
        self._failures.pop(name, None)

    def _known(self, name: str) -> tuple[int, float]:
        count, last = self._failures.get(name, (0, 0.0))
        return (0, 0.0) if count and self._now() - last > FORGET_S else (count, last)
