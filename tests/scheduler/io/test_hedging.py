"""Forward against spot: the program agrees with trying every number of lots and with the newsvendor."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.io.covering import Order
from scheduler.io.hedging import Outlook, Scenarios, expected_cny, forward_lots, hedge
from scheduler.io.venue import Level

START = datetime.fromisoformat("2026-12-05T00:00:00+08:00")


def level(lots, ticks, cards_per_lot=1):
    end = START + timedelta(days=1)
    return Level("H100.GUIAN.261205", "GUIAN", "H100", cards_per_lot, START, end, lots, ticks)


ORDER = Order("H100.GUIAN.261205", 10, 1200, 10, 0, 288_000, 288_000)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(500, 2000)), min_size=1, max_size=3),
    st.lists(st.tuples(st.floats(0, 12), st.floats(100, 600)), min_size=1, max_size=6),
    st.sampled_from([0.0, 0.5, 0.9]),
)
def test_no_number_of_lots_is_cheaper(asks, drawn, resale_share):
    levels = [level(*ask) for ask in asks]
    futures = Scenarios(*(np.array(column) for column in zip(*drawn, strict=True)))
    best = expected_cny(levels, forward_lots(levels, futures, resale_share), futures, resale_share)
    every = range(sum(lots for lots, _ in asks) + 1)
    least = min(expected_cny(levels, lots, futures, resale_share) for lots in every)
    assert best == pytest.approx(least, abs=1e-4)


def test_the_newsvendors_quantile():
    """Spot at 1.5 × the forward price and worthless surplus: buy up to the 1/3 quantile's complement."""
    futures = Scenarios(np.arange(100.0), np.full(100, 1.5 * 12 * 24))
    lots = forward_lots([level(200, 1200)], futures, 0.0)
    assert lots == pytest.approx(100 * (1 - 12 / 18), abs=1)


def test_deciding_by_scenarios_never_costs_more_than_by_the_mean():
    book = [level(6, 1200), level(20, 1260)]
    found = hedge(ORDER, book, Outlook())
    assert found.value_of_stochastic_solution_cny >= -1e-6
    assert 0 < found.buy.lots <= 26
    assert found.buy.limit_ticks in (1200, 1260)
    assert found.buy.at_book_fen <= found.buy.at_limit_fen
    assert found == hedge(ORDER, list(reversed(book)), Outlook()), "the same seed, the same advice"
    certain = hedge(ORDER, book, Outlook(demand_spread=0, price_spread=0))
    assert certain.value_of_stochastic_solution_cny == pytest.approx(0)
    with pytest.raises(ValueError, match="resale share"):
        hedge(ORDER, book, Outlook(resale_share=1.2))
