"""Snapshot + tail = full replay, bit for bit; and what isn't sound is never begun from."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import logging
from datetime import date, time
from pathlib import Path

import msgspec
import numpy as np
import pytest
from journal_files import FailingFiles

from exchange.domain import messages as m
from exchange.domain.calendar import moment_ns
from exchange.domain.clock import ManualClock
from exchange.journal import JournalVersion, OsFiles
from exchange.journal.snapshots import (
    SnapshotDamage,
    read_snapshot,
    snapshot_paths,
    write_snapshot,
)
from exchange.service import snapshotting
from exchange.service.config import ExchangeConfig
from exchange.service.core import LIMITS, Core
from exchange.service.exchange import Exchange
from exchange.service.frames import pack_rare, unpack_rare
from exchange.service.sealed import seal, unseal
from exchange.service.state import State
from exchange.service.tape import Tape
from matching.engine import Engine
from tests.exchange.service.test_determinism import lively_days

CHAIN = bytes(range(32))
TAPE = 300
FRIDAY = date(2026, 12, 4)


def through_a_file(folder: Path, core: Core, tape: Tape) -> tuple[Core, Tape]:
    """Write a snapshot, read it, and return what it holds."""
    header, arrays = seal(core, tape, CHAIN)
    path = write_snapshot(folder, OsFiles(), header, arrays, keep=2)
    found, read = read_snapshot(path)
    assert found == header
    fresh = Tape(TAPE)
    return unseal(found, read, Engine(LIMITS), fresh), fresh


def test_a_snapshot_anywhere_and_the_rest_is_the_whole(market_type, tmp_path):
    market = market_type()
    lively_days(market, seed=5, days=3, blocks=3)
    core, tape, events = Core(Engine(LIMITS)), Tape(TAPE), []
    whole, whole_tape, wanted = Core(Engine(LIMITS)), Tape(TAPE), []
    assert len(market.frames) > 60
    for number, (time_ns, frame) in enumerate(market.frames):
        for one, its_tape, seen in ((core, tape, events), (whole, whole_tape, wanted)):
            if isinstance(frame, np.ndarray):
                applied = one.apply_hot(frame.copy())
            else:
                applied = one.apply_rare(one.seq + 1, *unpack_rare(pack_rare(time_ns, frame)))
            its_tape.record(applied)
            seen.append((applied.events.tobytes(), applied.result))
        assert events[-1] == wanted[-1]
        if number % 5 == 0:
            core, tape = through_a_file(tmp_path, core, tape)
            core.check()
            assert core.state_hash() == whole.state_hash()
            assert tape.rows().tobytes() == whole_tape.rows().tobytes()
    assert core.state_hash() == whole.state_hash() == market.core.state_hash()
    assert len(snapshot_paths(tmp_path)) == 2


def test_every_part_of_the_state_is_in_a_snapshot(market_type):
    market = market_type()
    lively_days(market, seed=5, days=2, blocks=2)
    market.do(m.NoteRequests(nonces=bytes(range(24)), orders=(m.OrderNote(2, 7, bytes(16)),)))
    header, arrays = seal(market.core, Tape(TAPE), CHAIN)
    views = {name: memoryview(array) for name, array in arrays.items()}
    copy = unseal(header, views, Engine(LIMITS), Tape(TAPE))

    def plain(state: State) -> dict[str, object]:
        tables = {"contract_table", "reservations", "settlements", "positions", "ledger", "claims"}
        arrays = {"cash", "delivery_hold", "netting", "add_on", "fund"}
        found: dict[str, object] = {}
        for name, part in vars(state).items():
            if name in tables:
                found[name] = part.rows.tobytes()
            elif name in arrays:
                found[name] = part.tobytes()
            elif name == "nonces":
                found[name] = part.state_bytes()
            elif name == "client_orders":
                found[name] = list(part.plain())
            elif name != "engine":
                found[name] = part
        return found

    assert plain(copy.state) == plain(market.state)
    assert copy.state.engine.state_bytes() == market.state.engine.state_bytes()
    assert (copy.seq, copy.time_ns) == (market.core.seq, market.core.time_ns)


def test_any_changed_byte_is_noticed(market_type, tmp_path):
    header, arrays = seal(market_type().core, Tape(TAPE), CHAIN)
    path = write_snapshot(tmp_path, OsFiles(), header, arrays, keep=2)
    whole = path.read_bytes()
    step = max(1, len(whole) // 200)
    for at in (*range(0, len(whole), step), len(whole) - 1):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(SnapshotDamage):
            read_snapshot(path)
    for cut in (0, 5, 40, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(SnapshotDamage):
            read_snapshot(path)


# -- in a running exchange


@pytest.fixture
def config(tmp_path: Path) -> ExchangeConfig:
    return ExchangeConfig(
        data_dir=tmp_path / "data",
        master_key_file=tmp_path / "keys/master.key",
        durability="os",
        segment_bytes=2_000,
        snapshot_commands=20,
    )


async def opened(config: ExchangeConfig, files: OsFiles | None = None) -> Exchange:
    return await Exchange.open(config, ManualClock(moment_ns(FRIDAY, time(8))), files=files)


async def live(config: ExchangeConfig, commands: int, files: OsFiles | None = None) -> tuple[int, str]:
    """Open, send so many commands, close; return seq and state hash."""
    exchange = await opened(config, files)
    for number in range(commands):
        name = f"member-{exchange.views.seq}-{number}"
        assert (await exchange.submit_rare(m.AddMember(name=name, kind="enterprise"))).ok
    state = exchange.views.seq, exchange.views.state_hash()
    await exchange.close()
    return state


async def state_of(config: ExchangeConfig) -> tuple[int, str]:
    return await live(config, 0)


async def test_snapshots_are_taken_while_running_and_at_the_end(config):
    seq, digest = await live(config, 50)
    seqs = [int(path.name[:20]) for path in snapshot_paths(config.snapshot_dir)]
    assert seqs[0] == seq == 50
    assert len(seqs) >= 2
    assert snapshot_paths(config.snapshot_dir)[0].name[21:37] == digest[:16]
    assert await state_of(config) == (seq, digest)
    assert [int(path.name[:20]) for path in snapshot_paths(config.snapshot_dir)] == seqs, "nothing new came"


async def test_only_the_newest_are_kept(config):
    for _ in range(3):
        await live(config, 50)
    assert len(snapshot_paths(config.snapshot_dir)) == config.snapshots_kept


async def test_a_start_reads_nothing_before_the_segment_of_the_snapshot(config):
    state = await live(config, 60)
    segments = sorted(config.journal_dir.glob("*.journal"))
    assert len(segments) > 3
    for path in segments[:-2]:
        path.unlink()
    assert await state_of(config) == state


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
async def test_an_older_snapshot_serves_when_the_newest_is_not_sound(config, damage, caplog):
    caplog.set_level(logging.WARNING)
    await live(config, 50)
    state = await live(config, 7)
    newest = snapshot_paths(config.snapshot_dir)[0]
    whole = newest.read_bytes()
    if damage == "flipped":
        newest.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    elif damage == "cut":
        newest.write_bytes(whole[: len(whole) // 2])
    else:
        newest.unlink()
    assert await state_of(config) == state


async def test_without_any_sound_snapshot_the_whole_journal_is_replayed(config):
    state = await live(config, 50)
    for path in snapshot_paths(config.snapshot_dir):
        path.write_bytes(b"nonsense")
    assert await state_of(config) == state


async def test_a_snapshot_of_another_journal_is_not_used(config, tmp_path):
    other = dataclasses.replace(config, data_dir=tmp_path / "other")
    await live(other, 49)  # its members have the same names, but for the last
    state = await live(config, 30)
    for path in snapshot_paths(config.snapshot_dir):
        path.unlink()
    for path in snapshot_paths(other.snapshot_dir):
        path.rename(config.snapshot_dir / path.name)
    assert await state_of(config) == state


async def test_a_snapshot_ahead_of_its_journal_is_not_used(config):
    await live(config, 50)
    last = sorted(config.journal_dir.glob("*.journal"))[-1]
    last.write_bytes(last.read_bytes()[:-10])
    seq, _ = await state_of(config)
    assert seq < 50


async def test_a_snapshot_that_cannot_be_written_changes_nothing(config):
    class NoRename(OsFiles):
        def rename(self, old: Path, new: Path) -> None:
            raise OSError(errno.ENOSPC, "planted failure")

    state = await live(config, 50, NoRename())
    assert snapshot_paths(config.snapshot_dir) == []
    assert await state_of(config) == state


async def test_a_newer_core_goes_on_from_the_snapshot_that_the_old_one_sealed(config, monkeypatch):
    state = await live(config, 50)
    monkeypatch.setattr("exchange.service.exchange.CORE_VERSION", 1_000)
    monkeypatch.setattr(snapshotting, "CORE_VERSION", 1_000)
    monkeypatch.setattr("exchange.service.sealed.CORE_VERSION", 1_000)
    seq, _ = await live(config, 3)
    assert seq == state[0] + 3
    assert (await state_of(config))[0] == seq


async def test_a_newer_core_does_not_replay_what_the_old_one_left_unsealed(config, monkeypatch):
    await live(config, 50)
    for path in snapshot_paths(config.snapshot_dir)[:1]:
        path.unlink()
    monkeypatch.setattr("exchange.service.exchange.CORE_VERSION", 1_000)
    monkeypatch.setattr(snapshotting, "CORE_VERSION", 1_000)
    with pytest.raises(JournalVersion, match="SIGTERM"):
        await opened(config)


async def test_an_older_core_refuses_a_newer_snapshot(config):
    await live(config, 5)
    (path,) = snapshot_paths(config.snapshot_dir)
    header, arrays = read_snapshot(path)
    newer = msgspec.structs.replace(header, core_version=1_000)
    write_snapshot(config.snapshot_dir, OsFiles(), newer, {n: bytes(a) for n, a in arrays.items()}, keep=3)
    with pytest.raises(JournalVersion):
        await opened(config)


async def test_failing_at_any_call_loses_nothing_acknowledged(config, tmp_path):
    """Each call of the file seam fails once, those of snapshots too; what was acknowledged is there."""
    acknowledged = 0
    for fail_at in range(1, 400):
        one = dataclasses.replace(config, data_dir=tmp_path / str(fail_at))
        files = FailingFiles(fail_at)
        acknowledged = 0
        try:
            exchange = await opened(one, files)
        except OSError:
            continue
        for number in range(45):
            done = await exchange.submit_rare(m.AddMember(name=f"m{number}", kind="enterprise"))
            if not done.ok:
                break
            acknowledged += 1
        await exchange.close()
        again = await opened(one)
        assert again.views.seq >= acknowledged
        again.check()
        await again.close()
        if files.calls < fail_at:
            break
    assert acknowledged == 45, "the last round went through"


async def test_orders_are_taken_while_a_snapshot_is_written(config):
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    class SlowRename(OsFiles):
        def rename(self, old: Path, new: Path) -> None:
            asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
            super().rename(old, new)

    exchange = await opened(config, SlowRename())
    for number in range(60):
        done = await exchange.submit_rare(m.AddMember(name=f"m{number}", kind="enterprise"))
        assert done.ok
    assert snapshot_paths(config.snapshot_dir) == []
    released.set()
    await exchange.close()
    assert int(snapshot_paths(config.snapshot_dir)[0].name[:20]) == 60
