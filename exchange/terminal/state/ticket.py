"""The order ticket: the selected price, how many lots, and the order that a key makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from exchange.api.formats import price_text
from exchange.api.requests import NewOrder
from exchange.client import LocalOrders
from exchange.terminal.state.account import Side
from exchange.terminal.state.quotes import Quote, ticks

LOTS_MAX: Final = 2**31 - 1
PRESETS: Final = (1, 5, 10, 25, 50)


class Ticket:
    """See the module. Prices in ticks."""

    def __init__(self, presets: Sequence[int] = PRESETS, confirm_above: int = 50) -> None:
        self.presets = tuple(presets)
        self.confirm_above = confirm_above
        """Orders of more lots are asked about before they go out."""
        self.lots = self.presets[0]
        self.price: int | None = None

    def choose_preset(self, place: int) -> None:
        """Take a preset quantity, the first being 0; nothing if there is none."""
        if 0 <= place < len(self.presets):
            self.lots = self.presets[place]

    def change_lots(self, by: int) -> None:
        """More or fewer lots, at least one."""
        self.lots = min(max(1, self.lots + by), LOTS_MAX)

    def centre(self, quote: Quote, book: LocalOrders | None) -> None:
        """Select the best bid, else the best ask, else the price at which the contract is valued."""
        best = best_of(quote, book)
        self.price = next((price for price in (*best, quote.mark) if price is not None), None)

    def to_best(self, quote: Quote, book: LocalOrders | None, side: Side) -> None:
        """Select the best price of a side, if it has one."""
        bid, ask = best_of(quote, book)
        found = bid if side == "buy" else ask
        self.price = self.price if found is None else found

    def move(self, quote: Quote, by_ticks: int) -> None:
        """Select a price so many ticks higher, within today's limits."""
        if self.price is not None:
            low, high = ticks(quote.contract.price_low) or 0, ticks(quote.contract.price_high) or 0
            self.price = min(max(self.price + by_ticks, low), high)

    def step(self, prices: Sequence[int], rows: int) -> None:
        """Select the price so many rows further down a ladder that shows these prices, highest first."""
        if self.price is not None and prices:
            place = min(range(len(prices)), key=lambda one: abs(prices[one] - (self.price or 0)))
            self.price = prices[min(max(place + rows, 0), len(prices) - 1)]

    def limit(self, symbol: str, side: Side) -> NewOrder | None:
        """The order at the selected price; None if none is selected."""
        if self.price is None:
            return None
        return NewOrder(symbol=symbol, side=side, quantity=self.lots, price=price_text(self.price))

    def market_to_limit(self, symbol: str, side: Side) -> NewOrder:
        """The order at the best price of the other side; what doesn't trade stands at that price."""
        return NewOrder(symbol=symbol, side=side, quantity=self.lots, type="market_to_limit")


def best_of(quote: Quote, book: LocalOrders | None) -> tuple[int | None, int | None]:
    """Best bid and ask in ticks, of the book where there is one."""
    return (
        (quote.bid, quote.ask)
        if book is None
        else (book.bids.best(highest=True), book.asks.best(highest=False))
    )
