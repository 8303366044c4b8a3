"""Fen: rounding half up (clause 1.3), largest remainder (clause 1.4)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.money import ceiling_share, half_up, half_up_share, largest_remainder

amounts = st.integers(min_value=0, max_value=10**15)


def test_worked_examples() -> None:
    assert half_up_share(28_824, 2) == 6  # clause 1.3: 5.7648
    assert largest_remainder(10, [1, 1, 1]) == [4, 3, 3]  # clause 1.4
    assert half_up(5, 2) == 3
    assert ceiling_share(1_201 * 24, 500) == 1_442  # clause 5.1


@given(amounts, st.integers(min_value=1, max_value=10**6))
def test_half_up_is_the_nearest_integer_with_halves_up(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    rounded = half_up(numerator, denominator)
    assert exact - Fraction(1, 2) < rounded <= exact + Fraction(1, 2)


@given(amounts, st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=20))
def test_shares_sum_and_are_within_one_of_the_quota(total: int, weights: list[int]) -> None:
    if sum(weights) == 0:
        weights[0] = 1
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Fraction(total * weight, sum(weights)) - part) < 1
        assert weight or part == 0


def test_sharing_something_by_nothing_is_an_error() -> None:
    assert largest_remainder(0, [0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="no weight"):
        largest_remainder(1, [0])
