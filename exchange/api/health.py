"""The market health index over HTTP (docs/health.md)."""

from typing import Annotated

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.requests import Cursor, Request

Points = Annotated[int, Meta(ge=1, le=500, description="how many moments")]


class HealthQuery(Request, frozen=True, kw_only=True):
    """Which page of the measurements of a hub."""

    limit: Points = 100
    cursor: Cursor | None = None


class HealthComponent(Answer, frozen=True, kw_only=True):
    """One figure: its score, and the ratio that was measured."""

    name: str
    score: float
    """0 … 100, two decimals."""
    numerator: int
    denominator: int


class HealthGroup(Answer, frozen=True, kw_only=True):
    """Components that belong together, and the mean of their scores."""

    name: str
    name_zh: str
    score: float
    components: list[HealthComponent]


class HubHealth(Answer, frozen=True, kw_only=True):
    """A hub, or "overall", at one moment; `index` is the mean of the groups."""

    hub: str
    time: str
    seq: int
    index: float
    groups: list[HealthGroup]


class MarketHealth(Answer, frozen=True, kw_only=True):
    """The latest measurement; `overall` is null before the first one."""

    overall: HubHealth | None
    hubs: list[HubHealth]
    as_of_seq: int


class HealthHistory(Answer, frozen=True, kw_only=True):
    """A hub's measurements, latest first."""

    measurements: list[HubHealth]
    as_of_seq: int
    next_cursor: str | None = None
