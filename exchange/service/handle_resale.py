"""Handlers of the resale of reservations (clause 7.14)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from exchange.clearing.ledger import LedgerKind
from exchange.domain import delivering as d
from exchange.domain.calendar import NS_PER_HOUR
from exchange.domain.hours import HOURS_PER_DAY, hours_of
from exchange.domain.rejects import RejectCode
from exchange.service.deliverystate import Offer
from exchange.service.insuring import move, settled, tell_kernel
from exchange.service.state import DONE, Outcome, Stamp, State, refused

PRICE_FACTOR_MAX = 2
"""An agreed price is at most so many times the final settlement price: a resale isn't a way to move cash."""


def gate_closed(state: State, at: int, stamp: Stamp) -> bool:
    """Tell whether nominations and resale of a reservation (row `at`) have ended (clauses 7.11, 7.14)."""
    contract = state.contracts[int(state.reservations.rows[at]["contract"])]
    return stamp.time_ns >= contract.delivery.start_ns - state.delivering.rules.gate_hours * NS_PER_HOUR


def delivered_hours(state: State, at: int) -> int:
    """Return the mask of the hours of its day that a reservation (row `at`) delivers."""
    row = state.reservations.rows[at]
    return state.contracts[int(row["contract"])].delivery.of_day(int(row["day"]))


def window(terms: d.NominateWorkload) -> int:
    """Return the mask of the hours of the day that a nomination spans."""
    return (1 << terms.first_hour + terms.hours) - (1 << terms.first_hour)


def nominated_by_hour(state: State, reservation_id: int) -> list[int]:
    """Return the cards of a reservation that are nominated in each hour of its day that it delivers."""
    by_hour = [0] * HOURS_PER_DAY
    delivered = delivered_hours(state, reservation_id - 1)
    for nomination in state.delivering.nominations:
        terms = nomination.terms
        if terms.reservation_id == reservation_id and not nomination.withdrawn:
            for hour in hours_of(window(terms) & delivered):
                by_hour[hour] += terms.cards
    return by_hour


def offer_reservation(state: State, message: d.OfferReservation, stamp: Stamp) -> Outcome:
    """Offer lots of a reservation to a member, or to all."""
    at = message.reservation_id - 1
    if not 0 <= at < len(state.reservations) or state.reservations.rows[at]["buyer"] != message.account:
        return refused(RejectCode.UNKNOWN_RESERVATION)
    fault = _member_fault(state, message.account)
    if fault is not None:
        return refused(fault)
    if gate_closed(state, at, stamp):
        return refused(RejectCode.RESALE_TOO_LATE)
    row, to_account = state.reservations.rows[at], 0
    if message.to_member is not None:
        receiver = state.members.get(message.to_member)
        if receiver is None:
            return refused(RejectCode.UNKNOWN_MEMBER, message.to_member)
        to_account = receiver.account
        fault = _taker_fault(state, at, to_account)
        if fault is not None:
            return refused(fault, message.to_member)
    if message.lots < 1 or not 0 <= message.price_ticks <= PRICE_FACTOR_MAX * int(row["price"]):
        return refused(RejectCode.INVALID_OFFER)
    if message.lots > _unoffered(state, at):
        return refused(RejectCode.OFFER_TOO_LARGE, f"{_unoffered(state, at)} lots can be offered")
    offer = Offer(message.account, message.reservation_id, message.lots, message.price_ticks, to_account)
    state.delivering.offers.append(offer)
    return Outcome(data={"offer_id": len(state.delivering.offers)})


def _member_fault(state: State, account: int) -> RejectCode | None:
    """Return why an account may not deal in reservations."""
    member = state.members_by_account.get(account)
    approved = member is not None and state.may_trade(member) and member.kind != "operator"
    return None if approved and not state.restricted(account) else RejectCode.MEMBER_NOT_APPROVED


def _taker_fault(state: State, at: int, account: int) -> RejectCode | None:
    row = state.reservations.rows[at]
    if account in (int(row["buyer"]), int(row["provider"])):
        return RejectCode.OWN_RESERVATION
    return _member_fault(state, account)


def _unoffered(state: State, at: int) -> int:
    """Return the lots of a reservation that no open offer and no nomination needs."""
    row = state.reservations.rows[at]
    of_lot = state.contracts[int(row["contract"])].cards_per_lot
    nominated = -(-max(nominated_by_hour(state, at + 1)) // of_lot)
    return int(row["lots"]) - offered_lots(state, at + 1) - nominated


def offered_lots(state: State, reservation_id: int) -> int:
    """Return the lots of a reservation that are in open offers."""
    return sum(offer.lots for offer in state.delivering.offers if offer.reservation_id == reservation_id)


def withdraw_offer(state: State, message: d.WithdrawOffer, stamp: Stamp) -> Outcome:
    """Take back what of an offer nobody has taken."""
    offer = _open_offer(state, message.offer_id)
    if offer is None or offer.seller != message.account:
        return refused(RejectCode.UNKNOWN_OFFER)
    offer.lots = 0
    return DONE


def _open_offer(state: State, offer_id: int) -> Offer | None:
    known = 1 <= offer_id <= len(state.delivering.offers)
    offer = state.delivering.offers[offer_id - 1] if known else None
    return offer if offer is not None and offer.lots else None


def take_offer(state: State, message: d.TakeOffer, stamp: Stamp) -> Outcome:
    """Hand lots of an offered reservation to the account: what they still cost, and their difference to the
    agreed price, are its own from now on.
    """
    offer, account = _open_offer(state, message.offer_id), message.account
    if offer is None or offer.to_account not in (0, account):
        return refused(RejectCode.UNKNOWN_OFFER)
    at = offer.reservation_id - 1
    fault = _taker_fault(state, at, account) or _member_fault(state, offer.seller)
    if fault is not None:
        return refused(fault)
    if gate_closed(state, at, stamp):
        return refused(RejectCode.RESALE_TOO_LATE)
    if not 1 <= message.lots <= offer.lots:
        return refused(RejectCode.OFFER_TOO_LARGE, f"{offer.lots} lots are offered")
    row = state.reservations.rows[at]
    value = state.contracts[int(row["contract"])].hours * message.lots
    held, paid = int(row["price"]) * value, (offer.price_ticks - int(row["price"])) * value
    lacking = state.free_cash(account) < held + max(0, paid)
    if lacking or state.free_cash(offer.seller) + held < max(0, -paid):
        return refused(RejectCode.INSUFFICIENT_CASH)
    before = settled(state)
    reservation_id = _split(state, at, account, message.lots)
    state.delivery_hold[offer.seller] -= held
    state.delivery_hold[account] += held
    move(state, account, offer.seller, paid, LedgerKind.RESALE, stamp, int(row["contract"]))
    offer.lots -= message.lots
    events = tell_kernel(state, before, stamp)
    return Outcome(data={"reservation_id": reservation_id}, events=events)


def _split(state: State, at: int, buyer: int, lots: int) -> int:
    """Move lots of a reservation into a new one of another buyer; return its id."""
    made = np.array([state.reservations.rows[at]], state.reservations.rows.dtype)
    made["buyer"], made["lots"], made["source"] = buyer, lots, at + 1
    state.reservations.rows[at]["lots"] -= lots
    state.reservations.append(made)
    return len(state.reservations)


HANDLERS: Final[dict[type, Callable[[State, Any, Stamp], Outcome]]] = {
    d.OfferReservation: offer_reservation,
    d.WithdrawOffer: withdraw_offer,
    d.TakeOffer: take_offer,
}
"""One handler a rare message of resale."""
