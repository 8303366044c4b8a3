"""Sets of delivery hours, beside plain Python sets of them."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain.calendar import NS_PER_HOUR, date_of, day_start_ns, epoch_day
from exchange.domain.contracts import PeriodKind, Symbol, hour_period, period_of
from exchange.domain.hours import EVERY_HOUR, HourSet, hour_set, hour_start_ns, hours_of, mask_of
from exchange.domain.profiles import HubProfiles, LoadProfiles, SetLoadProfiles
from nodes.types import Profile

FIRST = epoch_day(date(2026, 1, 25)) * 24
masks = st.integers(0, EVERY_HOUR)
windows = st.tuples(st.integers(0, 900), st.integers(0, 900)).map(lambda pair: (min(pair), max(pair)))
years = st.lists(masks, min_size=12, max_size=12).map(tuple)


def slow(first: int, end: int, by_month: tuple[int, ...]) -> set[int]:
    """What a set is by its definition."""
    return {hour for hour in range(first, end) if by_month[date_of(hour // 24).month - 1] >> hour % 24 & 1}


@st.composite
def sets(draw: st.DrawFn) -> tuple[HourSet, set[int]]:
    first, end = draw(windows)
    by_month = draw(years)
    return hour_set(FIRST + first, FIRST + end, by_month), slow(FIRST + first, FIRST + end, by_month)


@settings(max_examples=30)
@given(sets())
def test_a_set_has_the_hours_of_its_masks(pair: tuple[HourSet, set[int]]) -> None:
    hours, plain = pair
    assert list(hours) == sorted(plain)
    assert len(hours) == len(plain)
    assert (hours.first, hours.end) == ((min(plain), max(plain) + 1) if plain else (0, 0))
    near = (FIRST - 1, hours.first - 1, hours.first, hours.end - 1, hours.end, *range(FIRST, FIRST + 900, 7))
    assert all((hour in hours) == (hour in plain) for hour in near)
    assert {day * 24 + hour for day, mask in hours.days() for hour in hours_of(mask)} == plain


@settings(max_examples=30)
@given(sets())
def test_its_grid_is_the_same_set(pair: tuple[HourSet, set[int]]) -> None:
    hours, plain = pair
    day, grid = hours.grid()
    assert {(day + at) * 24 + hour for at, row in enumerate(grid) for hour in range(24) if row[hour]} == plain
    assert hours.of_day(day) == mask_of([hour % 24 for hour in plain if hour // 24 == day])


PEAK, VALLEY = mask_of([10, 11, 18, 19, 20]), mask_of([0, 1, 2, 3, 4, 5, 23])
HOURS = HubProfiles(hub="GUIAN", peak=(PEAK,) * 12, valley=(VALLEY,) * 12)
SUMMER = HubProfiles(hub="GUIAN", peak=(PEAK << 1,) * 12, valley=(VALLEY,) * 12)
days = st.dates(min_value=date(2026, 1, 1), max_value=date(2030, 12, 31))
kinds = st.sampled_from([kind for kind in PeriodKind if kind is not PeriodKind.HOUR])


def known() -> LoadProfiles:
    first = LoadProfiles().with_set(SetLoadProfiles(from_month=date(2026, 1, 1), hubs=(HOURS,)))
    return first.with_set(SetLoadProfiles(from_month=date(2027, 6, 1), hubs=(SUMMER,)))


@settings(max_examples=30)
@given(days, kinds, st.sampled_from(Profile))
def test_the_hours_of_a_contract_are_those_of_its_parts(
    day: date, kind: PeriodKind, profile: Profile
) -> None:
    """Clause 6.4: what a contract becomes delivers its hours, each once."""
    symbol = Symbol("H100", "GUIAN", period_of(kind, day), profile)
    whole = known().delivery("GUIAN", symbol.period, profile)
    assert whole is not None
    parts = [known().delivery("GUIAN", part.period, profile) for part in symbol.parts()]
    if kind.cascades:
        assert sorted(hour for part in parts if part for hour in part) == list(whole)
    assert whole.start_ns == day_start_ns(symbol.period.first) + whole.first % 24 * NS_PER_HOUR
    assert whole.end_ns == hour_start_ns(whole.end)


@settings(max_examples=30)
@given(days, kinds)
def test_peak_and_valley_share_no_hour_and_are_parts_of_base(day: date, kind: PeriodKind) -> None:
    """Clause 2.9."""
    period = period_of(kind, day)
    base, peak, valley = (known().delivery("GUIAN", period, profile) for profile in Profile)
    assert base is not None
    assert peak is not None
    assert valley is not None
    assert set(peak).isdisjoint(valley)
    assert set(peak) | set(valley) < set(base)
    assert len(base) == period.end_hour - period.first_hour


def test_hours_change_with_a_month_and_a_hub_may_have_none() -> None:
    """Clause 2.9: a quarter over a change has both months' hours; an hour needs no profile."""
    of = known().delivery
    june = of("GUIAN", period_of(PeriodKind.DAY, date(2027, 6, 1)), Profile.PEAK)
    may = of("GUIAN", period_of(PeriodKind.DAY, date(2027, 5, 31)), Profile.PEAK)
    assert [[hour % 24 for hour in day or ()] for day in (may, june)] == [
        [10, 11, 18, 19, 20],
        [11, 12, 19, 20, 21],
    ]
    assert of("WUHU", period_of(PeriodKind.DAY, date(2027, 6, 1)), Profile.PEAK) is None
    assert of("GUIAN", period_of(PeriodKind.DAY, date(2025, 6, 1)), Profile.PEAK) is None
    assert list(of("WUHU", hour_period(date(2027, 6, 1), 14), Profile.BASE) or ()) == [
        epoch_day(date(2027, 6, 1)) * 24 + 14
    ]
