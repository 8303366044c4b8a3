"""Settlement prices and variation margin (clauses 6.1, 6.2, 6.4)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.clearing.positions import POSITION_ROW
from exchange.clearing.settlement import (
    PriceRule,
    cascade_value,
    lock_days,
    mark_to_market,
    modelled_price,
    traded_price,
)
from exchange.clearing.tables import CONTRACT_ROW


def contract(**columns: int) -> np.void:
    row = np.zeros(1, CONTRACT_ROW)
    row["reference"] = 1_200
    for name, value in columns.items():
        row[name] = value
    return row[0]


def test_last_hour_then_auction_then_previous() -> None:  # clause 6.1
    last_hour = contract(window_lots=6, window_value=5 * 1_201 + 1_204, day_lots=9, day_value=9 * 1_300)
    assert traded_price(last_hour) == (1_202, PriceRule.LAST_HOUR)
    assert traded_price(contract(day_lots=4, day_value=4 * 1_190 + 1)) == (1_190, PriceRule.AUCTION)
    closing = contract(close_price=1_190, window_lots=6, window_value=5 * 1_201 + 1_204)
    assert traded_price(closing) == (1_190, PriceRule.CLOSING_AUCTION)
    assert traded_price(contract()) is None
    assert modelled_price(contract(), [(1_000, 1_100)], 2) == (1_200, PriceRule.PREVIOUS)


def test_an_earlier_hour_and_a_limit() -> None:  # clause 6.1
    earlier = contract(window_hour=-2, window_lots=1, window_value=1_190, day_lots=9, day_value=9 * 1_300)
    assert traded_price(earlier) == (1_190, PriceRule.EARLIER_HOUR)
    locked = contract(locked=1, price_high=1_320, window_lots=1, window_value=1_310)
    assert traded_price(locked) == (1_320, PriceRule.LIMIT)
    assert traded_price(contract(locked=-1, price_low=1_080)) == (1_080, PriceRule.LIMIT)


def test_a_modelled_price_moves_with_its_neighbours() -> None:  # clause 6.1
    row = contract(price_low=1_080, price_high=1_320)
    assert modelled_price(row, [(1_000, 1_010), (1_500, 1_540)], 2) == (1_224, PriceRule.MODEL)
    assert modelled_price(row, [(1_000, 1_400), (1_500, 1_900)], 2) == (1_320, PriceRule.MODEL)
    assert modelled_price(row, [(1_000, 1_400), (1_500, 1_900)], 0) == (1_200, PriceRule.PREVIOUS)


def test_days_in_a_row_at_a_limit() -> None:  # clause 6.5
    days = ((0, 1), (1, 1), (2, -1), (-1, -1), (-2, 0), (0, 0))
    assert [lock_days(*day) for day in days] == [1, 2, -1, -2, 0, 0]


def marked(row: np.ndarray, new: int, old: int, *, wanted: bool = True) -> int:
    """Mark one position of a day contract and return what it received; its account's cash says the same."""
    contracts, cash, margins = np.zeros(1, CONTRACT_ROW), np.zeros(1, np.int64), np.zeros(1, np.int64)
    contracts["hours"], contracts["reference"], contracts["previous"] = 24, new, old
    mark_to_market(row, contracts, np.array([wanted]), cash, margins)
    assert cash[0] == margins[0]
    return int(margins[0])


def test_variation_margin_worked() -> None:  # clause 6.2
    row = np.zeros(1, POSITION_ROW)
    row["lots"], row["day_value"] = 2, 2 * 1_200
    assert marked(row, 1_210, 1_150) == 480
    assert (row["settled_lots"], row["day_value"]) == (2, 0)
    assert marked(row, 1_210, 1_210) == 0


def test_only_wanted_contracts_are_marked() -> None:
    row = np.zeros(1, POSITION_ROW)
    row["lots"], row["day_value"] = 2, 2 * 1_200
    assert marked(row, 1_210, 1_150, wanted=False) == 0
    assert row["day_value"] == 2_400


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.integers(1_000, 1_400)), max_size=30),
    st.lists(st.integers(1_000, 1_400), min_size=1, max_size=5),
)
def test_over_days_variation_margin_is_what_the_trades_earned(
    trades: list[tuple[int, int]], settlements: list[int]
) -> None:
    """Marked day by day, a position has received exactly Σ lots × (last settlement price − trade price)."""
    row = np.zeros(1, POSITION_ROW)
    received, old = 0, 1_200
    for day, price in enumerate(settlements):
        for lots, paid in trades[day :: len(settlements)]:
            row["lots"] += lots
            row["day_value"] += lots * paid
        received += marked(row, price, old)
        old = price
    assert received == 24 * sum(lots * (settlements[-1] - paid) for lots, paid in trades)


def test_a_cascade_moves_the_same_value() -> None:  # clause 6.4
    assert cascade_value(5, 1_200, 168, [24] * 7) == 1_008_000
    with pytest.raises(ValueError, match="deliver"):
        cascade_value(5, 1_200, 168, [24] * 6)
