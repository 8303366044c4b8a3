"""Experiments: kept, resumed, compared and reproduced."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sim_markets import small_jobs
from typer.testing import CliRunner

from sims.commands.sim import app
from sims.experiments.differences import changed
from sims.experiments.disk import StoreError
from sims.experiments.job import run_job
from sims.experiments.seeds import parse_seeds, written
from sims.experiments.store import Manifest, Store
from sims.experiments.tables import RUNS_AT_ONCE, write_tables
from sims.scenario.load import load_scenario, plain

SMALL = ["--set", "wake_seconds=3600", "--set", "days=1"]


def invoke(*arguments: str, code: int = 0) -> str:
    """What the command prints, with the exit code that is expected."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_a_run_is_kept_reported_and_reproduced(tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    said = invoke("run", "calm", *SMALL, "--seed", "4", "--out", out)
    assert "providers" in said and "journal" in said
    assert "1 of 1 runs are the same to the bit" in invoke("reproduce", out, "--executor", "serial")
    assert "<table>" in (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "| welfare_cny |" in (tmp_path / "run" / "report.md").read_text("utf-8")
    lines = tmp_path / "run" / "finished-serial.jsonl"
    lines.write_text(lines.read_text("utf-8").replace('"trades":', '"trades":1'), "utf-8")
    assert "not the same: calm seed 4" in invoke("reproduce", out, "--executor", "serial", code=2)
    lines.unlink()
    assert "1 of 1 runs are the same to the bit" in invoke("reproduce", out, "--executor", "serial")
    manifest = tmp_path / "run" / "manifest.json"
    (state_hash,) = Store(Path(out)).manifest.state_hashes["calm"].values()
    assert state_hash in said
    manifest.write_text(manifest.read_text("utf-8").replace(state_hash, "0" * 64), "utf-8")
    assert "not the same: calm seed 4" in invoke("reproduce", out, "--executor", "serial", code=2)
    manifest.write_text(manifest.read_text("utf-8").replace(f'"4": "{"0" * 64}"', ""), "utf-8")
    assert "no finished run" in invoke("reproduce", out, "--executor", "serial", code=2)


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
    assert "- fee.taker=3 differs from fee.taker=1 in fee.taker 1 → 3.\n" in (whole / "report.md").read_text(
        "utf-8"
    )
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
    wrong = invoke(*command[:2], *SMALL, "--set", "fee.taker=1,4", "--seeds", "3", "--out", str(torn), code=2)
    assert "holds another experiment (variants.fee.taker=3 on → off)" in wrong
    more = [part if part != "3" else "4" for part in command]
    assert "holds another experiment (seeds.fee.taker=1 [1,2,3] → [1,2,3,4])" in invoke(
        *more, str(torn), code=2
    )


def test_a_directory_is_refused_to_a_scenario_that_only_says_other_things(tmp_path: Path) -> None:
    table = plain(load_scenario("calm"))
    Store(tmp_path, Manifest("run", {"calm": table}, {"calm": [1]}))
    other = Manifest("run", {"calm": table | {"title": "Another"}}, {"calm": [1]})
    with pytest.raises(StoreError, match=r'variants.calm.title "Two ordinary days" → "Another"'):
        Store(tmp_path, other)


def test_variants_differ_in_a_population_whatever_its_name_is() -> None:
    tables = [
        plain(load_scenario("calm")) | {"title": title, "population": [{"name": "title", "count": count}]}
        for title, count in (("one", 1), ("two", 2))
    ]
    assert list(changed(*tables)) == ["population.title.count 1 → 2"]


def test_a_population_that_one_side_lacks_stands_beside_nothing(tmp_path: Path) -> None:
    less = ["--set", "population.arbitrage=off", "--set", "wake_seconds=7200"]
    out, serial = tmp_path / "compare", ["--seeds", "2", "--executor", "serial"]
    told = invoke("compare", "fat-finger", "fat-finger", *less, *serial, "--out", str(out))
    written = (out / "report.md").read_text("utf-8").splitlines()
    (row,) = [line for line in written if "surplus of arbitrage |" in line]
    assert any("population.arbitrage on → off" in line for line in written)
    name, base, candidate, *change = [cell.strip() for cell in row.split("|")[1:-1]]
    assert name == "surplus of arbitrage" and base and candidate == "" and not any(change)
    assert "surplus of arbitrage" not in told


def test_tables_of_more_runs_than_are_held_at_once_are_whole(tmp_path: Path) -> None:
    (job,) = small_jobs(1, wake_seconds=7_200)
    run = run_job(job, "w")
    write_tables(tmp_path, "w", [run] * (RUNS_AT_ONCE + 1))
    runs, prices = (pq.ParquetFile(tmp_path / f"{name}-w.parquet") for name in ("runs", "prices"))
    assert runs.metadata.num_rows == RUNS_AT_ONCE + 1 and runs.metadata.num_row_groups == 2
    assert prices.metadata.num_rows == (RUNS_AT_ONCE + 1) * len(run.outcome.prices)
    assert not list(tmp_path.glob(".*"))


def test_seeds_are_read_and_overlaps_are_named() -> None:
    assert parse_seeds("3") == [1, 2, 3]
    assert parse_seeds("7-9,2") == [7, 8, 9, 2]
    again = ["1-200", "7-9,2", "3,5,8-12"]
    assert [written(parse_seeds(text)) for text in again] == again
    for text, fault in (
        ("1-10,5-12", "'5-12' overlaps with '1-10' at 5"),
        ("9-3", "'9-3' must rise"),
        ("a,b", "'a' is neither a number"),
        ("", "'' is neither a number"),
        ("1,99999999999999999999", "is beyond the last seed, 9223372036854775807"),
        ("0", "one number alone says how many, 1 to 1,000,000"),
        ("2000000", "one number alone says how many, 1 to 1,000,000"),
    ):
        with pytest.raises(ValueError, match=fault):
            parse_seeds(text)


def test_wrong_input_ends_with_a_sentence(tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_text("in the way")
    inside = invoke("run", "calm", "--out", str(tmp_path / "file"), code=2)
    assert "can't be written (File exists); finished runs are kept; put that right" in inside
    assert "no executor 'dask'; known: pool" in invoke("sweep", "calm", "--executor", "dask", code=2)
    twice = ["sweep", "calm", "--set", "fee.taker=1,2", "--set"]
    assert "fee.taker is set twice; a sweep takes its values as" in invoke(*twice, "fee.taker=3", code=2)
    assert "fee.maker=1,2,1: a value is there twice" in invoke(*twice, "fee.maker=1,2,1", code=2)
    assert "overlaps" in invoke("compare", "calm", "calm", "--seeds", "1-3,3", code=2)
    assert "holds no manifest.json" in invoke("reproduce", "/nonexistent", "--executor", "serial", code=2)
