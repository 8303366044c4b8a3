"""What a scenario file may say. The sentence below a key is its description in the published JSON schema."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sims.scenario.claims import Claim
from sims.scenario.populations import Population
from sims.scenario.shocks import Shock

BasisPoints = Annotated[int, Meta(ge=0, le=10_000)]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every section: unknown keys are refused."""


class Goods(Part, frozen=True, kw_only=True):
    """Grades and hubs that are traded: every grade at every hub of one table."""

    grades: Annotated[tuple[str, ...], Meta(min_length=1)]
    """As the catalogue names them."""
    hubs: Annotated[tuple[str, ...], Meta(min_length=1)]
    """As the catalogue names them."""


class Fee(Part, frozen=True, kw_only=True):
    """Trading fees in basis points of value, and the weights by which they are shared (clause 8.14).

    Populations reckon with what they add to the usual fees, which are those here.
    """

    maker: BasisPoints = 0
    """Of the order that stood."""
    taker: BasisPoints = 2
    """Of the order that came in."""
    to_providers: BasisPoints = 0
    """Weight of the providers who sold first in the contract."""
    to_brokers: BasisPoints = 0
    """Weight of the broker whose client paid."""
    to_platform: Annotated[int, Meta(ge=1, le=10_000)] = 1
    """Weight of the exchange."""


class Limit(Part, frozen=True, kw_only=True):
    """Daily price limits around the last settlement price, basis points each way."""

    daily: BasisPoints = 1_000
    """Furthest from the last settlement price."""


class Margin(Part, frozen=True, kw_only=True):
    """Initial margin."""

    scan: BasisPoints = 500
    """Base scan range, basis points of value (clause 5.1)."""
    netting: bool = False
    """Whether portfolios net as on the live exchange (clause 5.11). The exchange then looks at every order of
    an account that nets by itself, which is many times slower.
    """


class Fund(Part, frozen=True, kw_only=True):
    """Default fund (clause 6.6): what stands behind a loss that a defaulter's own money doesn't cover."""

    house_cny: Annotated[int, Meta(ge=0, le=10**9)] = 0
    """The house's capital tranche."""
    member_cny: Annotated[int, Meta(ge=0, le=10**9)] = 0
    """Contribution of every member; out of its cash."""


class Sessions(Part, frozen=True, kw_only=True):
    """How a trading day runs; for the rest as on a fresh exchange (clause 4.4)."""

    closing_call_minutes: Annotated[int, Meta(ge=0, le=120)] = 5
    """Minutes before 15:00 at which the closing call begins; 0: continuous trading until the close."""
    break_from: time | None = None
    """Continuous trading pauses from here …"""
    break_until: time | None = None
    """… until here."""
    margin_runs: Annotated[tuple[time, ...], Meta(max_length=16)] = (time(10, 30), time(13, 30))
    """When margin is called for in mid-day (clause 6.11)."""
    call_minutes: Annotated[int, Meta(ge=0, le=1_440)] = 45
    """How long such a call may be met."""


class Scenario(Part, frozen=True, kw_only=True):
    """A market to simulate."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]
    """Of the results, and of `dongxi sim run` if it is shipped."""
    title: str
    """Of its report."""
    shows: str
    """What a run of it shows."""
    plausible: str
    """Why it could happen, and what its figures come from."""
    first_day: date = date(2026, 12, 7)
    """Trading begins on this day, or on the first trading day after it."""
    days: Annotated[int, Meta(ge=1, le=250)] = 1
    """Trading days."""
    wake_seconds: Annotated[int, Meta(ge=1, le=21_600)] = 300
    """Every so often while orders are taken everybody may act."""
    periods: Annotated[tuple[Literal["day", "week", "month", "quarter"], ...], Meta(min_length=1)] = ("day",)
    """Kinds of contracts that are listed."""
    days_ahead: Annotated[int, Meta(ge=1, le=400)] = 400
    """Contracts whose delivery begins later aren't listed."""
    volatility: Annotated[int, Meta(ge=0, le=5_000)] = 100
    """What a grade is worth at a hub wanders by so many basis points a day (standard deviation)."""
    goods: Annotated[tuple[Goods, ...], Meta(min_length=1)]
    """What is traded."""
    fee: Fee = Fee()
    """What trading costs."""
    limit: Limit = Limit()
    """How far prices may go."""
    margin: Margin = Margin()
    """What members deposit against their positions."""
    fund: Fund = Fund()
    """What stands behind a default."""
    sessions: Sessions = Sessions()
    """How a day runs."""
    population: Annotated[tuple[Population, ...], Meta(min_length=1)]
    """Who takes part."""
    shock: tuple[Shock, ...] = ()
    """What happens."""
    claim: tuple[Claim, ...] = ()
    """What `dongxi sim effects` tests."""
