"""Handlers of margin calls and default (clauses 6.6 to 6.10)."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

import numpy as np

from exchange.clearing.default import Layer, Means, Payment, waterfall
from exchange.clearing.ledger import LedgerKind
from exchange.clearing.portfolio.terms import margin_long, margin_short
from exchange.domain.defaults import BidForPosition, CloseAuction, CloseOut, CoverDefault, SetContribution
from exchange.domain.phases import MarketPhase
from exchange.domain.rejects import RejectCode
from exchange.service.calls import deficit, end_call, set_enabled
from exchange.service.claims import record_claims
from exchange.service.handle_market import PRICE_MAX
from exchange.service.handle_members import AMOUNT_MAX_FEN
from exchange.service.handle_positions import within_limit
from exchange.service.insuring import free_cash
from exchange.service.margins import netting_now
from exchange.service.seizing import seize_collateral
from exchange.service.state import DONE, HOUSE, Bid, Outcome, Stamp, State, refused
from exchange.service.taking import taking_order, trades_of
from exchange.service.transfers import Transfer, can_margin, transfer
from matching.records import EventKind, OrderFlag, Records


def set_contribution(state: State, message: SetContribution, stamp: Stamp) -> Outcome:
    """Bring a contribution to the amount asked for."""
    if not 0 <= message.amount_fen <= AMOUNT_MAX_FEN:
        return refused(RejectCode.INVALID_AMOUNT, f"{message.amount_fen} fen")
    if message.member is None:
        more = message.amount_fen - int(state.fund[HOUSE])
        state.deposits_fen += max(0, more)
        state.withdrawals_fen += max(0, -more)
        state.fund[HOUSE] = message.amount_fen
        return DONE
    member = state.members.get(message.member)
    if member is None or member.broker is not None:
        return refused(RejectCode.UNKNOWN_MEMBER, message.member)
    more = message.amount_fen - int(state.fund[member.account])
    free = state.free_cash(member.account)
    if more > max(0, free):
        return refused(RejectCode.INSUFFICIENT_CASH, f"{max(0, free)} fen are free")
    state.fund[member.account] += more
    return Outcome(events=_move(state, member.account, -more, LedgerKind.FUND_CONTRIBUTION, stamp))


def close_out(state: State, message: CloseOut, stamp: Stamp) -> Outcome:
    """Trade positions away, greatest margin first, until equity covers the rest or the book is empty."""
    fault = _restricted_fault(state, message.account)
    if fault is not None:
        return fault
    account = message.account
    call = state.calls[account]
    call.closed_out = state.day.trading_day
    events: list[Records] = []
    closed = 0
    for row in sorted(_positions(state, account), key=_greatest_margin(state)):
        if deficit(state, account) <= 0:
            break
        traded = _close_one(state, account, int(row["contract"]), int(row["lots"]), stamp)
        closed += int(trades_of(traded[0])["quantity"].sum())
        events += traded
    if deficit(state, account) <= 0:
        events += end_call(state, account, stamp)
    return Outcome(data={"closed": closed}, events=events)


def _close_one(state: State, account: int, contract: int, lots: int, stamp: Stamp) -> list[Records]:
    """Trade a position away at any price within the day's limits, as far as the book goes; the order's events
    come first.
    """
    order = taking_order(state, account, contract, -lots, stamp, OrderFlag.REDUCE_ONLY)
    set_enabled(state, account, True, stamp)
    events = state.engine.apply(order)
    if events["kind"][0] == EventKind.REJECTED:  # the contract is halted
        events = events[:0]
    state.fold(events, state.hour(stamp.time_ns))
    state.netting[account] = netting_now(state, account)
    return [events, set_enabled(state, account, False, stamp)]


def _positions(state: State, account: int) -> list[Any]:
    rows = state.positions.rows
    return list(rows[(rows["account"] == account) & (rows["lots"] != 0)].copy())


def _greatest_margin(state: State) -> Any:
    def key(row: Any) -> tuple[int, int]:
        terms, lots = state.contract_row(int(row["contract"])), int(row["lots"])
        return -abs(lots) * (margin_long(terms) if lots > 0 else margin_short(terms)), int(row["contract"])

    return key


def _restricted_fault(state: State, account: int) -> Outcome | None:
    if state.day.phase is not MarketPhase.CONTINUOUS:
        return refused(RejectCode.WRONG_PHASE, state.day.phase.label)
    return None if state.restricted(account) else refused(RejectCode.NOT_RESTRICTED)


def bid_for_position(state: State, message: BidForPosition, stamp: Stamp) -> Outcome:
    """Take a bid, or change one."""
    fault = _restricted_fault(state, message.restricted)
    if fault is not None:
        return fault
    bidder = state.members_by_account.get(message.account)
    if bidder is None or not state.may_trade(bidder) or state.restricted(message.account):
        return refused(RejectCode.MEMBER_NOT_APPROVED)
    contract = state.contracts_by_symbol.get(message.symbol)
    held = 0 if contract is None else state.positions.lots(message.restricted, contract.index)
    if contract is None or not held:
        return refused(RejectCode.NOT_RESTRICTED, message.symbol)
    if not (1 <= message.lots <= abs(held) and 1 <= message.price_ticks <= PRICE_MAX):
        return refused(RejectCode.INVALID_BID)
    if not within_limit(state, message.account, contract.index, message.lots if held > 0 else -message.lots):
        return refused(RejectCode.TAKER_POSITION_LIMIT)
    bid = Bid(message.account, message.restricted, contract.index, message.lots, message.price_ticks)
    key = (bid.bidder, bid.restricted, bid.contract)
    state.bids.pop(key, None)  # a changed bid stands behind those that came before it
    state.bids[key] = bid
    return DONE


def close_auction(state: State, message: CloseAuction, stamp: Stamp) -> Outcome:
    """Transfer positions to the best bids whose bidders may hold and can margin them; all bids end."""
    fault = _restricted_fault(state, message.account)
    if fault is not None:
        return fault
    account = message.account
    state.calls[account].auctioned = state.day.trading_day
    bids = [bid for bid in state.bids.values() if bid.restricted == account]
    events: list[Records] = []
    moved = 0
    for row in sorted(_positions(state, account), key=lambda row: int(row["contract"])):
        contract, left = int(row["contract"]), int(row["lots"])
        mine = [bid for bid in bids if bid.contract == contract]
        for bid in sorted(mine, key=attrgetter("price_ticks"), reverse=left > 0):
            lots = min(bid.lots, abs(left)) * (1 if left > 0 else -1)
            passing = Transfer(account, bid.bidder, contract, lots, bid.price_ticks)
            if lots and _may_pass(state, passing):
                events += transfer(state, passing, stamp)
                left -= lots
                moved += abs(lots)
    for bid in bids:
        del state.bids[bid.bidder, bid.restricted, bid.contract]
    state.netting[account] = netting_now(state, account)
    events.append(state.engine.set_offset(account, state.offset(account), seq=stamp.seq))
    if deficit(state, account) <= 0:
        events += end_call(state, account, stamp)
    return Outcome(data={"transferred": moved}, events=events)


def _may_pass(state: State, passing: Transfer) -> bool:
    """Tell whether a bidder may still take the lots, and can margin them."""
    return within_limit(state, passing.taker, passing.contract, passing.lots) and can_margin(state, passing)


def cover_default(state: State, message: CoverDefault, stamp: Stamp) -> Outcome:
    """Share the loss of an account that holds nothing more, record who is owed what, and suspend it."""
    account = message.account
    if state.day.phase is not MarketPhase.SETTLED:
        return refused(RejectCode.WRONG_PHASE, state.day.phase.label)
    if not in_default(state, account):
        return refused(RejectCode.NOT_IN_DEFAULT)
    owed = -int(state.cash[account])
    events = seize_collateral(state, account, stamp)
    member = state.members_by_account[account]
    responsible = account if member.broker is None else state.members[member.broker].account
    loss = max(0, -int(state.cash[account]))
    means, cap = _means(state, account, responsible), state.margin_rules.assessment_basis_points
    payments = waterfall(loss, means, cap) if loss else []
    for payment in payments:
        events += _pay(state, account, payment, stamp)
    record_claims(state, account, payments, stamp)
    member.state = "suspended"
    events += end_call(state, account, stamp)
    return Outcome(data={"owed_fen": owed, "loss_fen": loss}, events=events)


def in_default(state: State, account: int) -> bool:
    """Return whether a restricted account owes money and has nothing left that could change that."""
    held = _positions(state, account)
    return (
        state.restricted(account)
        and not held
        and not state.delivery_hold[account]
        and bool(state.cash[account] < 0)
    )


def _means(state: State, account: int, responsible: int) -> Means:
    fund = {int(payer): int(state.fund[payer]) for payer in np.flatnonzero(state.fund)}
    free = {payer: free_cash(state, payer) for payer in fund}
    broker = None if responsible == account else (responsible, free_cash(state, responsible))
    return Means(HOUSE, broker, responsible, fund, free)


_FROM_CASH = {
    Layer.BROKER: LedgerKind.GUARANTEE,
    Layer.ASSESSMENT: LedgerKind.ASSESSMENT,
    Layer.UNCOVERED: LedgerKind.UNCOVERED_LOSS,
}
"""Layers that are paid from cash; the others are in the fund."""


def _pay(state: State, debtor: int, payment: Payment, stamp: Stamp) -> list[Records]:
    """Move one payment of the waterfall from cash or fund to the debtor's cash."""
    layer, payer, amount = payment.layer, payment.payer, payment.amount_fen
    events: list[Records] = []
    kind = _FROM_CASH.get(layer)
    if kind is None:
        state.fund[payer] -= amount
    else:
        events += _move(state, payer, -amount, kind, stamp)
    return events + _move(state, debtor, amount, LedgerKind.DEFAULT_COVER, stamp)


def _move(state: State, account: int, amount: int, kind: LedgerKind, stamp: Stamp) -> list[Records]:
    """Move cash; the kernel is told, but of the house, which doesn't trade."""
    state.cash[account] += amount
    state.ledger.enter(stamp.seq, stamp.day, kind, account, amount)
    if account == HOUSE:
        return []
    return [state.engine.adjust_equity(account, amount, seq=stamp.seq)]


HANDLERS: Final[dict[type, Callable[[State, Any, Stamp], Outcome]]] = {
    SetContribution: set_contribution,
    CloseOut: close_out,
    BidForPosition: bid_for_position,
    CloseAuction: close_auction,
    CoverDefault: cover_default,
}
"""The handlers of the fund and of defaults; that of the calls' deadline is among the calls."""
