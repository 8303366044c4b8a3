"""`dongxi journal replay | export`, `dongxi backup` and `dongxi restore` on the data of a real exchange."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import shutil
import subprocess
import sys
from datetime import date, time
from pathlib import Path

import pyarrow.parquet
import pytest

from exchange.domain import messages as m
from exchange.domain.calendar import moment_ns
from exchange.domain.clock import ManualClock
from exchange.journal.backup import BackupError, back_up, restore
from exchange.journal.snapshots import snapshot_paths
from exchange.service.config import ExchangeConfig
from exchange.service.exchange import Exchange
from matching.records import Side, new_order

DONGXI = str(Path(sys.executable).with_name("dongxi"))
MEMBERS = 25


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the program; it never shows a traceback."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DONGXI_")}
    done = subprocess.run(
        [DONGXI, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment | {"COLUMNS": "200", "PYTHONUTF8": "1", "NO_COLOR": "1"},
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def settings(folder: Path) -> ExchangeConfig:
    """Small segments and frequent snapshots."""
    return ExchangeConfig(
        data_dir=folder / "data",
        master_key_file=folder / "keys/master.key",
        durability="os",
        segment_bytes=4_000,
        snapshot_commands=30,
    )


async def opened(config: ExchangeConfig) -> Exchange:
    return await Exchange.open(config, ManualClock(moment_ns(date(2026, 12, 4), time(8))))


async def filled(exchange: Exchange, first: int = 0) -> dict[int, str]:
    """Send rare and hot commands; return the state hash after each."""
    hashes = {}
    for number in range(first, first + MEMBERS):
        done = await exchange.submit_rare(m.AddMember(name=f"m{number}", kind="enterprise"))
        assert done.ok
        hashes[exchange.views.seq] = exchange.views.state_hash()
        order = new_order(account=0, instrument=7, side=Side.BUY, quantity=1, price=1_200)
        assert (await exchange.submit_hot(order.repeat(3), 1)).ok
        hashes[exchange.views.seq] = exchange.views.state_hash()
    return hashes


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    """(data directory of a closed exchange, state hash by seq)."""
    folder = tmp_path_factory.mktemp("past")

    async def live() -> dict[int, str]:
        exchange = await opened(settings(folder))
        hashes = await filled(exchange)
        await exchange.close()
        return hashes

    return folder / "data", asyncio.run(live())


def hash_of(replayed: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    """What a replay printed."""
    lines = dict(line.rsplit(maxsplit=1) for line in replayed.stdout.splitlines() if "snapshot" not in line)
    return int(lines["seq"].replace(",", "")), lines["state hash"]


def test_replay_to_any_command_gives_the_hash_that_the_exchange_had(past):
    data, hashes = past
    last = max(hashes)
    for seq in (1, 4, 41, last):
        replayed = run("journal", "replay", "--data", data, "--to", seq)
        assert (replayed.returncode, replayed.stderr) == (0, "")
        assert hash_of(replayed) == (seq, hashes[seq])
    assert replayed.stdout.count("equal") == len(snapshot_paths(data / "snapshots")) == 3
    begun = run("journal", "replay", "--data", data, "--from-snapshot")
    assert hash_of(begun) == (last, hashes[last])
    within = run("journal", "replay", "--data", data, "--to", 3)  # the second of three commands of a frame
    assert within.returncode == 0
    assert hash_of(within)[0] == 3
    short = run("journal", "replay", "--data", data, "--to", last + 1)
    assert (short.returncode, short.stdout) == (1, short.stdout)
    assert f"ends with seq {last:,}" in short.stderr


def test_replay_names_a_snapshot_that_is_not_the_state(past, tmp_path):
    data, _ = past
    shutil.copytree(data, tmp_path / "data")
    newest, other, *_ = snapshot_paths(tmp_path / "data/snapshots")
    newest.write_bytes(b"nonsense")
    replayed = run("journal", "replay", "--data", tmp_path / "data")
    assert replayed.returncode == 1
    assert f"snapshot {newest.name}  its digest is wrong" in replayed.stdout
    assert f"snapshot {other.name}  equal" in replayed.stdout


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_export_has_one_row_a_command(past, tmp_path, suffix):
    data, hashes = past
    last = max(hashes)
    file = tmp_path / f"all.{suffix}"
    done = run("journal", "export", file, "--data", data)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{last:,} commands" in done.stdout
    rows = rows_of(file)
    assert [int(row["seq"]) for row in rows] == list(range(1, last + 1))
    assert json.loads(rows[0]["message"])["name"] == "m0"
    assert (rows[0]["command"], rows[1]["command"]) == ("AddMember", "NEW")
    assert (int(rows[1]["price"]), int(rows[1]["instrument"]), rows[1]["message"]) in (
        (1_200, 7, None),
        (1_200, 7, ""),
    )
    part = tmp_path / f"part.{suffix}"
    assert run("journal", "export", part, "--data", data, "--from", 3, "--to", 7).returncode == 0
    assert rows_of(part) == rows[2:7]
    again = run("journal", "export", file, "--data", data)
    assert again.returncode == 1
    assert "exists already" in again.stderr


def rows_of(file: Path) -> list[dict[str, object]]:
    """The rows of an exported file."""
    if file.suffix == ".csv":
        with file.open(newline="", encoding="utf-8") as text:
            return list(csv.DictReader(text))
    return pyarrow.parquet.read_table(file).to_pylist()


def test_a_reader_that_goes_away_is_no_fault_of_the_journal(past):
    data, _ = past
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run(
            [DONGXI, "journal", "dump", "--data", str(data)],
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.stderr == ""


def test_export_of_a_damaged_journal_leaves_no_file(past, tmp_path):
    data, _ = past
    shutil.copytree(data, tmp_path / "data")
    first = min((tmp_path / "data/journal").glob("*.journal"))
    damaged = bytearray(first.read_bytes())
    damaged[-20] ^= 1
    first.write_bytes(damaged)
    done = run("journal", "export", tmp_path / "x.csv", "--data", tmp_path / "data")
    assert done.returncode == 1
    assert "damage at byte" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    unknown = run("journal", "export", tmp_path / "x.xlsx", "--data", data)
    assert (unknown.returncode, "or .csv" in unknown.stderr) == (2, True)


async def test_backup_of_a_running_exchange_and_what_is_restored_is_its_past(tmp_path):
    config = settings(tmp_path)
    exchange = await opened(config)
    hashes = await filled(exchange)
    backed = run("backup", tmp_path / "backup", "--data", config.data_dir)
    assert (backed.returncode, backed.stderr) == (0, "")
    assert "master key is not in it" in backed.stdout
    assert not [path for path in (tmp_path / "backup").rglob("*") if "key" in path.name]
    hashes |= await filled(exchange, first=100)
    await exchange.close()

    done = run("restore", tmp_path / "backup", "--data", tmp_path / "other" / "data")
    assert (done.returncode, done.stderr) == (0, "")
    again = ExchangeConfig(
        data_dir=tmp_path / "other/data", master_key_file=config.master_key_file, durability="os"
    )
    restored = await opened(again)
    assert restored.views.seq == json.loads((tmp_path / "backup/manifest.json").read_text())["last_seq"]
    assert restored.views.state_hash() == hashes[restored.views.seq]
    restored.check()
    assert (await restored.submit_rare(m.AddMember(name="later", kind="enterprise"))).ok
    await restored.close()


def test_backup_cuts_what_is_no_whole_frame(past, tmp_path):
    data, hashes = past
    shutil.copytree(data, tmp_path / "data")
    last = max((tmp_path / "data/journal").glob("*.journal"))
    last.write_bytes(last.read_bytes()[:-3])
    for path in snapshot_paths(tmp_path / "data/snapshots"):
        path.unlink()
    assert run("backup", tmp_path / "backup", "--data", tmp_path / "data").returncode == 0
    assert run("restore", tmp_path / "backup", "--data", tmp_path / "fresh").returncode == 0
    seq, digest = hash_of(run("journal", "replay", "--data", tmp_path / "fresh"))
    assert hashes[seq] == digest
    assert seq < max(hashes)
    assert not run("journal", "verify", "--data", tmp_path / "fresh").stdout.count("incomplete")


def test_backup_and_restore_refuse_what_would_lose_something(past, tmp_path):
    data, _ = past
    backup = tmp_path / "backup"
    assert run("backup", backup, "--data", data).returncode == 0
    for arguments, words in (
        (("backup", backup, "--data", data), "isn't empty"),
        (("backup", tmp_path / "x", "--data", tmp_path / "absent"), "there is no journal"),
        (("restore", backup, "--data", data), "isn't empty"),
        (("restore", data, "--data", tmp_path / "y"), "holds no manifest.json"),
    ):
        refused = run(*arguments)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert words in refused.stderr
    assert not (tmp_path / "y").exists()


@pytest.mark.parametrize("what", ["journal", "snapshots"])
@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
def test_a_backup_that_changed_is_not_restored(past, tmp_path, what, how):
    data, _ = past
    backup = tmp_path / "backup"
    back_up(data, backup, lambda _: None)
    victim = max((backup / what).iterdir())
    whole = victim.read_bytes()
    if how == "flipped":
        victim.write_bytes(whole[:70] + bytes([whole[70] ^ 1]) + whole[71:])
    elif how == "cut":
        victim.write_bytes(whole[:-90])
    else:
        victim.unlink()
    with pytest.raises(BackupError, match=victim.name):
        restore(backup, tmp_path / "data", lambda _: None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup"]


def test_a_manifest_that_leads_elsewhere_is_refused(past, tmp_path):
    data, _ = past
    backup = tmp_path / "backup"
    back_up(data, backup, lambda _: None)
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["files"][0]["path"] = "journal/../../escaped"
    (backup / "manifest.json").write_text(json.dumps(manifest))
    refused = run("restore", backup, "--data", tmp_path / "data")
    assert refused.returncode == 1
    assert "belongs into no backup" in refused.stderr


def test_a_damaged_journal_is_not_backed_up(past, tmp_path):
    data, _ = past
    shutil.copytree(data, tmp_path / "data")
    first = min((tmp_path / "data/journal").glob("*.journal"))
    damaged = bytearray(first.read_bytes())
    damaged[100] ^= 1
    first.write_bytes(damaged)
    refused = run("backup", tmp_path / "backup", "--data", tmp_path / "data")
    assert refused.returncode == 1
    assert "damage at byte" in refused.stderr
    assert not (tmp_path / "backup/manifest.json").exists()
