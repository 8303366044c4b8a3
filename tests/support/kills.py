"""Kills an exchange under load, again and again, and keeps a ledger of what it acknowledged meanwhile."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time as wall
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from exchange.journal import FrameKind, Position, frames_after
from exchange.service.config import ExchangeConfig
from exchange.service.core import CORE_VERSION, LIMITS, Core, command_block
from exchange.service.replay import apply_frame
from matching.engine import Engine

IN_FLIGHT = 8
_CHILD = """
import asyncio, random, sys
from datetime import date, time
from pathlib import Path
from exchange.domain import messages as m
from exchange.domain.calendar import moment_ns
from exchange.domain.clock import AcceleratedClock
from exchange.service.day import DayDriver
from exchange.service.exchange import Exchange
from kills import IN_FLIGHT, config_in
from matching.records import Side, new_order

class Catalogue:
    def reference_price_ticks(self, grade, hub):
        return 1_200

async def trade(exchange, dice, names):
    while True:
        indices = [view.contract.index for view in exchange.views.contracts()] or [0]
        name = next(names)
        row = new_order(account=0, instrument=dice.choice(indices), side=Side(dice.randrange(2)),
                        quantity=dice.randrange(1, 9), price=dice.randrange(1_190, 1_211), client_id=name)
        result = await exchange.submit_hot(row, dice.randrange(1, 3))
        assert result.ok, result
        print("done", result.first_seq, name, flush=True)

async def main(folder, life):
    config = config_in(folder)
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
    dice, names = random.Random(life), iter(range(life * 10**6, (life + 1) * 10**6))
    driver = DayDriver(exchange, clock, config, catalogue=Catalogue()).run()
    await asyncio.gather(driver, *(trade(exchange, dice, names) for _ in range(IN_FLIGHT)))

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


def config_in(folder: Path) -> ExchangeConfig:
    """An exchange with small segments and frequent snapshots, so that kills hit their making, too."""
    return ExchangeConfig(
        data_dir=folder / "data",
        master_key_file=folder / "keys" / "master.key",
        segment_bytes=50_000,
        snapshot_commands=300,
    )


@dataclass
class Ledger:
    """What the killed processes had said: state hashes that they opened with, and acknowledged orders."""

    opened: list[tuple[int, str]] = field(default_factory=list)
    acknowledged: dict[int, int] = field(default_factory=dict)
    """Seq of each acknowledged order, by its client id."""

    def enter(self, line: str) -> None:
        """Enter one line of a child; one that was cut short says nothing."""
        if not line.endswith("\n"):
            return
        what, seq, rest = line.split()
        if what == "open":
            self.opened.append((int(seq), rest))
        else:
            self.acknowledged[int(rest)] = int(seq)


def kill_repeatedly(folder: Path, trials: int, seed: int) -> Ledger:
    """Start the exchange, load it, kill it at a random moment, `trials` times over the same data."""
    dice, ledger = random.Random(seed), Ledger()
    for life in range(1, trials + 1):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(folder), str(life)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        assert child.stdout is not None
        try:
            ledger.enter(child.stdout.readline())
            wall.sleep(dice.uniform(0, 0.6))  # the random moment
        finally:
            child.send_signal(signal.SIGKILL)
        for line in child.stdout:
            ledger.enter(line)
        child.stdout.close()
        assert child.wait() == -signal.SIGKILL
        assert len(ledger.opened) == life, "it didn't start again"
    return ledger


def verify_ledger(folder: Path, ledger: Ledger) -> Core:
    """Replay the journal: every acknowledged order is in it once, and no other order twice, and each start
    had the state that a replay has. Return the replayed core.
    """
    wanted = dict(ledger.opened)
    core = Core(Engine(LIMITS))
    assert wanted.pop(0, core.state_hash().hex()) == core.state_hash().hex()
    orders: Counter[int] = Counter()
    journaled: dict[int, int] = {}
    for frame in frames_after(config_in(folder).journal_dir, Position(), CORE_VERSION):
        apply_frame(core, frame)
        if core.seq in wanted:
            assert wanted.pop(core.seq) == core.state_hash().hex()
        if frame.kind is FrameKind.HOT:
            commands = command_block(frame.body)
            names = commands["client_id"].tolist()
            orders.update(names)
            journaled.update(zip(names, commands["seq"].tolist(), strict=True))
    assert not wanted, "a start had commands that the journal doesn't have"
    assert max(orders.values(), default=1) == 1, "a command was doubled"
    assert ledger.acknowledged.keys() <= orders.keys(), "an acknowledged command was lost"
    assert all(journaled[name] == seq for name, seq in ledger.acknowledged.items())
    core.check()
    return core
