"""Panes fill exactly their cells, in both languages; depth, queues and candles are where they belong."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terminal_market import SYMBOL, Placed, book_of, contract, model_of

from exchange.api.formats import price_text
from exchange.client import LocalOrders
from exchange.terminal.layout import PANES, SMALLEST, WIDE, Name, arrange
from exchange.terminal.paint.bars import paint_hint, paint_money, paint_status
from exchange.terminal.paint.cells import line_width
from exchange.terminal.paint.chart import GLYPHS, Scale, candle_column, paint_chart
from exchange.terminal.paint.ladder import TITLE_LINES, ladder_prices, paint_ladder
from exchange.terminal.paint.lists import paint_alerts, paint_fills, paint_orders, paint_positions, paint_tape
from exchange.terminal.paint.markets import paint_markets
from exchange.terminal.state.tape import Bar
from exchange.terminal.words import Language

placed = st.lists(
    st.builds(
        Placed, st.sampled_from(["buy", "sell"]), st.integers(1170, 1230), st.integers(1, 99), st.booleans()
    ),
    max_size=12,
)
sizes = st.tuples(st.integers(20, 120), st.integers(6, 40))


@given(placed, sizes, st.sampled_from(get_args(Language)), st.booleans())
@settings(max_examples=40, deadline=None)
def test_every_pane_fills_its_cells(
    orders: list[Placed], size: tuple[int, int], language: Language, compact: bool
) -> None:
    model = model_of(orders, language)
    width, height = size
    panes = {
        "markets": paint_markets(model, size, 0),
        "ladder": paint_ladder(model, size, compact=compact),
        "chart": paint_chart(model, size),
        "tape": paint_tape(model, size),
        "orders": paint_orders(model, size, 0),
        "fills": paint_fills(model, size, 0),
        "positions": paint_positions(model, size, 0),
        "alerts": paint_alerts(model, size),
    }
    wrong = {name: len(lines) for name, lines in panes.items() if len(lines) != height}
    assert wrong == {}
    bars = [paint_status(model, width, 1.0), paint_money(model, width), paint_hint(model, width)]
    widths = {name: {line_width(line) for line in lines} for name, lines in (panes | {"bars": bars}).items()}
    assert widths == {name: {width} for name in widths}


@given(placed)
@settings(max_examples=40, deadline=None)
def test_the_ladder_shows_what_stands_and_what_is_ahead_of_own_orders(orders: list[Placed]) -> None:
    model = model_of(orders)
    size = (60, 61 + TITLE_LINES)
    assert model.ticket.price is not None
    model.ticket.price = 1200
    prices = ladder_prices(model, 61, compact=False)
    assert prices == list(range(1230, 1169, -1))
    lines = paint_ladder(model, size, compact=False)[TITLE_LINES:]
    for price, line in zip(prices, lines, strict=True):
        here = [one for one in orders if one.price == price]
        expected = [
            *_mine([one for one in here if one.side == "buy"], "{} ▸"),
            *_lots(here, "buy"),
            price_text(price),
            *_lots(here, "sell"),
            *_mine([one for one in here if one.side == "sell"], "◂ {}"),
        ]
        assert "".join(span.text for span in line).split() == " ".join(expected).split()


def _lots(here: list[Placed], side: str) -> list[str]:
    lots = sum(one.lots for one in here if one.side == side)
    return [str(lots)] if lots else []


def _mine(queue: list[Placed], form: str) -> list[str]:
    """Own lots, and the lots in the queue before the first own order."""
    own = sum(one.lots for one in queue if one.own)
    ahead = sum(one.lots for one in itertools.takewhile(lambda one: not one.own, queue))
    return [form.format(f"{own}/{ahead}")] if own else []


@given(placed, st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_a_compact_ladder_has_the_prices_at_which_something_stands(orders: list[Placed], rows: int) -> None:
    model = model_of(orders)
    model.ticket.price = 1200
    every = sorted(
        {
            1200,
            *(one.price for one in orders),
            *([model.quote.last] if model.quote and model.quote.last else []),
        }
    )
    shown = ladder_prices(model, rows, compact=True)
    assert shown == sorted(shown, reverse=True)
    assert len(shown) == min(rows, len(every))
    assert 1200 in shown
    first = every[::-1].index(shown[0])
    assert shown == every[::-1][first : first + len(shown)], "none between is left out"


@given(placed)
@settings(max_examples=40, deadline=None)
def test_a_book_tells_its_prices_and_queues(orders: list[Placed]) -> None:
    book: LocalOrders = book_of(orders)
    for side, found in (("buy", book.bids), ("sell", book.asks)):
        mine = [(number, one) for number, one in enumerate(orders, 1) if one.side == side]
        prices = sorted({one.price for _, one in mine})
        assert list(found.prices(1180, 1220)) == [price for price in prices if 1180 <= price <= 1220]
        assert found.best(highest=side == "buy") == (prices[-1 if side == "buy" else 0] if prices else None)
        for number, one in mine:
            before = [other.lots for at, other in mine if at < number and other.price == one.price]
            assert found.ahead(number) == sum(before)
        assert found.ahead(len(orders) + 1) is None


@given(st.lists(st.integers(0, 19), min_size=4, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_candle_has_a_body_from_open_to_close_and_a_wick_from_low_to_high(corners: list[int]) -> None:
    low, *between, high = sorted(corners)
    bar = Bar("2026-12-04T10:00:00", between[0], high, low, between[1], 1)
    halves = {glyph: pair for pair, glyph in GLYPHS.items()}
    column = candle_column(bar, Scale(0, 19, 20))
    drawn = [half for glyph in column for half in reversed(halves[glyph])]
    slow = [2 if between[0] <= at <= between[1] else 1 if low <= at <= high else 0 for at in range(20)]
    assert drawn == slow


@given(st.integers(20, 260), st.integers(6, 90), st.sampled_from(PANES))
@settings(max_examples=60, deadline=None)
def test_panes_never_overlap_and_stay_on_the_screen(width: int, height: int, active: Name) -> None:
    taken: set[tuple[int, int]] = set()
    for box in arrange(width, height, active).values():
        cells = {(x, y) for x in range(box.x, box.x + box.width) for y in range(box.y, box.y + box.height)}
        assert not cells & taken
        assert all(0 <= x < width and 0 <= y < height for x, y in cells)
        taken |= cells


@pytest.mark.parametrize(("size", "panes"), [(SMALLEST, 1), (WIDE, 8)])
def test_a_small_screen_shows_one_pane_and_a_wide_one_all(size: tuple[int, int], panes: int) -> None:
    shown = [name for name in arrange(*size, "orders") if name not in ("status", "tabs", "money", "hint")]
    assert len(shown) == panes


def test_a_contract_is_found_by_its_hub_in_both_languages() -> None:
    model = model_of([])
    model.quotes.name_hubs([("GUIAN", "Gui'an 贵安集群")])
    for words in ("guian", "贵安", "h100 day", "261205"):
        model.quotes.look_for(words)
        assert model.quotes.shown == [SYMBOL]
    model.quotes.look_for("wuhu")
    assert model.quotes.shown == []
    assert contract().symbol == SYMBOL
