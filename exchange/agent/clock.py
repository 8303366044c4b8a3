"""Market time at a site: what the exchange last said, and how long ago that was.

It goes by the monotonic clock, so that a jump of the machine's clock (a wrong date at boot, a leap, an
operator's slip) moves no hour.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

NS_PER_S = 1_000_000_000
HOUR_NS = 3_600 * NS_PER_S
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Told(NamedTuple):
    """What the exchange said, and when by the monotonic clock of which boot of the machine."""

    market_ns: int
    speed: float
    monotonic_s: float
    boot: str


class MarketTime:
    """See the module. Unknown until the exchange was asked once since the machine's boot."""

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, boot: Callable[[], str] | None = None
    ) -> None:
        self._monotonic = monotonic
        self._boot = (boot or boot_id)()
        self._told: Told | None = None

    def told(self, market_ns: int, speed: float) -> Told:
        """Take over what the exchange says; a market whose clock is held counts as going in real time, and
        what is read too early for it is refused and sent again.
        """
        self._told = Told(market_ns, speed or 1.0, self._monotonic(), self._boot)
        return self._told

    def remember(self, told: Told | None) -> None:
        """Go on from what was said before a restart of the agent; of another boot it says nothing."""
        if told is not None and told.boot == self._boot:
            self._told = told

    def now_ns(self) -> int | None:
        """Return market time in ns since the epoch."""
        if self._told is None:
            return None
        gone_s = self._monotonic() - self._told.monotonic_s
        return self._told.market_ns + round(gone_s * self._told.speed * NS_PER_S)


def boot_id() -> str:
    """Return what tells one boot of this machine from another; the monotonic clock goes on within one."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:  # not Linux: every start counts as a boot
        return uuid4().hex
