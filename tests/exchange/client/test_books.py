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


orders = st.integers(1, 6)
moves = st.lists(st.tuples(orders, st.integers(1, 2), st.integers(0, 2)), max_size=8)


@given(first=moves, then=moves, up=st.booleans())
def test_what_changed_order_by_order_turns_one_side_into_the_other(
    first: list[tuple[int, int, int]], then: list[tuple[int, int, int]], up: bool
) -> None:
    """Orders come to the end of a price's queue, move there, change their lots in place, and go."""
    queues: dict[int, dict[int, int]] = {}

    def state(moved: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        for order, price, lots in moved:
            held = queues.setdefault(price, {})
            if lots == 1 and order in held:
                held[order] += 1
                continue
            for queue in queues.values():
                queue.pop(order, None)
            if lots:
                held[order] = lots
        by_price = sorted(queues.items(), reverse=not up)
        return [(order, price, lots) for price, queue in by_price for order, lots in queue.items()]

    old, new = state(first), state(then)
    arrays = [np.array(rows, BOOK_ORDER) for rows in (old, new)]
    side = OrderSide()
    for rows in (old, order_changes(*arrays)):
        side.write([(str(order), price_text(price), lots) for order, price, lots in rows])
    assert list(side.rows(highest=not up)) == new
