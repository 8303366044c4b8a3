"""The price ladder: one row a price, the highest on top, with depth, own orders and what is ahead of them."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.api.formats import price_text
from exchange.client import LocalOrders
from exchange.terminal.paint.cells import (
    Cell,
    Ground,
    Ink,
    Line,
    Span,
    between,
    cny,
    cut,
    filled,
    fit,
    moved_ink,
    on_ground,
)
from exchange.terminal.paint.markets import signed_price
from exchange.terminal.state.account import Side, Working
from exchange.terminal.state.model import TradingModel
from exchange.terminal.state.quotes import Quote, ticks
from exchange.terminal.state.ticket import best_of

TITLE_LINES = 4
SIDES: tuple[Side, Side] = ("buy", "sell")


def ladder_prices(model: TradingModel, rows: int, *, compact: bool) -> list[int]:
    """The prices of a ladder of so many rows, highest first, around the selected one: every tick within
    today's limits, or `compact` those at which something stands, the last and the selected one.
    """
    quote, centre = model.quote, model.ticket.price
    if quote is None or centre is None or rows < 1:
        return []
    low, high = ticks(quote.contract.price_low) or 0, ticks(quote.contract.price_high) or 0
    if compact:
        prices = {centre, *(one.price for one in model.account.mine(quote.contract.symbol) if one.price)}
        prices |= {quote.last} if quote.last is not None else set()
        if model.book is not None:
            prices |= {*model.book.bids.prices(low, high), *model.book.asks.prices(low, high)}
        every = sorted(prices, reverse=True)
        first = max(0, min(every.index(centre) - rows // 2, len(every) - rows))
        return every[first : first + rows]
    top = min(max(centre + rows // 2, low + rows - 1), high)
    return list(range(top, max(top - rows, low - 1), -1))


def paint_ladder(model: TradingModel, size: tuple[int, int], *, compact: bool) -> list[Line]:
    """The contract's title, the ticket, and the ladder."""
    width, height = size
    quote = model.quote
    if quote is None:
        return filled([cut((Span(model.say("no_contract"), "dim"),), width)], size)
    prices = ladder_prices(model, height - TITLE_LINES, compact=compact)
    lines = [*_title(model, quote, width), _ticket(model, width), _heads(model, width)]
    lines += _Rows(model, quote, prices, width).lines()
    return filled(lines, size)


def _title(model: TradingModel, quote: Quote, width: int) -> list[Line]:
    contract, say = quote.contract, model.say
    ink = moved_ink(quote.change)
    last = "–" if quote.last is None else price_text(quote.last)
    left = [Span(contract.symbol, "title"), Span(" "), Span(last, ink)]
    if quote.change is not None:
        share = 100 * quote.change / quote.reference if quote.reference else 0.0
        left.append(Span(f" {signed_price(quote.change)} {share:+.1f}%", ink))
    right = [Span(f" {say('halted')}", "alarm")] if contract.halted else []
    if model.indicative is not None:
        shown = model.indicative
        second = say("indicative", shown.quantity, shown.price or "–")
    else:
        worth = cny(quote.mark * contract.hours)
        second = f"{say('limits')} {contract.price_low}–{contract.price_high} · {say('lot_worth', worth)}"
    return [between(left, right, width), cut((Span(second, "dim"),), width)]


def _ticket(model: TradingModel, width: int) -> Line:
    ticket, say = model.ticket, model.say
    left = [Span(f"{say('ticket_lots')} ", "dim"), Span(f" {ticket.lots} ", "own", "band"), Span(" ")]
    for number, lots in enumerate(ticket.presets, 1):
        left.append(Span(f" {number}:{lots}", "own" if lots == ticket.lots else "dim"))
    if not model.member:
        return between(left, [Span(say("looking_only"), "warn")], width)
    price = "–" if ticket.price is None else price_text(ticket.price)
    right = [Span("b", "bid"), Span("/", "dim"), Span("s", "ask"), Span(" @ ", "dim"), Span(price, "last")]
    return between(left, right, width)


def _widths(width: int) -> tuple[int, int, int]:
    """Cells of a column of own orders, of depth, and of the price; two, two and one of them."""
    price = 9
    mine = 10 if width >= 44 else 7
    return mine, max((width - price - 2 * mine) // 2, 4), price


def _heads(model: TradingModel, width: int) -> Line:
    mine, depth, price = _widths(width)
    say = model.say
    texts = (
        fit(say("mine"), mine, right=True),
        fit(say("bid_lots"), depth, right=True),
        fit(say("price"), price - 1, right=True) + " ",
        fit(say("ask_lots"), depth),
        fit(say("mine"), mine),
    )
    return cut((Span("".join(texts), "dim"),), width)


class _Rows:
    """The rows of one painting."""

    def __init__(self, model: TradingModel, quote: Quote, prices: Sequence[int], width: int) -> None:
        self._model, self._quote, self._prices, self._width = model, quote, prices, width
        self._mine, self._depth, self._price = _widths(width)
        book = model.book
        self._bid, self._ask = best_of(quote, book)
        self._lots: dict[Side, list[int]] = {
            "buy": [book.bids.at(price)[0] if book else 0 for price in prices],
            "sell": [book.asks.at(price)[0] if book else 0 for price in prices],
        }
        self._most = max(1, *self._lots["buy"], *self._lots["sell"]) if prices else 1
        self._own: dict[tuple[int | None, Side], list[Working]] = {}
        for one in model.account.mine(quote.contract.symbol):
            self._own.setdefault((one.price, one.side), []).append(one)
        self._levels = model.alerts.levels.get(quote.contract.symbol, set())

    def lines(self) -> list[Line]:
        return [self._row(place, price) for place, price in enumerate(self._prices)]

    def _row(self, place: int, price: int) -> Line:
        line = (
            self._mark(price, "buy"),
            *self._bar(self._lots["buy"][place], "buy"),
            self._price_cell(price),
            *self._bar(self._lots["sell"][place], "sell"),
            self._mark(price, "sell"),
        )
        cut_line = cut(line, self._width)
        return on_ground(cut_line, "cursor") if price == self._model.ticket.price else cut_line

    def _price_cell(self, price: int) -> Span:
        spread = self._bid is not None and self._ask is not None and self._bid < price < self._ask
        ink: Ink = "dim" if spread else "plain"
        if price == self._quote.last:
            ink = "last"
        elif self._bid is not None and price <= self._bid:
            ink = "bid"
        elif self._ask is not None and price >= self._ask:
            ink = "ask"
        watched = "!" if price in self._levels else " "
        return Span(fit(price_text(price), self._price - 1, right=True) + watched, ink)

    def _bar(self, lots: int, side: Side) -> list[Span]:
        """Lots on a bar as long as they are many, growing away from the price."""
        text = fit(str(lots) if lots else "", self._depth, right=side == "buy")
        cells = -(-lots * self._depth // self._most) if lots else 0
        ink: Ink = "bid" if side == "buy" else "ask"
        ground: Ground = "bids" if side == "buy" else "asks"
        if side == "buy":
            parts = [Span(text[: self._depth - cells], ink), Span(text[self._depth - cells :], ink, ground)]
        else:
            parts = [Span(text[:cells], ink, ground), Span(text[cells:], ink)]
        return [one for one in parts if one.text]

    def _mark(self, price: int, side: Side) -> Span:
        """Own lots and what trades before them; a question mark for an order whose outcome isn't known."""
        text, ink = self._standing(price, side)
        out = [
            one
            for one in self._model.outgoing.values()
            if one.order.side == side
            and one.order.symbol == self._model.symbol
            and ticks(one.order.price) == price
        ]
        if out:
            unknown = any(one.unknown for one in out)
            lots = sum(one.order.quantity for one in out)
            text, ink = f"{text} {'?' if unknown else '…'}{lots}".strip(), "alarm" if unknown else "warn"
        return Span(fit(text, self._mine, right=side == "buy"), ink)

    def _standing(self, price: int, side: Side) -> Cell:
        own = self._own.get((price, side))
        if not own:
            return "", "own"
        ahead = queue_ahead(self._model.book, own)
        marker = f"{sum(one.open_lots for one in own)}{'' if ahead is None else f'/{ahead}'}"
        return (f"{marker} ▸" if side == "buy" else f"◂ {marker}"), "own"


def queue_ahead(book: LocalOrders | None, own: Sequence[Working]) -> int | None:
    """Lots of the price that trade before the first of own orders; None where the book doesn't show them."""
    if book is None:
        return None
    sides = ((book.bids if one.side == "buy" else book.asks, int(one.order_id)) for one in own)
    found = [ahead for side, order in sides if (ahead := side.ahead(order)) is not None]
    return min(found, default=None)
