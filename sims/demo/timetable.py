"""The demonstration's timetable: who gets which cue when, from one trading day's opening to the next's.

Pure: from a trading day to a list of steps. A run that begins in the middle (after a kill, or because the run
before it left the market in the opening auction) takes the steps from its market time on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from exchange.api.formats import SHANGHAI
from sims.demo.cues import Bid, Cue, Meter, Post, Quote, Round
from sims.demo.settings import Pace

OPEN = time(8, 30)
AUCTION = time(8, 56)
FIRST_ROUND = time(9, 10)
ROUNDS = 12
ROUND_MINUTES = 30
SETTLED = time(15, 31)
REST = time(8, 55)
"""Where a run leaves the market: in the next trading day's call auction, which takes orders."""

HALF_HOUR = timedelta(minutes=30)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """Let the market run to ``at`` in at least ``wall_s``, wait for ``phase``, then give the cues in turn."""

    at: datetime
    title: str
    phase: str | None
    cues: tuple[Cue, ...]
    wall_s: float


def timetable(trading_day: date, next_trading_day: date, pace: Pace) -> list[Step]:
    """All steps from 08:30 of the trading day to 08:30 of the next."""
    return [
        *_before_session(trading_day, pace),
        *_session(trading_day, pace),
        Step(
            at=moment(trading_day, SETTLED),
            title="settlement; the scheduler places tasks",
            phase="settled",
            cues=(),
            wall_s=2 * pace.other_half_hour_s,
        ),
        *_delivery(trading_day, next_trading_day, pace),
    ]


def _before_session(day: date, pace: Pace) -> list[Step]:
    name = day.isoformat()
    return [
        Step(moment(day, OPEN), "providers post capacity", "pre-open", (Post(),), pace.other_half_hour_s),
        Step(
            moment(day, AUCTION),
            "opening call auction",
            "call",
            # posting again is nothing to do, unless the run begins here
            (Post(), Quote(progress_percent=0), Bid(trading_day=name)),
            pace.other_half_hour_s,
        ),
    ]


def _session(day: date, pace: Pace) -> list[Step]:
    first = moment(day, FIRST_ROUND)
    moments = [first + number * timedelta(minutes=ROUND_MINUTES) for number in range(ROUNDS)]
    return [
        Step(
            at=at,
            title="continuous trading",
            phase="continuous",
            cues=(
                Quote(progress_percent=100 * number // ROUNDS),
                Round(trading_day=day.isoformat(), rounds_left=ROUNDS - number, rounds=ROUNDS),
                _meter(at),
            ),
            wall_s=pace.session_half_hour_s,
        )
        for number, at in enumerate(moments)
    ]


def _meter(at: datetime) -> Meter:
    """Readings of the days that have delivered within the last hour."""
    days = {at.date(), (at - HOUR).date()}
    return Meter(market_time=at.isoformat(), days=tuple(sorted(day.isoformat() for day in days)))


def _delivery(day: date, next_trading_day: date, pace: Pace) -> list[Step]:
    """Hourly readings from the afternoon on; a day's last hour is sent after the day is over."""
    steps = []
    at = moment(day, time(16, 0))
    end = moment(next_trading_day, OPEN)
    while at < end:
        steps.append(Step(at, "delivery", None, (_meter(at),), pace.night_hour_s))
        at += HOUR
    steps.append(Step(end, "the next trading day opens", "pre-open", (), pace.other_half_hour_s))
    return steps


def remaining(steps: Sequence[Step], now: datetime) -> list[Step]:
    """The steps that are not over: those at or after ``now``; the market may stand exactly at one."""
    return [step for step in steps if step.at >= now]


def current_trading_day(now: datetime, latest: date | None, opening: date) -> date:
    """The day whose run is under way: the latest that was opened, else the first one (``opening``)."""
    return latest if latest is not None else max(opening, now.date())


def moment(day: date, at: time) -> datetime:
    """A time of a day in Asia/Shanghai."""
    return datetime.combine(day, at, SHANGHAI)


def market_ns(at: datetime) -> int:
    """Nanoseconds since the epoch."""
    return int(at.timestamp()) * 1_000_000_000


def market_datetime(time_ns: int) -> datetime:
    """The moment in Asia/Shanghai."""
    return datetime.fromtimestamp(time_ns / 1_000_000_000, SHANGHAI)
