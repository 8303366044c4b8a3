"""The widgets: a pane that shows painted lines and draws only those that changed, and two dialogues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.geometry import Region
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from exchange.terminal.layout import Box, Name
from exchange.terminal.paint.cells import EMPTY, Ground, Ink, Line
from exchange.terminal.paint.help import HELP_SIZE, paint_help
from exchange.terminal.words import Say

RED, GREEN = "#ff5f5f", "#4fd08a"
BACK: Final = "#10141b"
INKS: Final[dict[Ink, Style]] = {
    "plain": Style(color="#d7dde6"),
    "dim": Style(color="#7f8a9a"),
    "title": Style(color="#ffffff", bold=True),
    "own": Style(color="#ffd166", bold=True),
    "warn": Style(color="#ffd166"),
    "alarm": Style(color="#ff5f87", bold=True),
    "ok": Style(color="#5fd7ff"),
    "last": Style(color="#ffffff", bold=True),
}
GROUNDS: Final[dict[Ground, str]] = {
    "cursor": "#2a3b57",
    "band": "#263040",
    "ok_bar": "#24668a",
    "warn_bar": "#8a6d1f",
    "alarm_bar": "#9a2f4a",
    "rest_bar": "#263040",
}


class Colours:
    """Styles of inks on grounds. Red is up in China; `red_up` turns that round."""

    def __init__(self, *, red_up: bool) -> None:
        up, down = (RED, GREEN) if red_up else (GREEN, RED)
        up_ground, down_ground = ("#4a2328", "#1c4030") if red_up else ("#1c4030", "#4a2328")
        inks = INKS | {"up": Style(color=up), "bid": Style(color=up)}
        inks |= {"down": Style(color=down), "ask": Style(color=down)}
        grounds = GROUNDS | {"bids": up_ground, "asks": down_ground}
        self._styles = {
            (ink, ground): style + Style(bgcolor=grounds.get(ground, BACK))
            for ink, style in inks.items()
            for ground in ("", *grounds)
        }

    def strip(self, line: Line, width: int) -> Strip:
        """A painted line for the screen."""
        segments = [Segment(span.text, self._styles[span.ink, span.ground]) for span in line]
        return Strip(segments).adjust_cell_length(width, self._styles["plain", ""])


class Pane(Widget):
    """Lines that `paint(width, height)` gives."""

    DEFAULT_CSS = "Pane { position: absolute; }"

    class Clicked(Message):
        """A line of a pane was clicked."""

        def __init__(self, name: Name, row: int) -> None:
            super().__init__()
            self.name, self.row = name, row

    def __init__(self, name: Name, paint: Callable[[int, int], Sequence[Line]], colours: Colours) -> None:
        super().__init__(id=name)
        self.place = name
        self.colours = colours
        self._paint = paint
        self._lines: list[Line] = []

    def put(self, box: Box) -> None:
        """Stand there."""
        self.display = True
        self.styles.offset = (box.x, box.y)
        self.styles.width, self.styles.height = box.width, box.height

    def repaint(self, *, every_line: bool = False) -> bool:
        """Paint anew; returns whether any line came out different. Only those go to the terminal."""
        lines = list(self._paint(self.size.width, self.size.height))
        before, self._lines = self._lines, lines
        if every_line or len(before) != len(lines):
            self.refresh()
            return True
        rows = [row for row, line in enumerate(lines) if line != before[row]]
        if rows:
            self.refresh(*(Region(0, row, self.size.width, 1) for row in rows))
        return bool(rows)

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        return self.colours.strip(self._lines[y] if y < len(self._lines) else EMPTY, self.size.width)

    def on_resize(self) -> None:
        """Paint for the new size."""
        self.repaint(every_line=True)

    def on_click(self, event: events.Click) -> None:
        """Tell which line was clicked."""
        self.post_message(self.Clicked(self.place, event.y))


class Help(ModalScreen[None]):
    """The keyboard map; any key closes it."""

    DEFAULT_CSS = "Help { align: center middle; background: transparent; } Help Pane { position: relative; }"

    def __init__(self, say: Say, colours: Colours) -> None:
        super().__init__()
        self._say, self._colours = say, colours

    def compose(self) -> ComposeResult:
        """One pane in the middle."""
        pane = Pane("status", lambda _width, _height: paint_help(self._say), self._colours)
        pane.styles.width, pane.styles.height = HELP_SIZE
        yield pane

    def on_key(self, event: events.Key) -> None:
        """Close."""
        event.stop()
        self.dismiss()


class Confirm(ModalScreen[bool]):
    """A question; `y` says yes, any other key no."""

    DEFAULT_CSS = """
    Confirm { align: center middle; background: transparent; }
    Confirm Static { width: 60; height: auto; padding: 1 2; background: #263040; border: round #ffd166; }
    """

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question in the middle."""
        yield Static(self._question, markup=False)

    def on_key(self, event: events.Key) -> None:
        """Answer."""
        event.stop()
        self.dismiss(event.key == "y")
