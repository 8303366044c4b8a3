"""Rare commands of margin calls and defaults: fund, close-out, auction, waterfall (clauses 6.6 to 6.10)."""

from __future__ import annotations

from exchange.domain.message import Message


class SetContribution(Message, frozen=True, kw_only=True):
    """Sets a member's contribution to the default fund, or the house's capital tranche; clause 6.6.

    The difference moves from or to the member's cash; the house's comes from outside. Refused:
    UNKNOWN_MEMBER, INVALID_AMOUNT, INSUFFICIENT_CASH.
    """

    member: str | None
    """None is the house."""
    amount_fen: int


class EnforceCalls(Message, frozen=True, kw_only=True):
    """Ends the time in which margin calls could be met; clause 6.7. Gives how many accounts were restricted.

    Refused: WRONG_PHASE.
    """


class CloseOut(Message, frozen=True, kw_only=True):
    """Closes positions of a restricted account in the market; clause 6.8. Gives the lots closed.

    Refused: WRONG_PHASE, NOT_RESTRICTED.
    """

    account: int


class BidForPosition(Message, frozen=True, kw_only=True):
    """Bids for positions of a restricted account in one contract, in place of an earlier bid; clause 6.9.

    Refused: MEMBER_NOT_APPROVED, WRONG_PHASE, NOT_RESTRICTED, INVALID_BID, TAKER_POSITION_LIMIT.
    """

    account: int
    """Who bids."""
    restricted: int
    symbol: str
    lots: int
    price_ticks: int
    """Ticks per lot-hour; what the bidder pays for a long position, or is paid for taking a short one."""


class CloseAuction(Message, frozen=True, kw_only=True):
    """Gives positions of a restricted account to the best bids; clause 6.9. Gives the lots transferred.

    Refused: WRONG_PHASE, NOT_RESTRICTED.
    """

    account: int


class CoverDefault(Message, frozen=True, kw_only=True):
    """Shares a defaulter's loss through the waterfall; clause 6.10. Gives the loss.

    Refused: WRONG_PHASE, NOT_IN_DEFAULT.
    """

    account: int


DefaultMessage = SetContribution | EnforceCalls | CloseOut | BidForPosition | CloseAuction | CoverDefault
"""Every rare command of margin calls and defaults."""
