"""Handlers of members, keys and money (chapter 8)."""

from __future__ import annotations

import numpy as np

from exchange.clearing.ledger import LedgerKind
from exchange.domain.messages import (
    AddClient,
    AddKey,
    AddMember,
    Deposit,
    NoteRequests,
    RevokeKey,
    SetMemberState,
    SetPassword,
    Withdraw,
)
from exchange.domain.proposals import AdjustCash, RestoreMember
from exchange.domain.rejects import RejectCode
from exchange.service.claims import has_open_claims, repay_claims
from exchange.service.insuring import settled, tell_kernel
from exchange.service.nonces import whole_entries
from exchange.service.state import DONE, Key, Member, Outcome, Stamp, State, refused
from matching.records import EventKind, Records

PASSWORD_HASH_MAX = 256
AMOUNT_MAX_FEN = 10**15
"""Most that one payment may move."""

DEPOSITS_MAX_FEN = 10**18
"""Most that all deposits may come to. No balance is more than that: money stays inside int64, with room for
the marks of open positions.
"""


def add_member(state: State, message: AddMember, stamp: Stamp) -> Outcome:
    """Admit a member: its account and, if the message brings one, its first key."""
    roles = message.roles
    if bool(roles) != (message.kind == "operator") or len(set(roles)) != len(roles):
        return refused(RejectCode.INVALID_ROLES)
    account = len(state.members) + 1
    if message.key is not None and message.key.key_id in state.keys:
        return refused(RejectCode.KEY_EXISTS, message.key.key_id)
    member = Member(message.name, account, message.kind, message.state, roles)
    outcome = _open_account(state, member, stamp)
    if outcome.code is None and message.key is not None:
        key = message.key
        state.keys[key.key_id] = Key(key.key_id, message.name, key.scopes, key.ciphertext, ())
    return outcome


def add_client(state: State, message: AddClient, stamp: Stamp) -> Outcome:
    """Open a sub-account of a broker's client."""
    broker = state.members_by_account.get(message.broker)
    if broker is None or broker.kind != "broker":
        return refused(RejectCode.NOT_A_BROKER)
    if broker.state != "approved":
        return refused(RejectCode.MEMBER_NOT_APPROVED)
    name, account = f"{broker.name}/{message.name}", len(state.members) + 1
    return _open_account(state, Member(name, account, "client", "approved", (), broker.name), stamp)


def _open_account(state: State, member: Member, stamp: Stamp) -> Outcome:
    if member.name in state.members:
        return refused(RejectCode.MEMBER_EXISTS, member.name)
    if member.account >= state.engine.limits.max_accounts:
        return refused(RejectCode.ACCOUNT_LIMIT)
    state.members[member.name] = member
    state.members_by_account[member.account] = member
    spec = state.account_spec(member.account)
    events = state.engine.set_account(member.account, spec, seq=stamp.seq)
    return Outcome(data={"account": member.account}, events=(events,))


def set_member_state(state: State, message: SetMemberState, stamp: Stamp) -> Outcome:
    """Approve or suspend a member with its clients, or one client; suspended, they have no open orders."""
    member = state.members.get(message.name)
    if member is None:
        return refused(RejectCode.UNKNOWN_MEMBER, message.name)
    if member.state == message.state:
        return Outcome(data={"cancelled": 0})
    if member.state == "applied" and message.state == "suspended":
        return refused(RejectCode.WRONG_MEMBER_STATE, message.name)
    if member.state == "suspended":
        return refused(RejectCode.SECOND_OPERATOR_NEEDED, message.name)
    member.state = message.state
    if message.state == "approved":
        return _enable_all(state, member, stamp)
    accounts = state.accounts_of(member)
    events = [state.engine.kill_account(account, seq=stamp.seq) for account in accounts]
    cancelled = sum(int(np.count_nonzero(part["kind"] == EventKind.CANCELLED)) for part in events)
    return Outcome(data={"cancelled": cancelled}, events=events)


def restore_member(state: State, action: RestoreMember, stamp: Stamp) -> Outcome:
    """End a suspension; two operators have agreed."""
    member = state.members.get(action.member)
    if member is None:
        return refused(RejectCode.UNKNOWN_MEMBER, action.member)
    if member.state != "suspended":
        return refused(RejectCode.WRONG_MEMBER_STATE, action.member)
    if has_open_claims(state, member.account):
        return refused(RejectCode.CLAIMS_OPEN, action.member)
    member.state = "approved"
    return _enable_all(state, member, stamp)


def _enable_all(state: State, member: Member, stamp: Stamp) -> Outcome:
    events: list[Records] = []
    for account in state.accounts_of(member):
        events += _enable(state, account, stamp)
    return Outcome(events=events)


def _enable(state: State, account: int, stamp: Stamp) -> list[Records]:
    """Let an account trade. The kernel's equity includes today's marks: it is carried over."""
    equity = state.engine.exposure(account).equity_fen
    spec = state.account_spec(account)
    events = state.engine.set_account(account, spec, seq=stamp.seq)
    return [events, state.engine.adjust_equity(account, equity - spec.equity_fen, seq=stamp.seq)]


def add_key(state: State, message: AddKey, stamp: Stamp) -> Outcome:
    """Add an API key to a member."""
    member = state.members.get(message.member)
    if member is None or member.broker is not None:
        return refused(RejectCode.UNKNOWN_MEMBER, message.member)
    if message.key_id in state.keys:
        return refused(RejectCode.KEY_EXISTS, message.key_id)
    state.keys[message.key_id] = Key(
        message.key_id, message.member, message.scopes, message.ciphertext, message.networks
    )
    return Outcome(data={"key_id": message.key_id})


def revoke_key(state: State, message: RevokeKey, stamp: Stamp) -> Outcome:
    """End a key."""
    key = state.keys.get(message.key_id)
    if key is None:
        return refused(RejectCode.UNKNOWN_KEY, message.key_id)
    key.enabled = False
    return DONE


def set_password(state: State, message: SetPassword, stamp: Stamp) -> Outcome:
    """Set a member's password, by its hash."""
    member = state.members.get(message.member)
    if member is None or member.broker is not None:
        return refused(RejectCode.UNKNOWN_MEMBER, message.member)
    if not message.hash.startswith("$argon2id$") or len(message.hash) > PASSWORD_HASH_MAX:
        return refused(RejectCode.INVALID_PASSWORD_HASH)
    state.passwords[message.member] = message.hash
    return DONE


def note_requests(state: State, message: NoteRequests, stamp: Stamp) -> Outcome:
    """Remember the nonces of signed requests, and expect orders."""
    if not whole_entries(message.nonces):
        return refused(RejectCode.INVALID_COMMAND)
    state.nonces.note(message.nonces)
    for order in message.orders:
        state.client_orders.note(order.account, order.client_id, order.digest)
    return DONE


def deposit(state: State, message: Deposit, stamp: Stamp) -> Outcome:
    """Pay cash in."""
    return _pay_in(state, message.member, message.amount_fen, LedgerKind.DEPOSIT, stamp)


def withdraw(state: State, message: Withdraw, stamp: Stamp) -> Outcome:
    """Pay free cash out."""
    return _pay_out(state, message.member, message.amount_fen, LedgerKind.WITHDRAWAL, stamp)


def adjust_cash(state: State, action: AdjustCash, stamp: Stamp) -> Outcome:
    """Correct cash within the bounds of a deposit or a withdrawal; two operators have agreed."""
    if action.amount_fen >= 0:
        return _pay_in(state, action.member, action.amount_fen, LedgerKind.ADJUSTMENT, stamp)
    return _pay_out(state, action.member, -action.amount_fen, LedgerKind.ADJUSTMENT, stamp)


def _pay_in(state: State, name: str, amount: int, kind: LedgerKind, stamp: Stamp) -> Outcome:
    member = state.members.get(name)
    if member is None:
        return refused(RejectCode.UNKNOWN_MEMBER, name)
    if not 1 <= amount <= AMOUNT_MAX_FEN:
        return refused(RejectCode.INVALID_AMOUNT, f"{amount} fen")
    if state.deposits_fen + amount > DEPOSITS_MAX_FEN:
        return refused(RejectCode.DEPOSIT_LIMIT, f"{DEPOSITS_MAX_FEN - state.deposits_fen} fen are left")
    state.deposits_fen += amount
    return _pay(state, member.account, amount, kind, stamp)


def _pay_out(state: State, name: str, amount: int, kind: LedgerKind, stamp: Stamp) -> Outcome:
    member = state.members.get(name)
    if member is None:
        return refused(RejectCode.UNKNOWN_MEMBER, name)
    if not 1 <= amount <= AMOUNT_MAX_FEN:
        return refused(RejectCode.INVALID_AMOUNT, f"{amount} fen")
    free = state.free_cash(member.account)
    if amount > free:
        return refused(RejectCode.INSUFFICIENT_CASH, f"{max(0, free)} fen are free")
    state.withdrawals_fen += amount
    return _pay(state, member.account, -amount, kind, stamp)


def _pay(state: State, account: int, amount: int, kind: LedgerKind, stamp: Stamp) -> Outcome:
    """Move cash in or out; what comes in repays open claims on the account first (clause 6.12)."""
    before = settled(state)
    state.cash[account] += amount
    state.ledger.enter(stamp.seq, stamp.day, kind, account, amount)
    if amount > 0 and has_open_claims(state, account):
        repay_claims(state, stamp)
    events = tell_kernel(state, before, stamp)
    return Outcome(data={"account": account, "cash_fen": int(state.cash[account])}, events=events)
