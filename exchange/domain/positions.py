"""The rare command that limits positions and says which are large (clauses 5.13, 5.14)."""

from __future__ import annotations

from typing import Final

from exchange.domain.message import Message, Part

CONTRACTS_MAX: Final = 100
"""Contracts with a limit of their own at a time."""


class ContractLimit(Part, frozen=True):
    """The limit of one contract, whatever its period."""

    symbol: str
    cards: int
    """Of one account; 0: none."""


class SetPositionRules(Message, frozen=True, kw_only=True):
    """Sets position limits by the length of a contract's period and of single contracts, and from which size
    on a position is large; clauses 5.13, 5.14. They hold for contracts listed from then on, and for those
    that trade from the next settlement on. Refused: INVALID_RULE, UNKNOWN_CONTRACT.

    A limit is cards of one account in one contract, 0 none; a shorter period never has the higher one.
    """

    day_cards: int = 0
    week_cards: int = 0
    month_cards: int = 0
    quarter_cards: int = 0
    contracts: tuple[ContractLimit, ...] = ()
    """Instead of the period's, until they end; each contract once, at most CONTRACTS_MAX."""
    report_limit_basis_points: int = 5_000
    """A position is large from this share of its limit on."""
    report_share_basis_points: int = 2_500
    """… or from this share of the contract's open interest on,"""
    report_cards: int = 0
    """if it is of as many cards at least."""
