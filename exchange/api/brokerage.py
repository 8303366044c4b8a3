"""Brokers over HTTP: commissions, give-ups, and how fees are shared (rulebook clauses 8.13 to 8.15)."""

from typing import Annotated, Literal

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.requests import ClientName, Lots, MemberName, Request

BasisPoints = Annotated[int, Meta(ge=0, le=10_000, description="hundredths of a percent")]
Weight = Annotated[int, Meta(ge=0, le=10_000, description="a part of a proportion")]
FillId = Annotated[
    str,
    Meta(
        max_length=25,
        pattern=r"^[1-9][0-9]{0,18}-(buy|sell)$(?!\n)",
        description="trade and side, as fills have it",
    ),
]
Fee = Annotated[int, Meta(ge=0, le=10**15, description="fen (0.01 CNY)")]


class SetCommission(Request, frozen=True, kw_only=True):
    """What a client pays on what it trades, from tomorrow on."""

    client: MemberName
    basis_points: BasisPoints = 0
    fen_per_lot: Fee = 0


class Commission(Answer, frozen=True, kw_only=True):
    """What a client pays on a trading day, and from which day on another rate holds."""

    client: str
    basis_points: int
    fen_per_lot: int
    next_basis_points: int
    next_fen_per_lot: int
    next_from: str


class Commissions(Answer, frozen=True, kw_only=True):
    """The commissions of a broker's clients that ever agreed on one."""

    commissions: list[Commission]
    as_of_seq: int


class SetRevenueSplit(Request, frozen=True, kw_only=True):
    """In which proportion trading fees are shared from the next settlement on."""

    provider: Weight
    broker: Weight
    platform: Weight


class Fees(Answer, frozen=True, kw_only=True):
    """What a trade pays, basis points of its value, and how that is shared."""

    maker_basis_points: int
    taker_basis_points: int
    provider_weight: int
    broker_weight: int
    platform_weight: int
    as_of_seq: int


class OfferGiveUp(Request, frozen=True, kw_only=True):
    """Offers lots of a fill of today to another account."""

    fill_id: FillId
    lots: Lots
    to: ClientName
    fee_fen: Fee = 0


class AnswerGiveUp(Request, frozen=True, kw_only=True):
    """Takes the lots, or ends the offer."""

    accept: bool


class GiveUp(Answer, frozen=True, kw_only=True):
    """A fill that one account offered to another."""

    give_up_id: str
    day: str
    giver: str
    taker: str
    fill_id: str
    symbol: str
    side: Literal["buy", "sell"]
    price: str
    lots: int
    fee_fen: int
    state: Literal["offered", "accepted", "declined", "withdrawn", "lapsed"]


class GiveUpAnswer(Answer, frozen=True, kw_only=True):
    """The give-up as it stands."""

    give_up: GiveUp
    as_of_seq: int


class GiveUps(Answer, frozen=True, kw_only=True):
    """The account's give-ups, latest first, at most 1,000."""

    give_ups: list[GiveUp]
    as_of_seq: int
