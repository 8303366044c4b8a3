"""kill -9 in the middle of the day: nothing acknowledged is lost, and the state is the same (clause 1.6)."""

from __future__ import annotations

from datetime import date, time

import pytest
from kills import config_in, kill_repeatedly, verify_ledger

from exchange.domain.calendar import moment_ns
from exchange.domain.clock import AcceleratedClock
from exchange.journal.snapshots import snapshot_paths
from exchange.service.exchange import Exchange

FRIDAY = date(2026, 12, 4)


@pytest.mark.parametrize("trials", [20, pytest.param(200, marks=pytest.mark.soak)])
async def test_killed_again_and_again_in_the_middle_of_the_day(tmp_path, trials):
    ledger = kill_repeatedly(tmp_path, trials, seed=trials)
    assert len(ledger.acknowledged) > 10 * trials
    core = verify_ledger(tmp_path, ledger)
    config = config_in(tmp_path)
    assert snapshot_paths(config.snapshot_dir), "some starts began from a snapshot"
    exchange = await Exchange.open(config, AcceleratedClock(moment_ns(FRIDAY, time(8)), 1, held=True))
    assert (exchange.views.seq, exchange.views.state_hash()) == (core.seq, core.state_hash().hex())
    exchange.check()
    await exchange.close()
