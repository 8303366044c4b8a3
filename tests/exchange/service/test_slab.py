"""Room for records: what was handed out stays its taker's."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.service.slab import Slab, as_bytes
from matching.records import EVENT


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20))
def test_what_was_taken_is_never_handed_out_again(asked):
    slab, taken = Slab(EVENT, 8), []
    for number, (count, more) in enumerate(asked):
        slab.offer(count + more)["seq"] = -1
        rows = slab.take(count)
        rows["seq"] = number
        taken.append(rows)
    assert [set(rows["seq"].tolist()) for rows in taken] == [
        {n} if c else set() for n, (c, _) in enumerate(asked)
    ]
    assert [len(rows) for rows in taken] == [count for count, _ in asked]


def test_bytes_are_the_records_however_many():
    for count in (0, 1, 2, 1_000):
        rows = np.zeros(count, EVENT)
        rows["seq"] = np.arange(count)
        assert bytes(as_bytes(rows)) == rows.tobytes()
