"""What is free of a reservation, stretch by stretch, beside a count hour by hour."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.planning.free import Stretch, free_stretches, stretches


@dataclass(frozen=True)
class Job:
    cards: int
    first_hour: int
    hours: int


jobs = st.builds(Job, st.integers(1, 4), st.integers(0, 12), st.integers(1, 12))
hours = st.sets(st.integers(0, 23)).map(sorted)


@settings(max_examples=50)
@given(hours, st.integers(1, 8), st.lists(jobs, max_size=4))
def test_stretches_are_the_hours_and_promise_no_used_card(
    delivered: list[int], cards: int, taken: list[Job]
) -> None:
    rows = list(stretches(delivered))
    assert [hour for first, end in rows for hour in range(first, end)] == delivered
    assert all(one[1] < two[0] for one, two in pairwise(rows))
    free = {
        hour: cards - sum(job.cards for job in taken if job.first_hour <= hour < job.first_hour + job.hours)
        for hour in delivered
    }
    found = {(one.first, one.end): one.cards for one in free_stretches(cards, delivered, taken)}
    wanted = {(first, end): min(free[hour] for hour in range(first, end)) for first, end in rows}
    assert found == {row: left for row, left in wanted.items() if left > 0}


def test_a_peak_reservation_is_two_stretches() -> None:
    """GUIAN's peak hours; a job from 9:00 to 12:00 has its cards in the two of them that are delivered."""
    peak = [10, 11, 12, 17, 18, 19, 20, 21]
    assert list(free_stretches(5, peak, [Job(2, 9, 3)])) == [Stretch(10, 13, 3), Stretch(17, 22, 5)]
