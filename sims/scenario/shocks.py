"""What happens at a moment of a scenario. `day` counts trading days from 1; times are local."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

BasisPoints = Annotated[int, Meta(ge=0, le=10_000)]
Factor = Annotated[float, Meta(gt=0, le=100)]


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """What every shock has."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    """By which overrides know it."""
    day: Annotated[int, Meta(ge=1)] = 1
    """Trading day, from 1."""
    at: time = time(10, 0)
    """When it happens; the next wake of its day sees it."""


class HubOutage(Event, frozen=True, kw_only=True, tag="hub-outage"):
    """A hub halts: its contracts don't trade, its providers deliver less from then on."""

    hub: str
    """Which one."""
    until: time | None = None
    """When trading resumes, that day; never, if missing. Deliveries suffer to the end of the run."""
    lost: BasisPoints = 10_000
    """Share of the cards that deliver nothing."""


class CableCut(Event, frozen=True, kw_only=True, tag="cable-cut"):
    """Hubs become too far away: enterprises outside their cities don't buy there any more."""

    hubs: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Which ones."""
    until: time | None = None
    """When they are near again, that day; never, if missing."""


class DemandSurge(Event, frozen=True, kw_only=True, tag="demand-surge"):
    """Enterprises need more (or less), and what cards are worth moves."""

    factor: Factor
    """On what enterprises still want."""
    worth: Factor = 1.0
    """On what goods are worth."""


class PowerPrice(Event, frozen=True, kw_only=True, tag="power-price"):
    """Power gets dearer or cheaper at some hubs: a drought of hydro power, a new line."""

    hubs: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Where."""
    factor: Factor
    """On the price of power."""
    worth: Factor = 1.0
    """On what goods are worth there: providers of cards that can't run push less."""


class Subsidy(Event, frozen=True, kw_only=True, tag="subsidy"):
    """Providers at some hubs are paid for each card-hour sold."""

    hubs: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Where."""
    share: BasisPoints
    """Of the reference price."""


class NewGeneration(Event, frozen=True, kw_only=True, tag="new-generation"):
    """A better card is announced: a grade is worth less everywhere."""

    grade: str
    """What it replaces."""
    worth: Factor
    """On what that is worth."""


class FatFinger(Event, frozen=True, kw_only=True, tag="fat-finger"):
    """Somebody sends one order that is far too large, at the worst price that the day allows."""

    grade: str
    """Of what; the contract of it that has most lots standing."""
    hub: str
    """Where."""
    side: Literal["buy", "sell"]
    """Of the order."""
    lots: Annotated[int, Meta(ge=1, le=100_000)]
    """Of the order."""


class ProviderDefault(Event, frozen=True, kw_only=True, tag="provider-default"):
    """The largest provider empties its account, trades no more and delivers nothing."""

    population: str
    """Whose member with the most cards vanishes."""


Shock: TypeAlias = (
    HubOutage | CableCut | DemandSurge | PowerPrice | Subsidy | NewGeneration | FatFinger | ProviderDefault
)
