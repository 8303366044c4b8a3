"""The rare command that limits positions and says which are large (clauses 5.13, 5.14)."""

from __future__ import annotations

from exchange.domain.message import Message


class SetPositionRules(Message, frozen=True, kw_only=True):
    """Sets position limits by the length of a contract's period, for contracts listed from then on, and from
    which size on a position is large; clauses 5.13, 5.14. Refused: INVALID_RULE.

    A limit is cards of one account in one contract, 0 none; a shorter period never has the higher one.
    """

    day_cards: int = 0
    week_cards: int = 0
    month_cards: int = 0
    quarter_cards: int = 0
    report_limit_basis_points: int = 5_000
    """A position is large from this share of its limit on."""
    report_share_basis_points: int = 2_500
    """… or from this share of the contract's open interest on,"""
    report_cards: int = 0
    """if it is of as many cards at least."""
