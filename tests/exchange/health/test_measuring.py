"""The market health index of a small market, by hand (docs/health.md)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from scenario import Scenario

from exchange.health.measuring import OVERALL, Places, measure
from exchange.health.scores import Component, Group, Raw, groups, index, score

PLACES = Places(
    reference=lambda _, hub: {"GUIAN": 1_150, "WUHU": 1_210}[hub],
    east=frozenset({"WUHU"}),
    west=frozenset({"GUIAN"}),
)
GUIAN, WUHU = "H100.GUIAN.261208", "H100.WUHU.261208"
TUESDAY = date(2026, 12, 8)


@pytest.fixture(scope="module")
def market() -> Scenario:
    """acme sells blue 6 lots at Guian, beta sells coral 2; the books hold 10 and 7 lots 24 ticks apart at
    Guian and one buy order at Wuhu; acme has certified 3 cards at Guian, beta 4 at Wuhu.
    """
    cash = 50_000_000
    members = {name: ["enterprise", cash] for name in ("blue", "coral")}
    told: dict[str, Any] = {
        "members": {"acme": ["provider", cash], "beta": ["provider", cash]} | members,
        "contracts": {GUIAN: 1_200, WUHU: 1_300},
    }
    of = Scenario(told)
    for action, what in (
        ("open", True),
        ("trade", ["acme", "blue", 6, GUIAN, 1_200]),
        ("trade", ["beta", "coral", 2, GUIAN, 1_200]),
        ("certify", ["acme", "H100.GUIAN", 3, TUESDAY, TUESDAY]),
        ("certify", ["beta", "H100.WUHU", 4, TUESDAY, TUESDAY]),
        ("order", ["acme", "sell", 10, GUIAN, 1_212]),
        ("order", ["blue", "buy", 7, GUIAN, 1_188]),
        ("order", ["blue", "buy", 3, WUHU, 1_290]),
    ):
        assert of.do(action, what) is None
    return of


def raw(of: Scenario, component: Component) -> dict[str, tuple[int, int]]:
    """Numerator and denominator by hub."""
    names = {number: code for code, number in of.core.state.hub_indices.items()} | {OVERALL: "all"}
    return {
        names[hub]: (found[component].numerator, found[component].denominator)
        for hub, found in measure(of.core.state, PLACES).items()
        if component in found
    }


def test_while_it_trades(market: Scenario) -> None:
    before = market.core.state_hash()
    assert raw(market, Component.SPREAD) == {"GUIAN": (48, 2_400), "all": (48, 2_400)}
    assert raw(market, Component.DEPTH) == {"GUIAN": (1, 1), "WUHU": (0, 1), "all": (1, 2)}
    # 3 cards for a day were posted at Guian, of which 6 lots were sold first; 4 at Wuhu, none sold
    assert raw(market, Component.CONVERSION) == {"GUIAN": (72, 72), "WUHU": (0, 96), "all": (72, 168)}
    # shares of 3/4 and 1/4 on either side: 0.5625 + 0.0625
    assert raw(market, Component.CONCENTRATION) == {"GUIAN": (6_250, 10_000), "all": (6_250, 10_000)}
    assert raw(market, Component.COVER) == {"GUIAN": (72, 192), "all": (72, 192)}
    assert raw(market, Component.CONVERGENCE) == {}  # nothing has settled
    assert market.core.state_hash() == before


def test_after_settlement_and_delivery(market: Scenario) -> None:
    market.do("settle", True)
    # 1,200 is 50 above Guian's reference, 1,300 90 above Wuhu's: each is 20 from the mean of 70
    assert raw(market, Component.CONVERGENCE) == {
        "GUIAN": (20, 1_200),
        "WUHU": (20, 1_300),
        "all": (40, 2_500),
    }
    market.do("open", True)
    market.do("settle", True)
    for provider, cards, hours in (
        ("acme", {"2": 2, "5": 1}, 24),
        ("acme", {"1": 2, "4": 1}, 24),
        ("beta", {"3": 2}, 20),
    ):
        assert market.do("meter", [provider, TUESDAY, cards, hours]) is None
    for day in (date(2026, 12, 7), TUESDAY):
        assert market.do("finish", day) is None
    assert raw(market, Component.DELIVERY) == {"GUIAN": (184, 192), "all": (184, 192)}
    assert raw(market, Component.UTILISATION) == {"GUIAN": (72, 72), "WUHU": (0, 96), "all": (72, 168)}
    assert raw(market, Component.BALANCE) == {"all": (0, 10_000)}  # all of the west, none of the east


@pytest.mark.parametrize(
    ("component", "numerator", "denominator", "hundredths"),
    [
        (Component.SPREAD, 48, 2_400, 6_000),  # 200 of 500 basis points
        (Component.SPREAD, 1, 10, 0),
        (Component.DEPTH, 1, 2, 5_000),
        (Component.CONVERSION, 72, 168, 4_285),
        (Component.DELIVERY, 184, 192, 5_833),
        (Component.CONCENTRATION, 2_000, 10_000, 7_500),
        (Component.CONCENTRATION, 500, 10_000, 10_000),
        (Component.CONVERGENCE, 40, 2_500, 8_500),  # 160 basis points, 100 of them free
    ],
)
def test_scores(component: Component, numerator: int, denominator: int, hundredths: int) -> None:
    assert score(component, Raw(numerator, denominator)) == hundredths
    assert score(component, Raw(0, 0)) is None


def test_the_index_is_the_mean_of_its_groups() -> None:
    scores = {Component.SPREAD: 6_000, Component.DEPTH: 5_000, Component.CONCENTRATION: 7_500}
    of_groups = groups(scores)
    assert of_groups == {Group.CIRCULATION: 5_500, Group.SAFETY: 7_500}
    assert index(of_groups) == 6_500
    assert index({}) is None
