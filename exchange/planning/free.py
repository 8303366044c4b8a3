"""What is left of reserved cards once the workloads that are nominated on them have theirs, stretch by
stretch of the hours that are delivered.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


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


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hours in a row, `first` to before `end` of the delivery day, and the cards that are free in them."""

    first: int
    end: int
    cards: int

    def times(self, midnight: datetime) -> tuple[datetime, datetime]:
        """Return when it begins and ends, on the day that begins at `midnight`."""
        return midnight + timedelta(hours=self.first), midnight + timedelta(hours=self.end)


def free_stretches(cards: int, hours: Sequence[int], nominated: Iterable[Nominated]) -> Iterator[Stretch]:
    """Yield the stretches of a reservation that have free cards; `hours` are those it delivers, ascending."""
    taken = list(nominated)
    for first, end in stretches(hours):
        used = [
            sum(one.cards for one in taken if one.first_hour <= hour < one.first_hour + one.hours)
            for hour in range(first, end)
        ]
        if cards > max(used):
            yield Stretch(first, end, cards - max(used))


def stretches(hours: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of each run of hours in a row; `hours` ascend."""
    at = 0
    while at < len(hours):
        after = at + 1
        while after < len(hours) and hours[after] == hours[after - 1] + 1:
            after += 1
        yield hours[at], hours[after - 1] + 1
        at = after
