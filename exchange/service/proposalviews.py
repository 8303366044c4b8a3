"""What operators proposed and decided, as views show it (clause 8.11)."""

from __future__ import annotations

from exchange.domain.proposals import AdjustCash, RestoreMember
from exchange.domain.regimes import SetRegime
from exchange.service.state import Proposal, State
from exchange.service.viewtypes import ProposalView


def proposal_views(state: State) -> list[ProposalView]:
    """Return every proposal, oldest first."""
    return [_view(state, proposal) for proposal in state.proposals]


def _view(state: State, proposal: Proposal) -> ProposalView:
    names, action = state.members_by_account, proposal.action
    cash = action if isinstance(action, AdjustCash) else None
    regime = action if isinstance(action, SetRegime) else None
    return ProposalView(
        proposal_id=proposal.proposal_id,
        kind="cash" if cash else "regime" if regime else "restore",
        member=action.member if isinstance(action, AdjustCash | RestoreMember) else None,
        amount_fen=0 if cash is None else cash.amount_fen,
        regime=None if regime is None else regime.regime,
        reason="" if isinstance(action, RestoreMember) else action.reason,
        proposed_by=names[proposal.proposed_by].name,
        expires_ns=proposal.expires_ns,
        decided_by=names[proposal.decided_by].name if proposal.decided_by else None,
        approved=proposal.approved,
    )
