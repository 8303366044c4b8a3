"""The cheapest covering of days by contracts, against trying every combination."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.commands.member.eligible import Offer, Period, cheapest, cheapest_hub
from exchange.commands.member.session import Wrong
from exchange.commands.member.wanted import window_of

FIRST = date(2026, 12, 7)
SPANS = [(start, end) for start in range(4) for end in range(start + 1, 5)]


def days(start: int, end: int) -> Period:
    return FIRST + timedelta(days=start), FIRST + timedelta(days=end)


@st.composite
def books(draw: st.DrawFn) -> dict[Period, list[Offer]]:
    """Offers of up to two hubs in some of the periods inside four days."""
    found: dict[Period, list[Offer]] = {}
    for span in draw(st.lists(st.sampled_from(SPANS), unique=True)):
        found[days(*span)] = [
            Offer(f"H100.{hub}.{span}", hub, draw(st.integers(1, 9)), draw(st.integers(1, 3)))
            for hub in draw(st.lists(st.sampled_from(["EAST", "WEST"]), unique=True))
        ]
    return found


def coverings(start: int) -> Iterator[list[tuple[int, int]]]:
    if start == 4:
        yield []
    for span in SPANS:
        if span[0] == start:
            yield from ([span, *rest] for rest in coverings(span[1]))


def least(offers: dict[Period, list[Offer]], lots: int, hubs: tuple[str, ...]) -> int | None:
    """The least value by trying all coverings, and in each period every single lot's price in turn."""
    values = []
    for covering in coverings(0):
        value = 0
        for span in covering:
            listed = [offer for offer in offers.get(days(*span), []) if offer.hub in hubs]
            prices = sorted(offer.price_ticks for offer in listed for _ in range(offer.lots))
            if len(prices) < lots:
                break
            value += sum(prices[:lots]) * 24 * (span[1] - span[0])
        else:
            values.append(value)
    return min(values, default=None)


@given(books(), st.integers(1, 4))
def test_it_is_the_cheapest(offers: dict[Period, list[Offer]], lots: int) -> None:
    found = cheapest(offers, days(0, 4), lots)
    assert (None if found is None else found.value_fen) == least(offers, lots, ("EAST", "WEST"))
    if found is not None:
        assert sum(leg.value_fen for leg in found.legs) == found.value_fen
    single = cheapest_hub(offers, days(0, 4), lots)
    alone = [value for hub in ("EAST", "WEST") if (value := least(offers, lots, (hub,))) is not None]
    assert (None if single is None else single.value_fen) == min(alone, default=None)


@pytest.mark.parametrize(
    ("duration", "end"),
    [("3d", "2027-02-03"), ("2w", "2027-02-14"), ("1 month", "2027-02-28"), ("1q", "2027-04-30")],
)
def test_durations(duration: str, end: str) -> None:
    start = "2027-01-31"
    assert window_of(start, duration) == (date(2027, 1, 31), date.fromisoformat(end))


@pytest.mark.parametrize(("start", "duration"), list(product(["2027-01-01"], ["0d", "month", "3h"])))
def test_what_is_no_duration(start: str, duration: str) -> None:
    with pytest.raises(Wrong, match="such as 10d"):
        window_of(start, duration)
