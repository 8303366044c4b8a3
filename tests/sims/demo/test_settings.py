"""The demonstration's settings: complete, within range, and nothing unknown."""

from datetime import date
from importlib.resources import files

import pytest

from nodes.catalogue import load_catalogue
from sims.demo.settings import load_settings, parse_settings

SHIPPED = files("sims").joinpath("data/demo.toml").read_text("utf-8")


def test_what_is_shipped_makes_sense() -> None:
    settings = load_settings()
    assert sum(share for _, share in settings.provider.ladder) == 100
    assert settings.provider.week_share_percent + settings.provider.month_share_percent < 100
    assert set(settings.parts.cities) < set(load_catalogue().edge_cities)
    assert all(outage.hub in load_catalogue().hubs for outage in settings.outage)


def test_an_outage_hits_its_hours_only() -> None:
    (outage,) = load_settings().outage
    hits = [
        (day, hour)
        for day in (5, 6)
        for hour in range(24)
        if outage.hits("QINGYANG", date(2026, 12, day), hour)
    ]
    assert hits == [(5, 14), (5, 15), (5, 16)]
    assert not outage.hits("GUIAN", date(2026, 12, 5), 15)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("week_share_percent = 15", "week_share_percent = 150", "provider.week_share_percent"),
        ("[cash]", '[cash]\ncolour = "red"', "colour"),
        ("spread_hubs = 3", "spread_hubs = 0", "spread_hubs"),
        ("night_hour_s = 0.12", "", "night_hour_s"),
        ("first_hour = 14", "first_hour = 24", "first_hour"),
    ],
)
def test_wrong_settings_are_named(old: str, new: str, said: str) -> None:
    assert old in SHIPPED
    with pytest.raises(ValueError, match=said):
        parse_settings(SHIPPED.replace(old, new, 1))
