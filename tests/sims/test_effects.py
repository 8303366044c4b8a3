"""What scenarios claim is tested with paired runs, and is borne out."""

from pathlib import Path
from typing import Literal

import numpy as np
import orjson
import pytest
from test_branches import invoke
from typer.testing import CliRunner

from sims.commands.sim import app
from sims.experiments.effects import Effect
from sims.experiments.inference import estimate, paired
from sims.scenario.claims import Claim
from sims.scenario.load import load_scenario, shipped

SIX_HUBS = '["GUIAN", "HORINGER", "QINGYANG", "SHANGHAI-EDGE", "BEIJING-EDGE", "SHENZHEN-EDGE"]'
SMALL = ["wake_seconds=1800", "days=2", f'goods=[{{grades=["H100"], hubs={SIX_HUBS}}}]']
WAYS: tuple[Literal["up", "down"], ...] = ("up", "down")
STRONG = {
    ("cable-cut", "price_east"),
    ("cable-cut", "price_west"),
    ("fat-finger", "price of H100.HORINGER"),
    ("fat-finger", "worst_mispricing"),  # price limits help
    ("hub-outage", "delivered"),
    ("new-generation", "price of H100.SHANGHAI-EDGE"),
    ("new-generation", "surplus of providers"),
    ("western-subsidy", "surplus of providers"),
}
"""Effects that six seeds of a small market show."""


def small(out: Path, *arguments: str) -> list[str]:
    sets = [part for setting in SMALL for part in ("--set", setting)]
    return ["effects", *arguments, *sets, "--seeds", "6", "--executor", "serial", "--out", str(out)]


def test_shocks_and_rules_move_what_their_scenarios_say(tmp_path: Path) -> None:
    names = sorted({name for name, _ in STRONG})
    said = CliRunner().invoke(app, small(tmp_path / "effects", *names, "--json"))
    effects = orjson.loads(said.stdout)
    borne_out = {(of["scenario"], of["claim"]["figure"]) for of in effects if of["holds"]}
    assert borne_out >= STRONG
    assert "of 42 runs" in said.stderr, "one market without shocks serves all"


def test_what_moves_the_other_way_is_not_what_was_claimed() -> None:
    low, high = np.arange(6.0), np.arange(6.0) + 3
    for base, candidate, moves in ((low, high, "up"), (high, low, "down"), (low, low, "")):
        told = [
            Effect(
                "s",
                Claim(figure="f", moves=way),
                estimate(base),
                estimate(candidate),
                paired(base, candidate),
            )
            for way in WAYS
        ]
        assert [way for way, effect in zip(WAYS, told, strict=True) if effect.holds] == [moves] * bool(moves)


@pytest.mark.soak
def test_every_claim_of_every_scenario_is_borne_out(tmp_path: Path) -> None:
    said = invoke("effects", "--seeds", "20", "--out", str(tmp_path / "effects"))
    assert "aren't borne out" not in said


def test_every_scenario_but_the_measure_itself_claims_something() -> None:
    assert [name for name in shipped() if not load_scenario(name).claim] == ["calm"]


def test_a_claim_that_isn_t_so_is_told_and_wrong_ones_are_named(tmp_path: Path) -> None:
    def wrong(figure: str, *, seeds: str = "2") -> list[str]:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.toml"
        path.write_text(
            'extends = "calm"\nname = "odd"\ndays = 1\nwake_seconds = 7200\n'
            f'[[claim]]\nfigure = "{figure}"\nmoves = "up"\nwithout = ["fee.taker=0"]\n'
        )
        return ["effects", str(path), "--seeds", seeds, "--executor", "serial", "--out", f"{path}-out"]

    said = invoke(*wrong("spread"), code=1)
    assert "1 of 1 claims aren't borne out" in said
    assert "no figure 'speed'; known: welfare_cny" in invoke(*wrong("speed"), code=2)
    assert "takes two seeds or more" in invoke(*wrong("spread", seeds="1"), code=2)
    assert "no [[claim]] to test" in invoke("effects", "calm", code=2)
    assert "claim[0]: unknown key `moved`; known: figure, moves, without" in invoke(
        "run", "cable-cut", "--set", 'claim=[{figure="spread", moved="up"}]', code=2
    )
