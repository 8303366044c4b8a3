"""Power by the hour, carbon, and the hours of a profile."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

import pytest

from nodes.catalogue import load_catalogue
from nodes.energy import SHANGHAI
from nodes.types import PowerBasis, Profile, TariffPeriod

CATALOGUE = load_catalogue()
HUBS = list(CATALOGUE.hubs)
GRADES = list(CATALOGUE.grades)


@pytest.mark.parametrize("basis", PowerBasis)
@pytest.mark.parametrize("hub", HUBS)
def test_the_hours_of_a_year_average_to_the_constant_load_price(hub: str, basis: PowerBasis) -> None:
    costs = [
        CATALOGUE.power_cny_per_card_hour(hub, "H100", datetime(2026, month, 1, hour, tzinfo=SHANGHAI), basis)
        for month in range(1, 13)
        for hour in range(24)
    ]
    mean = CATALOGUE.mean_power_cny_per_card_hour(hub, "H100", basis)
    assert math.fsum(costs) / len(costs) == pytest.approx(mean, abs=2e-4)
    place = CATALOGUE.hub(hub)
    price = place.all_in_cny_per_kwh if basis is PowerBasis.TARIFF else place.planning_price_cny_per_kwh
    assert mean == pytest.approx(price * place.pue * 1.05)


def test_a_worked_hour() -> None:
    """Zhangjiakou, 18:30 in July: sharp, 2.04 × 0.41527 + 0.13957 + 0.0645, × PUE 1.22 × 1.05 kW."""
    at = datetime(2026, 7, 15, 18, 30, tzinfo=SHANGHAI)
    expected = (2.04 * 0.41527 + 0.13957 + 0.0645) * 1.22 * 1.05
    assert CATALOGUE.power_cny_per_card_hour("ZHANGJIAKOU", "H100", at) == pytest.approx(expected)


def test_the_hour_is_that_of_shanghai() -> None:
    late_utc = datetime(2026, 6, 30, 16, 30, tzinfo=UTC)  # 00:30 on 1 July
    there = datetime(2026, 7, 1, 0, 30, tzinfo=SHANGHAI)
    for hub in HUBS:
        assert CATALOGUE.power_cny_per_card_hour(hub, "T4", late_utc) == CATALOGUE.power_cny_per_card_hour(
            hub, "T4", there
        )


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        CATALOGUE.power_cny_per_card_hour("GUIAN", "H100", datetime(2026, 7, 1, 12))  # noqa: DTZ001


@pytest.mark.parametrize("grade", GRADES)
@pytest.mark.parametrize("hub", HUBS)
def test_carbon_is_grid_times_pue_times_power(hub: str, grade: str) -> None:
    place, kind = CATALOGUE.hub(hub), CATALOGUE.grade(grade)
    carbon = CATALOGUE.kgco2_per_card_hour(hub, grade)
    assert carbon == pytest.approx(place.grid_factor_kg_per_kwh * place.pue * kind.power_kw)
    target = CATALOGUE.kgco2_per_card_hour_if_green_target_met(hub, grade)
    assert target == pytest.approx(0.2 * carbon)
    green = CATALOGUE.kgco2_per_card_hour_contracted_green(hub, grade)
    if hub in ("ZHANGJIAKOU", "HORINGER"):
        share = {"ZHANGJIAKOU": 0.33, "HORINGER": 0.8457}[hub]
        assert green == pytest.approx((1 - share) * carbon)
    else:
        assert green is None  # no share was published


def test_clause_2_9_sharp_is_peak_and_deep_valley_is_valley() -> None:
    """Rulebook clause 2.9."""
    # West Inner Mongolia in summer: ffffffppfffvvDDvffpSSpff
    july = date(2026, 7, 1)
    assert CATALOGUE.profile_hours("HORINGER", july, Profile.PEAK) == (6, 7, 18, 19, 20, 21)
    assert CATALOGUE.profile_hours("HORINGER", july, Profile.VALLEY) == (11, 12, 13, 14, 15)
    assert CATALOGUE.profile_hours("HORINGER", july, Profile.BASE) == tuple(range(24))


@pytest.mark.parametrize("hub", HUBS)
def test_profiles_take_every_hour_as_its_tariff_names_it(hub: str) -> None:
    tariff = CATALOGUE.tariffs[CATALOGUE.hub(hub).tariff]
    day = date(2026, 1, 1)
    while day.year == 2026:
        peak = set(CATALOGUE.profile_hours(hub, day, Profile.PEAK))
        valley = set(CATALOGUE.profile_hours(hub, day, Profile.VALLEY))
        flat = {h for h, p in enumerate(tariff.periods[day.month - 1]) if p is TariffPeriod.FLAT}
        assert peak
        assert valley
        assert sorted([*peak, *valley, *flat]) == list(range(24))
        day += timedelta(days=15)


@pytest.mark.parametrize("hub", HUBS)
def test_peak_hours_never_cost_less_than_valley_hours(hub: str) -> None:
    for month in range(1, 13):
        day = date(2026, month, 1)

        def cost(hour: int, day: date = day) -> float:
            at = datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)
            return CATALOGUE.power_cny_per_card_hour(hub, "L20", at)

        peak = min(cost(hour) for hour in CATALOGUE.profile_hours(hub, day, Profile.PEAK))
        assert peak > max(cost(hour) for hour in CATALOGUE.profile_hours(hub, day, Profile.VALLEY))
