"""The sessions of a trading day: what happens when, Asia/Shanghai (clause 4.4). Journaled as a rule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from itertools import pairwise

from exchange.domain.message import Message, Part
from exchange.domain.phases import MarketPhase

STRETCHES_MAX = 4
RUNS_MAX = 16
MINUTES_MAX = 24 * 60


class Stretch(Part, frozen=True, kw_only=True):
    """A stretch of continuous trading, `end` not included."""

    start: time
    end: time


class Sessions(Part, frozen=True, kw_only=True):
    """When a trading day does what.

    Between two stretches of continuous trading is a break. A closing call begins where the last one ends, and
    is matched at the close; there is none if that is the close. The defaults are those of an exchange that
    was told nothing.
    """

    open_day: time = time(8, 30)
    call: time = time(8, 55)
    match: time = time(8, 59)
    continuous: tuple[Stretch, ...] = (Stretch(start=time(9), end=time(15)),)
    close: time = time(15)
    settle: time = time(15, 30)
    margin_runs: tuple[time, ...] = (time(10, 30), time(13, 30))
    """Ascending (clause 5.11)."""
    call_minutes: int = 45
    """How long after such a run its margin calls may be met (clause 6.11); 0: it calls nobody."""
    margin_deadline: time = time(10)
    """When yesterday's margin calls must be met, and close-outs begin (clauses 6.7, 6.8)."""
    buy_in: time = time(9, 30)
    """When shortfalls of deliveries are bought in (clause 7.13)."""
    margin_auction: time = time(14, 30)
    """When bids for what couldn't be closed out are taken (clause 6.9)."""
    settlement_window_minutes: int = 60
    """The last hour of clause 6.1, before continuous trading ends."""
    finish_delivery_next_day: time = time(1)
    """On the day after delivery; readings are taken until then."""

    @property
    def continuous_end(self) -> time:
        """When continuous trading ends for the day."""
        return self.continuous[-1].end

    def steps(self) -> tuple[tuple[time, MarketPhase], ...]:
        """Return the phases after the opening, each with the time from which it is due."""
        return tuple(self._steps())

    def _steps(self) -> Iterator[tuple[time, MarketPhase]]:
        yield self.call, MarketPhase.CALL
        yield self.match, MarketPhase.MATCHED
        for number, stretch in enumerate(self.continuous):
            if number:
                yield self.continuous[number - 1].end, MarketPhase.BREAK
            yield stretch.start, MarketPhase.CONTINUOUS
        if self.continuous_end < self.close:
            yield self.continuous_end, MarketPhase.CLOSING_CALL
        yield self.close, MarketPhase.CLOSED

    def fault(self) -> str:
        """Return the name of the first field that can't be, or nothing."""
        if not 1 <= len(self.continuous) <= STRETCHES_MAX:
            return "continuous"
        of_day = (self.open_day, self.call, self.match, self.continuous[0].start)
        if not (of_day[0] <= of_day[1] < of_day[2] <= of_day[3]):
            return "call" if of_day[1] >= of_day[2] else "open_day"
        bounds = [at for stretch in self.continuous for at in (stretch.start, stretch.end)]
        if any(a >= b for a, b in pairwise(bounds)):
            return "continuous"
        if not self.continuous_end <= self.close <= self.settle:
            return "close"
        return self._margin_fault(bounds[0])

    def _margin_fault(self, start: time) -> str:
        end = self.continuous_end
        runs = self.margin_runs
        ascending = all(a < b for a, b in pairwise(runs))
        if len(runs) > RUNS_MAX or not ascending or not all(start <= at < end for at in runs):
            return "margin_runs"
        if not start <= self.margin_deadline < end:
            return "margin_deadline"
        if not self.margin_deadline <= self.margin_auction < end:
            return "margin_auction"
        if not start <= self.buy_in < end:
            return "buy_in"
        if not 0 <= self.call_minutes <= MINUTES_MAX:
            return "call_minutes"
        in_day = 1 <= self.settlement_window_minutes <= MINUTES_MAX
        return "" if in_day else "settlement_window_minutes"


class SetSessions(Message, frozen=True, kw_only=True):
    """Sets the sessions of the trading days that are opened from then on; clause 4.9. Refused:
    INVALID_SESSIONS.
    """

    sessions: Sessions
