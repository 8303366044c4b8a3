"""Resale of reservations over HTTP (rulebook clause 7.14)."""

from exchange.api.answers import Answer
from exchange.api.requests import Lots, MemberName, Price, Request


class NewOffer(Request, frozen=True, kw_only=True):
    """Lots of a reservation for resale, to one member or to any, at a price per lot-hour."""

    quantity: Lots
    price: Price
    to_member: MemberName | None = None


class OfferMade(Answer, frozen=True, kw_only=True):
    """The offer stands."""

    offer_id: str
    as_of_seq: int


class TakeOffer(Request, frozen=True, kw_only=True):
    """How many of the offered lots to take over."""

    quantity: Lots


class OfferTaken(Answer, frozen=True, kw_only=True):
    """The reservation that the lots are now."""

    reservation_id: str
    as_of_seq: int


class Offer(Answer, frozen=True, kw_only=True):
    """An open offer; `to_account` null: any approved member may take it. Both prices are per lot-hour."""

    offer_id: str
    seller: str
    reservation_id: str
    symbol: str
    start: str
    quantity: int
    price: str
    settlement_price: str
    """What is invoiced for what is delivered, whoever has the reservation."""
    to_account: str | None


class Offers(Answer, frozen=True, kw_only=True):
    """Offers that are open to the account, and its own."""

    offers: list[Offer]
    as_of_seq: int
