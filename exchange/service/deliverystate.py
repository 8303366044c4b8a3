"""Delivery's part of the state beside reservations: insurance, claims, nominations, disputes."""

from __future__ import annotations

import msgspec

from exchange.domain.delivering import NominateWorkload, OpenDispute, SetDeliveryRules
from matching.api import InvariantViolation


class DeliveryClaim(msgspec.Struct):
    """What a provider still owes for a shortfall; its id is its place in the list + 1."""

    day: int
    """Calendar day on which it arose, days since 1970-01-01."""
    debtor: int
    creditor: int
    """A buyer, or the house for the insurance fund."""
    amount_fen: int
    open_fen: int


class BuyIn(msgspec.Struct):
    """What one provider failed to deliver to one buyer of one contract; its id is its place + 1."""

    day: int
    """Calendar day on which that was found, days since 1970-01-01."""
    contract: int
    """The contract that fell short."""
    provider: int
    buyer: int
    card_hours: int
    done: bool = False
    """Whether it was tried to buy them in."""
    replacement: int = -1
    """The contract bought; -1 while or if none was."""
    lots: int = 0
    """Lots bought."""
    cost_fen: int = 0
    """What they cost above the final settlement price, the fee included."""


class Offer(msgspec.Struct):
    """Lots of a reservation that are for resale; its id is its place in the list + 1."""

    seller: int
    reservation_id: int
    lots: int
    """That nobody has taken; 0 ends it."""
    price_ticks: int
    """Agreed price of a lot-hour."""
    to_account: int
    """Who may take it; 0: any approved member."""


class Nomination(msgspec.Struct):
    """A workload on reserved cards; its id is its place in the list + 1."""

    terms: NominateWorkload
    withdrawn: bool = False


class Dispute(msgspec.Struct):
    """A contested reservation; its id is its place in the list + 1."""

    opened: OpenDispute
    decided_card_hours: int = -1
    """-1 until the operator has decided."""
    decision: str = ""


class Delivering(msgspec.Struct):
    """What chapter 7 keeps beside the reservations."""

    rules: SetDeliveryRules = SetDeliveryRules()
    fund_fen: int = 0
    """The delivery insurance fund; its cash lies on the house's account."""
    claims: list[DeliveryClaim] = []
    record: list[tuple[int, int, int, int]] = []
    """(delivery day, provider, reserved card-hours, delivered card-hours), in order of days."""
    buy_ins: list[BuyIn] = []
    offers: list[Offer] = []
    nominations: list[Nomination] = []
    disputes: list[Dispute] = []

    def days_of(self, provider: int) -> list[tuple[int, int]]:
        """Return (reserved, delivered) card-hours of a provider's latest delivery days."""
        mine = [(reserved, done) for _, of, reserved, done in self.record if of == provider]
        return mine[-self.rules.score_days :]

    def check(self) -> None:
        """Verify that the fund isn't overdrawn and that no claim is paid twice; raises InvariantViolation."""
        if self.fund_fen < 0:
            raise InvariantViolation(f"the delivery insurance fund owes {-self.fund_fen} fen")
        for at, claim in enumerate(self.claims):
            if not 0 <= claim.open_fen <= claim.amount_fen:
                raise InvariantViolation(f"claim {at + 1} has {claim.open_fen} of {claim.amount_fen} open")
