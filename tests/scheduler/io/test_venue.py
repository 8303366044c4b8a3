"""What a plan leaves of what a member owns."""

from datetime import datetime, timedelta

import pytest

from scheduler.io.schedule import Run, Schedule, Totals
from scheduler.io.venue import Holding, Spare, Stock, spare_of
from scheduler.plan import PlanStatus
from scheduler.types import Need

START = datetime.fromisoformat("2026-12-04T00:00:00+08:00")
NO_TOTALS = Totals(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def held(name, day, cards, price_ticks=100, hours=24, first=0, reserved=True):
    start = START + timedelta(days=day, hours=first)
    symbol = f"T4.GUIAN.26120{4 + day}"
    return Holding(
        name, symbol, "GUIAN", "T4", cards, 1, start, start + timedelta(hours=hours), price_ticks, reserved
    )


def spare(holdings, *runs):
    made = tuple(Run("w", "", "", "GUIAN", *hours, 1, (Need("T4", milli),), 1.0) for *hours, milli in runs)
    schedule = Schedule(START, 48, made, (), (), (), NO_TOTALS, PlanStatus.OPTIMAL, 0, 0, 0, 0, "", "", "", 0)
    return {item.holding: item.cards for item in spare_of(schedule, Stock(tuple(holdings), ()))}


@pytest.mark.parametrize(
    ("holdings", "runs", "expected"),
    [
        # all of the first day is used, nothing of the second
        ([held("a", 0, 8), held("b", 1, 8)], [(0, 24, 8000)], {"b": 8}),
        # the busiest hour counts, and a share of a card takes a whole one
        ([held("a", 0, 8)], [(3, 4, 2500), (5, 6, 1000)], {"a": 5}),
        # of two for the same hours the dearer one goes
        ([held("cheap", 0, 8), held("dear", 0, 8, 200)], [(0, 24, 8000)], {"dear": 8}),
        # hours of a day in two stretches are one holding
        ([held("a", 0, 8, hours=6), held("a", 0, 6, hours=6, first=12)], [(13, 14, 1000)], {"a": 5}),
        # beyond the plan nobody can say, and what is bought on top leaves nothing
        ([held("a", 2, 8), held("b", 0, 2)], [(0, 24, 9000)], {}),
    ],
)
def test_what_is_never_used_of_each_holding_can_be_resold(holdings, runs, expected):
    assert spare(holdings, *runs) == expected


def test_a_position_is_named_by_its_contract():
    schedule = Schedule(START, 24, (), (), (), (), NO_TOTALS, PlanStatus.OPTIMAL, 0, 0, 0, 0, "", "", "", 0)
    found = spare_of(schedule, Stock((held("open", 0, 3, reserved=False),), ()))
    assert found == (Spare("open", "T4.GUIAN.261204", "GUIAN", "T4", 3, False),)
