"""Shorts matched to longs (clause 7.3) and the invoice of a delivery day (clause 7.5)."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.clearing.delivery import Match, Supply, invoice, match_shorts_to_longs
from exchange.domain.money import half_up

holdings = st.dictionaries(st.integers(1, 60), st.integers(1, 10_000), min_size=1, max_size=12)


def test_worked_example() -> None:  # clause 7.3
    matches = match_shorts_to_longs([(2, 5), (3, 3)], [Supply(5, 0, 4), Supply(4, 0, 4)])
    assert matches == [Match(2, 4, 0, 3), Match(2, 5, 0, 2), Match(3, 4, 0, 1), Match(3, 5, 0, 2)]


def test_a_buyer_takes_pro_rata_by_certificate() -> None:  # clause 7.3
    supplies = [Supply(4, 0, 2), Supply(4, 1, 6), Supply(4, 2, 2)]
    matches = match_shorts_to_longs([(2, 5), (3, 5)], supplies)
    assert matches == [
        Match(2, 4, 0, 1),
        Match(2, 4, 1, 3),
        Match(2, 4, 2, 1),
        Match(3, 4, 0, 1),
        Match(3, 4, 1, 3),
        Match(3, 4, 2, 1),
    ]


@given(holdings, holdings)
def test_everyone_gets_and_gives_exactly_its_lots(longs: dict[int, int], shorts: dict[int, int]) -> None:
    difference = sum(longs.values()) - sum(shorts.values())
    longer, shorter = (longs, shorts) if difference >= 0 else (shorts, longs)
    shorter[61] = abs(difference) + 1
    longer[62] = 1
    matches = match_shorts_to_longs(
        list(longs.items()), [Supply(account, 7, lots) for account, lots in shorts.items()]
    )
    received, given_ = Counter[int](), Counter[int]()
    for match in matches:
        assert match.lots > 0
        received[match.buyer] += match.lots
        given_[match.provider] += match.lots
    assert received == Counter(longs)
    assert given_ == Counter(shorts)


def test_unequal_sides_are_an_error() -> None:
    with pytest.raises(ValueError, match="differ"):
        match_shorts_to_longs([(1, 2)], [Supply(2, 0, 1)])


def test_invoice_of_eight_card_lots() -> None:  # clause 7.5
    # 643 ticks a lot-hour of 8 cards: 3 card-hours are 241.125 fen, shared 1 : 2
    assert invoice(643, 8, [1, 2]) == [80, 161]
    assert invoice(1_201, 1, [92]) == [110_492]


@given(st.integers(1, 5_000), st.sampled_from([1, 8]), st.lists(st.integers(0, 10_000), max_size=12))
def test_invoices_of_a_contract_sum_to_its_rounded_value(price: int, cards: int, hours: list[int]) -> None:
    amounts = invoice(price, cards, hours)
    assert sum(amounts) == half_up(price * sum(hours), cards)
    for amount, delivered in zip(amounts, hours, strict=True):
        assert abs(amount - price * delivered / cards) <= 1
        assert delivered or amount == 0
