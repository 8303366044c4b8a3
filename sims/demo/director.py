"""Steers the demonstration: lets the clock run from step to step and gives the members their cues."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime

from exchange.domain.clock import AcceleratedClock
from exchange.service.exchange import Exchange
from sims.demo.cues import Cue, Meter, Post, Quote
from sims.demo.timetable import Step, market_datetime, market_ns
from sims.demo.troupe import Actor, Troupe

POLL_S = 0.02
PHASE_TIMEOUT_S = 60.0
STEP_S_MIN = 0.001
"""Shortest wall time of a step: the clock needs a finite speed."""


class PhaseNotReached(Exception):
    """The market did not come to the phase that its clock says; the server's log says why."""


class Director:
    """Holds the clock between steps, so that no member is late on a slow machine."""

    def __init__(self, exchange: Exchange, clock: AcceleratedClock, troupe: Troupe, speed: float) -> None:
        self._exchange = exchange
        self._clock = clock
        self._troupe = troupe
        self._speed = speed

    @property
    def now(self) -> datetime:
        """The market's time in Asia/Shanghai."""
        return market_datetime(self._clock.now_ns())

    @property
    def phase(self) -> str:
        """The market's phase."""
        return self._exchange.views.status().phase.label

    async def play(self, steps: Sequence[Step], say: Callable[[Step], None]) -> None:
        """Take the steps; ``say`` hears of each before it begins. Raises MemberFailed and PhaseNotReached."""
        for step in steps:
            say(step)
            await self.run_to(step.at, step.wall_s)
            if step.phase is not None:
                await self.reach(step.phase)
            for cue in step.cues:
                await self._troupe.play(self._players(cue), cue)

    def _players(self, cue: Cue) -> list[Actor]:
        for_providers = isinstance(cue, Post | Quote | Meter)
        return self._troupe.providers() if for_providers else self._troupe.enterprises()

    async def run_to(self, at: datetime, wall_s: float) -> None:
        """Let the clock run to a moment, taking about so much wall time; it stands still there."""
        ahead_s = (at - self.now).total_seconds()
        if ahead_s > 0:
            self._clock.set_speed(ahead_s / max(wall_s / self._speed, STEP_S_MIN))
            await self._clock.run_until(market_ns(at))

    async def reach(self, phase: str) -> None:
        """Wait until the day driver has brought the market to a phase."""
        await self._until(lambda: self.phase == phase, f"phase {phase!r}")

    async def delivered(self, day: date) -> None:
        """Wait until the day driver has closed a delivery day, if there are any yet."""
        views = self._exchange.views
        await self._until(
            lambda: views.delivered_day is None or views.delivered_day >= day, f"the end of delivery of {day}"
        )

    async def _until(self, reached: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PHASE_TIMEOUT_S
        while not reached():
            if time.monotonic() > deadline:
                raise PhaseNotReached(f"the market did not come to {what}; it is {self.now:%Y-%m-%d %H:%M}")
            await asyncio.sleep(POLL_S)
