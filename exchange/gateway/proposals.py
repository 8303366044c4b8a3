"""What needs two operators: proposing, deciding, and looking at both (clause 8.11)."""

from __future__ import annotations

from typing import Final

from exchange.api import requests
from exchange.api.formats import parse_id, time_text
from exchange.api.operating import Proposal, ProposalAnswer, Proposals
from exchange.api.regimes import ProposeRegime
from exchange.domain.proposals import AdjustCash, Decide, Propose, ProposedAction, RestoreMember
from exchange.gateway.call import ANY_OPERATOR, Call, Route
from exchange.gateway.regimes import shown, wanted_regime
from exchange.service.viewtypes import ProposalView

_ROLES: Final[dict[str, tuple[requests.Role, ...]]] = {
    "cash": ("treasury",),
    "restore": ("risk", "admin"),
    "regime": ("market",),
}


async def propose_cash(call: Call) -> ProposalAnswer:
    """Propose to correct an account's cash; a second operator decides within 24 hours."""
    wanted: requests.ProposeCash = call.body
    action = AdjustCash(member=wanted.member, amount_fen=wanted.amount_fen, reason=wanted.reason)
    return await _propose(call, action)


async def propose_restore(call: Call) -> ProposalAnswer:
    """Propose to let a suspended member trade again; a second operator decides within 24 hours."""
    return await _propose(call, RestoreMember(member=call.body.member))


async def propose_regime(call: Call) -> ProposalAnswer:
    """Propose a pricing regime for a grade at a hub; a second operator decides within 24 hours."""
    return await _propose(call, wanted_regime(call.body))


async def decide_regime(call: Call) -> ProposalAnswer:
    """Approve or reject another operator's regime; approved it holds from the next settlement on."""
    return await _decide(call, "regime")


async def decide_cash(call: Call) -> ProposalAnswer:
    """Approve or reject another operator's correction of cash; approved it is done at once."""
    return await _decide(call, "cash")


async def decide_restore(call: Call) -> ProposalAnswer:
    """Approve or reject that a suspended member trades again; approved it is done at once."""
    return await _decide(call, "restore")


async def proposals(call: Call) -> Proposals:
    """Answer all proposals, newest first, at most 1,000."""
    views = call.exchange.views
    shown = [_answer(view) for view in views.proposals()[::-1][:1_000]]
    return Proposals(proposals=shown, as_of_seq=views.seq)


async def _propose(call: Call, action: ProposedAction) -> ProposalAnswer:
    message = Propose(operator=call.caller.account, action=action)
    data = (await call.submit(message)).data or {}
    return _one(call, int(data["proposal_id"]))


async def _decide(call: Call, kind: str) -> ProposalAnswer:
    number = parse_id(call.path["proposal_id"], "proposal_id")
    known = call.exchange.views.proposals()
    # one of the other kind is for another role to decide
    if not (1 <= number <= len(known) and known[number - 1].kind == kind):
        number = 0
    message = Decide(operator=call.caller.account, proposal_id=number, approve=call.body.approve)
    await call.submit(message)
    return _one(call, number)


def _one(call: Call, number: int) -> ProposalAnswer:
    views = call.exchange.views
    return ProposalAnswer(proposal=_answer(views.proposals()[number - 1]), as_of_seq=views.seq)


def _answer(view: ProposalView) -> Proposal:
    return Proposal(
        proposal_id=str(view.proposal_id),
        kind=view.kind,
        member=view.member,
        regime=None if view.regime is None else shown(view.regime),
        amount_fen=view.amount_fen,
        reason=view.reason,
        proposed_by=view.proposed_by,
        expires=time_text(view.expires_ns),
        decided_by=view.decided_by,
        approved=view.approved,
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/operator/proposals",
        handler=proposals,
        answer=Proposals,
        summary="What waits for a second operator, and what was decided",
        tag="operator",
        scope="operate",
        roles=ANY_OPERATOR,
    ),
    Route(
        method="POST",
        path="/v1/operator/proposals/cash",
        handler=propose_cash,
        answer=ProposalAnswer,
        summary="Propose a correction of cash",
        tag="operator",
        scope="operate",
        roles=_ROLES["cash"],
        body=requests.ProposeCash,
    ),
    Route(
        method="POST",
        path="/v1/operator/proposals/cash/{proposal_id}",
        handler=decide_cash,
        answer=ProposalAnswer,
        summary="Decide on a correction of cash",
        tag="operator",
        scope="operate",
        roles=_ROLES["cash"],
        body=requests.DecideProposal,
        path_help={"proposal_id": "the proposal's number"},
    ),
    Route(
        method="POST",
        path="/v1/operator/proposals/regime",
        handler=propose_regime,
        answer=ProposalAnswer,
        summary="Propose a pricing regime",
        tag="operator",
        scope="operate",
        roles=_ROLES["regime"],
        body=ProposeRegime,
    ),
    Route(
        method="POST",
        path="/v1/operator/proposals/regime/{proposal_id}",
        handler=decide_regime,
        answer=ProposalAnswer,
        summary="Decide on a pricing regime",
        tag="operator",
        scope="operate",
        roles=_ROLES["regime"],
        body=requests.DecideProposal,
        path_help={"proposal_id": "the proposal's number"},
    ),
    Route(
        method="POST",
        path="/v1/operator/proposals/restore",
        handler=propose_restore,
        answer=ProposalAnswer,
        summary="Propose to end a suspension",
        tag="operator",
        scope="risk",
        roles=_ROLES["restore"],
        body=requests.ProposeRestore,
    ),
    Route(
        method="POST",
        path="/v1/operator/proposals/restore/{proposal_id}",
        handler=decide_restore,
        answer=ProposalAnswer,
        summary="Decide on the end of a suspension",
        tag="operator",
        scope="risk",
        roles=_ROLES["restore"],
        body=requests.DecideProposal,
        path_help={"proposal_id": "the proposal's number"},
    ),
)
