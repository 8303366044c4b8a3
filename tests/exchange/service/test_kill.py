"""kill -9 in the middle of the day: nothing acknowledged is lost, and the state is the same (clause 1.6)."""

from __future__ import annotations

import signal
import subprocess
import sys
import time as wall
from datetime import date, time
from pathlib import Path

import numpy as np
import pytest

from exchange.domain.calendar import moment_ns
from exchange.domain.clock import AcceleratedClock
from exchange.journal import Journal, JournalConfig
from exchange.service.config import ExchangeConfig
from exchange.service.core import CORE_VERSION, LIMITS, Core
from exchange.service.exchange import Exchange
from exchange.service.replay import apply_frame
from matching.engine import Engine

FRIDAY = date(2026, 12, 4)

CHILD = """
import asyncio, random, sys
from datetime import date, time
from pathlib import Path
from exchange.domain import messages as m
from exchange.domain.calendar import moment_ns
from exchange.domain.clock import AcceleratedClock
from exchange.domain.phases import MarketPhase
from exchange.service.config import ExchangeConfig
from exchange.service.day import DayDriver
from exchange.service.exchange import Exchange
from exchange.service.replay import apply_frame
from matching.records import Side, new_order

class Catalogue:
    def reference_price_ticks(self, grade, hub):
        return 1_200

async def main(folder, seed):
    config = ExchangeConfig(data_dir=folder / "data", master_key_file=folder / "keys" / "master.key")
    clock = AcceleratedClock(moment_ns(date(2026, 12, 4), time(8, 29)), 7_200.0)
    exchange = await Exchange.open(config, clock)
    print("open", exchange.views.seq, exchange.views.state_hash(), flush=True)
    if not exchange.views.products():
        product = m.Product("H100", "GUIAN", 1)
        rules = m.SetRules(products=(product,), closed_days=(), calendar_end=date(2029, 1, 1))
        await exchange.submit_rare(rules)
        for name in ("acme", "blue"):
            await exchange.submit_rare(m.AddMember(name=name, kind="enterprise"))
            await exchange.submit_rare(m.Deposit(member=name, amount_fen=10**12))
    driver = asyncio.create_task(DayDriver(exchange, clock, config, catalogue=Catalogue()).run())
    dice = random.Random(seed)
    while True:
        indices = [view.contract.index for view in exchange.views.contracts()] or [0]
        row = new_order(account=0, instrument=dice.choice(indices), side=Side(dice.randrange(2)),
                        quantity=dice.randrange(1, 9), price=dice.randrange(1_190, 1_211))
        result = await exchange.submit_hot(row, dice.randrange(1, 3))
        assert result.ok, result
        print("done", exchange.views.seq, exchange.views.state_hash(), flush=True)
        if driver.done():
            driver.result()

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


def run_and_kill(folder: Path, seed: int, seconds: float) -> list[tuple[str, int, str]]:
    """Run the child for `seconds` after it opened, kill it, and return what it had announced."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(seed)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    lines = [child.stdout.readline()]
    wall.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    lines += child.stdout.readlines()
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    announced = [line.split() for line in lines if line.endswith("\n")]
    return [(what, int(seq), digest) for what, seq, digest in announced]


def hashes_at(folder: Path, wanted: set[int]) -> dict[int, str]:
    """Replay the journal by hand and return the state hash at the wanted sequence numbers."""
    core, found = Core(Engine(LIMITS)), {0: Core(Engine(LIMITS)).state_hash().hex()}
    journal = Journal.open(folder / "data" / "journal", JournalConfig(core_version=CORE_VERSION))
    for frame in journal.replay():
        apply_frame(core, frame)
        if core.seq in wanted:
            found[core.seq] = core.state_hash().hex()
    journal.close()
    core.check()
    return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_again_and_again_in_the_middle_of_the_day(tmp_path, seed):
    rng = np.random.default_rng(seed)
    announced: list[tuple[str, int, str]] = []
    for life in range(4):
        life_lines = run_and_kill(tmp_path, 10 * seed + life, float(rng.uniform(0.3, 1.5)))
        assert life_lines[0][0] == "open"
        if announced:
            assert life_lines[0][1] >= announced[-1][1]  # nothing acknowledged is lost
        announced += life_lines
    found = hashes_at(tmp_path, {seq for _, seq, _ in announced})
    assert len(announced) > 50
    for _, seq, digest in announced:
        assert found[seq] == digest
    config = ExchangeConfig(data_dir=tmp_path / "data", master_key_file=tmp_path / "keys" / "master.key")
    exchange = await Exchange.open(config, AcceleratedClock(moment_ns(FRIDAY, time(8)), 1, held=True))
    assert exchange.views.seq >= announced[-1][1]
    exchange.check()
    await exchange.close()
