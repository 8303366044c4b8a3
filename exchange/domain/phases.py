"""Phases of the market's day (clause 4.4)."""

from __future__ import annotations

from enum import IntEnum


class MarketPhase(IntEnum):
    """Where the trading day stands; the numbers are stable."""

    SETTLED = 0
    """Before the first day, and from a day's settlement to the next day's opening; no order entry."""
    PRE_OPEN = 1
    """The day is open, its contracts are listed; no order entry yet."""
    CALL = 2
    """Call auction: orders are collected, an indicative price is shown, nothing trades."""
    MATCHED = 3
    """The auction has traded; no order entry until continuous trading."""
    CONTINUOUS = 4
    """Continuous trading."""
    CLOSED = 5
    """Trading is over; the day is not settled yet."""
    BREAK = 6
    """Between two stretches of continuous trading; only cancels."""
    CLOSING_CALL = 7
    """Closing auction: as CALL, and orders for the close enter the book; it trades at the close."""

    @property
    def label(self) -> str:
        """The phase as clients see it: "call", "pre-open" …"""
        return self.name.lower().replace("_", "-")
