"""The compile cache: keyed by the sources, shared by processes, never needed; and who says what when."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from matching import jit
from matching.engine import Engine
from matching.records import Side
from tests.matching.generators import FLOWS, record

ONE_TRADE = """
from matching.engine import Engine
from matching.records import EventKind, Phase, Side, new_order
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec
limits = EngineLimits(max_instruments=1, max_accounts=2, max_orders=64, max_levels=128, max_holdings=8)
engine = Engine(limits)
engine.add_instrument(0, InstrumentSpec(100, 200, 150))
for account in (0, 1):
    engine.set_account(account, AccountSpec(equity_fen=10**9))
engine.set_phase(0, Phase.CONTINUOUS)
for side in (Side.BUY, Side.SELL):
    events = engine.apply(new_order(account=int(side), instrument=0, side=side, quantity=1, price=150))
assert (events["kind"] == EventKind.TRADE).sum() == 1
from matching.jit import CACHE_DIR, COMPILED
print(CACHE_DIR, COMPILED)
"""
HITS = """
from matching.commands import apply_batch
from matching.jit import CACHE_WRITABLE
stats = apply_batch.stats
print(CACHE_WRITABLE, sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def run(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one trade in a fresh process."""
    return subprocess.run(
        [sys.executable, "-c", ONE_TRADE],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


def test_a_cached_kernel_starts_without_a_word(root: Path) -> None:
    run(root)
    told = run(root)
    assert told.stderr == ""
    assert told.stdout.split() == [str(jit.CACHE_DIR), "True"]


def test_without_the_compiler_the_same_functions_run(root: Path) -> None:
    told = run(root, NUMBA_DISABLE_JIT="1")
    assert told.stderr == ""
    assert told.stdout.split() == ["None", "False"]


def test_the_key_follows_every_source_of_the_kernel(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "matching"
    shutil.copytree(root / "matching", copy, ignore=shutil.ignore_patterns("__pycache__"))
    keys = [jit.source_key(copy)]
    for name in ("ladder.py", "emit.py"):
        path = copy / name
        path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
        keys.append(jit.source_key(copy))
    assert len(set(keys)) == 3
    assert jit.source_key(copy) == keys[-1]


def test_a_place_that_cannot_be_made_is_not_writable(tmp_path: Path) -> None:
    assert jit.writable(tmp_path / "new")
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert not jit.writable(tmp_path / "file" / "below")


def write_nothing() -> None:
    """Let every write to a file fail from now on, for root too."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_complete_cache_is_used_where_nothing_can_be_written(root: Path) -> None:
    run(root)
    told = subprocess.run(
        [sys.executable, "-c", ONE_TRADE + HITS],
        cwd=root,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=write_nothing,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stderr == ""
    directory, compiled, writable, hits, misses = told.stdout.split()
    assert (directory, compiled, writable) == (str(jit.CACHE_DIR), "True", "False")
    assert (int(hits) > 0, int(misses)) == (True, 0)


def test_without_a_complete_cache_nor_a_place_for_one_nothing_is_cached(root: Path, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from matching.jit import CACHE_DIR; print(CACHE_DIR)"],
        cwd=root,
        env={**os.environ, "DONGXI_CACHE_DIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=write_nothing,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["None"]


def test_kernels_of_other_sources_go_when_nobody_used_them_for_long(tmp_path: Path) -> None:
    long_ago = time.time() - (jit.UNUSED_DAYS + 1) * 86_400
    for name, marked in (("kernel-used", True), ("kernel-unused", True), ("kernel-half", False)):
        directory = tmp_path / name
        directory.mkdir()
        if marked:
            jit.complete(directory).touch()
            os.utime(jit.complete(directory), (long_ago, long_ago))
        os.utime(directory, (long_ago, long_ago))
    jit.complete(tmp_path / "kernel-used").touch()
    (tmp_path / "kernel-new").mkdir()
    (tmp_path / "other").mkdir()
    jit.forget_unused(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kernel-new", "kernel-used", "other"]


def test_the_first_use_says_that_it_compiles_and_the_next_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(jit, "CACHE_DIR", tmp_path / "kernel-x")
    monkeypatch.setattr(jit, "CACHE_WRITABLE", jit.writable(tmp_path / "kernel-x"))
    with jit.compiling():
        pass
    assert "Compiling the matching kernel" in capsys.readouterr().err
    with jit.compiling():
        pass
    assert capsys.readouterr().err == ""


def compiled_versions() -> dict[str, int]:
    """Return how many versions of each kernel function this process has."""
    return {
        f"{name}.{function}": len(value.signatures)
        for name, module in list(sys.modules.items())
        if name.startswith("matching.")
        for function, value in vars(module).items()
        if hasattr(value, "signatures")
    }


@pytest.mark.skipif(not jit.COMPILED, reason="nothing is compiled")
def test_nothing_is_compiled_once_an_engine_exists() -> None:
    engine = Engine(FLOWS["chaos"](1).shape.limits)
    before = compiled_versions()
    record(FLOWS["chaos"](1), engine, 2_000)
    for number in engine.instruments():
        index = np.int32(number)
        engine.l1(index), engine.depth(index, Side.SELL), engine.orders(index), engine.indicative(index)
        positions = engine.positions(index)
        assert positions["account"].tolist() == sorted(set(positions["account"].tolist()))
        for account, lots in positions.tolist():
            assert engine.position(account, index) == lots != 0
    engine.check()
    engine.restore(engine.snapshot())
    assert compiled_versions() == before
