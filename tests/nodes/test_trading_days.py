"""Trading days: weekdays that are not holidays (rulebook clause 2.11)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from nodes.catalogue import load_catalogue

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        ("2026-12-04", True),  # a Friday
        ("2026-12-05", False),
        ("2026-12-06", False),
        ("2026-01-01", False),
        ("2026-02-16", False),
        ("2026-02-24", True),  # the first weekday after Spring Festival
        ("2026-10-01", False),
        ("2026-10-08", True),
        ("2026-10-10", False),  # a Saturday stays closed even if it is a working day
        ("2027-01-01", True),  # the holidays of 2027 are not known here: weekdays alone
    ],
)
def test_is_trading_day(day: str, open_: bool) -> None:
    assert CATALOGUE.is_trading_day(date.fromisoformat(day)) is open_


def test_next_and_previous_skip_weekends_and_holidays() -> None:
    assert CATALOGUE.next_trading_day(date(2026, 12, 4)) == date(2026, 12, 7)
    assert CATALOGUE.next_trading_day(date(2026, 9, 30)) == date(2026, 10, 8)
    assert CATALOGUE.previous_trading_day(date(2026, 10, 8)) == date(2026, 9, 30)
    assert CATALOGUE.previous_trading_day(date(2026, 12, 6)) == date(2026, 12, 4)


def test_next_is_the_nearest_open_day_for_every_day_of_two_years() -> None:
    for offset in range(730):
        day = date(2026, 1, 1) + timedelta(days=offset)
        following = CATALOGUE.next_trading_day(day)
        assert CATALOGUE.is_trading_day(following)
        between = [day + timedelta(days=n) for n in range(1, (following - day).days)]
        assert not any(CATALOGUE.is_trading_day(skipped) for skipped in between)
        if CATALOGUE.is_trading_day(day):
            assert CATALOGUE.previous_trading_day(following) == day


def test_all_weekdays_of_the_holidays_are_of_2026() -> None:
    assert {day.year for day in CATALOGUE.holidays} == {2026}
    assert len(CATALOGUE.holidays) == 3 + 9 + 3 + 5 + 3 + 3 + 7
