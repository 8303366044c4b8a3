"""What a run leaves behind: one figure a name, and tables of rows. Money in CNY unless a name says else."""

from __future__ import annotations

import msgspec

ALL_HUBS = "all"
"""In place of a hub: the whole market."""


class ClassResult(msgspec.Struct, frozen=True):
    """A population's result; quantities in lot-hours."""

    population: str
    members: int
    surplus: float
    cash: float
    """Gained or lost in money alone."""
    bought: float
    bought_price: float
    """Mean, CNY per lot-hour; 0 if nothing was bought."""
    sold: float
    sold_price: float


class PriceRow(msgspec.Struct, frozen=True):
    """One contract's settlement on one day."""

    day: int
    """Days since 1970-01-01."""
    good: str
    kind: str
    first_day: int
    price: int
    """Ticks."""
    lots: int
    open_interest: int


class FlowRow(msgspec.Struct, frozen=True):
    """What a population's members in one region traded of one good; quantities in card-hours."""

    population: str
    home: str
    """east, west or central, by the city of an enterprise; empty for others."""
    grade: str
    hub: str
    region: str
    """Of the hub."""
    bought: float
    bought_cny: float
    sold: float
    sold_cny: float


class NeedRow(msgspec.Struct, frozen=True):
    """What the enterprises of a city needed of one grade for the periods that were traded out, card-hours."""

    population: str
    city: str
    grade: str
    needed: float
    bought: float
    """At most what it needed."""
    price: float
    """Mean that it paid, CNY a card-hour; 0 if nothing was bought."""
    home_price: float
    """Reference price in the city's own pool, CNY a card-hour: what it costs without a market."""
    hub_price: float
    """Mean reference price at the hubs where it was bought, CNY a card-hour; 0 if nothing was."""


class HubRow(msgspec.Struct, frozen=True):
    """A hub on one trading day."""

    day: int
    hub: str
    """ALL_HUBS for the whole market."""
    lots: int
    spread: float
    """Mean quoted spread, as a share of the middle; −1 if both sides never stood."""
    health: float
    """The market health index (docs/health.md), 0 to 100, at the end of continuous trading."""
    circulation: float
    safety: float
    value: float
    """Its groups; −1 where nothing could be measured."""


class DeliveryRow(msgspec.Struct, frozen=True):
    """A hub on one delivery day that is over; card-hours."""

    day: int
    hub: str
    due: float
    delivered: float


class MarginRow(msgspec.Struct, frozen=True):
    """One step from a margin call to its end."""

    day: int
    time: str
    """HH:MM:SS."""
    member: str
    step: str
    """call, restricted, close-out, auction, met, loss, or the layer of the waterfall that pays."""
    lots: int
    """Closed out or transferred."""
    amount: float
    """Called for, owed, or paid by the layer."""


class Outcome(msgspec.Struct, frozen=True):
    """A finished run. The same scenario and seed give the same outcome to the bit."""

    scenario: str
    seed: int
    journal_hash: str
    state_hash: str
    commands: int
    events: int
    trades: int
    metrics: dict[str, float]
    classes: list[ClassResult]
    prices: list[PriceRow]
    flows: list[FlowRow]
    needs: list[NeedRow]
    hubs: list[HubRow]
    deliveries: list[DeliveryRow]
    margin: list[MarginRow]


TABLES = ("classes", "prices", "flows", "needs", "hubs", "deliveries", "margin")
"""Fields of Outcome that are tables."""
