"""Lines of coloured text in cells of a terminal, where a Chinese character takes two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

Ink = Literal["plain", "dim", "title", "up", "down", "bid", "ask", "own", "warn", "alarm", "ok", "last"]
Ground = Literal["", "cursor", "band", "bids", "asks", "ok_bar", "warn_bar", "alarm_bar", "rest_bar"]


class Span(NamedTuple):
    """Text in one colour on one ground."""

    text: str
    ink: Ink = "plain"
    ground: Ground = ""


Line = tuple[Span, ...]
EMPTY: Final[Line] = ()


class Column(NamedTuple):
    """A column of a table: width in cells, and whether it holds figures, which stand to the right. A column
    of width 0 takes what is left, at least `least`.
    """

    title: str
    width: int
    figures: bool = False
    least: int = 17


Cell = tuple[str, Ink]


def fit(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly `width` cells: filled up with blanks, or cut with an ellipsis."""
    if width <= 0:
        return ""
    length = cell_len(text)
    if length > width:
        return set_cell_size(set_cell_size(text, width - 1) + "…", width)
    return " " * (width - length) + text if right else text + " " * (width - length)


def line_width(line: Iterable[Span]) -> int:
    """How many cells a line takes."""
    return sum(cell_len(span.text) for span in line)


def cut(line: Iterable[Span], width: int) -> Line:
    """The line in exactly `width` cells."""
    spans: list[Span] = []
    left = width
    for span in line:
        length = cell_len(span.text)
        if length > left:
            spans.append(span._replace(text=fit(span.text, left)))
            return tuple(one for one in spans if one.text)
        spans.append(span)
        left -= length
    return (*spans, Span(" " * left)) if left else tuple(spans)


def on_ground(line: Line, ground: Ground) -> Line:
    """The line on another ground, where it has none of its own."""
    return tuple(span if span.ground else span._replace(ground=ground) for span in line)


def between(left: Sequence[Span], right: Sequence[Span], width: int) -> Line:
    """Two ends of one line; the right one is kept, the left one gives way."""
    room = max(width - line_width(right), 0)
    return cut((*cut(left, room), *right), width)


def columns_in(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns that fit, from the left, as wide as they come out."""
    shown: list[Column] = []
    for column in columns:
        if shown and sum((one.width or one.least) + 1 for one in (*shown, column)) > width + 1:
            break
        shown.append(column)
    left = width - sum(column.width + 1 for column in shown) + 1
    return [column if column.width else column._replace(width=max(left, 1)) for column in shown]


def head(columns: Sequence[Column]) -> Line:
    """The titles of columns."""
    texts = (fit(column.title, column.width, right=column.figures) for column in columns)
    return (Span(" ".join(texts), "dim"),)


def row(columns: Sequence[Column], cells: Sequence[Cell]) -> Line:
    """One row under such titles."""
    spans: list[Span] = []
    for column, (text, ink) in zip(columns, cells, strict=False):
        gap = "" if not spans else " "
        spans.append(Span(gap + fit(text, column.width, right=column.figures), ink))
    return tuple(spans)


def window(count: int, cursor: int, height: int) -> int:
    """The first of `count` rows that is shown on `height` lines, so that the cursor is in the middle if it
    can be.
    """
    return max(0, min(cursor - height // 2, count - height))


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    size: tuple[int, int],
    cursor: int | None = None,
    *,
    empty: str = "",
) -> list[Line]:
    """A table of `size` (width, height), titles first; the cursor's row is marked and in view."""
    width, height = size
    fitting = columns_in(columns, width)
    lines = [cut(head(fitting), width)]
    first = window(len(rows), cursor or 0, height - 1)
    for place in range(first, min(len(rows), first + height - 1)):
        line = cut(row(fitting, rows[place]), width)
        lines.append(on_ground(line, "cursor") if place == cursor else line)
    if not rows and empty and height > 1:
        lines.append(cut((Span(empty, "dim"),), width))
    return filled(lines, size)


def filled(lines: list[Line], size: tuple[int, int]) -> list[Line]:
    """Exactly as many lines as are asked for."""
    width, height = size
    return [*lines[:height], *([cut(EMPTY, width)] * (height - len(lines)))]


def cny(fen: int, *, signed: bool = False) -> str:
    """Fen as "1,234.50" in CNY."""
    sign = "-" if fen < 0 else "+" if signed and fen else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def moved_ink(change: int | None) -> Ink:
    """The colour of a change."""
    return "up" if change and change > 0 else "down" if change and change < 0 else "plain"
