"""Opening reference prices and the demonstration's capacity."""

from __future__ import annotations

import math
from datetime import datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.catalogue import load_catalogue
from nodes.energy import SHANGHAI
from nodes.opening import largest_remainder, to_ticks
from nodes.types import Profile

CATALOGUE = load_catalogue()


@pytest.mark.parametrize("grade", list(CATALOGUE.grades))
def test_clause_2_8_clusters_open_at_the_national_level_on_average(grade: str) -> None:
    """Rulebook clause 2.8: the clusters' mean is the national level; hubs differ by power cost."""
    prices = {hub: CATALOGUE.reference_price_cny_per_card_hour(grade, hub) for hub in CATALOGUE.hubs}
    mean = math.fsum(prices[hub.code] for hub in CATALOGUE.clusters) / 10
    assert mean == pytest.approx(CATALOGUE.grade(grade).reference_price_cny_per_card_hour)
    for hub, price in prices.items():
        power = CATALOGUE.mean_power_cny_per_card_hour
        assert price - prices["GUIAN"] == pytest.approx(power(hub, grade) - power("GUIAN", grade))
        assert price > power(hub, grade)


@pytest.mark.parametrize("grade", list(CATALOGUE.grades))
def test_clause_2_5_a_tick_is_a_fen_per_lot_hour(grade: str) -> None:
    """Rulebook clause 2.5: priced per lot, so that a tick is below 0.2 % of every price."""
    for hub in CATALOGUE.hubs:
        ticks = CATALOGUE.reference_price_ticks(grade, hub)
        per_lot = (
            CATALOGUE.reference_price_cny_per_card_hour(grade, hub) * CATALOGUE.grade(grade).cards_per_lot
        )
        assert abs(ticks - 100 * per_lot) <= 0.5 + 1e-6
        assert ticks > 500


@pytest.mark.parametrize("hub", ["GUIAN", "SHANGHAI-EDGE", "BEIJING-EDGE"])
@pytest.mark.parametrize("grade", ["H100", "T4"])
def test_clause_2_12_a_part_of_a_day_differs_by_its_power(grade: str, hub: str) -> None:
    """Rulebook clause 2.12: by what the power of each of its hours costs."""
    day = datetime(2027, 7, 1, tzinfo=SHANGHAI)
    whole = {(day.month, hour): 1 for hour in range(24)}
    costs = [CATALOGUE.power_cny_per_card_hour(hub, grade, day.replace(hour=hour)) for hour in range(24)]
    lot = 100 * CATALOGUE.grade(grade).cards_per_lot
    premiums = [CATALOGUE.power_premium_ticks(grade, hub, {(7, hour): 1}, whole) for hour in range(24)]
    for cost, premium in zip(costs, premiums, strict=True):
        assert abs(premium - lot * (cost - math.fsum(costs) / 24)) <= 0.5 + 1e-6
    assert CATALOGUE.power_premium_ticks(grade, hub, whole, whole) == 0
    peak = CATALOGUE.profile_hours(hub, day.date(), Profile.PEAK)
    assert CATALOGUE.power_premium_ticks(grade, hub, {(7, hour): 31 for hour in peak}, whole) > 0


@given(st.integers(1, 10**9))
def test_ticks_round_half_up(tenths_of_fen: int) -> None:
    exact = Fraction(tenths_of_fen, 10)
    assert to_ticks(tenths_of_fen / 1000) == max(1, math.floor(exact + Fraction(1, 2)))


@pytest.mark.parametrize("grade", list(CATALOGUE.grades))
def test_posted_cards_are_whole_lots_and_add_up_to_the_rule(grade: str) -> None:
    cards = {hub: CATALOGUE.default_capacity_cards(hub, grade) for hub in CATALOGUE.hubs}
    assert sum(cards.values()) == CATALOGUE.capacity_rule.cards_posted[grade]
    assert all(count > 0 and count % CATALOGUE.grade(grade).cards_per_lot == 0 for count in cards.values())
    smallest_cluster = min(cards[hub.code] for hub in CATALOGUE.clusters)
    edge = [cards[hub.code] for hub in CATALOGUE.edge_pools]
    assert smallest_cluster >= max(edge)
    assert sum(edge) < sum(cards.values()) / 2


def test_the_capacity_of_a_cluster_grows_with_its_published_scale() -> None:
    scale = {hub: CATALOGUE.capacity_rule.weight[hub.code] ** 2 for hub in CATALOGUE.clusters}
    published = {hub.code: round(weight) for hub, weight in scale.items()}
    assert published["ZHANGJIAKOU"] == 255_000 + 17_500
    assert published["HORINGER"] == 126_000
    # no scale is published for these: they count as the smallest that is
    assert {published[hub] for hub in ("YRD-DEMO", "SHAOGUAN", "TIANFU", "CHONGQING")} == {26_640}
    ranked = sorted(published, key=lambda hub: published[hub])
    cards = [CATALOGUE.default_capacity_cards(hub, "L20") for hub in ranked]
    assert cards == sorted(cards)


@given(st.integers(0, 10_000), st.dictionaries(st.text(min_size=1), st.integers(1, 1000), min_size=1))
def test_largest_remainder_is_exact_and_never_off_by_a_whole(total: int, weights: dict[str, int]) -> None:
    parts = largest_remainder(total, weights)
    assert sum(parts.values()) == total
    for name, weight in weights.items():
        assert abs(parts[name] - Fraction(total * weight, sum(weights.values()))) < 1 + Fraction(1, 10**9)


def test_what_rounding_leaves_goes_to_the_largest_remainder_then_by_name() -> None:
    # exact shares 1.6, 1.6, 6.8: two lots are left, one for 6.8, one for the first name of the tie
    assert largest_remainder(10, {"y": 16, "x": 16, "z": 68}) == {"y": 1, "x": 2, "z": 7}
    assert largest_remainder(2, {"b": 1, "a": 1, "c": 1}) == {"b": 1, "a": 1, "c": 0}
