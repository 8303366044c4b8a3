"""The screen: panes where the layout wants them, painted when something changed; keys put to work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, get_args

from textual import events
from textual.app import App, ComposeResult

from exchange.client import ExchangeClient
from exchange.client import Ticket as OrderTicket
from exchange.terminal.actions import PARTS, Actions
from exchange.terminal.keys import ACTIONS
from exchange.terminal.layout import PANES, Name, arrange, is_wide
from exchange.terminal.link import Link
from exchange.terminal.paint.bars import paint_hint, paint_money, paint_status
from exchange.terminal.paint.cells import Line, Span, cny, cut
from exchange.terminal.paint.chart import paint_chart
from exchange.terminal.paint.ladder import TITLE_LINES, ladder_prices, paint_ladder
from exchange.terminal.paint.lists import paint_alerts, paint_fills, paint_orders, paint_positions, paint_tape
from exchange.terminal.paint.markets import TITLE_LINES as MARKET_TITLE_LINES
from exchange.terminal.paint.markets import market_rows, paint_markets
from exchange.terminal.panes import BACK, Colours, Confirm, Help, Pane
from exchange.terminal.state.model import EVERYTHING, TradingModel
from exchange.terminal.state.ticket import PRESETS, Ticket
from exchange.terminal.words import Language, Say

FRAMES: Final = 25
"""Paintings a second, at most."""
LOOKS: Final = 4
"""How often a second the connection and the clock are looked at."""


@dataclass(frozen=True)
class Wishes:
    """What one may choose when starting the terminal."""

    language: Language = "en"
    symbol: str | None = None
    """The contract to begin with."""
    presets: tuple[int, ...] = PRESETS
    confirm_above: int = 50
    red_up: bool = True
    bell: bool = True


class TradingApp(App[None]):
    """See the module."""

    ENABLE_COMMAND_PALETTE = False
    CSS: ClassVar[str] = f"#_default {{ background: {BACK}; overflow: hidden; }}"
    TITLE = "Dongxi"

    def __init__(
        self, client: ExchangeClient, wishes: Wishes, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._clock = clock
        member = client.profile.member if client.profile else ""
        ticket = Ticket(wishes.presets, wishes.confirm_above)
        self.model = TradingModel(Say(wishes.language), ticket, member, clock())
        self.model.alerts.bell = wishes.bell
        self.link = Link(client, self.model, clock)
        self.actions = Actions(self.model, self.link, clock)
        self.frames = 0
        """Paintings that changed something on the screen."""
        self._red_up, self._wanted = wishes.red_up, wishes.symbol
        self._panes: dict[Name, Pane] = {}
        self._run: asyncio.Task[None] | None = None
        self._arranged = self.size

    def compose(self) -> ComposeResult:
        """All panes; where each stands, and whether it is shown, follows from the size."""
        colours = Colours(red_up=self._red_up)
        for name in get_args(Name):
            self._panes[name] = Pane(name, self._painter(name), colours)
            yield self._panes[name]

    def on_mount(self) -> None:
        """Connect, and begin to paint."""
        self._run = asyncio.create_task(self.link.run())
        self._arrange()
        self.set_interval(1 / FRAMES, self._frame)
        self.set_interval(1 / LOOKS, self.link.look)

    async def on_unmount(self) -> None:
        """Let go of the exchange; orders stay as they are."""
        if self._run is not None:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)
        await self.link.close()

    def in_doubt(self) -> list[OrderTicket]:
        """The orders whose outcome isn't certain."""
        return self.link.in_doubt()

    async def on_key(self, event: events.Key) -> None:
        """Do what the key means; while one searches, it is a letter of the search."""
        if len(self.screen_stack) > 1:
            return
        if self.actions.searching and self.actions.type(event.key, event.character or ""):
            event.stop()
            event.prevent_default()
            self._frame()
            return
        action = ACTIONS.get(event.key) or ACTIONS.get(event.character or "")
        if action is not None:
            event.stop()
            event.prevent_default()
            self.press(action, event.character or "")

    def on_paste(self, event: events.Paste) -> None:
        """Look for what is pasted, while one searches."""
        if self.actions.searching:
            self.actions.type("", event.text)

    def press(self, action: str, key: str = "") -> None:
        """Do an action, and show at once what came of it."""
        before = self.actions.active
        if not self.actions.do(action, key):
            self._do_here(action)
        if self.actions.confirming is not None:
            self._confirm()
        if before != self.actions.active:
            self._arrange()
        self._frame()

    def on_pane_clicked(self, event: Pane.Clicked) -> None:
        """Put the cursor where the mouse is, and go to the pane; a tab opens it."""
        before = self.actions.active
        row = event.row - self._is_wide()
        if event.name == "ladder":
            self.actions.select_among(self._prices(), row - TITLE_LINES)
        elif event.name == "markets":
            height = self._panes["markets"].size.height - self._is_wide()
            shown = market_rows(self.model, height, self._marked("markets"))
            self.actions.select_market(shown, row - MARKET_TITLE_LINES)
        elif event.name in PANES:
            self.actions.go(event.name)
        if before != self.actions.active:
            self._arrange()

    def _do_here(self, action: str) -> None:
        if action == "help":
            self.push_screen(Help(self.model.say, Colours(red_up=self._red_up)))
        elif action == "colours":
            self._turn_colours()
        elif action == "leave":
            self.exit()

    def _confirm(self) -> None:
        order, self.actions.confirming = self.actions.confirming, None
        if order is None:
            return
        model = self.model
        worth = cny(self.actions.worth_fen(order))
        question = model.say("confirm", model.order_text(order), worth, model.ticket.confirm_above)
        self.push_screen(Confirm(question), lambda yes: self.actions.send(order) if yes else None)

    def _turn_colours(self) -> None:
        self._red_up = not self._red_up
        colours = Colours(red_up=self._red_up)
        for pane in self._panes.values():
            pane.colours = colours
            pane.refresh()
        self.model.log(self._clock(), "note", self.model.say("red_up" if self._red_up else "green_up"))

    def _arrange(self) -> None:
        self._arranged = self.size
        boxes = arrange(self.size.width, self.size.height, self.actions.active)
        for name, pane in self._panes.items():
            if name in boxes:
                pane.put(boxes[name])
            else:
                pane.display = False
        self.actions.page = max(self.size.height - 12, 4)
        self.model.changed |= EVERYTHING

    def _frame(self) -> None:
        """Paint the panes whose part changed since the last time, however much has changed."""
        if self.size != self._arranged:
            self._arrange()
        if self._wanted is not None and self.model.quotes.by_symbol:
            symbol, self._wanted = self._wanted, None
            self.actions.open(symbol)
            self._arrange()
        changed = self.model.take_changed()
        if changed:
            shown = (pane for name, pane in self._panes.items() if PARTS[name] in changed and pane.display)
            self.frames += sum(pane.repaint() for pane in shown) > 0
        if self.model.alerts.take_rings():
            self.bell()

    def _painter(self, name: Name) -> Callable[[int, int], Sequence[Line]]:
        model = self.model
        bars: dict[Name, Callable[[int], Line]] = {
            "status": lambda width: paint_status(model, width, self._clock()),
            "money": lambda width: paint_money(model, width),
            "hint": lambda width: paint_hint(model, width),
            "tabs": self._tabs,
        }
        if name in bars:
            return lambda width, _height: [bars[name](width)]
        return lambda width, height: self._titled(name, width, height)

    def _titled(self, name: Name, width: int, height: int) -> list[Line]:
        """A pane, under its title where all are there at once."""
        if not self._is_wide():
            return self._body(name, width, height)
        active = name == self.actions.active
        title = Span(
            f" {self.model.say(name)} ".ljust(width),
            "own" if active else "dim",
            "cursor" if active else "band",
        )
        return [cut((title,), width), *self._body(name, width, height - 1)]

    def _body(self, name: Name, width: int, height: int) -> list[Line]:
        model, size = self.model, (width, height)
        paints: dict[Name, Callable[[], list[Line]]] = {
            "markets": lambda: paint_markets(
                model, size, self._marked("markets"), searching=self.actions.searching
            ),
            "ladder": lambda: paint_ladder(model, size, compact=self.actions.compact),
            "tape": lambda: paint_tape(model, size),
            "chart": lambda: paint_chart(model, size),
            "orders": lambda: paint_orders(model, size, self.actions.cursor("orders")),
            "fills": lambda: paint_fills(model, size, self.actions.cursor("fills")),
            "positions": lambda: paint_positions(model, size, self.actions.cursor("positions")),
            "alerts": lambda: paint_alerts(model, size),
        }
        return paints[name]()

    def _tabs(self, width: int) -> Line:
        spans: list[Span] = []
        for name in PANES:
            active = name == self.actions.active
            word = self.model.say("trade" if name == "ladder" else name)
            spans.append(Span(f" {word} ", "own" if active else "dim", "cursor" if active else ""))
        return cut(spans, width)

    def _marked(self, pane: Name) -> int:
        return min(self.actions.cursors[pane], max(self.actions.count(pane) - 1, 0))

    def _prices(self) -> list[int]:
        rows = self._panes["ladder"].size.height - TITLE_LINES - self._is_wide()
        return ladder_prices(self.model, rows, compact=self.actions.compact)

    def _is_wide(self) -> bool:
        return is_wide(self.size.width, self.size.height)
