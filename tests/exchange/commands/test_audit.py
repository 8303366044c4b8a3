"""`dongxi audit` on a journal of random days, on a backup of it, and on what somebody changed."""

from __future__ import annotations

import json
import shutil

import pytest

from exchange.journal.backup import back_up
from exchange.journal.reader import segment_paths
from tests.support.history_days import Days
from tests.support.program import run


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    """(data directory, core) after a day."""
    days = Days(seed=4)
    days.live(days=1, orders=20)
    folder = tmp_path_factory.mktemp("past")
    days.write(folder, segment_bytes=1 << 12)
    return folder, days.core


def test_verify_says_what_was_checked(past, tmp_path):
    data, core = past
    done = run("audit", "verify", "--data", str(data), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    verdict = json.loads(done.stdout)
    assert verdict["state_hash"] == core.state_hash().hex()
    assert (verdict["first_seq"], verdict["last_seq"], verdict["wrong"]) == (1, core.seq, [])
    back_up(data, tmp_path / "backup", lambda _: None)
    backup = run("audit", "verify", "--data", str(tmp_path / "backup"))
    assert backup.returncode == 0
    assert verdict["chain"] in backup.stdout
    assert "manifest      compared" in backup.stdout


def test_verify_finds_a_changed_byte_and_a_shortened_backup(past, tmp_path):
    data, _ = past
    back_up(data, tmp_path / "backup", lambda _: None)
    shutil.copytree(tmp_path / "backup", tmp_path / "changed")
    segment = segment_paths(tmp_path / "changed/journal")[0]
    bytes_ = bytearray(segment.read_bytes())
    bytes_[len(bytes_) // 2] ^= 1
    segment.write_bytes(bytes_)
    changed = run("audit", "verify", "--data", str(tmp_path / "changed"))
    assert changed.returncode == 1
    assert "damage at byte" in changed.stderr
    segment_paths(tmp_path / "backup/journal")[-1].unlink()
    shortened = run("audit", "verify", "--data", str(tmp_path / "backup"))
    assert shortened.returncode == 1
    assert "isn't the file of the manifest" in shortened.stderr


def test_trace_prints_a_table_and_json(past):
    data, core = past
    table = run("audit", "trace", "1", "--data", str(data))
    assert table.returncode == 0
    assert "trade 1:" in table.stdout
    assert "settled at" in table.stdout
    told = json.loads(run("audit", "trace", "coral", "--data", str(data), "--json").stdout)
    paid = [record["amount_fen"] for record in told["records"] if record["what"] == "statement"]
    assert sum(paid) == int(core.state.cash[3])
    keys = {"segment", "offset", "first_seq", "last_seq", "previous_chain", "chain"}
    assert all(record["frame"].keys() == keys for record in told["records"])


def test_what_is_not_there_is_said(past, tmp_path):
    data, _ = past
    unknown = run("audit", "trace", "nobody", "--data", str(data))
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "no account nobody" in unknown.stderr
    nothing = run("audit", "verify", "--data", str(tmp_path))
    assert nothing.returncode == 2
    assert "there is no journal" in nothing.stderr
