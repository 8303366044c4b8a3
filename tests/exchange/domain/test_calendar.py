"""Days and moments (clauses 1.1 and 4.1)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.calendar import (
    day_of,
    day_start_ns,
    epoch_day,
    is_trading_day,
    local_datetime,
    moment_ns,
    next_trading_day,
    previous_trading_day,
)

days = st.dates(min_value=date(1992, 1, 1), max_value=date(2200, 1, 1))


@given(days, st.times())
def test_moments_agree_with_the_time_zone_data(day: date, at: time) -> None:  # clause 1.1
    moment = datetime.combine(day, at, ZoneInfo("Asia/Shanghai"))
    assert moment_ns(day, at) == int(moment.timestamp()) * 10**9 + moment.microsecond * 1000
    assert day_of(moment_ns(day, at)) == day
    assert local_datetime(moment_ns(day, at)) == moment
    assert day_start_ns(day) == moment_ns(day, time(0))


@given(days, st.sets(days, max_size=5))
def test_trading_days_follow_each_other_without_a_gap(day: date, closed: set[date]) -> None:  # clause 4.1
    following = next_trading_day(day, closed)
    assert is_trading_day(following, closed)
    between = day + timedelta(days=1)
    while between < following:
        assert not is_trading_day(between, closed)
        between += timedelta(days=1)
    if is_trading_day(day, closed):
        assert previous_trading_day(following, closed) == day


def test_the_epoch_is_day_0() -> None:
    assert epoch_day(date(1970, 1, 1)) == 0
    assert day_start_ns(date(1970, 1, 1)) == -8 * 3600 * 10**9
