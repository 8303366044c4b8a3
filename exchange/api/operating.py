"""What operators do to accounts and to the market, and proposals that a second one decides."""

from exchange.api.answers import Answer
from exchange.api.regimes import Regime


class Killed(Answer, frozen=True, kw_only=True):
    """The account is suspended; how many of its orders that ended."""

    cancelled: int
    as_of_seq: int


class Halted(Answer, frozen=True, kw_only=True):
    """How many contracts were halted, or resumed, that weren't before."""

    contracts: int
    as_of_seq: int


class MarketKilled(Answer, frozen=True, kw_only=True):
    """How many contracts were halted that weren't before, and how many orders were cancelled."""

    contracts: int
    cancelled: int
    as_of_seq: int


class Proposal(Answer, frozen=True, kw_only=True):
    """What an operator proposed, and what a second one decided."""

    proposal_id: str
    kind: str
    """cash, restore or regime."""
    member: str | None
    regime: Regime | None
    amount_fen: int
    reason: str
    proposed_by: str
    expires: str
    decided_by: str | None
    """None while nobody has; expired it can't be any more."""
    approved: bool


class ProposalAnswer(Answer, frozen=True, kw_only=True):
    """One proposal."""

    proposal: Proposal
    as_of_seq: int


class Proposals(Answer, frozen=True, kw_only=True):
    """Proposals, newest first."""

    proposals: list[Proposal]
    as_of_seq: int
