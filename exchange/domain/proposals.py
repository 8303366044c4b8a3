"""Rare commands of what takes two operators (clause 8.11)."""

from __future__ import annotations

import msgspec

from exchange.domain.message import Message
from exchange.domain.regimes import SetRegime


class AdjustCash(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="adjust-cash"):
    """Corrects an account's cash, up or down."""

    member: str
    amount_fen: int
    reason: str


class RestoreMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="restore-member"):
    """Lets a suspended member trade again."""

    member: str


ProposedAction = AdjustCash | RestoreMember | SetRegime
"""What two operators do."""


class Propose(Message, frozen=True, kw_only=True):
    """Puts an action before a second operator; clause 8.11. Gives the proposal's id.

    Refused: NOT_AN_OPERATOR, UNKNOWN_MEMBER, WRONG_MEMBER_STATE, INVALID_AMOUNT, UNKNOWN_PRODUCT,
    INVALID_REGIME, PROPOSAL_LIMIT.
    """

    operator: int
    """The operator's account."""
    action: ProposedAction


class Decide(Message, frozen=True, kw_only=True):
    """Approves and does, or rejects, what another operator proposed; clause 8.11.

    Refused: NOT_AN_OPERATOR, UNKNOWN_PROPOSAL, PROPOSAL_OVER, SAME_OPERATOR, and as the action is.
    """

    operator: int
    """The operator's account."""
    proposal_id: int
    approve: bool


ProposalMessage = Propose | Decide
"""Both rare commands of proposals."""
