"""Experiments: the same runs on every executor, resumed and reproduced; statistics that keep their level."""

import math
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from sim_markets import EVERYBODY, scenario
from typer.testing import CliRunner

from sims.commands.sim import app
from sims.engine.outcome import Outcome
from sims.experiments.executors import Executor, Pool, Serial, executor_of
from sims.experiments.inference import LEVEL, paired, t_quantile
from sims.experiments.job import Job, run_job
from sims.experiments.seeds import parse_seeds
from sims.experiments.store import Store
from sims.scenario.load import plain

SMALL = ["--set", "wake_seconds=3600", "--set", "days=1"]


def outcomes(runner: Executor, jobs: list[Job]) -> dict[int, Outcome]:
    """Outcomes by seed."""
    return {one.outcome.seed: one.outcome for one in runner.run(jobs)}


def small_jobs(count: int, first: int = 1, **keys: object) -> list[Job]:
    """Jobs of a small market."""
    table = msgspec.json.encode(plain(scenario(**keys)))  # type: ignore[arg-type]
    return [Job("small", seed, table) for seed in range(first, first + count)]


def test_every_executor_and_number_of_workers_gives_the_same_hashes() -> None:
    jobs = small_jobs(4)
    serial = outcomes(Serial(), jobs)
    assert len({outcome.journal_hash for outcome in serial.values()}) == 4
    assert outcomes(Pool(1), jobs) == outcomes(Pool(2), jobs) == serial


@pytest.mark.soak
def test_ray_gives_the_same_hashes() -> None:
    pytest.importorskip("ray")
    jobs = small_jobs(4)
    assert outcomes(executor_of("ray", 2), jobs) == outcomes(Serial(), jobs)


def invoke(*arguments: str, code: int = 0) -> str:
    """What the command prints, with the exit code that is expected."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_a_run_is_kept_reported_and_reproduced(tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    said = invoke("run", "calm", *SMALL, "--seed", "4", "--out", out)
    assert "providers" in said and "journal" in said
    assert "1 of 1 runs are the same to the bit" in invoke("reproduce", out)
    assert "<table>" in (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "| welfare_cny |" in (tmp_path / "run" / "report.md").read_text("utf-8")
    lines = tmp_path / "run" / "finished-serial.jsonl"
    lines.write_text(lines.read_text("utf-8").replace('"trades":', '"trades":1'), "utf-8")
    assert "not the same: calm seed 4" in invoke("reproduce", out, code=2)
    lines.unlink()
    assert "no finished run" in invoke("reproduce", out, code=2)


def test_a_sweep_that_was_killed_is_resumed_to_the_same_result(tmp_path: Path) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    command = [
        "sweep",
        "calm",
        *SMALL,
        "--set",
        "fee.taker=1,3",
        "--seeds",
        "3",
        "--executor",
        "serial",
        "--out",
    ]
    said = invoke(*command, str(whole))
    assert "fee.taker=3" in said
    torn.mkdir()
    shutil.copy(whole / "manifest.json", torn)
    lines = (whole / "finished-serial.jsonl").read_bytes().splitlines(keepends=True)
    for worker, kept in (("4711", lines[:1]), ("serial", lines[1:2])):
        (torn / f"finished-{worker}.jsonl").write_bytes(b"".join(kept) + lines[2][:100])
    assert len(Store(torn).left()) == 4
    invoke(*command, str(torn))
    assert [one.outcome for one in Store(torn).finished()] == [one.outcome for one in Store(whole).finished()]
    runs = pq.read_table(whole / "runs-serial.parquet").to_pylist()
    assert [(row["seed"], row["variant"][-11:]) for row in runs][:2] == [
        (1, "fee.taker=1"),
        (1, "fee.taker=3"),
    ]
    assert "holds another experiment" in invoke("sweep", "calm", "--seeds", "2", "--out", str(torn), code=2)


def test_price_limits_help_when_a_finger_slips(tmp_path: Path) -> None:
    out = str(tmp_path / "compare")
    wide = ["--set", "limit.daily=5000", "--set", "wake_seconds=1800"]
    invoke("compare", "fat-finger", "fat-finger", *wide, "--seeds", "8", "--executor", "serial", "--out", out)
    runs = {one.key: one.outcome.metrics["worst_mispricing"] for one in Store(Path(out)).finished()}
    base, candidate = (
        np.array([runs[variant, seed] for seed in range(1, 9)]) for variant in ("base", "candidate")
    )
    found = paired(base, candidate)
    assert found.significant and found.difference.low > 0.1


def rejections(tests: int, pairs: int) -> int:
    """How often one market is told from itself on disjoint seeds."""
    values = [
        run_job(job, "test").outcome.metrics["mispricing"]
        for job in small_jobs(2 * tests * pairs, population=EVERYBODY[:3], wake_seconds=7_200)
    ]
    halves = np.array(values).reshape(tests, 2, pairs)
    return sum(paired(base, candidate).significant for base, candidate in halves)


def binomial_bound(tests: int) -> int:
    """The most rejections that a test of this level gives, but for one time in a thousand."""
    chance, count = 0.0, -1
    while chance < 0.999:
        count += 1
        chance += math.comb(tests, count) * LEVEL**count * (1 - LEVEL) ** (tests - count)
    return count


def test_a_placebo_is_rejected_no_more_often_than_the_level_allows() -> None:
    assert rejections(8, 8) <= binomial_bound(8)


@pytest.mark.soak
def test_a_placebo_at_length() -> None:
    assert rejections(200, 12) <= binomial_bound(200)


def test_the_paired_test_on_normal_numbers_keeps_its_level_and_finds_what_is_there() -> None:
    draws = np.random.default_rng(1).standard_normal((400, 2, 15))
    rejected = sum(paired(base, candidate).significant for base, candidate in draws)
    assert 5 <= rejected <= binomial_bound(400)
    shifted = sum(paired(base, candidate + 2).significant for base, candidate in draws)
    assert shifted > 390


@pytest.mark.parametrize(
    ("degrees", "published"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042), (199, 1.972)],
)
def test_students_quantiles_are_the_published_ones(degrees: int, published: float) -> None:
    assert t_quantile(0.975, degrees) == pytest.approx(published, rel=0.005)


def test_seeds_are_read_and_overlaps_are_named() -> None:
    assert parse_seeds("3") == [1, 2, 3]
    assert parse_seeds("7-9,2") == [7, 8, 9, 2]
    for text, fault in (
        ("1-10,5-12", "'5-12' overlaps with '1-10' at 5"),
        ("9-3", "'9-3' must rise"),
        ("a,b", "'a' is neither a number"),
    ):
        with pytest.raises(ValueError, match=fault):
            parse_seeds(text)


def test_wrong_input_ends_with_a_sentence() -> None:
    assert "no executor 'dask'; known: pool" in invoke("sweep", "calm", "--executor", "dask", code=2)
    assert "overlaps" in invoke("compare", "calm", "calm", "--seeds", "1-3,3", code=2)
    assert "holds no manifest.json" in invoke("reproduce", "/nonexistent", code=2)
