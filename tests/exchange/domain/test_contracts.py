"""Symbols, periods and the listing rule (clauses 4.2 and 4.3)."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.calendar import NS_PER_HOUR, day_of, is_trading_day
from exchange.domain.contracts import (
    Period,
    PeriodKind,
    Symbol,
    day_period,
    hour_period,
    last_trading_day,
    month_period,
    parse_symbol,
    quarter_period,
    week_period,
)
from exchange.domain.listing import BASE_RULES, ListingRule, fine_rules, listed_periods
from nodes.types import Profile

MAKERS = [day_period, week_period, month_period, quarter_period]
FRIDAY = date(2026, 12, 4)
days = st.dates(min_value=date(2001, 1, 1), max_value=date(2098, 12, 31))


@given(
    days,
    st.sampled_from([day_period, week_period, month_period, quarter_period]),
    st.sampled_from(["GUIAN", "YRD-DEMO"]),
    st.sampled_from(Profile),
)
def test_symbols_survive_a_round_trip(day, period_of, hub, profile) -> None:
    symbol = Symbol("H100", hub, period_of(day), profile)
    assert parse_symbol(str(symbol)) == symbol


@given(days, st.integers(0, 23))
def test_symbols_of_hours_survive_a_round_trip(day, hour) -> None:
    symbol = Symbol("H100", "GUIAN", hour_period(day, hour))
    assert parse_symbol(str(symbol)) == symbol
    assert symbol.base == Symbol("H100", "GUIAN", day_period(day))
    assert symbol.period.before == hour_period(day - timedelta(days=1), hour)
    assert list(symbol.parts()) == []


@given(days, st.sampled_from(MAKERS))
def test_a_period_is_its_parts(day, period_of) -> None:
    period = period_of(day)
    children = list(period.parts())
    assert children[0].first == period.first
    assert children[-1].end == period.end
    hours = period.end_hour - period.first_hour
    assert sum(child.end_hour - child.first_hour for child in children) == hours
    assert period.end_ns - period.start_ns == hours * NS_PER_HOUR
    assert all(one.end == following.first for one, following in pairwise(children))
    assert period.before.end == period.first
    assert period.before.kind is period.kind
    assert period.first <= day < period.end
    assert day_of(period.start_ns) == period.first


@pytest.mark.parametrize(
    ("text", "kind", "first", "hours"),
    [
        ("H100.GUIAN.261205", PeriodKind.DAY, date(2026, 12, 5), 24),
        ("A100.QINGYANG.26W49", PeriodKind.WEEK, date(2026, 11, 30), 168),
        ("H100.SHANGHAI-EDGE.2612", PeriodKind.MONTH, date(2026, 12, 1), 744),
        ("T4.GUIAN.26W53", PeriodKind.WEEK, date(2026, 12, 28), 168),
        ("H100.GUIAN.27Q1", PeriodKind.QUARTER, date(2027, 1, 1), 2160),
        ("H100.GUIAN.28Q1", PeriodKind.QUARTER, date(2028, 1, 1), 2184),
        ("H100.YRD-DEMO.26Q4", PeriodKind.QUARTER, date(2026, 10, 1), 2208),
        ("H100.SHANGHAI-EDGE.261205H14", PeriodKind.HOUR, date(2026, 12, 5), 1),
        ("H100.YRD-DEMO.2612-VALLEY", PeriodKind.MONTH, date(2026, 12, 1), 744),
    ],
)
def test_known_symbols(text: str, kind: PeriodKind, first: date, hours: int) -> None:
    """Clause 2.7."""
    symbol = parse_symbol(text)
    found = symbol.period.end_hour - symbol.period.first_hour
    assert (symbol.period.kind, symbol.period.first, found) == (kind, first, hours)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "H100",
        "H100.GUIAN",
        "H100.GUIAN.261301",
        "H100.GUIAN.25W53",
        "H100.guian.261205",
        "H100.GUIAN.2613",
        "H100.GUIAN.26Q0",
        "H100.GUIAN.26Q5",
        "H100.GUIAN.261205 ",
        "H100.GUIAN.261205H24",
        "H100.GUIAN.261305H01",
        "H100.GUIAN.261205H14-PEAK",
        "H100.GUIAN.2612-BASE",
        "H100.GUIAN.2612-peak",
        "H100..261205",
        "H100.GUIAN-.261205",
        "H100.GUIAN.２６１２０５",
        "X" * 10_000,
    ],
)
def test_what_is_no_symbol_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not GRADE\.HUB\.PERIOD|names no hour") as caught:
        parse_symbol(text)
    assert len(str(caught.value)) < 200


def test_day_contracts_of_a_weekend_and_monday_end_together_on_friday() -> None:
    for day in (date(2026, 12, 5), date(2026, 12, 6), date(2026, 12, 7)):  # clause 4.3
        assert last_trading_day(day_period(day), ()) == FRIDAY
    assert last_trading_day(parse_symbol("H100.GUIAN.26W50").period, ()) == FRIDAY
    assert last_trading_day(day_period(date(2026, 12, 8)), ()) == date(2026, 12, 7)
    assert last_trading_day(day_period(date(2026, 12, 5)), (FRIDAY,)) == date(2026, 12, 3)


def listed(day: date, closed: tuple[date, ...] = ()) -> list[Period]:
    """What every product has on a day."""
    return [period for period, _ in listed_periods(BASE_RULES, ("H100", "GUIAN"), day, closed)]


def test_listing_on_a_friday() -> None:
    codes = [period.code for period in listed(FRIDAY)]  # clause 4.2
    assert codes == [
        *(f"2612{day:02d}" for day in range(5, 12)),
        *("26W50", "26W51", "26W52", "26W53"),
        *("2701", "2702", "2703", "2704", "2705", "2706"),
        *("27Q1", "27Q2", "27Q3", "27Q4"),
    ]


def test_what_begins_tomorrow_still_trades_today_but_not_what_a_holiday_cut_off() -> None:
    thursday = date(2026, 12, 3)
    assert day_period(FRIDAY) in listed(thursday)
    closed = (date(2026, 12, 31), date(2027, 1, 1))
    assert month_period(date(2027, 1, 1)) in listed(date(2026, 12, 30), closed)


@given(days.filter(lambda day: is_trading_day(day, ())))
def test_every_listed_period_can_trade_today_and_lies_ahead(day: date) -> None:
    for period in listed(day):
        assert period.first > day
        assert last_trading_day(period, ()) >= day
    firsts = {p.first for p in listed(day) if p.kind is PeriodKind.DAY}
    assert firsts == {day + timedelta(days=ahead) for ahead in range(1, 8)}


def test_hours_are_listed_up_to_and_with_the_next_trading_day() -> None:
    """Clause 4.2: on a Friday those of Saturday, Sunday and Monday, 72 of them."""
    hours = [ListingRule(kind="hour", ahead=1)]
    codes = [period.code for period, _ in listed_periods(hours, ("H100", "GUIAN"), FRIDAY, ())]
    assert codes == [f"2612{day:02d}H{hour:02d}" for day in (5, 6, 7) for hour in range(24)]
    assert len(listed_periods(hours, ("H100", "GUIAN"), date(2026, 12, 2), ())) == 24


def test_rules_list_what_they_name_and_each_contract_once() -> None:
    """Clause 4.2: fine rules are about the products that they name, and add to what every product has."""
    rules = (*BASE_RULES, *BASE_RULES, *fine_rules(["H100.GUIAN"]))
    everywhere = listed_periods(rules, ("H100", "WUHU"), FRIDAY, ())
    assert everywhere == [(period, Profile.BASE) for period in listed(FRIDAY)]
    here = listed_periods(rules, ("H100", "GUIAN"), FRIDAY, ())
    parts = [(period, profile) for profile in (Profile.PEAK, Profile.VALLEY) for period, _ in everywhere]
    assert here[: len(everywhere)] == everywhere
    assert here[len(everywhere) + 72 :] == parts
    assert not ListingRule(kind="hour", profile="peak", ahead=1).sound()
    assert not ListingRule(kind="day", ahead=0).sound()
