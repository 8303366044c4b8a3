"""Sweeps that are stopped in the middle, by Ctrl-C, by a kill, by a full disk: what is finished stays."""

import os
import re
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from program import DONGXI, environment
from typer.testing import CliRunner

from sims.commands.sim import app
from sims.experiments.disk import StoreError, alone
from sims.experiments.job import run_job
from sims.experiments.plan import sweep_plan
from sims.experiments.store import Store

SETTINGS = ["wake_seconds=3600", "days=1", "fee.taker=1,3"]
SWEEP = ["sweep", "calm", *(part for setting in SETTINGS for part in ("--set", setting))]


def begun(*arguments: str) -> subprocess.Popen[str]:
    """The program in the middle of a sweep: something is finished, and much isn't."""
    process = subprocess.Popen(
        [DONGXI, "sim", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    assert re.match(r"\d+ of \d+ runs", line), line + process.stderr.read()
    return process


def test_a_sweep_goes_on_after_ctrl_c_and_after_a_kill_to_the_same_hashes(tmp_path: Path) -> None:
    command = [*SWEEP, "--seeds", "6", "--out", str(tmp_path / "sweep")]
    interrupted = begun(*command, "--workers", "1")
    os.killpg(interrupted.pid, signal.SIGINT)  # a terminal sends it to parent and worker alike
    said = interrupted.communicate()[1]
    first = list(Store(tmp_path / "sweep").finished())
    assert interrupted.returncode == 130, said
    assert f"Stopped: {len(first)} of 12 runs are in {tmp_path / 'sweep'}; the same command goes on." in said
    assert "Traceback" not in said
    assert 1 <= len(first) < 12
    assert list((tmp_path / "sweep").glob("runs-*.parquet"))

    killed = begun(*command, "--workers", "1")
    killed.kill()
    killed.communicate()  # returns when the worker has closed its end, too
    second = list(Store(tmp_path / "sweep").finished())
    assert [one for one in second if one in first] == first
    assert len(first) < len(second) < 12

    said = CliRunner().invoke(app, [*command, "--executor", "serial"]).output
    store = Store(tmp_path / "sweep")
    assert f"{12 - len(second)} of {12 - len(second)} runs" in said
    assert [one.outcome for one in store.finished()] == [
        run_job(job, "again").outcome for job in sorted(store.manifest.jobs(), key=lambda job: job.key)
    ]


def test_two_commands_never_work_in_one_directory(tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    command = ["run", "calm", "--set", "wake_seconds=7200", "--out", str(out)]
    assert CliRunner().invoke(app, command).exit_code == 0
    with alone(out):
        said = CliRunner().invoke(app, command)
    assert said.exit_code == 2 and f"another command is at work in {out}; wait for it" in said.output
    assert CliRunner().invoke(app, command).exit_code == 0, "and it is free again"


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """No file can grow beyond so many bytes, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_is_named_and_what_is_finished_stays(tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    command = [*SWEEP, "--seeds", "3", "--executor", "serial", "--out", str(out)]
    (job, *_) = sweep_plan("calm", SETTINGS, [1]).jobs()
    line = len(msgspec.json.encode(run_job(job, "serial")))
    with files_limited_to(2_000):
        began = CliRunner().invoke(app, command)
    assert began.exit_code == 2
    assert f"{out / 'manifest.json'} can't be written (File too large)" in began.output
    with files_limited_to(line * 5 // 2):
        filled = CliRunner().invoke(app, command)
    assert filled.exit_code == 2
    assert f"{out / 'finished-serial.jsonl'} can't be written (File too large); finished" in filled.output
    kept = list(Store(out).finished())
    assert 1 <= len(kept) < 6
    assert CliRunner().invoke(app, command).exit_code == 0
    assert [one for one in Store(out).finished() if one in kept] == kept
    assert len(Store(out).done()) == 6
    with files_limited_to(3_000), pytest.raises(StoreError, match=r"serial.parquet can't be written"):
        Store(out).complete()
    with files_limited_to(100_000):
        reported = CliRunner().invoke(app, command)
    assert reported.exit_code == 2
    assert f"{out / 'report.html'} can't be written (File too large)" in reported.output


def test_a_damaged_directory_is_named_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"what":"sweep","variants":{}}')
    with pytest.raises(StoreError, match=r"manifest.json can't be read: .*missing required field `seeds`"):
        Store(tmp_path)
    (tmp_path / "manifest.json").write_text('{"what":"sweep","variants":{},"seeds":{},"versions":{}}')
    (tmp_path / "finished-9.jsonl").write_text('{"variant":"x"}\n{"half')
    with pytest.raises(StoreError, match=r"finished-9.jsonl, line 1: not a finished run .*remove the line"):
        Store(tmp_path).left()
