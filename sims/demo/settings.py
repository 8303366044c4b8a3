"""Settings of the demonstration day, read from ``sims/data/demo.toml``; unknown keys are refused."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta

Percent = Annotated[int, Meta(ge=0, le=100)]
BasisPoints = Annotated[int, Meta(ge=-10_000, le=10_000)]
Seconds = Annotated[float, Meta(ge=0)]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every section."""


class Cash(_Section, frozen=True):
    """What the operator pays into each account, once."""

    provider_fen: int
    enterprise_fen: int


class ProviderSettings(_Section, frozen=True):
    """How a provider offers its cards; ``demo.toml`` says what each figure means."""

    week_share_percent: Percent
    month_share_percent: Percent
    profile_share_percent: Percent
    hour_share_percent: Percent
    view_basis_points_max: BasisPoints
    floor_over_power_percent: Percent
    ladder: tuple[tuple[BasisPoints, Percent], ...]
    expected_sold_percent: Percent
    lean_basis_points_per_percent: BasisPoints
    lean_basis_points_min: BasisPoints
    lean_basis_points_max: BasisPoints
    requote_basis_points: BasisPoints


class EnterpriseSettings(_Section, frozen=True):
    """How an enterprise buys; ``demo.toml`` says what each figure means."""

    forward_share_percent: Percent
    week_share_percent: Percent
    month_share_percent: Percent
    auction_share_percent: Percent
    auction_basis_points_max: BasisPoints
    spread_hubs: Annotated[int, Meta(ge=1)]
    patience_basis_points_min: BasisPoints
    patience_basis_points_max: BasisPoints
    resting_share_percent: Percent
    resting_basis_points: tuple[BasisPoints, ...]


class PartSettings(_Section, frozen=True):
    """What enterprises buy by the hour and by the profile; ``demo.toml`` says what each figure means."""

    cities: tuple[str, ...]
    share_percent: Percent
    burst_lots: Annotated[int, Meta(ge=0)]
    burst_hours: Annotated[int, Meta(ge=0, le=24)]


class Pace(_Section, frozen=True):
    """Wall seconds that stretches of market time take at the normal pace, at least."""

    session_half_hour_s: Seconds
    other_half_hour_s: Seconds
    night_hour_s: Seconds
    answer_timeout_s: Seconds


class Outage(_Section, frozen=True):
    """Cards of a hub that deliver nothing from ``first_hour`` to ``last_hour`` of each of the days."""

    hub: str
    first_day: date
    last_day: date
    first_hour: Annotated[int, Meta(ge=0, le=23)]
    last_hour: Annotated[int, Meta(ge=0, le=23)]
    cards_lost_percent: Percent
    why: str

    def hits(self, hub: str, day: date, hour: int) -> bool:
        """Whether this hour of this day at this hub is affected."""
        return (
            hub == self.hub
            and self.first_day <= day <= self.last_day
            and self.first_hour <= hour <= self.last_hour
        )


class DemoSettings(_Section, frozen=True):
    """The whole of ``demo.toml``."""

    seed: str
    cash: Cash
    provider: ProviderSettings
    enterprise: EnterpriseSettings
    parts: PartSettings
    pace: Pace
    outage: tuple[Outage, ...]


@cache
def load_settings() -> DemoSettings:
    """The settings shipped with the package."""
    return parse_settings(files("sims").joinpath("data/demo.toml").read_text("utf-8"))


def parse_settings(text: str) -> DemoSettings:
    """Settings from TOML text. Raises ``ValueError`` naming the key that is unknown, missing or wrong."""
    try:
        return msgspec.convert(tomllib.loads(text), DemoSettings)
    except msgspec.ValidationError as error:
        raise ValueError(f"demo settings: {error}") from error
