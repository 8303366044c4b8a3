"""Market clocks, driven by a hand-moved real time."""

from __future__ import annotations

import asyncio
import time

import pytest

from exchange.domain.clock import AcceleratedClock, ManualClock, WallClock, sleep_until

SECOND = 10**9


class RealTime:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def real() -> RealTime:
    return RealTime()


def test_it_runs_at_its_speed_and_a_change_holds_from_now_on(real: RealTime) -> None:
    clock = AcceleratedClock(1_000, 60.0, monotonic_ns=real)
    real.now = SECOND
    assert clock.now_ns() == 1_000 + 60 * SECOND
    clock.set_speed(3_600)
    real.now = 2 * SECOND
    assert clock.now_ns() == 1_000 + 3_660 * SECOND
    assert clock.wall_delay_s(clock.now_ns() + 1_800 * SECOND) == 0.5


def test_it_can_be_held_and_released(real: RealTime) -> None:
    clock = AcceleratedClock(0, 10, held=True, monotonic_ns=real)
    real.now = SECOND
    assert (clock.now_ns(), clock.held, clock.speed) == (0, True, 0.0)
    assert clock.wall_delay_s(5) is None
    assert clock.wall_delay_s(0) == 0.0
    clock.release()
    real.now = 2 * SECOND
    assert clock.now_ns() == 10 * SECOND
    clock.hold()
    real.now = 9 * SECOND
    assert clock.now_ns() == 10 * SECOND


def test_it_stops_exactly_where_told_however_late_it_is_asked(real: RealTime) -> None:
    clock = AcceleratedClock(0, 1_000, monotonic_ns=real)
    clock.hold_at(500 * SECOND)
    assert clock.wall_delay_s(600 * SECOND) is None
    assert clock.wall_delay_s(500 * SECOND) == 0.5
    real.now = 100 * SECOND
    assert clock.now_ns() == 500 * SECOND
    assert clock.held
    clock.hold_at(400 * SECOND)
    assert clock.now_ns() == 500 * SECOND
    clock.release()
    real.now = 101 * SECOND
    assert clock.now_ns() == 1_500 * SECOND


async def test_run_until_returns_at_the_stop() -> None:
    clock = AcceleratedClock(0, 100_000)
    await clock.run_until(1_000 * SECOND)
    assert clock.now_ns() == 1_000 * SECOND
    assert clock.held


async def test_sleep_until_follows_a_hold_and_a_new_speed() -> None:
    clock = AcceleratedClock(0, 1, held=True)
    sleeper = asyncio.create_task(sleep_until(clock, 1_000 * SECOND))
    await asyncio.sleep(0.05)
    assert not sleeper.done()
    clock.release()
    clock.set_speed(1_000_000)
    await sleeper
    assert clock.now_ns() >= 1_000 * SECOND


def test_speed_must_be_positive(real: RealTime) -> None:
    for wrong in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="above 0"):
            AcceleratedClock(0, wrong, monotonic_ns=real)


def test_a_restart_goes_on_from_the_journal_but_never_back(real: RealTime) -> None:
    clock = AcceleratedClock(100, 1, held=True, monotonic_ns=real)
    clock.resume_at(5_000)
    assert clock.now_ns() == 5_000
    clock.resume_at(10)
    assert clock.now_ns() == 5_000


def test_the_wall_clock_is_real_time() -> None:
    before = time.time_ns()
    assert WallClock().now_ns() >= before
    assert WallClock().wall_delay_s(before) == 0.0
    WallClock().resume_at(0)


def test_the_manual_clock_moves_only_forward() -> None:
    clock = ManualClock(10)
    clock.advance(5)
    assert clock.now_ns() == 15
    assert (clock.wall_delay_s(15), clock.wall_delay_s(16)) == (0.0, None)
    with pytest.raises(ValueError, match="never falls"):
        clock.set(14)
