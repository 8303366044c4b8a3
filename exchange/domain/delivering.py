"""Rare commands of delivery beside readings (chapter 7): its rules, nominations, disputes."""

from __future__ import annotations

from exchange.domain.message import Message, Part


class PremiumStep(Part, frozen=True, kw_only=True):
    """What the delivery insurance costs a provider of at least this reliability (clause 7.9)."""

    score_basis_points: int
    premium_basis_points: int


class RefusedUse(Part, frozen=True, kw_only=True):
    """A use of workloads that a hub doesn't take; hub "*" is every hub (clause 7.11)."""

    hub: str
    use: str


class SetDeliveryRules(Message, frozen=True, kw_only=True):
    """Sets insurance premiums, what hubs don't take, and deadlines; clauses 7.9 to 7.12. Refused:
    INVALID_RULE.
    """

    premiums: tuple[PremiumStep, ...] = ()
    """Falling scores, the last one 0; empty: no premium."""
    score_days: int = 30
    """Delivery days on which a provider's reliability is measured."""
    refused_uses: tuple[RefusedUse, ...] = ()
    grace_hours: int = 24
    """How long after its end an hour may still be metered (clause 7.4)."""
    gate_hours: int = 2
    """How long before a delivery day nominations end."""
    dispute_days: int = 3
    """How long after a delivery day a dispute may be opened."""
    decision_days: int = 7
    """How long after a delivery day the operator may decide it."""


class NominateWorkload(Message, frozen=True, kw_only=True):
    """Says what will run on reserved cards; clause 7.11. Gives the nomination id.

    Refused: UNKNOWN_RESERVATION, NOMINATION_TOO_LATE, USE_NOT_ALLOWED, INVALID_NOMINATION,
    NOMINATION_TOO_LARGE.
    """

    account: int
    reservation_id: int
    workload: str
    use: str
    cards: int
    first_hour: int
    """0 … 23, of the delivery day."""
    hours: int
    """Of these the workload has those that the reservation delivers."""


class WithdrawNomination(Message, frozen=True, kw_only=True):
    """Takes a nomination back; clause 7.11. Refused: UNKNOWN_NOMINATION, NOMINATION_TOO_LATE."""

    account: int
    nomination_id: int


class OfferReservation(Message, frozen=True, kw_only=True):
    """Offers lots of a reservation for resale; clause 7.14. Gives the offer id.

    Refused: UNKNOWN_RESERVATION, MEMBER_NOT_APPROVED, RESALE_TOO_LATE, UNKNOWN_MEMBER, OWN_RESERVATION,
    INVALID_OFFER, OFFER_TOO_LARGE.
    """

    account: int
    reservation_id: int
    lots: int
    price_ticks: int
    """Per lot-hour, 0 up to twice the final settlement price."""
    to_member: str | None = None
    """Who may take it; None: any approved member."""


class WithdrawOffer(Message, frozen=True, kw_only=True):
    """Takes back what of an offer nobody has taken; clause 7.14. Refused: UNKNOWN_OFFER."""

    account: int
    offer_id: int


class TakeOffer(Message, frozen=True, kw_only=True):
    """Takes lots of an offered reservation over; clause 7.14. Gives the new reservation's id.

    Refused: UNKNOWN_OFFER, OWN_RESERVATION, MEMBER_NOT_APPROVED, RESALE_TOO_LATE, OFFER_TOO_LARGE,
    INSUFFICIENT_CASH.
    """

    account: int
    offer_id: int
    lots: int


class BuyInShortfalls(Message, frozen=True, kw_only=True):
    """Buys in for buyers what deliveries fell short of, at the providers' cost; clause 7.13. Gives the lots
    bought.

    Refused: WRONG_PHASE.
    """


class OpenDispute(Message, frozen=True, kw_only=True):
    """Contests what was metered on a finished reservation; clause 7.12. Gives the dispute id.

    Refused: UNKNOWN_RESERVATION, DISPUTE_TOO_EARLY, DISPUTE_OVER, DISPUTE_EXISTS, INVALID_DISPUTE.
    """

    account: int
    reservation_id: int
    card_hours: int
    """What was delivered, in the account's view."""
    reason: str


class DecideDispute(Message, frozen=True, kw_only=True):
    """The operator's decision: what was delivered, and why; clause 7.12. Refused: UNKNOWN_DISPUTE,
    DISPUTE_OVER, INVALID_DISPUTE.
    """

    dispute_id: int
    card_hours: int
    reason: str


DeliveryMessage = (
    SetDeliveryRules
    | NominateWorkload
    | WithdrawNomination
    | OfferReservation
    | WithdrawOffer
    | TakeOffer
    | BuyInShortfalls
    | OpenDispute
    | DecideDispute
)
"""Rare commands of delivery beside readings and the end of a delivery day."""
