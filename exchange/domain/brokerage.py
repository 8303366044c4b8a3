"""Rare commands of brokers and of sharing revenue (clauses 8.13 to 8.15)."""

from __future__ import annotations

from typing import Literal

from exchange.domain.message import Message


class SetCommission(Message, frozen=True, kw_only=True):
    """Sets what a broker's client pays its broker from the next calendar day on; clause 8.13.

    Refused: NOT_A_BROKER, UNKNOWN_MEMBER (no client of this broker), INVALID_COMMISSION.
    """

    broker: int
    """The broker's account."""
    client: str
    """The client's name without the broker's."""
    basis_points: int = 0
    """Of the value of what it trades."""
    fen_per_lot: int = 0


class SetRevenueSplit(Message, frozen=True, kw_only=True):
    """Sets in which proportion trading fees are shared; clause 8.14. Refused: INVALID_RULE."""

    provider: int
    broker: int
    platform: int


class OfferGiveUp(Message, frozen=True, kw_only=True):
    """Offers a fill of the open day to another account; clause 8.15. Gives the give-up's id.

    Refused: WRONG_PHASE, UNKNOWN_MEMBER, MEMBER_NOT_APPROVED, UNKNOWN_CONTRACT, INVALID_GIVE_UP,
    GIVE_UP_NOT_HELD, GIVE_UP_LIMIT.
    """

    account: int
    """Whose fill it is."""
    trade_id: int
    symbol: str
    side: Literal["buy", "sell"]
    price_ticks: int
    trade_lots: int
    """Of the whole trade; what was given up of it before counts."""
    lots: int
    to_member: str
    """A member, or BROKER/CLIENT."""
    fee_fen: int = 0
    """What the taker pays the giver's broker, or the giver if it has none."""


class AnswerGiveUp(Message, frozen=True, kw_only=True):
    """Accepts a give-up, which moves position and margin at once, or ends the offer; clause 8.15.

    The taker may accept or decline, the giver may withdraw. Refused: UNKNOWN_GIVE_UP, GIVE_UP_OVER,
    MEMBER_NOT_APPROVED, GIVE_UP_NOT_HELD, TAKER_POSITION_LIMIT, GIVE_UP_MARGIN.
    """

    account: int
    """Who answers."""
    give_up_id: int
    accept: bool


BrokerMessage = SetCommission | SetRevenueSplit | OfferGiveUp | AnswerGiveUp
"""Every rare command of brokers and of sharing revenue, but for opening a client's account."""
