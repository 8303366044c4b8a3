"""Handlers of brokers' agreements, the revenue split and give-ups (clauses 8.13 to 8.15)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from exchange.clearing.ledger import LedgerKind
from exchange.domain.brokerage import AnswerGiveUp, OfferGiveUp, SetCommission, SetRevenueSplit
from exchange.domain.calendar import epoch_day
from exchange.domain.money import BASIS_POINT
from exchange.domain.phases import MarketPhase
from exchange.domain.rejects import RejectCode
from exchange.service.brokerstate import Commission, GiveUp, Rate
from exchange.service.guard import netting_after
from exchange.service.handle_members import AMOUNT_MAX_FEN
from exchange.service.handle_positions import within_limit
from exchange.service.insuring import move, settled, tell_kernel
from exchange.service.state import DONE, HOUSE, Outcome, Stamp, State, refused
from exchange.service.transfers import Transfer, can_margin, transfer
from matching.records import Records, Side, new_order

COMMISSION_MAX_BASIS_POINTS: Final = 500
COMMISSION_MAX_FEN_PER_LOT: Final = 10**8
GIVE_UPS_MAX: Final = 1_000
"""Most that one account may offer on one day."""

_OPEN: Final = (
    MarketPhase.MATCHED,
    MarketPhase.CONTINUOUS,
    MarketPhase.BREAK,
    MarketPhase.CLOSING_CALL,
    MarketPhase.CLOSED,
)
"""When the open day may have trades, and isn't settled."""


def set_commission(state: State, message: SetCommission, stamp: Stamp) -> Outcome:
    """Keep what a client pays from tomorrow on; what it pays today stays."""
    broker = state.members_by_account.get(message.broker)
    if broker is None or broker.kind != "broker":
        return refused(RejectCode.NOT_A_BROKER)
    client = state.members.get(f"{broker.name}/{message.client}")
    if client is None:
        return refused(RejectCode.UNKNOWN_MEMBER, message.client)
    if not (
        0 <= message.basis_points <= COMMISSION_MAX_BASIS_POINTS
        and 0 <= message.fen_per_lot <= COMMISSION_MAX_FEN_PER_LOT
    ):
        return refused(RejectCode.INVALID_COMMISSION)
    rate = Rate(message.basis_points, message.fen_per_lot)
    agreed = state.brokerage.commission(client.account)
    if agreed is None:
        state.brokerage.commissions.append(Commission(client.account, rate, stamp.day + 1))
    else:
        agreed.before, agreed.rate, agreed.from_day = agreed.on(stamp.day), rate, stamp.day + 1
    return Outcome(data={"from_day": stamp.day + 1})


def set_revenue_split(state: State, message: SetRevenueSplit, stamp: Stamp) -> Outcome:
    """Set the weights by which settlements share fees from now on."""
    weights = (message.provider, message.broker, message.platform)
    if not all(0 <= weight <= BASIS_POINT for weight in weights) or not sum(weights):
        return refused(RejectCode.INVALID_RULE)
    state.brokerage.split = message
    return DONE


def offer_give_up(state: State, message: OfferGiveUp, stamp: Stamp) -> Outcome:
    """Offer lots of a fill; nothing moves yet."""
    fault = _offer_fault(state, message)
    if fault is not None:
        return fault
    offers = state.brokerage.give_ups
    offers.append(GiveUp(message, _today(state), state.members[message.to_member].account))
    return Outcome(data={"give_up_id": len(offers)})


def _offer_fault(state: State, message: OfferGiveUp) -> Outcome | None:
    if state.day.phase not in _OPEN:
        return refused(RejectCode.WRONG_PHASE, state.day.phase.label)
    taker, giver = state.members.get(message.to_member), state.members_by_account.get(message.account)
    if taker is None or giver is None:
        return refused(RejectCode.UNKNOWN_MEMBER, message.to_member)
    if not state.may_trade(taker) or state.restricted(taker.account) or taker.kind == "operator":
        return refused(RejectCode.MEMBER_NOT_APPROVED)
    contract = state.contracts_by_symbol.get(message.symbol)
    if contract is None or not state.contract_row(contract.index)["active"]:
        return refused(RejectCode.UNKNOWN_CONTRACT, message.symbol)
    if taker.account == giver.account or not _well_formed(state, message, contract.index):
        return refused(RejectCode.INVALID_GIVE_UP)
    today = state.brokerage.of_day(_today(state))
    if sum(give_up.offer.account == message.account for give_up in today) >= GIVE_UPS_MAX:
        return refused(RejectCode.GIVE_UP_LIMIT)
    if message.lots + _given(state, message) > message.trade_lots or not _holds(state, message):
        return refused(RejectCode.GIVE_UP_NOT_HELD)
    return None


def _well_formed(state: State, message: OfferGiveUp, contract: int) -> bool:
    """Whether the account has traded as much today, at a price that was possible."""
    limits, rows = state.contract_row(contract), state.positions.rows
    traded = rows[(rows["account"] == message.account) & (rows["contract"] == contract)]
    return bool(
        1 <= message.lots <= message.trade_lots
        and limits["price_low"] <= message.price_ticks <= limits["price_high"]
        and 0 <= message.fee_fen <= AMOUNT_MAX_FEN
        and traded["gross_lots"].sum() >= message.lots
        and traded["gross_value"].sum() >= message.lots * message.price_ticks
    )


def _given(state: State, message: OfferGiveUp) -> int:
    """Return the lots of the same fill that are offered or given up already."""
    fill = (message.account, message.trade_id, message.side)
    return sum(
        give_up.offer.lots
        for give_up in state.brokerage.of_day(_today(state))
        if give_up.state in ("offered", "accepted")
        and (give_up.offer.account, give_up.offer.trade_id, give_up.offer.side) == fill
    )


def _holds(state: State, offer: OfferGiveUp) -> bool:
    """Whether the giver has the lots and may dispose of them."""
    held = state.positions.lots(offer.account, state.contracts_by_symbol[offer.symbol].index)
    return (held if offer.side == "buy" else -held) >= offer.lots and not state.restricted(offer.account)


def answer_give_up(state: State, message: AnswerGiveUp, stamp: Stamp) -> Outcome:
    """Accept an offer, or end it."""
    offers = state.brokerage.give_ups
    give_up = offers[message.give_up_id - 1] if 0 < message.give_up_id <= len(offers) else None
    if give_up is None or message.account not in (give_up.taker, give_up.offer.account):
        return refused(RejectCode.UNKNOWN_GIVE_UP)
    giving = message.account == give_up.offer.account
    if give_up.state != "offered" or (message.accept and giving):
        return refused(RejectCode.GIVE_UP_OVER, give_up.state)
    if not message.accept:
        give_up.state = "withdrawn" if giving else "declined"
        return DONE
    return _accept(state, give_up, stamp)


def _accept(state: State, give_up: GiveUp, stamp: Stamp) -> Outcome:
    offer = give_up.offer
    taker = state.members_by_account[give_up.taker]
    if not state.may_trade(taker) or state.restricted(give_up.taker):
        return refused(RejectCode.MEMBER_NOT_APPROVED)
    if not _holds(state, offer):
        return refused(RejectCode.GIVE_UP_NOT_HELD)
    contract = state.contracts_by_symbol[offer.symbol].index
    moved = Transfer(offer.account, give_up.taker, contract, give_up.signed_lots, offer.price_ticks)
    if not within_limit(state, give_up.taker, contract, give_up.signed_lots):
        return refused(RejectCode.TAKER_POSITION_LIMIT)
    left = _netting_left(state, moved)
    if left is None or not can_margin(state, moved, offer.fee_fen):
        return refused(RejectCode.GIVE_UP_MARGIN)
    events = transfer(state, moved, stamp)
    state.netting[offer.account] = left
    events.append(state.engine.set_offset(offer.account, state.offset(offer.account), seq=stamp.seq))
    for account, sign in ((offer.account, -1), (give_up.taker, 1)):
        row = state.positions.row(account, contract)
        row["gross_lots"] += sign * offer.lots
        row["gross_value"] += sign * offer.lots * offer.price_ticks
    give_up.state = "accepted"
    return Outcome(events=[*events, *_pay_fee(state, give_up, contract, stamp)])


def _netting_left(state: State, of: Transfer) -> int | None:
    """Return what the giver still nets without these lots, fen; None if its other positions and its orders
    aren't margined without them, as if an order traded them away (clause 5.11).
    """
    side = Side.SELL if of.lots > 0 else Side.BUY
    lots, price = abs(of.lots), of.price_ticks
    command = new_order(account=of.giver, instrument=of.contract, side=side, quantity=lots, price=price)
    return netting_after(state, command[0])


def _pay_fee(state: State, give_up: GiveUp, contract: int, stamp: Stamp) -> list[Records]:
    """Move the fee from the taker to the giver's broker, or to the giver if it has none."""
    offer, before = give_up.offer, settled(state)
    broker = state.broker_of(offer.account)
    payee = offer.account if broker == HOUSE else broker
    move(state, give_up.taker, payee, offer.fee_fen, LedgerKind.GIVE_UP_FEE, stamp, contract)
    return tell_kernel(state, before, stamp)


def lapse_give_ups(state: State) -> None:
    """End the day's open offers, before the lots are settled."""
    for give_up in state.brokerage.of_day(_today(state)):
        if give_up.state == "offered":
            give_up.state = "lapsed"


def _today(state: State) -> int:
    if state.day.trading_day is None:
        return 0
    return epoch_day(state.day.trading_day)


HANDLERS: Final[dict[type, Callable[[State, Any, Stamp], Outcome]]] = {
    SetCommission: set_commission,
    SetRevenueSplit: set_revenue_split,
    OfferGiveUp: offer_give_up,
    AnswerGiveUp: answer_give_up,
}
"""One handler a message of brokers."""
