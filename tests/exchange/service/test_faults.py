"""Full disks and damaged files, in real processes: what was acknowledged is there, or damage is named."""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
import sys
from datetime import date, time
from pathlib import Path

import pytest

from exchange.domain import messages as m
from exchange.domain.calendar import moment_ns
from exchange.domain.clock import ManualClock
from exchange.service.config import ExchangeConfig
from exchange.service.exchange import Exchange

CHILD = """
import asyncio, resource, sys
from datetime import date
from pathlib import Path
from exchange.domain import messages as m
from exchange.domain.clock import ManualClock
from exchange.domain.rejects import RejectCode
from exchange.journal import JournalError
from exchange.service.config import ExchangeConfig
from exchange.service.exchange import Exchange

async def main(folder, limit):
    config = ExchangeConfig(data_dir=folder / "data", master_key_file=folder.parent / "keys/master.key")
    try:
        exchange = await Exchange.open(config, ManualClock(1))
    except JournalError as error:
        sys.exit(str(error))
    print("open", exchange.views.seq, exchange.views.state_hash(), flush=True)
    if limit < 0:
        return
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    number = 0
    while True:
        rules = m.SetRules(products=(), closed_days=(), calendar_end=date(2030, 1, 1))
        batch = [rules] * 500
        done = await asyncio.gather(*map(exchange.submit_rare, batch))
        if any(one.code is RejectCode.NOT_ACKNOWLEDGING for one in done):
            acknowledged = [one.seq for one in done if one.code is not RejectCode.NOT_ACKNOWLEDGING]
            print("acknowledged", max([number, *acknowledged]), flush=True)
            break
        number = max(one.seq for one in done)
    print("failure", exchange.failure, flush=True)
    assert not exchange.status().acknowledging
    assert (await exchange.submit_rare(batch[0])).code is RejectCode.NOT_ACKNOWLEDGING
    await exchange.close()

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""
MEBIBYTE = 1 << 20


def child(folder: Path, limit: int) -> subprocess.CompletedProcess[str]:
    """Open the exchange in a process of its own; with limit -1 say only what it opened with."""
    folder.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), str(limit)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_file_that_may_not_grow_stops_acknowledging_and_reads_go_on(tmp_path):
    done = child(tmp_path / "x", MEBIBYTE)
    assert done.returncode == 0, done.stderr
    said = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert "File too large" in said["failure"]
    acknowledged = int(said["acknowledged"])
    assert acknowledged > 100
    again = child(tmp_path / "x", -1)
    assert again.returncode == 0, again.stderr
    assert int(again.stdout.split()[1]) >= acknowledged, "the next start has everything acknowledged"


@pytest.mark.soak
def test_a_full_file_system_stops_acknowledging_and_reads_go_on(tmp_path):
    mount = tmp_path / "small"
    mount.mkdir()
    asked = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("a tmpfs can't be mounted here")
    try:
        done = child(mount, 0)
        said = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
        assert "No space left" in said["failure"], done.stderr
        for source in mount.rglob("*"):
            if source.is_file():
                copy = tmp_path / "wide" / source.relative_to(mount)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(source.read_bytes())
    finally:
        subprocess.run(["umount", str(mount)], check=True)
    again = child(tmp_path / "wide", -1)
    assert int(again.stdout.split()[1]) >= int(said["acknowledged"])


@pytest.fixture(scope="module")
def lived(tmp_path_factory) -> tuple[Path, dict[int, str]]:
    """(folder of a closed exchange without snapshots, its state hash by seq)."""
    folder = tmp_path_factory.mktemp("lived")
    config = ExchangeConfig(data_dir=folder / "x/data", master_key_file=folder / "keys/master.key")

    async def live() -> dict[int, str]:
        exchange = await Exchange.open(config, ManualClock(moment_ns(date(2026, 12, 4), time(8))))
        hashes = {0: exchange.views.state_hash()}
        for number in range(40):
            await exchange.submit_rare(m.AddMember(name=f"m{number}", kind="enterprise"))
            hashes[exchange.views.seq] = exchange.views.state_hash()
        await exchange.close()
        return hashes

    hashes = asyncio.run(live())
    for path in config.snapshot_dir.iterdir():
        path.unlink()
    return folder, hashes


@pytest.mark.parametrize("trials", [2, pytest.param(50, marks=pytest.mark.soak)])
@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_a_start_recovers_the_durable_prefix_or_names_the_damage(lived, tmp_path, how, trials):
    folder, hashes = lived
    segment = next((folder / "x/data/journal").glob("*.journal"))
    whole, dice = segment.read_bytes(), random.Random(trials)
    ends = [*[found.start() for found in re.finditer(rb"DXF\n", whole)][1:], len(whole)]
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/master.key").write_bytes((folder / "keys/master.key").read_bytes())
    (tmp_path / "keys/master.key").chmod(0o600)
    for trial in range(trials):
        at = dice.randrange(len(whole))
        victim = tmp_path / str(trial) / "data/journal" / segment.name
        victim.parent.mkdir(parents=True)
        changed = whole[:at] if how == "cut" else whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]
        victim.write_bytes(changed)
        done = child(tmp_path / str(trial), -1)
        if how == "cut":
            assert done.returncode == 0, done.stderr
            _, seq, digest = done.stdout.split()
            assert int(seq) == sum(end <= at for end in ends)
            assert hashes[int(seq)] == digest
        else:
            assert done.returncode == 1
            assert "damage at byte" in done.stderr
            assert victim.read_bytes() == changed
