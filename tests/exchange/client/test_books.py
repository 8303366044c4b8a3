"""A local book against a plain dictionary that reads like the protocol's page."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.api.feed import FeedBook, FeedDelta, LevelRow
from exchange.api.formats import price_text
from exchange.client import LocalBook

SYMBOL = "H100.GUIAN.261205"
Side = dict[int, tuple[int, int]]

prices = st.integers(0, 12)
held = st.dictionaries(prices, st.tuples(st.integers(1, 50), st.integers(1, 5)), max_size=8)
changed = st.dictionaries(prices, st.just((0, 0)) | st.tuples(st.integers(1, 50), st.integers(1, 5)))
messages = st.lists(
    st.tuples(st.just(FeedBook), st.integers(0, 12), held, held)
    | st.tuples(st.just(FeedDelta), st.integers(0, 12), changed, changed),
    max_size=20,
)


def rows(side: Side, descending: bool) -> list[LevelRow]:
    return [(price_text(price), *side[price]) for price in sorted(side, reverse=descending)]


@given(snapshot=st.tuples(st.integers(0, 6), held, held), stream=messages)
def test_snapshots_and_deltas_amount_to_what_the_protocol_says(
    snapshot: tuple[int, Side, Side], stream: list[tuple[type, int, Side, Side]]
) -> None:
    book = LocalBook(SYMBOL)
    seq, bids, asks = -1, {}, {}  # type: tuple[int, Side, Side]
    for kind, at, bid_rows, ask_rows in [(FeedBook, *snapshot), *stream]:
        book.apply(kind(at, SYMBOL, rows(bid_rows, True), rows(ask_rows, False)))
        if kind is FeedBook:
            seq, bids, asks = at, dict(bid_rows), dict(ask_rows)
        elif at > seq:  # else it is in the book already
            seq = at
            bids = {price: row for price, row in {**bids, **bid_rows}.items() if row[0]}
            asks = {price: row for price, row in {**asks, **ask_rows}.items() if row[0]}
        assert book.seq == seq
        assert book.levels() == (rows(bids, True), rows(asks, False))
        assert book.best_bid() == (None if not bids else (max(bids), bids[max(bids)][0]))
        assert book.best_ask() == (None if not asks else (min(asks), asks[min(asks)][0]))


def test_a_delta_that_the_book_contains_is_passed_over() -> None:
    book = LocalBook(SYMBOL)
    book.apply(FeedBook(5, SYMBOL, [("1.00", 3, 1)], []))
    for seq in (4, 5):
        book.apply(FeedDelta(seq, SYMBOL, [("1.00", 9, 9)], []))
        assert (book.seq, book.best_bid()) == (5, (100, 3))
    book.apply(FeedDelta(6, SYMBOL, [("1.00", 9, 9)], []))
    assert (book.seq, book.best_bid()) == (6, (100, 9))
