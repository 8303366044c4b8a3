"""Margin of the state's contracts and accounts: what a lot risks, what a portfolio nets (chapter 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.portfolio.explain import Line, Names, portfolio_lines, single_lines
from exchange.clearing.portfolio.margin import Book, without_concentration
from exchange.clearing.portfolio.reference import Terms
from exchange.clearing.portfolio.terms import terms_of
from exchange.domain.calendar import day_of, next_trading_day
from exchange.domain.contracts import Contract
from exchange.domain.money import ceiling_share
from exchange.domain.phases import MarketPhase
from exchange.service.state import Stamp, State
from matching.records import Side


@dataclass(frozen=True, slots=True)
class LotRisk:
    """What one lot may lose, fen (clauses 5.5, 5.8 and 5.9)."""

    scan: int
    roll: int
    failure: int

    @property
    def margin_long(self) -> int:
        """Margin of a long lot on its own."""
        return max(self.scan, self.roll)

    @property
    def margin_short(self) -> int:
        """Margin of a short lot on its own."""
        return self.scan + self.failure


def first_margined_day(state: State, stamp: Stamp) -> date:
    """Return the trading day for which margins set now hold: the open one, or the next one if none is."""
    day = state.day.trading_day
    if day is None:
        return day_of(stamp.time_ns)
    if state.day.phase in (MarketPhase.SETTLED, MarketPhase.CLOSED):
        return next_trading_day(day, state.closed_days)
    return day


def lot_risk(state: State, contract: Contract, reference: int, day: date, lock_days: int = 0) -> LotRisk:
    """Return the risk of one lot at a reference price (ticks), for trading on `day` after so many days in a
    row at a limit.
    """
    rules, value = state.margin_rules, reference * contract.hours
    rolls = (contract.period.first - day).days >= rules.roll_after_days
    return LotRisk(
        scan=ceiling_share(value, max(_scan_rate(state, contract, day), _locked_rate(state, lock_days))),
        roll=ceiling_share(value, rules.roll_basis_points) if rolls else 0,
        failure=ceiling_share(value, rules.buy_in_basis_points + rules.damages_basis_points),
    )


def _locked_rate(state: State, lock_days: int) -> int:
    """Return the least scan range after a locked day, basis points: the day's limit and a margin on it."""
    return state.limit_rate(lock_days) + state.margin_rules.lock_margin_basis_points if lock_days else 0


def _scan_rate(state: State, contract: Contract, day: date) -> int:
    """Return the scan range in basis points of value: the base rate, or the nearest step that holds."""
    steps = state.margin_rules.near_delivery
    rate = state.rules.margin_basis_points
    if not steps:
        return rate
    left = _trading_days_left(
        day, contract.last_trading_day, steps[-1].trading_days_left + 1, state.closed_days
    )
    return max([rate, *(step.basis_points for step in steps if left <= step.trading_days_left)])


def _trading_days_left(day: date, last: date, most: int, closed_days: frozenset[date]) -> int:
    """Return how many trading days follow `day` up to and with `last`, counted no further than `most`."""
    left = 0
    while day < last and left < most:
        day = next_trading_day(day, closed_days)
        left += 1
    return left


def set_offsets(state: State) -> None:
    """Compute every account's netting and add-on from its positions and open orders (clause 5.11).

    The kernel isn't told.
    """
    rows, terms = state.positions.rows, terms_of(state.contract_table.rows)
    size, rules = len(state.cash), state.margin_rules
    book = Book(rows["account"], rows["contract"], rows["lots"], terms, size)
    free = book.free_of_concentration(rules)
    margins = book.margins(rules, free, rows["covered"])
    state.add_on[:] = margins["concentration"]
    orders = [(_NONE, _NONE, _NONE), *(_open_orders(state, of) for of in state.members_by_account)]
    accounts, contracts, lots = (np.concatenate(column) for column in zip(*orders, strict=True))
    if len(lots):
        locked = state.positions.locked(accounts, contracts, lots)
        left = Book(rows["account"], rows["contract"], locked, terms, size)
        margins = left.margins(rules, free, rows["covered"])
    state.netting[:] = _netting(margins)


def explained(state: State, account: int) -> Explained:
    """Return where an account's margin comes from, at this moment and at the gate."""
    rows, terms = state.positions.rows, terms_of(state.contract_table.rows)
    book = Book(rows["account"], rows["contract"], rows["lots"], terms, len(state.cash))
    free = dict(enumerate(book.free_of_concentration(state.margin_rules).tolist()))
    mine = rows[(rows["account"] == account) & (rows["lots"] != 0)]
    positions = dict(zip(mine["contract"].tolist(), mine["lots"].tolist(), strict=True))
    covered = dict(zip(mine["contract"].tolist(), mine["covered"].tolist(), strict=True))
    slow = [Terms(*row[:6]) for row in terms.tolist()]
    names = Names(
        contracts={contract: state.contracts[contract].symbol for contract in positions},
        groups={number: name.replace(".", " at ", 1) for name, number in state.group_indices.items()},
        grades={number: name for name, number in state.grade_indices.items()},
        hubs={number: name for name, number in state.hub_indices.items()},
    )
    exposure = state.engine.exposure(account)
    singles = single_lines(positions, slow, names)
    alone = sum(line.amount_fen for line in singles)
    orders = Line(
        "3.36", "open orders", "worst case and loss to the reference price", exposure.requirement_fen - alone
    )
    netting = Line(
        "5.11",
        "netting",
        "as of the last run or the last order against a position",
        -int(state.netting[account]),
    )
    add_on = Line("5.10", "concentration", "as of the last run", int(state.add_on[account]))
    return Explained(
        portfolio=portfolio_lines(positions, slow, state.margin_rules, free, names, covered),
        gate=[*singles, *(line for line in (orders, netting, add_on) if line.amount_fen)],
    )


@dataclass(frozen=True, slots=True)
class Explained:
    """Lines of the portfolio margin as it is now, and of the margin at the gate, each with its sum."""

    portfolio: list[Line]
    gate: list[Line]

    @property
    def portfolio_fen(self) -> int:
        """The portfolio margin of the positions as they are."""
        return sum(line.amount_fen for line in self.portfolio)

    @property
    def gate_fen(self) -> int:
        """The requirement of clause 3.36 less the offset."""
        return sum(line.amount_fen for line in self.gate)


_NONE = np.zeros(0, np.int64)


def _open_orders(
    state: State, account: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return accounts, contracts and open lots (bought positive) of an account's orders."""
    if not state.engine.exposure(account).open_orders:
        return _NONE, _NONE, _NONE
    orders = state.engine.open_orders(account)
    lots = orders["remaining"].astype(np.int64)
    signed = np.where(orders["side"] == Side.BUY, lots, -lots)
    return orders["account"].astype(np.int64), orders["instrument"].astype(np.int64), signed


def netting_left(state: State, account: int, contract: int = 0, signed_lots: int = 0) -> int:
    """Return what an account would net once its open orders against positions, and another one of these lots
    (bought positive) if there is one, have traded; fen.
    """
    order = (account, contract, signed_lots)
    columns = zip(_open_orders(state, account), order, strict=True)
    accounts, contracts, lots = (np.append(column, last) for column, last in columns)
    mine = np.flatnonzero(state.positions.rows["account"] == account)
    return _netting_of(state, mine, state.positions.locked(accounts, contracts, lots)[mine])


def netting_now(state: State, account: int) -> int:
    """Return what an account's positions net as they are, fen."""
    mine = np.flatnonzero(state.positions.rows["account"] == account)
    return _netting_of(state, mine, state.positions.rows["lots"][mine])


def _netting_of(state: State, mine: NDArray[np.intp], lots: NDArray[np.int64]) -> int:
    """Return what one account's lots (shape (n,), of its position rows `mine`) earn by netting, fen."""
    rows = state.positions.rows[mine]
    terms = terms_of(state.contract_table.rows[rows["contract"]])
    book = Book(np.zeros(len(lots), np.int32), np.arange(len(lots)), lots, terms, 1)
    free = np.zeros(int(terms["group"].max(initial=-1)) + 1, np.int64)
    return int(_netting(book.margins(state.margin_rules, free, rows["covered"]))[0])


def _netting(margins: NDArray[Any]) -> NDArray[np.int64]:
    """Return what netting takes off single margins, fen, shape of `margins`; never less than 0."""
    earned = margins["single"] - without_concentration(margins)
    result: NDArray[np.int64] = np.maximum(earned, 0)
    return result
