"""The keyboard map."""

from __future__ import annotations

from exchange.terminal.keys import GROUPS
from exchange.terminal.paint.cells import Line, Span, cut, filled, fit
from exchange.terminal.words import Say

HELP_SIZE = (78, 23)
COLUMN_CELLS = 39
KEY_CELLS = 11


def paint_help(say: Say) -> list[Line]:
    """All keys, in two columns."""
    half: list[list[Line]] = [[], []]
    for number, (title, keys) in enumerate(GROUPS.items()):
        column = half[0 if number < 3 else 1]
        column += [(Span(say.either(title), "title"),)]
        column += [(Span(fit(f" {key.shown}", KEY_CELLS), "own"), Span(say.either(key.says))) for key in keys]
    rows = max(len(one) for one in half)
    left, right = ([cut(line, COLUMN_CELLS) for line in (*one, *([()] * (rows - len(one))))] for one in half)
    lines: list[Line] = [(*a, *b) for a, b in zip(left, right, strict=True)]
    return filled([*lines, cut((Span(say("help_end"), "dim"),), HELP_SIZE[0])], HELP_SIZE)
