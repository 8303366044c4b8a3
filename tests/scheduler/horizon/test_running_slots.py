"""When to run within what is left of a carbon cap, against every run there is."""

from itertools import combinations

import numpy as np
import pytest

from scheduler.horizon.running_slots import NEVER, cheapest_within

SLOTS = 6


def runs(pauses, duration):
    """Every run of so many slots."""
    if pauses:
        return list(combinations(range(SLOTS), duration))
    return [tuple(range(t, t + duration)) for t in range(SLOTS - duration + 1)]


@pytest.mark.parametrize("seed", range(60))
def test_a_run_within_the_cap_is_found_if_there_is_one(seed):
    draw = np.random.default_rng(seed)
    pauses, duration = bool(seed % 2), int(draw.integers(1, 4))
    carbon, left, due = draw.integers(0, 9, SLOTS), int(draw.integers(0, 16)), int(draw.integers(1, SLOTS))
    cost, first = (
        np.where(draw.random(SLOTS) < 0.2, NEVER, draw.integers(0, 9, SLOTS)),
        np.where(draw.random(SLOTS) < 0.2, NEVER, 0),
    )
    slots = np.zeros(SLOTS, dtype=np.int64)
    found = cheapest_within(cost, first, carbon, left, 0, SLOTS, duration, pauses, due, 3, slots)
    possible = {
        run: int(cost[list(run)].sum()) + 3 * max(0, run[-1] + 1 - due)
        for run in runs(pauses, duration)
        if first[run[0]] == 0 and (cost[list(run)] < NEVER).all() and carbon[list(run)].sum() <= left
    }
    if not possible:
        assert found == NEVER
        return
    run = tuple(slots[:duration].tolist())
    assert found == possible[run]
    if pauses:
        assert carbon[list(run)].sum() == min(carbon[list(each)].sum() for each in possible)
    else:
        assert found == min(possible.values())
