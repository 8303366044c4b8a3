"""Position limits that tighten towards delivery, and positions that are reported (clauses 5.13, 5.14)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from exchange.domain.money import BASIS_POINT
from exchange.domain.positions import SetPositionRules
from exchange.domain.rejects import RejectCode
from exchange.service.state import DONE, Outcome, Stamp, State, refused

CARDS_MAX: Final = 1 << 30


def set_position_rules(state: State, message: SetPositionRules, stamp: Stamp) -> Outcome:
    """Keep the rules; contracts that are listed have the limit that held then."""
    limits = (message.day_cards, message.week_cards, message.month_cards, message.quarter_cards)
    shares = (message.report_limit_basis_points, message.report_share_basis_points)
    tightening = [cards or CARDS_MAX for cards in limits]
    if (
        not all(0 <= cards <= CARDS_MAX for cards in (*limits, message.report_cards))
        or not all(1 <= share <= BASIS_POINT for share in shares)
        or tightening != sorted(tightening)
    ):
        return refused(RejectCode.INVALID_RULE)
    state.position_rules = message
    return DONE


@dataclass(frozen=True, slots=True)
class LargePosition:
    """A position that operators are told of."""

    account: int
    contract: int
    lots: int
    """Long positive."""
    limit_lots: int
    """0 without a limit."""
    open_interest: int
    """Long lots of all accounts."""


def large_positions(state: State) -> list[LargePosition]:
    """Return the positions that are large (clause 5.14), by contract and account."""
    rules, found = state.position_rules, []
    rows = state.positions.rows
    held = rows[rows["lots"] != 0]
    interest: dict[int, int] = {}
    for row in held[held["lots"] > 0]:
        contract = int(row["contract"])
        interest[contract] = interest.get(contract, 0) + int(row["lots"])
    for row in sorted(held, key=_place):
        contract, lots = int(row["contract"]), int(row["lots"])
        limit = state.engine.terms(contract).position_limit
        cards = abs(lots) * state.contracts[contract].cards_per_lot
        near = 0 < limit * rules.report_limit_basis_points <= abs(lots) * BASIS_POINT
        much = abs(lots) * BASIS_POINT >= interest[contract] * rules.report_share_basis_points
        if near or (rules.report_cards and much and cards >= rules.report_cards):
            found.append(LargePosition(int(row["account"]), contract, lots, limit, interest[contract]))
    return found


def _place(row: Any) -> tuple[int, int]:
    return int(row["contract"]), int(row["account"])


def within_limit(state: State, account: int, contract: int, signed_lots: int) -> bool:
    """Whether an account may take lots (bought positive) outside the market: within the limit, or not raising
    its position.
    """
    limit = state.engine.terms(contract).position_limit
    before = state.positions.lots(account, contract)
    after = before + signed_lots
    return not limit or abs(after) <= max(limit, abs(before))


HANDLERS: Final[dict[type, Callable[[State, Any, Stamp], Outcome]]] = {SetPositionRules: set_position_rules}
"""The handler of position rules."""
