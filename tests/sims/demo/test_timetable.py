"""When the members get their cues."""

from datetime import date, datetime, time, timedelta

from exchange.api.formats import SHANGHAI
from sims.demo.cues import Bid, Meter, Post, Quote, Round
from sims.demo.settings import load_settings
from sims.demo.timetable import current_trading_day, market_datetime, market_ns, moment, remaining, timetable

PACE = load_settings().pace
FRIDAY, MONDAY = date(2026, 12, 4), date(2026, 12, 7)
STEPS = timetable(FRIDAY, MONDAY, PACE)


def test_it_runs_from_opening_to_opening_in_order() -> None:
    assert STEPS[0].at == datetime(2026, 12, 4, 8, 30, tzinfo=SHANGHAI)
    assert STEPS[-1].at == datetime(2026, 12, 7, 8, 30, tzinfo=SHANGHAI)
    assert [step.at for step in STEPS] == sorted({step.at for step in STEPS})
    assert [s.phase for s in STEPS if s.phase] == [
        "pre-open",
        "call",
        *["continuous"] * 12,
        "settled",
        "pre-open",
    ]


def test_every_hour_of_every_delivery_day_is_metered_after_it_ends() -> None:
    meters = [(step.at, cue) for step in STEPS for cue in step.cues if isinstance(cue, Meter)]
    for day in (date(2026, 12, 5), date(2026, 12, 6)):
        for hour in range(24):
            end = moment(day, time(0)) + timedelta(hours=hour + 1)
            assert any(at == end and day.isoformat() in cue.days for at, cue in meters)
    assert all(cue.market_time == at.isoformat() for at, cue in meters)


def test_the_last_round_is_the_last_and_quotes_come_before_it() -> None:
    rounds = [step.cues for step in STEPS if step.phase == "continuous"]
    assert [type(cue) for cue in rounds[0]] == [Quote, Round, Meter]
    assert [cues[1].rounds_left for cues in rounds if isinstance(cues[1], Round)] == list(range(12, 0, -1))


def test_a_run_that_begins_in_the_call_auction_posts_quotes_and_bids() -> None:
    left = remaining(STEPS, datetime(2026, 12, 4, 8, 55, tzinfo=SHANGHAI))
    assert [type(cue) for cue in left[0].cues] == [Post, Quote, Bid]


def test_a_run_that_was_killed_takes_the_step_it_stood_at_again() -> None:
    at = STEPS[5].at
    assert remaining(STEPS, at) == STEPS[5:]
    assert remaining(STEPS, at + timedelta(seconds=1)) == STEPS[6:]


def test_the_trading_day_follows_the_journal() -> None:
    saturday = datetime(2026, 12, 5, 3, tzinfo=SHANGHAI)
    assert current_trading_day(saturday, FRIDAY, FRIDAY) == FRIDAY
    assert current_trading_day(datetime(2026, 12, 4, 8, tzinfo=SHANGHAI), None, FRIDAY) == FRIDAY


def test_moments_survive_the_clock() -> None:
    at = moment(FRIDAY, time(15, 31))
    assert market_datetime(market_ns(at)) == at
