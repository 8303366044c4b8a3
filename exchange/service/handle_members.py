"""Handlers of members, keys and money (chapter 8)."""

from __future__ import annotations

from exchange.clearing.ledger import LedgerKind
from exchange.domain.messages import (
    AddKey,
    AddMember,
    Deposit,
    RevokeKey,
    SetMemberState,
    Withdraw,
)
from exchange.domain.rejects import RejectCode
from exchange.service.state import DONE, Key, Member, Outcome, Stamp, State, refused

AMOUNT_MAX_FEN = 10**15
"""Most that one payment may move; cash stays far inside int64."""


def add_member(state: State, message: AddMember, stamp: Stamp) -> Outcome:
    """Admit a member and open its account."""
    if message.name in state.members:
        return refused(RejectCode.MEMBER_EXISTS, message.name)
    account = len(state.members) + 1
    if account >= state.engine.limits.max_accounts:
        return refused(RejectCode.ACCOUNT_LIMIT)
    member = Member(message.name, account, message.kind)
    state.members[member.name] = member
    state.members_by_account[account] = member
    events = state.engine.set_account(account, state.account_spec(account), seq=stamp.seq)
    return Outcome(data={"account": account}, events=(events,))


def set_member_state(state: State, message: SetMemberState, stamp: Stamp) -> Outcome:
    """Suspend or restore a member's trading."""
    member = state.members.get(message.name)
    if member is None:
        return refused(RejectCode.UNKNOWN_MEMBER, message.name)
    if member.approved == message.approved:
        return DONE
    member.approved = message.approved
    # the kernel's equity includes today's marks: carry it over instead of resetting it to cash
    exposure = state.engine.exposure(member.account)
    spec = state.account_spec(member.account)
    events = state.engine.set_account(member.account, spec, seq=stamp.seq)
    delta = exposure.equity_fen - spec.equity_fen
    marked = state.engine.adjust_equity(member.account, delta, seq=stamp.seq)
    return Outcome(events=(events, marked))


def add_key(state: State, message: AddKey, stamp: Stamp) -> Outcome:
    """Add an API key to a member."""
    if message.member not in state.members:
        return refused(RejectCode.UNKNOWN_MEMBER, message.member)
    if message.key_id in state.keys:
        return refused(RejectCode.KEY_EXISTS, message.key_id)
    state.keys[message.key_id] = Key(message.key_id, message.member, message.scopes, message.ciphertext)
    return Outcome(data={"key_id": message.key_id})


def revoke_key(state: State, message: RevokeKey, stamp: Stamp) -> Outcome:
    """End a key."""
    key = state.keys.get(message.key_id)
    if key is None:
        return refused(RejectCode.UNKNOWN_KEY, message.key_id)
    key.enabled = False
    return DONE


def deposit(state: State, message: Deposit, stamp: Stamp) -> Outcome:
    """Pay cash in."""
    member = state.members.get(message.member)
    if member is None:
        return refused(RejectCode.UNKNOWN_MEMBER, message.member)
    if not 1 <= message.amount_fen <= AMOUNT_MAX_FEN:
        return refused(RejectCode.INVALID_AMOUNT, f"{message.amount_fen} fen")
    state.deposits_fen += message.amount_fen
    return _pay(state, member.account, message.amount_fen, LedgerKind.DEPOSIT, stamp)


def withdraw(state: State, message: Withdraw, stamp: Stamp) -> Outcome:
    """Pay free cash out."""
    member = state.members.get(message.member)
    if member is None:
        return refused(RejectCode.UNKNOWN_MEMBER, message.member)
    if not 1 <= message.amount_fen <= AMOUNT_MAX_FEN:
        return refused(RejectCode.INVALID_AMOUNT, f"{message.amount_fen} fen")
    free = state.free_cash(member.account)
    if message.amount_fen > free:
        return refused(RejectCode.INSUFFICIENT_CASH, f"{max(0, free)} fen are free")
    state.withdrawals_fen += message.amount_fen
    return _pay(state, member.account, -message.amount_fen, LedgerKind.WITHDRAWAL, stamp)


def _pay(state: State, account: int, amount: int, kind: LedgerKind, stamp: Stamp) -> Outcome:
    state.cash[account] += amount
    state.ledger.enter(stamp.seq, stamp.day, kind, account, amount)
    events = state.engine.adjust_equity(account, amount, seq=stamp.seq)
    return Outcome(data={"account": account, "cash_fen": int(state.cash[account])}, events=(events,))
