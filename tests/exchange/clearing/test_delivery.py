"""Shorts matched to longs (clause 7.3) and the invoice of a delivery day (clause 7.5)."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.clearing.delivery import Supply, invoice, match_shorts_to_longs
from exchange.domain.money import half_up, largest_remainder

holdings = st.dictionaries(st.integers(1, 60), st.integers(1, 10_000), min_size=1, max_size=12)


def matched(longs: list[tuple[int, int]], supplies: list[Supply]) -> list[tuple[int, int, int, int]]:
    """Buyer, provider, certificate, lots."""
    return [tuple(row) for row in match_shorts_to_longs(longs, supplies).tolist()]


def matched_plainly(longs: list[tuple[int, int]], supplies: list[Supply]) -> list[tuple[int, int, int, int]]:
    """The rule of clause 7.3 as it reads: one buyer after the other, by largest remainder."""
    ordered = sorted(supplies, key=lambda supply: (supply.provider, supply.certificate_id))
    left = [supply.lots for supply in ordered]
    found = []
    for buyer, lots in sorted(longs):
        taken = largest_remainder(lots, left)
        left = [before - part for before, part in zip(left, taken, strict=True)]
        found += [
            (buyer, supply.provider, supply.certificate_id, part)
            for supply, part in zip(ordered, taken, strict=True)
            if part
        ]
    return found


def test_worked_example() -> None:  # clause 7.3
    matches = matched([(2, 5), (3, 3)], [Supply(5, 0, 4), Supply(4, 0, 4)])
    assert matches == [(2, 4, 0, 3), (2, 5, 0, 2), (3, 4, 0, 1), (3, 5, 0, 2)]


def test_a_buyer_takes_pro_rata_by_certificate() -> None:  # clause 7.3
    supplies = [Supply(4, 0, 2), Supply(4, 1, 6), Supply(4, 2, 2)]
    matches = matched([(2, 5), (3, 5)], supplies)
    assert matches == [
        (2, 4, 0, 1),
        (2, 4, 1, 3),
        (2, 4, 2, 1),
        (3, 4, 0, 1),
        (3, 4, 1, 3),
        (3, 4, 2, 1),
    ]


@given(holdings, holdings)
def test_everyone_gets_and_gives_exactly_its_lots(longs: dict[int, int], shorts: dict[int, int]) -> None:
    difference = sum(longs.values()) - sum(shorts.values())
    longer, shorter = (longs, shorts) if difference >= 0 else (shorts, longs)
    shorter[61] = abs(difference) + 1
    longer[62] = 1
    matches = matched(list(longs.items()), [Supply(account, 7, lots) for account, lots in shorts.items()])
    received, given_ = Counter[int](), Counter[int]()
    for match in matches:
        assert match[3] > 0
        received[match[0]] += match[3]
        given_[match[1]] += match[3]
    assert received == Counter(longs)
    assert given_ == Counter(shorts)


wide = st.lists(st.integers(1, 2**30), min_size=1, max_size=12)


@given(wide, st.lists(st.tuples(st.integers(1, 9), st.integers(0, 4), st.integers(1, 2**30)), max_size=12))
def test_arrays_match_as_the_rule_reads(lots: list[int], shorts: list[tuple[int, int, int]]) -> None:
    """Many equal remainders among them: lots of 1 and equal supplies."""
    supplies = {(provider, certificate): size for provider, certificate, size in shorts}
    difference = sum(lots) - sum(supplies.values())
    if difference > 0:
        supplies[10, 0] = difference
    elif difference < 0:
        lots = [*lots, -difference]
    longs = [(20 + at, size) for at, size in enumerate(lots)]
    given_ = [Supply(*key, size) for key, size in supplies.items()]
    assert matched(longs, given_) == matched_plainly(longs, given_)


@given(st.integers(1, 40), st.integers(1, 40))
def test_equal_remainders_go_to_the_lower_account(buyers: int, providers: int) -> None:
    longs = [(100 + at, providers) for at in range(buyers)]
    supplies = [Supply(at + 1, 0, buyers) for at in range(providers)]
    assert matched(longs, supplies) == matched_plainly(longs, supplies)


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
