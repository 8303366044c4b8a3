"""What keys do: move, choose, make orders. Knows the state and the link, and no screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from exchange.api.formats import parse_price_ticks, price_text
from exchange.api.requests import NewOrder
from exchange.terminal.layout import PANES, Name
from exchange.terminal.link import Link
from exchange.terminal.paint.ladder import ladder_prices
from exchange.terminal.paint.lists import own_orders, position_symbols
from exchange.terminal.state.account import Side, Working
from exchange.terminal.state.model import EVERYTHING, Outgoing, Part, TradingModel

ROWS: Final = 200
"""Rows of the ladder that moving looks at; far more than any screen shows."""

PARTS: Final[dict[Name, Part]] = {
    "markets": Part.MARKETS,
    "ladder": Part.LADDER,
    "tape": Part.TAPE,
    "chart": Part.CHART,
    "orders": Part.ORDERS,
    "fills": Part.FILLS,
    "positions": Part.POSITIONS,
    "alerts": Part.ALERTS,
    "status": Part.BARS,
    "tabs": Part.BARS,
    "money": Part.BARS,
    "hint": Part.BARS,
}
"""What each pane shows."""


class Actions:
    """See the module. `clock` gives monotonic seconds."""

    def __init__(self, model: TradingModel, link: Link, clock: Callable[[], float]) -> None:
        self.active: Name = "markets"
        self.cursors: dict[Name, int] = {"markets": 0, "orders": 0, "fills": 0, "positions": 0}
        self.compact = False
        self.page = 10
        """Rows that a page moves by."""
        self.searching = False
        """Whether keys are letters of a search."""
        self.confirming: NewOrder | None = None
        """An order so large that it is to be asked about."""
        self._model, self._link, self._clock = model, link, clock
        self._on_order: str | None = None
        """The order under the cursor of the orders, which stays on it when others come and go."""

    def do(self, action: str, key: str = "") -> bool:
        """Do what a key means; False for what is the screen's to do."""
        model = self._model
        rows = {"up": -1, "down": 1, "page_up": -self.page, "page_down": self.page}.get(action)
        if rows is not None:
            self._move(rows)
        elif action.startswith("go_"):
            self.go(action.removeprefix("go_"))  # type: ignore[arg-type]
        elif action in ("next_pane", "previous_pane"):
            step = 1 if action == "next_pane" else -1
            self.go(PANES[(PANES.index(self.active) + step) % len(PANES)])
        elif action in ("buy", "sell", "buy_market", "sell_market"):
            self._order(action)
        elif action == "preset":
            model.ticket.choose_preset(int(key) - 1)
        elif action in ("more", "fewer"):
            model.ticket.change_lots(1 if action == "more" else -1)
        else:
            return self._do_once(action)
        model.changed |= {Part.LADDER, PARTS[self.active]}
        return True

    def _do_once(self, action: str) -> bool:
        simple: dict[str, Callable[[], None]] = {
            "choose": self.choose,
            "cancel": self._cancel,
            "cancel_all": self._link.cancel_all,
            "centre": self._centre,
            "best_bid": lambda: self._to_best("buy"),
            "best_ask": lambda: self._to_best("sell"),
            "compact": self._turn_compact,
            "clear": lambda: self.look_for(""),
            "search": self._search,
            "grade": self._next_grade,
            "interval": self._link.next_interval,
            "watch": self._watch,
            "bell": self._bell,
        }
        if action not in simple:
            return False
        simple[action]()
        self._model.changed |= EVERYTHING
        return True

    def go(self, pane: Name) -> None:
        """Turn to a pane."""
        self.active = pane
        self._model.changed |= EVERYTHING

    def type(self, key: str, text: str) -> bool:
        """Take a key while one searches: Enter ends it, Esc drops it, others change the words; False for keys
        that mean what they always do.
        """
        words = self._model.quotes.search
        if key in ("enter", "escape"):
            self.searching = False
            self.look_for("" if key == "escape" else words)
        elif key == "backspace":
            self.look_for(words[:-1])
        elif text.isprintable() and text:
            self.look_for(words + text)
        else:
            return False
        return True

    def look_for(self, words: str) -> None:
        """Search the markets."""
        self._model.quotes.look_for(words)
        self.cursors["markets"] = 0
        self._model.changed.add(Part.MARKETS)

    def choose(self) -> None:
        """Trade the contract under the cursor of the active pane."""
        symbol = self._under_cursor()
        if symbol is not None:
            self.open(symbol)

    def open(self, symbol: str) -> None:
        """Trade a contract, and mark it in the markets; nothing if it isn't listed."""
        quotes = self._model.quotes
        if symbol not in quotes.by_symbol:
            return
        if symbol not in quotes.shown:
            quotes.show_grade(quotes.by_symbol[symbol].contract.grade)
        self.cursors["markets"] = quotes.shown.index(symbol)
        self._link.choose(symbol)
        self.go("ladder")

    def select_among(self, prices: Sequence[int], place: int) -> None:
        """Select a price that the ladder shows, by its place."""
        if 0 <= place < len(prices):
            self._model.ticket.price = prices[place]
        self.go("ladder")

    def select_market(self, shown: Sequence[str | int], place: int) -> None:
        """Put the cursor on a line of the markets, unless it is a title."""
        row = shown[place] if 0 <= place < len(shown) else None
        if isinstance(row, int):
            self.select_row("markets", row)
        self.go("markets")

    def select_row(self, pane: Name, row: int) -> None:
        """Put the cursor of a list on a row."""
        self.cursors[pane] = min(max(row, 0), max(self.count(pane) - 1, 0))
        self._on_order = None if pane == "orders" else self._on_order
        self.go(pane)

    def send(self, order: NewOrder) -> None:
        """Send an order that needs no further question."""
        self._link.send(order)

    def cursor(self, pane: Name) -> int | None:
        """The marked row of a list, None where the pane isn't the active one."""
        if pane != self.active:
            return None
        if pane == "orders":
            self._stay_on_order()
        return min(self.cursors[pane], max(self.count(pane) - 1, 0))

    def count(self, pane: Name) -> int:
        """How many rows a list has."""
        counts: dict[Name, Callable[[], int]] = {
            "markets": lambda: len(self._model.quotes.shown),
            "orders": lambda: len(own_orders(self._model)),
            "fills": lambda: len(self._model.account.fills),
            "positions": lambda: len(position_symbols(self._model)),
        }
        return counts[pane]()

    def _stay_on_order(self) -> None:
        names = [_name(one) for one in own_orders(self._model)]
        if self._on_order in names:
            self.cursors["orders"] = names.index(self._on_order)
        elif names:
            self._on_order = names[min(self.cursors["orders"], len(names) - 1)]

    def _move(self, rows: int) -> None:
        quote, ticket = self._model.quote, self._model.ticket
        if self.active in self.cursors:
            self.select_row(self.active, (self.cursor(self.active) or 0) + rows)
        elif self.active == "ladder" and quote is not None:
            if self.compact:
                ticket.step(ladder_prices(self._model, ROWS, compact=True), rows)
            else:
                ticket.move(quote, -rows)

    def _under_cursor(self) -> str | None:
        place = self.cursor(self.active) if self.active in self.cursors else None
        if place is None or place >= self.count(self.active):
            return None
        if self.active == "markets":
            return self._model.quotes.shown[place]
        if self.active == "positions":
            return position_symbols(self._model)[place]
        if self.active == "fills":
            return self._model.account.fills[place].symbol
        order = own_orders(self._model)[place]
        return order.symbol if isinstance(order, Working) else order.order.symbol

    def _order(self, action: str) -> None:
        """Make the order that a key means; only the ladder takes it, where one sees its price."""
        if self.active != "ladder":
            return
        model = self._model
        if model.symbol is None:
            self._say("no_contract")
            return
        side: Side = "buy" if action.startswith("buy") else "sell"
        at_market = action.endswith("_market")
        make = model.ticket.market_to_limit if at_market else model.ticket.limit
        order = make(model.symbol, side)
        if order is None:
            self._say("no_price")
        elif order.quantity > model.ticket.confirm_above:
            self.confirming = order
        else:
            self.send(order)

    def worth_fen(self, order: NewOrder) -> int:
        """What an order's lots are worth at its price, or at the mark."""
        quote = self._model.quotes.by_symbol[order.symbol]
        price = quote.mark if order.price is None else parse_price_ticks(order.price)
        return price * quote.contract.hours * order.quantity

    def _cancel(self) -> None:
        """Cancel what stands at the selected price, or the marked order of the list."""
        if self.active == "orders":
            place = self.cursor("orders")
            orders = own_orders(self._model)
            one = orders[place] if place is not None and place < len(orders) else None
            self._link.cancel([one] if isinstance(one, Working) else [])
        elif self.active == "ladder" and self._model.ticket.price is not None:
            found = self._model.mine_at(self._model.ticket.price)
            if not found:
                self._say("nothing_there", price_text(self._model.ticket.price))
            self._link.cancel(found)

    def _centre(self) -> None:
        if self._model.quote is not None:
            self._model.ticket.centre(self._model.quote, self._model.book)

    def _to_best(self, side: Side) -> None:
        if self._model.quote is not None:
            self._model.ticket.to_best(self._model.quote, self._model.book, side)

    def _turn_compact(self) -> None:
        self.compact = not self.compact

    def _next_grade(self) -> None:
        self._model.quotes.next_grade()
        self.cursors["markets"] = 0

    def _watch(self) -> None:
        model = self._model
        if model.symbol is not None and model.ticket.price is not None:
            watched = model.alerts.toggle(model.symbol, model.ticket.price)
            self._say("watching" if watched else "not_watching", model.symbol, price_text(model.ticket.price))

    def _search(self) -> None:
        self.searching = True
        self.go("markets")
        self.look_for("")

    def _bell(self) -> None:
        alerts = self._model.alerts
        alerts.bell = not alerts.bell
        self._say("bell_on" if alerts.bell else "bell_off")

    def _say(self, key: str, *values: object) -> None:
        self._model.log(self._clock(), "note", self._model.say(key, *values))


def _name(order: Working | Outgoing) -> str:
    """What an order is known by from before its answer to its end."""
    if isinstance(order, Working):
        return order.client_order_id or order.order_id
    return order.order.client_order_id or ""
