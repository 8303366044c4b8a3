"""What the user is told besides prices: a log, price levels to watch, and a bell."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

LOG_KEPT: Final = 500

Kind = Literal["fill", "price", "margin", "connection", "order", "note"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One line of the log; `time` is the market's where it is known."""

    time: str
    kind: Kind
    text: str
    grave: bool


class Alerts:
    """The log, newest first, and the levels that are watched. `rings` counts bells that weren't rung yet."""

    def __init__(self) -> None:
        self.log: deque[Alert] = deque(maxlen=LOG_KEPT)
        self.levels: dict[str, set[int]] = {}
        """Prices in ticks by contract."""
        self.bell = True
        self.rings = 0

    def say(self, time: str, kind: Kind, text: str, *, grave: bool = False, ring: bool = False) -> None:
        """Add a line."""
        self.log.appendleft(Alert(time, kind, text, grave))
        self.rings += ring and self.bell

    def take_rings(self) -> int:
        """How often the bell is due, once."""
        due, self.rings = self.rings, 0
        return due

    def toggle(self, symbol: str, price: int) -> bool:
        """Watch a price, or no longer; returns whether it is watched now."""
        levels = self.levels.setdefault(symbol, set())
        if price in levels:
            levels.remove(price)
            return False
        levels.add(price)
        return True

    def crossed(self, symbol: str, before: int | None, now: int | None) -> list[int]:
        """The watched prices that lie between two last prices, or are the new one, lowest first; each is told
        once and then no longer watched.
        """
        levels = self.levels.get(symbol)
        if not levels or before is None or now is None or before == now:
            return []
        low, high = (before + 1, now) if now > before else (now, before - 1)
        found = sorted(level for level in levels if low <= level <= high)
        levels.difference_update(found)
        return found
