"""Delivery over HTTP: reservations, readings, nominations, disputes, reliability (rulebook chapter 7)."""

from typing import Annotated, Literal

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.requests import Cards, Id, Request

Text = Annotated[str, Meta(min_length=1, max_length=200, description="a short text")]
CardHours = Annotated[int, Meta(ge=0, le=10**9, description="card-hours of the reservation")]


class Nominate(Request, frozen=True, kw_only=True):
    """What will run on reserved cards; `first_hour` counts from 0 within the delivery day.

    The workload has the hours of these that the reservation delivers, one at least.
    """

    workload: Text
    use: Annotated[str, Meta(min_length=1, max_length=200, description='such as "training"')]
    cards: Cards
    first_hour: Annotated[int, Meta(ge=0, le=23)] = 0
    hours: Annotated[int, Meta(ge=1, le=24)] = 24


class OpenDispute(Request, frozen=True, kw_only=True):
    """What was delivered in the account's view, and why it says so."""

    reservation_id: Id
    card_hours: CardHours
    reason: Text


class DecideDispute(Request, frozen=True, kw_only=True):
    """What was delivered by the operator's decision, and why."""

    card_hours: CardHours
    reason: Text


class Nomination(Answer, frozen=True, kw_only=True):
    """A workload on reserved cards."""

    nomination_id: str
    reservation_id: str
    workload: str
    use: str
    cards: int
    first_hour: int
    hours: int


class Nominations(Answer, frozen=True, kw_only=True):
    """The account's nominations that stand."""

    nominations: list[Nomination]
    as_of_seq: int


class NominationMade(Answer, frozen=True, kw_only=True):
    """The nomination was taken."""

    nomination_id: str
    as_of_seq: int


class Dispute(Answer, frozen=True, kw_only=True):
    """A contested reservation; `decided_card_hours` is null until the operator has decided."""

    dispute_id: str
    reservation_id: str
    opened_by: str
    card_hours: int
    reason: str
    decided_card_hours: int | None
    decision: str | None


class Disputes(Answer, frozen=True, kw_only=True):
    """Disputes, oldest first."""

    disputes: list[Dispute]
    as_of_seq: int


class DisputeMade(Answer, frozen=True, kw_only=True):
    """The dispute was opened."""

    dispute_id: str
    as_of_seq: int


class BuyIn(Answer, frozen=True, kw_only=True):
    """What fell short of a contract, and what was bought in for it at the provider's cost; prices and rules
    as in clause 7.13.
    """

    buy_in_id: str
    provider: str
    buyer: str
    symbol: str
    card_hours: int
    waiting: bool
    """Whether it will be tried in the next trading day."""
    replacement: str | None
    """The contract bought; null if none was."""
    quantity: int
    cost_fen: int
    """Above the final settlement price of what fell short, the fee included."""


class BuyIns(Answer, frozen=True, kw_only=True):
    """Buy-ins in the order in which shortfalls were found."""

    buy_ins: list[BuyIn]
    as_of_seq: int


class Claim(Answer, frozen=True, kw_only=True):
    """What is owed for a shortfall and wasn't there; creditor "0" is the delivery insurance fund."""

    claim_id: str
    debtor: str
    creditor: str
    amount_fen: int
    open_fen: int


class Reliability(Answer, frozen=True, kw_only=True):
    """Card-hours of a provider's latest delivery days, and delivered over reserved in basis points."""

    account: str
    reserved_card_hours: int
    delivered_card_hours: int
    score_basis_points: int


class Deliveries(Answer, frozen=True, kw_only=True):
    """The delivery insurance fund, open claims, and the reliability of each provider that delivered."""

    fund_fen: int
    claims: list[Claim]
    reliability: list[Reliability]
    as_of_seq: int


class Reservation(Answer, frozen=True, kw_only=True):
    """Cards at a hub for hours of a day: what a day or hour contract became. `role` is the reader's side.

    `start` is when the first of the `hours` (0 … 23 of the delivery day) begins, `end` when the last one is
    over; `metered_hours` are those for which a reading has been taken in.
    """

    reservation_id: str
    role: Literal["buyer", "provider"]
    symbol: str
    grade: str
    hub: str
    cards: int
    lots: int
    start: str
    end: str
    hours: list[int]
    price: str
    delivered_card_hours: int
    invoiced_fen: int
    shortfall_card_hours: int
    metered_hours: list[int]
    finished: bool


class Reservations(Answer, frozen=True, kw_only=True):
    """The account's reservations, as buyer or as provider."""

    reservations: list[Reservation]
    as_of_seq: int
    next_cursor: str | None = None


class ReadingsAnswer(Answer, frozen=True, kw_only=True):
    """How many readings were taken in."""

    accepted: int
    as_of_seq: int
