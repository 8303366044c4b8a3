"""Handlers of what needs two operators: one proposes, another one decides (clause 8.11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from exchange.domain.calendar import NS_PER_HOUR
from exchange.domain.proposals import AdjustCash, Decide, Propose, ProposedAction
from exchange.domain.regimes import SetRegime
from exchange.domain.rejects import RejectCode
from exchange.service.handle_members import AMOUNT_MAX_FEN, adjust_cash, restore_member
from exchange.service.handle_regimes import senseless_regime, set_regime
from exchange.service.state import DONE, Outcome, Proposal, Stamp, State, refused

PROPOSAL_NS: Final = 24 * NS_PER_HOUR
"""How long a proposal may be decided, market time."""

PROPOSALS_OPEN_MAX: Final = 1_000


def propose(state: State, message: Propose, stamp: Stamp) -> Outcome:
    """Put an action before a second operator."""
    if not _may_act(state, message.operator):
        return refused(RejectCode.NOT_AN_OPERATOR)
    senseless = _senseless(state, message.action)
    if senseless is not None:
        return refused(senseless, _subject(message.action))
    if sum(_decidable(proposal, stamp) for proposal in state.proposals) >= PROPOSALS_OPEN_MAX:
        return refused(RejectCode.PROPOSAL_LIMIT)
    number = len(state.proposals) + 1
    state.proposals.append(Proposal(number, message.action, message.operator, stamp.time_ns + PROPOSAL_NS))
    return Outcome(data={"proposal_id": number})


def decide(state: State, message: Decide, stamp: Stamp) -> Outcome:
    """Reject a proposal, or approve it and do what it says."""
    if not _may_act(state, message.operator):
        return refused(RejectCode.NOT_AN_OPERATOR)
    if not 1 <= message.proposal_id <= len(state.proposals):
        return refused(RejectCode.UNKNOWN_PROPOSAL)
    proposal = state.proposals[message.proposal_id - 1]
    if not _decidable(proposal, stamp):
        return refused(RejectCode.PROPOSAL_OVER)
    if message.operator == proposal.proposed_by:
        return refused(RejectCode.SAME_OPERATOR)
    outcome = _do(state, proposal, stamp) if message.approve else DONE
    if outcome.code is None:
        proposal.decided_by, proposal.approved = message.operator, message.approve
    return outcome


def _may_act(state: State, account: int) -> bool:
    member = state.members_by_account.get(account)
    return member is not None and member.kind == "operator" and member.state == "approved"


def _subject(action: ProposedAction) -> str:
    return f"{action.regime.grade} at {action.regime.hub}" if isinstance(action, SetRegime) else action.member


def _senseless(state: State, action: ProposedAction) -> RejectCode | None:
    """Return why nobody could ever approve the action."""
    if isinstance(action, SetRegime):
        return senseless_regime(state, action)
    target = state.members.get(action.member)
    if target is None:
        return RejectCode.UNKNOWN_MEMBER
    if isinstance(action, AdjustCash):
        return None if 1 <= abs(action.amount_fen) <= AMOUNT_MAX_FEN else RejectCode.INVALID_AMOUNT
    return None if target.state == "suspended" else RejectCode.WRONG_MEMBER_STATE


def _do(state: State, proposal: Proposal, stamp: Stamp) -> Outcome:
    if isinstance(proposal.action, AdjustCash):
        return adjust_cash(state, proposal.action, stamp)
    if isinstance(proposal.action, SetRegime):
        return set_regime(state, proposal.action)
    return restore_member(state, proposal.action, stamp)


def _decidable(proposal: Proposal, stamp: Stamp) -> bool:
    return proposal.decided_by == 0 and stamp.time_ns < proposal.expires_ns


HANDLERS: Final[dict[type, Callable[[State, Any, Stamp], Outcome]]] = {Propose: propose, Decide: decide}
"""The handlers of proposals."""
