"""What is left of reserved cards once the workloads that are nominated on them have theirs."""

from collections.abc import Iterable
from typing import Protocol

_HOURS = 24


class Nominated(Protocol):
    """A workload on reserved cards: cards in every hour from `first_hour` on, `hours` of them."""

    @property
    def cards(self) -> int:
        """Cards of the grade."""

    @property
    def first_hour(self) -> int:
        """From 0 within the delivery day."""

    @property
    def hours(self) -> int:
        """How long, in hours."""


def free_cards(cards: int, nominated: Iterable[Nominated]) -> int:
    """Return the cards of a reservation that are free in each of its hours."""
    used = [0] * _HOURS
    for one in nominated:
        for hour in range(one.first_hour, one.first_hour + one.hours):
            used[hour] += one.cards
    return cards - max(used)
