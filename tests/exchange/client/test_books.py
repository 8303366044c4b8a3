"""A local book against a plain dictionary that reads like the protocol's page."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.api.checksum import l2_checksum
from exchange.api.feed import FeedBook, FeedDelta, LevelRow
from exchange.api.formats import price_text
from exchange.client import BookMismatch, LocalBook
from exchange.client.books import OrderSide
from exchange.gateway.feed_orders import order_changes
from exchange.service.market import BOOK_ORDER

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


def checksum_of(bids: Side, asks: Side) -> int:
    best = [(price, *bids[price]) for price in sorted(bids, reverse=True)]
    return l2_checksum(best, [(price, *asks[price]) for price in sorted(asks)])


@given(snapshot=st.tuples(st.integers(0, 6), held, held), stream=messages)
def test_snapshots_and_deltas_amount_to_what_the_protocol_says(
    snapshot: tuple[int, Side, Side], stream: list[tuple[type, int, Side, Side]]
) -> None:
    book = LocalBook(SYMBOL)
    seq, bids, asks = -1, {}, {}  # type: tuple[int, Side, Side]
    for kind, at, bid_rows, ask_rows in [(FeedBook, *snapshot), *stream]:
        sent = (rows(bid_rows, True), rows(ask_rows, False))
        if kind is FeedBook:
            seq, bids, asks = at, dict(bid_rows), dict(ask_rows)
        elif at > seq:  # else it is in the book already
            seq = at
            bids = {price: row for price, row in {**bids, **bid_rows}.items() if row[0]}
            asks = {price: row for price, row in {**asks, **ask_rows}.items() if row[0]}
        book.apply(kind(at, SYMBOL, *sent, checksum_of(bids, asks)))
        assert book.seq == seq
        assert book.levels() == (rows(bids, True), rows(asks, False))
        assert book.best_bid() == (None if not bids else (max(bids), bids[max(bids)][0]))
        assert book.best_ask() == (None if not asks else (min(asks), asks[min(asks)][0]))


def test_a_delta_that_the_book_contains_is_passed_over() -> None:
    book = LocalBook(SYMBOL)
    book.apply(FeedBook(5, SYMBOL, [("1.00", 3, 1)], [], checksum_of({100: (3, 1)}, {})))
    for seq in (4, 5):
        assert not book.apply(FeedDelta(seq, SYMBOL, [("1.00", 9, 9)], [], 0))
        assert (book.seq, book.best_bid()) == (5, (100, 3))
    assert book.apply(FeedDelta(6, SYMBOL, [("1.00", 9, 9)], [], checksum_of({100: (9, 9)}, {})))
    assert (book.seq, book.best_bid()) == (6, (100, 9))


def test_a_book_that_is_not_the_exchanges_is_found_out() -> None:
    book = LocalBook(SYMBOL)
    with pytest.raises(BookMismatch):
        book.apply(FeedBook(5, SYMBOL, [("1.00", 3, 1)], [], checksum_of({100: (3, 2)}, {})))


queues = st.lists(st.integers(1, 9), unique=True, max_size=6)
sides = st.dictionaries(prices.map(lambda price: price + 1), queues, max_size=4)


@given(
    before=sides, after=sides, lots=st.lists(st.integers(1, 3), min_size=20, max_size=20), up=st.booleans()
)
def test_what_changed_order_by_order_turns_one_side_into_the_other(
    before: dict[int, list[int]], after: dict[int, list[int]], lots: list[int], up: bool
) -> None:
    """Orders of `after` that `before` has at the same price come in the same turn, unless they moved back."""

    def state(queues: dict[int, list[int]], seed: int) -> list[tuple[int, int, int]]:
        found, seen = [], set()
        for price in sorted(queues, reverse=not up):
            for order in queues[price]:
                if order not in seen:
                    seen.add(order)
                    found.append((order, price, lots[(order + seed) % len(lots)]))
        return found

    old, new = state(before, 0), state(after, 1)
    arrays = [np.array(rows, BOOK_ORDER) for rows in (old, new)]
    changed = [(str(order), price_text(price), quantity) for order, price, quantity in order_changes(*arrays)]
    side = OrderSide()
    side.write([(str(order), price_text(price), quantity) for order, price, quantity in old])
    side.write(changed)
    assert list(side.rows(highest=not up)) == new
