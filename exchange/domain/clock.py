"""Market time, injected: the wall clock, an accelerated one for demonstrations, a manual one for tests.

Only the sequencer and the day driver read a clock; the core sees the stamps they journal.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from exchange.domain.calendar import NS_PER_SECOND


class Clock(Protocol):
    """Where market time comes from."""

    @property
    def speed(self) -> float:
        """Market seconds in one real second now; 0 while the clock stands still."""
        ...

    def now_ns(self) -> int:
        """Return the market time, ns since the epoch UTC. Never falls."""
        ...

    def wall_delay_s(self, until_ns: int) -> float | None:
        """Return the wall seconds until market time `until_ns`: 0 if it is past, None if the clock is
        held.
        """
        ...

    def resume_at(self, time_ns: int) -> None:
        """Tell the clock the last time that the journal knows; an accelerated clock goes on from there."""
        ...


class WallClock:
    """Market time is real time."""

    speed = 1.0

    def now_ns(self) -> int:
        """Return real time, ns since the epoch UTC."""
        return time.time_ns()

    def wall_delay_s(self, until_ns: int) -> float:
        """Return the seconds until `until_ns`."""
        return max(0, until_ns - self.now_ns()) / NS_PER_SECOND

    def resume_at(self, time_ns: int) -> None:
        """Do nothing: real time goes its own way (the sequencer never stamps a time below its last)."""


class AcceleratedClock:
    """Market time runs `speed` times as fast as real time, can be held, and can be told where to stop.

    `monotonic_ns` is the real time it is driven by, passed in by tests.
    """

    def __init__(
        self,
        start_ns: int,
        speed: float,
        *,
        held: bool = False,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._market_ns = start_ns
        self._real_ns = monotonic_ns()
        self._stop_ns: int | None = None
        self._held = held
        self._speed = 0.0
        self.set_speed(speed)

    @property
    def speed(self) -> float:
        """Market seconds in one real second; 0 while held."""
        return 0.0 if self._held else self._speed

    @property
    def held(self) -> bool:
        """Whether market time stands still."""
        self.now_ns()
        return self._held

    def now_ns(self) -> int:
        """Return the market time; exactly the stop once `hold_at` is reached."""
        real = self._monotonic_ns()
        if not self._held:
            self._market_ns += int((real - self._real_ns) * self._speed)
            if self._stop_ns is not None and self._market_ns >= self._stop_ns:
                self._market_ns, self._stop_ns, self._held = self._stop_ns, None, True
        self._real_ns = real
        return self._market_ns

    def set_speed(self, speed: float) -> None:
        """Change the speed from now on. Raises ValueError unless it is > 0."""
        if not speed > 0:
            raise ValueError(f"speed must be above 0, not {speed}; use hold() to stop the clock")
        self.now_ns()
        self._speed = speed

    def hold(self) -> None:
        """Stand still until `release` or `hold_at`."""
        self.now_ns()
        self._held = True

    def release(self) -> None:
        """Run on, with no stop."""
        self.now_ns()
        self._held, self._stop_ns = False, None

    def hold_at(self, stop_ns: int) -> None:
        """Run on and stand still at exactly `stop_ns`; at once if that is not ahead."""
        self._held = stop_ns <= self.now_ns()
        self._stop_ns = None if self._held else stop_ns

    async def run_until(self, stop_ns: int) -> None:
        """`hold_at(stop_ns)` and return once it stands there. Releasing the clock meanwhile lifts the
        stop.
        """
        self.hold_at(stop_ns)
        while self.now_ns() < stop_ns:
            delay = self.wall_delay_s(stop_ns)
            await asyncio.sleep(_POLL_S if delay is None else min(delay, _POLL_S))

    def wall_delay_s(self, until_ns: int) -> float | None:
        """Return the real seconds until `until_ns` at the present speed; None if it won't be reached so."""
        ahead = until_ns - self.now_ns()
        if ahead <= 0:
            return 0.0
        if self._held or (self._stop_ns is not None and self._stop_ns < until_ns):
            return None
        return ahead / self._speed / NS_PER_SECOND

    def resume_at(self, time_ns: int) -> None:
        """Go on from `time_ns` if that is ahead."""
        self._market_ns = max(self.now_ns(), time_ns)


class ManualClock:
    """Market time moves only when told to."""

    speed = 0.0

    def __init__(self, start_ns: int) -> None:
        self._market_ns = start_ns

    def now_ns(self) -> int:
        """Return the market time as last set."""
        return self._market_ns

    def set(self, time_ns: int) -> None:
        """Move to `time_ns`. Raises ValueError if that is in the past."""
        if time_ns < self._market_ns:
            raise ValueError("market time never falls")
        self._market_ns = time_ns

    def advance(self, delta_ns: int) -> None:
        """Move on by `delta_ns`."""
        self.set(self._market_ns + delta_ns)

    def wall_delay_s(self, until_ns: int) -> float | None:
        """Return 0 if `until_ns` is past, else None: only the test moves this clock."""
        return 0.0 if until_ns <= self._market_ns else None

    def resume_at(self, time_ns: int) -> None:
        """Go on from `time_ns` if that is ahead."""
        self._market_ns = max(self._market_ns, time_ns)


_POLL_S = 0.02


async def sleep_until(clock: Clock, until_ns: int) -> None:
    """Return once the clock shows `until_ns`, following changes of its speed and holds within 20 ms."""
    # polling, since another task may change the clock's speed or hold it while this one waits
    while (delay := clock.wall_delay_s(until_ns)) != 0.0:  # noqa: ASYNC110
        await asyncio.sleep(_POLL_S if delay is None else min(delay, _POLL_S))
