"""What a plan runs on cards that are reserved already, as nominations to the exchange."""

from collections import defaultdict
from collections.abc import Iterator

from scheduler.io.schedule import Run, Schedule
from scheduler.io.venue import Holding, Nomination, Stock, hours_within
from scheduler.io.workloads import Span
from scheduler.types import MILLI

USE = "compute"
"""The declared use of a workload without a class."""


def nominations_of(schedule: Schedule, stock: Stock) -> tuple[Nomination, ...]:
    """Each run of the plan on what is reserved there, in the plan's order, until their cards are all named.

    Cards are nominated whole: a share of a card is rounded up while there is room, and beyond that not named;
    it runs on a card that is. What the plan runs on cards still to be bought, or bought and not
    yet reserved, has no reservation.
    """
    held = _Held(schedule, stock)
    return tuple(nomination for run in schedule.runs for nomination in held.nominate(run))


class _Held:
    """Cards of every holding that no run has taken, by hour of the plan."""

    def __init__(self, schedule: Schedule, stock: Stock) -> None:
        self.at: dict[tuple[str, str], list[tuple[Holding, range]]] = defaultdict(list)
        self.free: dict[str, dict[int, int]] = {}
        for holding in stock.holdings:
            hours = hours_within(holding.start, holding.end, Span(schedule.start, schedule.hours))
            if hours is not None and holding.reserved:
                self.at[holding.site, holding.grade].append((holding, range(*hours)))
                self.free[holding.name] = dict.fromkeys(range(*hours), holding.cards)

    def nominate(self, run: Run) -> Iterator[Nomination]:
        """At most one nomination a grade and holding."""
        for grade, milli in run.milli_cards():
            wanted: dict[range, int] = {}
            for holding, day in self.at[run.site, grade]:
                hours = range(max(run.first_hour, day.start), min(run.end_hour, day.stop))
                left = wanted.setdefault(hours, -(-milli // MILLI))
                free = self.free[holding.name]
                cards = min((left, *(free[hour] for hour in hours))) if hours else 0
                if cards:
                    wanted[hours] = left - cards
                    for hour in hours:
                        free[hour] -= cards
                    use = run.latency_class or USE
                    first = holding.start.hour + hours.start - day.start
                    yield Nomination(holding.id, run.workload, use, cards, first, len(hours))
