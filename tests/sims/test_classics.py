"""Published results on this engine: what is arithmetic exactly, what is random in small samples."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from matching.records import Side
from sims.classics import checks, cliff, gode_sunder, poisson_flow
from sims.classics.checks import Check, Sizes
from sims.classics.unit_market import UnitMarket
from sims.commands.sim import app

FEW = Sizes(sessions=3, runs=6, events=1_500, markets=1, days=1)


def test_a_deal_is_made_at_the_earlier_quote_and_a_new_quote_replaces_the_old() -> None:
    market = UnitMarket(3, 1, 200)
    assert market.quote(0, Side.SELL, 90) is None
    assert market.quote(0, Side.SELL, 110) is None  # the offer at 90 is gone
    assert market.quote(1, Side.BUY, 100) is None
    assert market.quote(2, Side.BUY, 120) == (2, 0, 110)
    market.clear()
    assert market.quote(0, Side.SELL, 1) is None  # the bid at 100 is gone too


def test_an_immediate_quote_does_not_stay() -> None:
    market = UnitMarket(2, 1, 200)
    assert market.quote(0, Side.BUY, 100, stays=False) is None
    assert market.quote(1, Side.SELL, 50) is None


@pytest.mark.parametrize("market", gode_sunder.MARKETS, ids=lambda market: market.name)
def test_without_a_budget_all_units_trade_and_efficiency_is_arithmetic(market: gode_sunder.UnitLists) -> None:
    ours = gode_sunder.session(market, False, np.random.default_rng(1))
    every = 6 * (sum(market.values) - sum(market.costs))
    assert ours == pytest.approx(100 * every / gode_sunder.best_surplus(market))
    assert ours == pytest.approx(market.zi_u, abs=0.06)


def test_nobody_with_a_budget_loses() -> None:
    lists = gode_sunder.UnitLists("no gain", (50, 40), (60, 70), 0.0, 0.0)
    assert gode_sunder.best_surplus(lists) == 0
    market = gode_sunder.MARKETS[0]
    assert 95 < gode_sunder.session(market, True, np.random.default_rng(2)) <= 100


def late_alpha(make: cliff.MakeCrowd) -> float:
    """Mean α of days 6 to 8 of four experiments."""
    runs = [
        cliff.experiment(make, cliff.CHART_1, cliff.CHART_1, 8, np.random.default_rng([3, run]))
        for run in range(4)
    ]
    return float(np.mean([day.alpha(200) for run in runs for day in run[5:]]))


def test_learners_converge_and_the_others_do_not() -> None:
    assert late_alpha(cliff.zip_crowd) < 5
    assert late_alpha(cliff.ZiC) > 18


def test_alpha_is_the_relative_root_mean_square() -> None:
    assert cliff.Day((190, 210), 100.0).alpha(200) == pytest.approx(5.0)


def test_a_shock_moves_the_price_by_as_much() -> None:
    runs = [
        cliff.experiment(
            cliff.zip_crowd,
            cliff.CHART_1,
            cliff.CHART_1,
            9,
            np.random.default_rng([4, run]),
            shock_after=6,
            shock=50,
        )
        for run in range(8)
    ]
    before = np.mean([np.mean(run[5].prices) for run in runs])
    after = np.mean([np.mean(run[8].prices) for run in runs])
    assert before == pytest.approx(200, abs=8)
    assert after - before == pytest.approx(50, abs=8)


def test_the_spread_grows_with_the_rate_of_cancels_and_with_the_scale() -> None:
    def spread(scale: float, epsilon: float) -> float:
        return poisson_flow.mean_spread(
            poisson_flow.Rates(scale, epsilon), 4_000, np.random.default_rng([5, int(scale)])
        )

    assert spread(20, 0.4) > 1.5 * spread(20, 0.05)
    assert spread(60, 0.2) > 2 * spread(20, 0.2)


def test_the_same_seed_gives_the_same_figures() -> None:
    first, again = (list(checks.controls(FEW, 7)) for _ in range(2))
    assert first == again
    assert first != list(checks.controls(FEW, 8))


def test_a_result_outside_its_band_fails_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def outside(sizes: Sizes, seed: int):  # type: ignore[no-untyped-def]
        yield Check("here", "a planted one", 1.0, 2.01, 0.0, 2.0, "planted")
        yield Check("here", "another", 1.0, 2.0, 0.0, 2.0, "on the edge")

    monkeypatch.setattr("sims.commands.sim.PARTS", {"planted": outside})
    found = CliRunner().invoke(app, ["validate", "--json"])
    assert found.exit_code == 1
    assert "1 of 2" in found.stderr
    assert [row["holds"] for row in json.loads(found.stdout)["checks"]] == [False, True]
