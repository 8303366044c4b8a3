"""Pricing regimes over HTTP (clauses 4.11 to 4.14)."""

from typing import Annotated, Literal

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.requests import Price, Request

RegimeKind = Literal["market", "guided", "cost-floor", "voucher"]


class ProposeRegime(Request, frozen=True, kw_only=True):
    """Sets a regime once a second operator has approved. A band has both prices, a cost floor the lower one,
    a voucher regime twice the same, the market none.
    """

    grade: Annotated[str, Meta(min_length=1, max_length=12)]
    hub: Annotated[str, Meta(min_length=1, max_length=40)]
    kind: RegimeKind
    floor: Price | None = None
    ceiling: Price | None = None
    reason: Annotated[str, Meta(min_length=1, max_length=200)]


class Regime(Answer, frozen=True, kw_only=True):
    """The regime of a grade at a hub."""

    grade: str
    hub: str
    kind: RegimeKind
    floor: str | None
    ceiling: str | None


class Regimes(Answer, frozen=True, kw_only=True):
    """Every regime other than the market's, by grade and hub."""

    regimes: list[Regime]
    as_of_seq: int
