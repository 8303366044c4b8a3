"""What was promised: estimators on known answers and against slow, obvious code; a small real run."""

import math
from pathlib import Path

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from nodes.catalogue import load_catalogue
from sims.commands.promises import rows_of
from sims.commands.sim import app
from sims.engine.rows import FlowRow, NeedRow
from sims.experiments.inference import Estimate
from sims.experiments.store import Store
from sims.promises import estimators as of
from sims.promises.verdicts import MARKET, Beside, Verdict

SMALL = [
    "--set",
    'goods=[{grades=["H100","L20"], hubs=["GUIAN","QINGYANG","SHANGHAI-EDGE","BEIJING-EDGE"]}]',
    "--set",
    "wake_seconds=7200",
    "--set",
    "days=1",
]


def need(needed: float, bought: float, price: float, home: float, hub: float) -> NeedRow:
    """One city's need."""
    return NeedRow("enterprises", "SHANGHAI", "H100", needed, bought, price, home, hub)


def flow(region: str, grade: str, bought: float, price: float, home: str = "east") -> FlowRow:
    """What eastern enterprises bought at one hub."""
    return FlowRow("enterprises", home, grade, f"{region}-hub", region, bought, bought * price, 0.0, 0.0)


def test_a_saving_is_split_between_place_and_price() -> None:
    needs = [need(100, 50, price=6.0, home=10.0, hub=8.0), need(100, 0, price=0.0, home=10.0, hub=0.0)]
    assert of.cost_saving(needs) == pytest.approx(0.1), "50 of 200 at 6 instead of 10"
    assert of.saving_by_place(needs) == pytest.approx(0.05)
    assert of.saving_by_price(needs) == pytest.approx(0.05)
    assert of.served(needs) == 0.25
    assert of.cost_saving([need(100, 100, price=12.0, home=10.0, hub=9.0)]) == pytest.approx(-0.2)
    assert of.cost_saving([]) == 0


def test_the_basket_holds_grades_that_both_sides_sell_and_enterprises_bought() -> None:
    flows = [
        flow("west", "H100", 30, 9.0),
        flow("east", "H100", 10, 12.0),
        flow("west", "L20", 100, 1.0),
        flow("east", "L20", 100, 2.0),
        flow("east", "T4", 1_000, 5.0),
        flow("west", "H100", 1_000, 1.0, home=""),
    ]
    west, east = 40 * 9.0 + 200 * 1.0, 40 * 12.0 + 200 * 2.0
    assert of.west_saving(flows) == pytest.approx(1 - west / east)
    assert of.east_over_west(flows) == pytest.approx(east / west)
    assert of.west_share(flows) == pytest.approx(130 / 1_240)
    one_sided = [flow("east", "T4", 5, 1.0)]
    assert math.isnan(of.west_saving(one_sided)) and math.isnan(of.east_over_west(one_sided))


def test_a_promise_is_kept_only_by_the_whole_interval() -> None:
    def word(low: float, high: float) -> str:
        return Verdict("half", 0.5, Estimate((low + high) / 2, low, high, 9), (), "").word

    assert [word(0.5, 0.6), word(0.4, 0.6), word(0.3, 0.49)] == ["kept", "open", "not kept"]


def test_shares_are_told_in_percent_and_the_gap_as_a_multiple_whatever_they_come_to() -> None:
    def cells(promised: float, mean: float) -> list[str]:
        found = Estimate(mean, mean - 0.1, mean + 0.1, 5)
        return [row[2] for row in rows_of([Verdict("x", promised, found, (Beside("y", found),), "")])[1:]]

    assert cells(0.35, 1.0) == ["100.0% [90.0%, 110.0%]"] * 2
    assert cells(3.0, 0.97) == ["0.97× [0.87×, 1.07×]"] * 2


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, object]]]:
    """Two seeds of a small part of the country, by the command."""
    out = tmp_path_factory.mktemp("promises") / "out"
    command = ["promises", *SMALL, "--seeds", "2", "--executor", "serial", "--json", "--out", str(out)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    return out, orjson.loads(result.stdout)


def test_a_small_run_prints_what_its_tables_say(measured: tuple[Path, list[dict[str, object]]]) -> None:
    out, told = measured
    assert [row["promised"] for row in told] == [0.35, 0.3, 0.4, 3.0]
    assert {row["verdict"] for row in told} <= {"kept", "not kept", "open"}
    runs = [one.outcome for one in Store(out).finished() if one.variant == MARKET]
    slow = []
    for outcome in runs:
        paid = home = 0.0
        for row in outcome.needs:
            home += row.needed * row.home_price
            paid += row.needed * row.home_price - row.bought * (row.home_price - row.price)
        slow.append((home - paid) / home)
    assert told[1]["found"]["mean"] == pytest.approx(np.mean(slow))  # type: ignore[index]
    written = (out / "promises.md").read_text("utf-8")
    assert "not kept" in written
    assert "| – with each city alone |  | not measured |  |" in written, "no city here buys on both sides"
    assert "<table>" in (out / "promises.html").read_text("utf-8")


def test_needs_and_flows_are_of_the_same_trades(measured: tuple[Path, list[dict[str, object]]]) -> None:
    out, _ = measured
    one = next(one for one in Store(out).finished() if one.variant == MARKET)
    for row in one.outcome.needs:
        assert 0 <= row.bought <= row.needed
        pool = load_catalogue().edge_pool_of(row.city).code
        lots = load_catalogue().grade(row.grade).cards_per_lot
        ticks = load_catalogue().reference_price_ticks(row.grade, pool)
        assert row.home_price == pytest.approx(ticks / 100 / lots)
    traded = sum(row.bought for row in one.outcome.flows if row.home)
    assert traded >= sum(row.bought for row in one.outcome.needs) > 0
