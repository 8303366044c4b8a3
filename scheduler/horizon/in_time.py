"""Long work on many rows, some at a time, with a look at the clock before each."""

import time
from collections.abc import Iterator

from scheduler.horizon.supply import Ints

ROWS = 4096
"""Rows between two looks at the clock."""


class TimeIsUp(Exception):
    """The work was cut short; what it was making is not whole."""


def in_time(rows: Ints, deadline: float, most: int = ROWS) -> Iterator[Ints]:
    """The rows, at most so many at a time; raises `TimeIsUp` after ``deadline`` (monotonic seconds)."""
    for begin in range(0, len(rows), most):
        if time.monotonic() > deadline:
            raise TimeIsUp
        yield rows[begin : begin + most]
