"""Where the panes stand on a screen of some size: as tabs on a small one, all at once on a wide one."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Name = Literal[
    "status",
    "tabs",
    "markets",
    "ladder",
    "tape",
    "chart",
    "orders",
    "fills",
    "positions",
    "alerts",
    "money",
    "hint",
]
PANES: Final[tuple[Name, ...]] = ("markets", "ladder", "chart", "orders", "fills", "positions", "alerts")
"""Those that one goes to, in the order of Tab; time and sales stands beside the ladder."""

WIDE: Final = (150, 40)
"""From this width and height on all panes are there at once."""
SMALLEST: Final = (80, 24)


BESIDE: Final[dict[Name, int]] = {"orders": 28, "fills": 28, "positions": 23}
"""Percent of the width that panes at the bottom of a wide screen take; the alerts take the rest."""


class Box(NamedTuple):
    """Column and row of the upper left corner, width and height, in cells."""

    x: int
    y: int
    width: int
    height: int


def is_wide(width: int, height: int) -> bool:
    """Whether all panes are there at once, each under its title."""
    return width >= WIDE[0] and height >= WIDE[1]


def arrange(width: int, height: int, active: Name) -> dict[Name, Box]:
    """The panes that are shown, and where; they never overlap."""
    boxes: dict[Name, Box] = {"status": Box(0, 0, width, 1)}
    if height > 2:
        boxes["money"] = Box(0, height - 2, width, 1)
        boxes["hint"] = Box(0, height - 1, width, 1)
    if is_wide(width, height):
        return boxes | _all(Box(0, 1, width, height - 3))
    if height > 5:
        boxes["tabs"] = Box(0, 1, width, 1)
        boxes |= _one(Box(0, 2, width, height - 4), active)
    return boxes


def _one(room: Box, active: Name) -> dict[Name, Box]:
    """One pane; beside the ladder time and sales, and the chart where there is room."""
    if active != "ladder" or room.width < 70:
        return {active: room}
    ladder = 48 if room.width < 100 else 56
    tape = room.width - ladder - 1 if room.width < 120 else 33
    boxes: dict[Name, Box] = {
        "ladder": room._replace(width=ladder),
        "tape": room._replace(x=ladder + 1, width=tape),
    }
    left = room.width - ladder - tape - 2
    if left >= 30:
        boxes["chart"] = room._replace(x=ladder + tape + 2, width=left)
    return boxes


def _all(room: Box) -> dict[Name, Box]:
    markets, ladder = (54, 54) if room.width < 180 else (60, 60)
    upper = room.height - max(room.height // 4, 9)
    lower = Box(0, room.y + upper, room.width, room.height - upper)
    x = markets + ladder + 2
    chart = upper * 3 // 5
    boxes: dict[Name, Box] = {
        "markets": Box(0, room.y, markets, upper),
        "ladder": Box(markets + 1, room.y, ladder, upper),
        "chart": Box(x, room.y, room.width - x, chart),
        "tape": Box(x, room.y + chart, room.width - x, upper - chart),
    }
    x = 0
    for name, percent in BESIDE.items():
        share = room.width * percent // 100 - 2
        boxes[name] = lower._replace(x=x, width=share)
        x += share + 2
    boxes["alerts"] = lower._replace(x=x, width=room.width - x)
    return boxes
