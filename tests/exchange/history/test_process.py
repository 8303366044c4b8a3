"""The history process for real: killed, restarted, kept by `dongxi up`, and its commands."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from history_days import Days, slow_history, stored

from exchange.history.mark import DurableMark, history_folder
from exchange.history.reader import progress_of
from exchange.history.store import latest

DONGXI = str(Path(sys.executable).with_name("dongxi"))


def as_of(data: Path) -> int:
    """How far the newest generation goes; -1 if there is none, or it was just replaced."""
    path = latest(history_folder(data))
    try:
        return -1 if path is None else progress_of(path).as_of_seq
    except sqlite3.OperationalError:
        return -1


def until(holds: Callable[[], bool]) -> None:
    """Return once it holds."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def history_process(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([DONGXI, "history", "run", "--data", str(data)], stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def kill_again_and_again(data: Path, seed: int, lives: int) -> int:
    """Let a process follow a mark that moves, kill it at a random look, and let another one go on."""
    days = Days(seed)
    days.live(3, orders=120)
    last = days.write(data)
    mark, dice, seen = DurableMark(history_folder(data)), random.Random(seed), 0
    ends = [first + count - 1 for _, first, count, _ in days.frames]
    for life in range(lives):
        with history_process(data) as process:
            until(lambda seen=seen: as_of(data) >= seen)
            goal = ends[(life + 1) * len(ends) // lives - 1]
            while mark.seq < goal:
                mark.seq = min(goal, mark.seq + dice.randrange(1, 40))
                now = as_of(data)
                assert now == -1 or now >= seen  # as_of_seq never falls
                seen = max(seen, now)
            for _ in range(dice.randrange(3)):
                seen = max(seen, as_of(data))
            process.send_signal(signal.SIGKILL)
            process.wait()
        at, rows = stored(history_folder(data))
        assert rows == slow_history(data / "journal", at).rows()
        seen = at
    with history_process(data) as process:
        until(lambda: as_of(data) == last)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    return last


def test_killed_at_random_moments_no_row_is_lost_or_doubled(tmp_path: Path) -> None:
    last = kill_again_and_again(tmp_path, seed=1, lives=3)
    assert stored(history_folder(tmp_path)) == (last, slow_history(tmp_path / "journal", last).rows())


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_killed_at_random_moments_for_long(tmp_path: Path, seed: int) -> None:
    last = kill_again_and_again(tmp_path, seed=seed, lives=12)
    assert stored(history_folder(tmp_path)) == (last, slow_history(tmp_path / "journal", last).rows())


def said(*words: str) -> str:
    """What a `dongxi` command prints; it must succeed."""
    return subprocess.run([DONGXI, *words], capture_output=True, text=True, check=True).stdout


def test_status_and_rebuild_on_their_own(tmp_path: Path) -> None:
    days = Days(7)
    days.live(1)
    last = days.write(tmp_path)
    assert "no complete history" in said("history", "status", "--data", str(tmp_path))
    early = subprocess.run(
        [DONGXI, "history", "rebuild", "--data", str(tmp_path)], capture_output=True, text=True
    )
    assert (early.returncode, "start the exchange once" in early.stderr) == (1, True)
    DurableMark(history_folder(tmp_path)).seq = last
    assert f"up to seq {last:,}" in said("history", "rebuild", "--data", str(tmp_path))
    first = latest(history_folder(tmp_path))
    lines = said("history", "status", "--data", str(tmp_path)).splitlines()
    shown = dict(line.rsplit(None, 1) for line in lines)
    assert shown["as of seq"] == shown["durable seq"] == f"{last:,}"
    assert shown["behind"] == "0"
    said("history", "rebuild", "--data", str(tmp_path))
    assert latest(history_folder(tmp_path)) != first
    assert stored(history_folder(tmp_path)) == (last, slow_history(tmp_path / "journal", last).rows())
    elsewhere = subprocess.run(
        [DONGXI, "history", "status", "--data", str(tmp_path / "none")], capture_output=True, text=True
    )
    assert elsewhere.returncode == 2
    assert "no journal" in elsewhere.stderr


@contextmanager
def serving(folder: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `dongxi up` on a free port; yields the process and its address."""
    process = subprocess.Popen(
        [DONGXI, "up", "--data", str(folder / "data"), "--port", "0", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Dongxi serves "), process.communicate()
        yield process, line.split()[2].rstrip("/")
    finally:
        process.kill()
        process.communicate()


def status(address: str) -> dict[str, Any]:
    """The answer of /v1/history/status, refused or not."""
    try:
        with urllib.request.urlopen(f"{address}/v1/history/status", timeout=30) as answer:
            return json.load(answer)  # type: ignore[no-any-return]
    except urllib.error.HTTPError as refused:
        return json.load(refused)  # type: ignore[no-any-return]


def is_current(address: str) -> bool:
    return status(address).get("behind") == 0


def history_pid(data: Path) -> int:
    """The process that was started last, as the log says."""
    lines = (data / "log" / "dongxi.log").read_text().splitlines()
    started = [json.loads(line) for line in lines if "history process started" in line]
    return int(started[-1]["pid"])


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but wasn't waited for doesn't."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_up_keeps_it_running_and_ends_it(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, address):
        until(lambda: is_current(address))
        first = history_pid(tmp_path / "data")
        assert is_alive(first)
        os.kill(first, signal.SIGKILL)
        until(lambda: history_pid(tmp_path / "data") != first)
        assert status(address)["as_of_seq"] > 0  # what is there answers meanwhile
        second = history_pid(tmp_path / "data")
        until(lambda: is_current(address))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert not is_alive(second)
    mark = DurableMark(history_folder(tmp_path / "data"))
    assert as_of(tmp_path / "data") == mark.folded == mark.seq  # it took in what was drained


@pytest.mark.parametrize("end", ["SIGTERM", "SIGINT", "lifeline"])
def test_it_ends_in_order(tmp_path: Path, end: str) -> None:
    (tmp_path / "journal").mkdir()
    words = [DONGXI, "history", "run", "--data", str(tmp_path), "--lifeline"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until(lambda: as_of(tmp_path) == 0)
        if end == "lifeline":
            assert process.stdin is not None
            process.stdin.close()
        else:
            process.send_signal(signal.Signals[end])
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_it_is_left_out_if_it_is_not_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DONGXI_HISTORY", "false")
    with serving(tmp_path) as (_, address):
        assert status(address)["error"]["code"] == "HISTORY_UNAVAILABLE"
        assert "history process started" not in (tmp_path / "data/log/dongxi.log").read_text()


def test_it_ends_when_the_exchange_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, address):
        until(lambda: is_current(address))
        pid = history_pid(tmp_path / "data")
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(lambda: not is_alive(pid))
        assert not is_alive(pid)


def test_rebuild_asks_the_process_that_runs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(tmp_path) as (_, address):
        until(lambda: is_current(address))
        first = latest(history_folder(data))
        assert "builds it anew" in said("history", "rebuild", "--data", str(data))
        until(lambda: latest(history_folder(data)) != first)
        until(lambda: is_current(address))
        assert latest(history_folder(data)) != first


def test_a_broken_history_leaves_the_exchange_alone(tmp_path: Path) -> None:
    """Its lock is held by another, so it can't start; the exchange serves, and it is tried again."""
    data = tmp_path / "data"
    (data / "journal").mkdir(parents=True)
    with history_process(data) as other, serving(tmp_path) as (_, address):
        until(lambda: (data / "log" / "dongxi.log").read_text().count("the history process ended") > 0)
        assert "filled by another process" in (data / "log" / "dongxi.log").read_text()
        until(lambda: is_current(address))  # the other one fills it
        other.send_signal(signal.SIGTERM)
        assert other.wait(30) == 0
        until(lambda: "history goes on" in (data / "log" / "history.log").read_text())
