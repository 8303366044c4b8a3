"""Handlers of delivery's rules, nominations and disputes (clauses 7.9 to 7.12)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

from exchange.clearing.delivery import invoice
from exchange.clearing.ledger import LedgerKind
from exchange.domain import delivering as d
from exchange.domain.calendar import NS_PER_DAY, date_of, day_start_ns
from exchange.domain.hours import HOURS_PER_DAY
from exchange.domain.money import BASIS_POINT
from exchange.domain.rejects import RejectCode
from exchange.service.deliverystate import Dispute, Nomination
from exchange.service.handle_resale import (
    delivered_hours,
    gate_closed,
    nominated_by_hour,
    offered_lots,
    window,
)
from exchange.service.handle_vouchers import take_back
from exchange.service.insuring import (
    compensate,
    delivered_card_hours,
    owed_for,
    reserved_card_hours,
    settled,
    tell_kernel,
)
from exchange.service.state import DONE, Outcome, Stamp, State, refused

TEXT_MAX = 200


def set_delivery_rules(state: State, message: d.SetDeliveryRules, stamp: Stamp) -> Outcome:
    """Set premiums, refused uses and deadlines."""
    scores = [step.score_basis_points for step in message.premiums]
    sound = (
        all(a > b for a, b in pairwise(scores))
        and (not scores or scores[-1] == 0)
        and all(0 <= step.premium_basis_points <= BASIS_POINT for step in message.premiums)
        and min(message.score_days, message.dispute_days, message.decision_days) >= 1
        and min(message.grace_hours, message.gate_hours) >= 0
        and all(_known_use(state, refused_use) for refused_use in message.refused_uses)
    )
    if not sound:
        return refused(RejectCode.INVALID_RULE)
    state.delivering.rules = message
    return DONE


def _known_use(state: State, of: d.RefusedUse) -> bool:
    return (of.hub == "*" or of.hub in state.hub_indices) and 1 <= len(_plain(of.use)) <= TEXT_MAX


def _plain(use: str) -> str:
    """Return a declared use as it is compared: without capitals and needless blanks."""
    return " ".join(use.casefold().split())


def nominate_workload(state: State, message: d.NominateWorkload, stamp: Stamp) -> Outcome:
    """Take a nomination for reserved cards, after a review of its declared use."""
    at = message.reservation_id - 1
    if not 0 <= at < len(state.reservations) or state.reservations.rows[at]["buyer"] != message.account:
        return refused(RejectCode.UNKNOWN_RESERVATION)
    if gate_closed(state, at, stamp):
        return refused(RejectCode.NOMINATION_TOO_LATE)
    contract = state.contracts[int(state.reservations.rows[at]["contract"])]
    rules = state.delivering.rules.refused_uses
    refused_here = {
        _plain(refused_use.use) for refused_use in rules if refused_use.hub in ("*", contract.hub)
    }
    if _plain(message.use) in refused_here:
        return refused(RejectCode.USE_NOT_ALLOWED, f"{message.use} at {contract.hub}")
    sound = (
        1 <= len(message.workload) <= TEXT_MAX
        and 1 <= len(message.use) <= TEXT_MAX
        and message.cards >= 1
        and 0 <= message.first_hour < message.first_hour + message.hours <= HOURS_PER_DAY
        and delivered_hours(state, at) & window(message)
    )
    if not sound:
        return refused(RejectCode.INVALID_NOMINATION)
    cards = int(state.reservations.rows[at]["lots"]) * contract.cards_per_lot
    offered = contract.cards_per_lot * offered_lots(state, message.reservation_id)
    if _most_nominated(state, message) + message.cards > cards - offered:
        return refused(RejectCode.NOMINATION_TOO_LARGE)
    state.delivering.nominations.append(Nomination(message))
    return Outcome(data={"nomination_id": len(state.delivering.nominations)})


def _most_nominated(state: State, wanted: d.NominateWorkload) -> int:
    """Return the most cards of the reservation that are nominated in any of the wanted hours."""
    by_hour = nominated_by_hour(state, wanted.reservation_id)
    return max(by_hour[wanted.first_hour : wanted.first_hour + wanted.hours])


def withdraw_nomination(state: State, message: d.WithdrawNomination, stamp: Stamp) -> Outcome:
    """Take a nomination back before the gate closes."""
    at = message.nomination_id - 1
    nominations = state.delivering.nominations
    known = 0 <= at < len(nominations) and not nominations[at].withdrawn
    if not known or nominations[at].terms.account != message.account:
        return refused(RejectCode.UNKNOWN_NOMINATION)
    if gate_closed(state, nominations[at].terms.reservation_id - 1, stamp):
        return refused(RejectCode.NOMINATION_TOO_LATE)
    nominations[at].withdrawn = True
    return DONE


def open_dispute(state: State, message: d.OpenDispute, stamp: Stamp) -> Outcome:
    """Put a contested reservation before the operator."""
    at = message.reservation_id - 1
    known = 0 <= at < len(state.reservations)
    if not known or message.account not in (
        int(state.reservations.rows[at]["buyer"]),
        int(state.reservations.rows[at]["provider"]),
    ):
        return refused(RejectCode.UNKNOWN_RESERVATION)
    if not state.reservations.rows[at]["finished"]:
        return refused(RejectCode.DISPUTE_TOO_EARLY)
    if stamp.time_ns >= _end_ns(state, at) + state.delivering.rules.dispute_days * NS_PER_DAY:
        return refused(RejectCode.DISPUTE_OVER)
    if any(dispute.opened.reservation_id == message.reservation_id for dispute in state.delivering.disputes):
        return refused(RejectCode.DISPUTE_EXISTS)
    if not _possible(state, at, message.card_hours, message.reason):
        return refused(RejectCode.INVALID_DISPUTE)
    state.delivering.disputes.append(Dispute(message))
    return Outcome(data={"dispute_id": len(state.delivering.disputes)})


def _end_ns(state: State, at: int) -> int:
    """Return the end of a reservation's delivery day."""
    return day_start_ns(date_of(int(state.reservations.rows[at]["day"]) + 1))


def _possible(state: State, at: int, card_hours: int, reason: str) -> bool:
    return 0 <= card_hours <= reserved_card_hours(state, at) and 1 <= len(reason) <= TEXT_MAX


def decide_dispute(state: State, message: d.DecideDispute, stamp: Stamp) -> Outcome:
    """Put right what was paid for a reservation by the operator's decision."""
    number = message.dispute_id - 1
    if not 0 <= number < len(state.delivering.disputes):
        return refused(RejectCode.UNKNOWN_DISPUTE)
    dispute = state.delivering.disputes[number]
    at = dispute.opened.reservation_id - 1
    deadline = _end_ns(state, at) + state.delivering.rules.decision_days * NS_PER_DAY
    if dispute.decided_card_hours >= 0 or stamp.time_ns >= deadline:
        return refused(RejectCode.DISPUTE_OVER)
    if not _possible(state, at, message.card_hours, message.reason):
        return refused(RejectCode.INVALID_DISPUTE)
    dispute.decided_card_hours, dispute.decision = message.card_hours, message.reason
    before = settled(state)
    _put_right(state, at, message.card_hours, stamp)
    return Outcome(events=tell_kernel(state, before, stamp))


def _put_right(state: State, at: int, card_hours: int, stamp: Stamp) -> None:
    """Move what the decision changes between buyer and provider; what the payer lacks is as in clause 7.8."""
    row = state.reservations.rows[at]
    contract = state.contracts[int(row["contract"])]
    buyer, provider = int(row["buyer"]), int(row["provider"])
    (value,) = invoice(int(row["price"]), contract.cards_per_lot, [card_hours])
    reserved, delivered = reserved_card_hours(state, at), delivered_card_hours(state, at)
    back = owed_for(state, at, reserved - card_hours) - owed_for(state, at, reserved - delivered)
    invoiced = int(row["invoiced"])
    owed = invoiced - value + back
    row["invoiced"] = value
    debtor, creditor = (provider, buyer) if owed > 0 else (buyer, provider)
    entry = [(creditor, contract.index, abs(owed))] if owed else []
    compensate(state, debtor, entry, stamp, LedgerKind.DISPUTE)
    if value < invoiced:
        take_back(state, at, invoiced, stamp)


HANDLERS: Final[dict[type, Callable[[State, Any, Stamp], Outcome]]] = {
    d.SetDeliveryRules: set_delivery_rules,
    d.NominateWorkload: nominate_workload,
    d.WithdrawNomination: withdraw_nomination,
    d.OpenDispute: open_dispute,
    d.DecideDispute: decide_dispute,
}
"""One handler a rare message of delivery beside readings."""
