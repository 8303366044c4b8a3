"""Which contracts cover a plan: the program agrees with trying every number of lots of every book."""

from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.io.covering import Order, by_price, covering_lots, orders_of
from scheduler.io.schedule import Buy, Schedule, Totals
from scheduler.io.venue import Level, Stock, supply_of_stock
from scheduler.io.workloads import Span
from scheduler.plan import PlanStatus

START = datetime.fromisoformat("2026-12-07T00:00:00+08:00")
NO_TOTALS = Totals(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
EVENINGS = (0xF0_0000,) * 12
"""20:00 to midnight, in every month."""
PERIODS = {"d0": (0, 1), "d1": (1, 2), "d2": (2, 3), "pair": (0, 2), "later": (2, 5), "all": (0, 3)}


def asks(name, *offered, days=None, masks=(), cards_per_lot=1):
    first, end = (START + timedelta(days=day) for day in days or PERIODS[name])
    return [
        Level(name, "GUIAN", "T4", cards_per_lot, first, end, lots, ticks, masks) for lots, ticks in offered
    ]


def orders(levels, used, days=3):
    """Orders for cards in hours of the plan."""
    buys = tuple(Buy("", "GUIAN", "T4", first, end, milli, 0, 0) for first, end, milli in used)
    schedule = Schedule(
        START, 24 * days, (), (), buys, (), NO_TOTALS, PlanStatus.OPTIMAL, 0, 0, 0, 0, "", "", "", 0
    )
    return orders_of(schedule, levels)


def cost(book, lots):
    """Fen of so many lots, one by one; None where the book has fewer."""
    each = sorted(level.price_ticks * level.hours for level in book for _ in range(level.lots))
    return sum(each[:lots]) if lots <= len(each) else None


def least(need, books, span):
    """The least cost, by trying every number of lots of every book; None where they cover it never."""
    ways = product(*(range(sum(level.lots for level in book) + 1) for book in books))
    found = []
    for way in ways:
        has = dict.fromkeys(need, 0)
        for book, lots in zip(books, way, strict=True):
            for first, end in book[0].within(span):
                for hour in set(range(first, end)) & set(has):
                    has[hour] += lots * book[0].cards_per_lot * 1000
        if all(has[hour] >= milli for hour, milli in need.items()):
            found.append(sum(cost(book, lots) for book, lots in zip(books, way, strict=True)))
    return min(found, default=None)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(PERIODS)),
        st.tuples(
            st.lists(st.tuples(st.integers(1, 2), st.integers(1, 9)), min_size=1, max_size=2),
            st.sampled_from([(), EVENINGS]),
        ),
        min_size=2,
        max_size=4,
    ),
    st.dictionaries(st.sampled_from([0, 12, 21, 30, 46, 50, 70]), st.integers(1, 4000), max_size=4),
    st.sampled_from([1, 2]),
)
def test_no_mix_of_contracts_is_cheaper(offered, need, cards_per_lot):
    span = Span(START, 72)
    books = [
        by_price(asks(name, *levels, masks=masks, cards_per_lot=cards_per_lot))
        for name, (levels, masks) in offered.items()
    ]
    expected = least(need, books, span)
    if expected is None:
        with pytest.raises(ValueError, match="less than"):
            covering_lots(need, books, span)
    else:
        lots = covering_lots(need, books, span)
        assert sum(cost(*pair) for pair in zip(books, lots, strict=True)) == expected


DAYS = [level for name in ("d0", "d1", "d2") for level in asks(name, (4, 100))]


@pytest.mark.parametrize(
    ("longer", "used", "expected"),
    [
        # three days at 0.90 instead of 1.00
        (asks("all", (4, 90)), [(0, 72, 2000)], {"all": 2}),
        # for two days of the three it is too dear, at the same cost the shorter ones are taken
        (asks("all", (4, 90)), [(0, 48, 2000)], {"d0": 2, "d1": 2}),
        (asks("all", (4, 100)), [(0, 72, 2000)], {"d0": 2, "d1": 2, "d2": 2}),
        # what is needed always from the long one, one day's peak from its day
        (asks("all", (4, 90)), [(0, 72, 1000), (30, 31, 2000)], {"all": 1, "d1": 2}),
        # its cheap level only
        (asks("all", (1, 90), (3, 110)), [(0, 72, 2000)], {"all": 1, "d0": 1, "d1": 1, "d2": 1}),
        # a third of it is in the plan: at 0.40 its outside hours make it dearer than the day, at 0.30 not
        (asks("later", (4, 40)), [(48, 72, 1000)], {"d2": 1}),
        (asks("later", (4, 30)), [(48, 72, 1000)], {"later": 1}),
        # evenings alone, where only evenings are used
        (asks("all", (4, 300), masks=EVENINGS), [(20, 24, 1000), (44, 48, 1000)], {"all": 1}),
        (asks("all", (4, 300), masks=EVENINGS), [(19, 24, 1000), (44, 48, 1000)], {"d0": 1, "d1": 1}),
    ],
)
def test_the_cheapest_periods_are_bought(longer, used, expected):
    found = orders([*DAYS, *longer], used)
    assert {order.symbol: order.lots for order in found} == expected


def test_an_order_says_what_it_costs_and_what_of_it_is_spare():
    levels = [*DAYS, *asks("later", (1, 20), (3, 30))]
    (order,) = orders(levels, [(50, 60, 1500)])
    # two lots for three days each, of which a card and a half is used for ten hours
    assert order == Order("later", 2, 30, 1.5, 2 * 72 - 15, 72 * 50, 72 * 60)


def test_work_is_placed_on_what_is_delivered_within_the_plan():
    levels = (*asks("all", (4, 300), masks=EVENINGS), *asks("later", (4, 30)))
    rows = supply_of_stock(Stock((), levels), Span(START, 72)).offers
    assert [(row.id, tuple(row.hours)) for row in rows] == [
        ("all@300/1", (20, 24)),
        ("all@300/2", (44, 48)),
        ("all@300/3", (68, 72)),
    ]
