"""What vouchers pay of an invoice (clause 11.3)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.clearing.vouchers import drawn, most_of

purses = st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10_000)), max_size=6)


def test_worked_example() -> None:  # clause 11.3
    assert drawn(115_200, [(60_000, 3_000)]) == [34_560]
    assert drawn(115_200, [(25_440, 3_000)]) == [25_440]
    assert drawn(115_200, [(500_000, 10_000), (9, 10_000)]) == [115_200, 0]  # a voucher regime
    assert most_of(9_999, 3_333) == 3_332


@given(st.integers(0, 10**6), purses)
def test_nobody_pays_more_than_it_has_its_share_or_the_invoice(
    invoiced: int, given_: list[tuple[int, int]]
) -> None:
    paid = drawn(invoiced, given_)
    assert sum(paid) <= invoiced
    left = invoiced
    for (has, share), amount in zip(given_, paid, strict=True):
        limits = (has, invoiced * share // 10_000, left)
        assert amount == min(limits)
        left -= amount
