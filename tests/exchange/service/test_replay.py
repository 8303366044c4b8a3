"""Mixed commands in bulk: the state is the journal's alone (clause 1.5), and money and positions conserve."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from journal_files import start
from mixed import mixed_days

from exchange.journal import FrameKind, JournalConfig
from exchange.service.core import CORE_VERSION, LIMITS, Core
from exchange.service.frames import pack_rare, unpack_rare
from matching.engine import Engine
from matching.records import EventKind

EVERY = 10_000
REPLAY = """
import sys
from pathlib import Path
from exchange.journal import FrameKind, Position, frames_after
from exchange.service.core import CORE_VERSION, LIMITS, Core, command_block
from exchange.service.frames import unpack_rare
from matching.engine import Engine
folder, cut, every = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
core, due = Core(Engine(LIMITS)), every
for frame in frames_after(folder, Position(), CORE_VERSION):
    if frame.kind is FrameKind.RARE:
        core.apply_rare(frame.first_seq, *unpack_rare(frame.body))
    else:
        rest = command_block(frame.body)
        while len(rest):
            piece = rest[: min(cut, due - core.seq)]
            core.apply_hot(piece)
            rest = rest[len(piece) :]
            if core.seq == due:
                print(core.seq, core.state_hash().hex())
                due += every
    if core.seq == due:
        print(core.seq, core.state_hash().hex())
        due += every
core.check()
print(core.seq, core.state_hash().hex())
"""
SIZES = [50_000, pytest.param(1_000_000, marks=pytest.mark.soak)]


@pytest.mark.parametrize("commands", SIZES)
def test_hash_seeds_and_batch_splits_do_not_matter(market_type, tmp_path, commands):
    market = market_type()
    mixed_days(market, 3, commands)
    config = JournalConfig(core_version=CORE_VERSION, durability="os", segment_bytes=1 << 20)
    writer, seq = start(tmp_path, config=config), 1
    for time_ns, frame in market.frames:
        hot = isinstance(frame, np.ndarray)
        count, body = (len(frame), frame.tobytes()) if hot else (1, pack_rare(time_ns, frame))
        writer.journal.append(FrameKind.HOT if hot else FrameKind.RARE, seq, count, body)
        seq += count
    writer.journal.close()
    said = {
        subprocess.run(
            [sys.executable, "-c", REPLAY, str(tmp_path), str(cut), str(EVERY)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed, cut in (("0", 1 << 30), ("1", 7), ("12345", 256))
    }
    assert len(said) == 1
    lines = said.pop().splitlines()
    assert len(lines) >= commands // EVERY
    assert lines[-1] == f"{market.core.seq} {market.core.state_hash().hex()}"


@pytest.mark.parametrize("commands", [10_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_money_and_positions_conserve_after_every_command(market_type, commands):
    market = market_type()
    mixed_days(market, 4, commands)
    core, kinds = Core(Engine(LIMITS)), set()
    for time_ns, frame in market.frames:
        pieces = frame.reshape(-1, 1) if isinstance(frame, np.ndarray) else [frame]
        for piece in pieces:
            if isinstance(frame, np.ndarray):
                kinds |= set(core.apply_hot(piece).events["kind"].tolist())
            else:
                core.apply_rare(core.seq + 1, *unpack_rare(pack_rare(time_ns, piece)))
            state = core.state
            assert int(state.cash.sum()) == state.deposits_fen - state.withdrawals_fen
            if core.seq % 16 == 0 or not isinstance(frame, np.ndarray):
                state.positions.check()
        core.check()
    assert core.state_hash() == market.core.state_hash()
    assert {EventKind.TRADE, EventKind.REJECTED, EventKind.ACCEPTED} <= kinds
