"""The hub table as a user meets it: a real process, its output and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from nodes.catalogue import load_catalogue


def run(*arguments: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": str(columns), "PYTHONUTF8": "1", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "nodes", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        cwd=Path(__file__).resolve().parents[2],
        check=False,
    )


def cells_wide(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


@pytest.mark.parametrize("columns", [80, 120, 200])
@pytest.mark.parametrize("arguments", [(), ("--near", "SHANGHAI")])
def test_every_hub_is_shown_on_a_line_of_its_own(columns: int, arguments: tuple[str, ...]) -> None:
    shown = run(*arguments, columns=columns)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert all(cells_wide(line) <= columns for line in lines)
    first_words = [line.split()[0] for line in lines if line.strip()]
    assert set(load_catalogue().hubs) <= set(first_words)
    assert "贵安集群" in shown.stdout
    assert ("Guian" in shown.stdout) == (columns >= 120)


def test_json_carries_what_the_catalogue_says() -> None:
    lines = json.loads(run("--json", "--near", "北京", "--within", "5", "--grade", "a910b").stdout)
    catalogue = load_catalogue()
    assert [line["hub"] for line in lines] == ["BEIJING-EDGE", "TIANJIN-EDGE", "ZHANGJIAKOU"]
    for line in lines:
        assert line["round_trip_ms"] == round(catalogue.round_trip_ms("BEIJING", line["hub"]), 2)
        assert line["power_cny_per_card_hour"] == round(
            catalogue.mean_power_cny_per_card_hour(line["hub"], "A910B"), 4
        )
        assert line["kgco2_per_card_hour"] == round(catalogue.kgco2_per_card_hour(line["hub"], "A910B"), 4)
    assert lines[0]["kgco2_per_card_hour_contracted_green"] is None
    assert lines[2]["kgco2_per_card_hour_contracted_green"] < lines[2]["kgco2_per_card_hour"]


def test_an_hour_has_its_own_power_price() -> None:
    cheap, dear = (
        {
            line["hub"]: line["power_cny_per_kwh"]
            for line in json.loads(run("--json", "--month", "7", "--hour", h).stdout)
        }
        for h in ("3", "19")
    )
    assert cheap["SHANGHAI-EDGE"] == pytest.approx(0.4 * 0.5006 + 0.07412 + 0.0645, abs=1e-4)
    assert dear["SHANGHAI-EDGE"] == pytest.approx(1.8 * 0.5006 + 0.07412 + 0.0645, abs=1e-4)
    assert "month 7, 19:00–20:00" in run("--month", "7", "--hour", "19").stdout


def test_a_faster_tier_reaches_further() -> None:
    near = json.loads(run("--json", "--near", "SHANGHAI", "--within", "20").stdout)
    further = json.loads(run("--json", "--near", "SHANGHAI", "--within", "20", "--tier", "otn_direct").stdout)
    assert {line["hub"] for line in near} < {line["hub"] for line in further}


def test_nothing_near_enough_is_said_and_is_no_error() -> None:
    shown = run("--near", "SHANGHAI", "--within", "0.5")
    assert shown.returncode == 0
    assert "No hub is that near to SHANGHAI" in shown.stdout
    assert json.loads(run("--near", "SHANGHAI", "--within", "0.5", "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--near", "Paris"), ("unknown city 'Paris'", "SHANGHAI", "CHONGQING")),
        (("--grade", "B200"), ("unknown grade 'B200'", "H100", "CPU64")),
        (("--tier", "5g", "--near", "SHANGHAI"), ("5g", "ip_private", "otn_direct")),
        (("--within", "5"), ("--within needs --near",)),
        (("--month", "5"), ("--month needs --hour",)),
        (("--hour", "24"), ("--hour", "23")),
        (("--month", "13", "--hour", "1"), ("--month", "12")),
        (("--within", "-1", "--near", "SHANGHAI"), ("--within", "0")),
    ],
)
def test_a_wrong_option_names_what_was_wrong_and_what_is_allowed(
    arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused = run(*arguments, columns=200)
    assert refused.returncode == 2
    assert refused.stdout == ""
    for word in words:
        assert word in refused.stderr
