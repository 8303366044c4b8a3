"""The watchlist: contracts under their hub, by period."""

from __future__ import annotations

from functools import lru_cache

from exchange.api.formats import price_text
from exchange.terminal.paint.cells import (
    Cell,
    Column,
    Line,
    Span,
    between,
    columns_in,
    cut,
    filled,
    head,
    moved_ink,
    on_ground,
    row,
    window,
)
from exchange.terminal.state.model import TradingModel
from exchange.terminal.state.quotes import Quote

NONE = "–"
TITLE_LINES = 2


def paint_markets(
    model: TradingModel, size: tuple[int, int], cursor: int, *, searching: bool = False
) -> list[Line]:
    """The watchlist with the row `cursor` of `quotes.shown` marked, in its hub's block.

    Above stands the search, or else the grade.
    """
    width, height = size
    say, quotes = model.say, model.quotes
    figures = (("last", 7), ("change", 7), ("bid", 7), ("ask", 7), ("bid_lots", 5), ("ask_lots", 5))
    columns = columns_in(
        [
            Column(say("contract"), 0, least=15),
            *(Column(say(key), wide, figures=True) for key, wide in figures),
        ],
        width,
    )
    found = say("found", len(quotes.shown))
    left = [Span(quotes.search or quotes.grade or "", "plain")]
    if searching:
        words = Span(quotes.search, "title") if quotes.search else Span(say("search_hint"), "dim")
        left = [Span("/", "own"), words, Span("▌" if quotes.search else "", "own")]
    lines = [between(left, [Span(found, "dim")], width), cut(head(columns), width)]
    for one in market_rows(model, height, cursor):
        if isinstance(one, str):
            lines.append(cut((Span(one, "title"),), width))
            continue
        symbol = quotes.shown[one]
        line = cut(row(columns, _cells(quotes.by_symbol[symbol], chosen=symbol == model.symbol)), width)
        lines.append(on_ground(line, "cursor") if one == cursor else line)
    return filled(lines, size)


def market_rows(model: TradingModel, height: int, cursor: int) -> list[str | int]:
    """What stands on the lines under the two titles: hubs, and places in `quotes.shown`."""
    rows = _grouped(tuple(model.quotes.shown))
    place = next((at for at, one in enumerate(rows) if one == cursor), 0)
    first = window(len(rows), place, height - TITLE_LINES)
    return rows[first : first + height - TITLE_LINES]


@lru_cache(4)
def _grouped(shown: tuple[str, ...]) -> list[str | int]:
    """Titles of hubs, and places in `shown` under them."""
    rows: list[str | int] = []
    before = ""
    for place, symbol in enumerate(shown):
        grade, hub, _ = symbol.split(".", 2)
        if f"{grade} {hub}" != before:
            before = f"{grade} {hub}"
            rows.append(before)
        rows.append(place)
    return rows


def _cells(quote: Quote, *, chosen: bool) -> list[Cell]:
    contract = quote.contract
    ink = moved_ink(quote.change)
    period = contract.symbol.split(".", 2)[2]
    return [
        (f"{'▸' if chosen else ' '} {period}", "own" if chosen else "dim" if contract.halted else "plain"),
        (_price(quote.last), "dim" if quote.last is None else ink),
        (NONE, "dim") if quote.change is None else (signed_price(quote.change), ink),
        (_price(quote.bid), "dim" if quote.bid is None else "bid"),
        (_price(quote.ask), "dim" if quote.ask is None else "ask"),
        (str(quote.bid_lots or ""), "dim"),
        (str(quote.ask_lots or ""), "dim"),
    ]


def _price(price: int | None) -> str:
    return NONE if price is None else price_text(price)


def signed_price(change: int) -> str:
    """Ticks with their sign: "+0.12"."""
    return f"{'+' if change > 0 else ''}{price_text(change)}"
