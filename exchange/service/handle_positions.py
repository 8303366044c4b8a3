"""Position limits that tighten towards delivery, and positions that are reported (clauses 5.13, 5.14)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from exchange.domain.money import BASIS_POINT
from exchange.domain.positions import CONTRACTS_MAX, SetPositionRules
from exchange.domain.rejects import RejectCode
from exchange.service.guard import open_lots
from exchange.service.state import DONE, Outcome, Stamp, State, refused
from matching.records import Records, Side, mass_cancel

CARDS_MAX: Final = 1 << 30


def set_position_rules(state: State, message: SetPositionRules, stamp: Stamp) -> Outcome:
    """Keep the rules; contracts that are listed follow at the next settlement."""
    limits = (message.day_cards, message.week_cards, message.month_cards, message.quarter_cards)
    own = {limit.symbol: limit.cards for limit in message.contracts}
    shares = (message.report_limit_basis_points, message.report_share_basis_points)
    tightening = [cards or CARDS_MAX for cards in limits]
    if (
        not all(0 <= cards <= CARDS_MAX for cards in (*limits, *own.values(), message.report_cards))
        or not len(own) == len(message.contracts) <= CONTRACTS_MAX
        or not all(1 <= share <= BASIS_POINT for share in shares)
        or tightening != sorted(tightening)
    ):
        return refused(RejectCode.INVALID_RULE)
    unknown = [symbol for symbol in own if symbol not in state.contracts_by_symbol]
    if unknown:
        return refused(RejectCode.UNKNOWN_CONTRACT, unknown[0])
    state.position_rules = message
    return DONE


def renew_limits(state: State, stamp: Stamp) -> list[Records]:
    """Bring the limits of the contracts that trade up to the rules, and cancel the orders that would now go
    beyond them; return the events.
    """
    wanted = {
        index: state.position_limit(state.contracts[index]) for index in state.active_contracts().tolist()
    }
    changed = {
        index: limit for index, limit in wanted.items() if limit != state.engine.terms(index).position_limit
    }
    if not changed:
        return []
    renewed = [
        state.engine.set_position_limit(index, limit, seq=stamp.seq) for index, limit in changed.items()
    ]
    return renewed + [
        state.engine.apply(mass_cancel(account=account, instrument=index, side=side, seq=stamp.seq))
        for account, index, side in _beyond_limits(state, changed)
    ]


def _beyond_limits(state: State, limits: Mapping[int, int]) -> Iterator[tuple[int, int, Side]]:
    """Yield the accounts, contracts and sides whose open orders would go beyond the limit if they traded."""
    for account in state.members_by_account:
        if not state.engine.exposure(account).open_orders:
            continue
        ordered_in = set(state.engine.open_orders(account)["instrument"].tolist())
        for index in sorted(limits.keys() & ordered_in):
            worst = worst_positions(state, account, index)
            ordered = open_lots(state, account, index)
            for side, reached, lots in zip((Side.BUY, Side.SELL), worst, ordered, strict=True):
                if lots and reached > limits[index] > 0:
                    yield account, index, side


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
    """Whether an account may take lots (bought positive) outside the market: with its position and its open
    orders on that side it stays within the limit (clause 3.37).
    """
    limit = state.engine.terms(contract).position_limit
    bought, sold = worst_positions(state, account, contract)
    return not limit or (bought if signed_lots > 0 else sold) + abs(signed_lots) <= limit


def worst_positions(state: State, account: int, contract: int) -> tuple[int, int]:
    """Return the lots that an account would be long, and short, if its open orders on that side traded."""
    held, (buys, sells) = state.positions.lots(account, contract), open_lots(state, account, contract)
    return held + buys, sells - held


HANDLERS: Final[dict[type, Callable[[State, Any, Stamp], Outcome]]] = {SetPositionRules: set_position_rules}
"""The handler of position rules."""
