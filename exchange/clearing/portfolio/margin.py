"""The compiled pass: the portfolio margin of every account in one walk over all positions.

Integers only. A product with basis points is taken apart first (`_up`, `_down`), so nothing overflows while
an account's sums stay below 2^62 fen.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.portfolio.scenarios import SCENARIOS, WHOLE
from exchange.clearing.portfolio.terms import MARGIN_ROW, TERMS
from exchange.domain.messages import SetMarginRules
from matching.jit import kernel

_FACTORS: Final = np.array([scenario.factor for scenario in SCENARIOS], np.int64)
_WHOLE: Final = WHOLE
_BASIS_POINT: Final = 10_000


@kernel
def _up(amount: int, numerator: int, denominator: int) -> int:
    """Return amount × numerator / denominator (all ≥ 0), rounded up."""
    whole, rest = amount // denominator, amount % denominator
    return whole * numerator + (rest * numerator + denominator - 1) // denominator


@kernel
def _down(amount: int, numerator: int, denominator: int) -> int:
    """Return amount × numerator / denominator (all ≥ 0), rounded down."""
    whole, rest = amount // denominator, amount % denominator
    return whole * numerator + rest * numerator // denominator


@kernel
def _worst(net: int, factors: NDArray[Any]) -> int:
    """Return the greatest loss of a group's net scan range (fen, long positive) over the scenarios."""
    worst = 0
    for i in range(len(factors)):
        if (factors[i] < 0) == (net > 0):
            worst = max(worst, _up(abs(net), abs(factors[i]), _WHOLE))
    return worst


@kernel
def order_by_account(accounts: NDArray[Any], begins: NDArray[Any], order: NDArray[Any]) -> None:
    """Fill `order` with the places of `accounts`, ascending account, and `begins` (accounts + 1) with where
    each account's places begin: a counting sort.
    """
    begins[:] = 0
    for i in range(len(accounts)):
        begins[accounts[i] + 1] += 1
    for account in range(len(begins) - 1):
        begins[account + 1] += begins[account]
    filled = begins[:-1].copy()
    for i in range(len(accounts)):
        place = filled[accounts[i]]
        filled[accounts[i]] = place + 1
        order[place] = i


@kernel
def sum_groups(
    contracts: NDArray[Any], lots: NDArray[Any], order: NDArray[Any], terms: NDArray[Any], net: NDArray[Any]
) -> None:
    """Add the scan ranges of some positions, long positive, to their groups' `net` (fen, shape (groups,))."""
    for i in range(len(order)):
        row = terms[contracts[order[i]]]
        net[row["group"]] += lots[order[i]] * row["scan"]


@kernel
def fill_interest(
    contracts: NDArray[Any],
    lots: NDArray[Any],
    begins: NDArray[Any],
    order: NDArray[Any],
    terms: NDArray[Any],
    interest: NDArray[Any],
) -> None:
    """Add to `interest` (fen, shape (groups,)) what all accounts are net long in each group."""
    net = np.zeros(len(interest), np.int64)
    for account in range(len(begins) - 1):
        mine = order[begins[account] : begins[account + 1]]
        sum_groups(contracts, lots, mine, terms, net)
        for i in range(len(mine)):
            group = terms[contracts[mine[i]]]["group"]
            interest[group] += max(0, net[group])
            net[group] = 0


@kernel
def fill_margins(
    contracts: NDArray[Any],
    lots: NDArray[Any],
    bare: NDArray[Any],
    begins: NDArray[Any],
    order: NDArray[Any],
    terms: NDArray[Any],
    grades: NDArray[Any],
    free: NDArray[Any],
    rates: NDArray[Any],
    factors: NDArray[Any],
    size: int,
    margins: NDArray[Any],
) -> None:
    """Fill `margins` (MARGIN_ROW, zeros, one an account).

    `bare` are the lots whose price can lose anything, `lots` those that have to be delivered as well. Grades
    and hubs lie below `size`; `grades` is each group's grade, `free` what each group may hold before
    concentration counts (fen), `rates` the basis points of calendar charge, credit between hubs, and
    concentration.
    """
    groups = len(grades)
    net, gross = np.zeros(groups, np.int64), np.zeros(groups, np.int64)
    touched = np.zeros(groups, np.int64)
    longs, shorts, risk, roll = (
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
    )
    failure = np.zeros(size, np.int64)
    seen = np.zeros(groups, np.bool_)
    for account in range(len(begins) - 1):
        row = margins[account]
        count, delivery, single = 0, 0, 0
        begin, end = begins[account], begins[account + 1]
        for i in range(begin, end):
            held, priced = np.int64(lots[order[i]]), np.int64(bare[order[i]])
            term = terms[contracts[order[i]]]
            group, scan = term["group"], term["scan"]
            if not seen[group]:
                seen[group] = True
                touched[count] = group
                count += 1
            net[group] += priced * scan
            gross[group] += abs(priced) * scan
            roll[term["grade"]] += priced * term["roll"]
            if held > 0:
                single += held * max(scan, term["roll"])
            else:
                single -= held * (scan + term["failure"])
                failure[term["hub"]] -= held * term["failure"]
                delivery = max(delivery, failure[term["hub"]])
        for i in range(begin, end):
            failure[terms[contracts[order[i]]]["hub"]] = 0
        for i in range(count):
            group = touched[i]
            grade, own = grades[group], net[group]
            scanned = _worst(own, factors)
            charge = _up((gross[group] - abs(own)) // 2, rates[0], _BASIS_POINT)
            row["scan"] += scanned
            row["calendar"] += charge
            row["concentration"] += _up(max(0, abs(own) - free[group]), rates[2], _BASIS_POINT)
            risk[grade] += scanned + charge
            longs[grade] += max(0, own)
            shorts[grade] += max(0, -own)
        for i in range(count):
            group = touched[i]
            grade = grades[group]
            credit = _down(2 * min(longs[grade], shorts[grade]), rates[1], _BASIS_POINT)
            row["credit"] += credit
            row["roll"] += max(0, roll[grade] - (risk[grade] - credit))
            longs[grade] = 0  # a grade counts once, at the first of its groups
            shorts[grade], risk[grade], roll[grade] = 0, 0, 0
            net[group], gross[group], seen[group] = 0, 0, False
        row["single"], row["delivery"] = single, delivery
        netted = row["scan"] + row["calendar"] - row["credit"]
        row["requirement"] = netted + row["roll"] + delivery + row["concentration"]


def uncovered(lots: NDArray[np.int64], covered: NDArray[Any]) -> NDArray[np.int64]:
    """Return the lots (long positive) without the short ones that are covered, shape of `lots`."""
    bare: NDArray[np.int64] = lots + np.minimum(covered, np.maximum(-lots, 0))
    return bare


def without_concentration(margins: NDArray[Any]) -> NDArray[np.int64]:
    """Return what MARGIN_ROW rows ask without the concentration add-on, fen, shape of `margins`."""
    netted: NDArray[np.int64] = margins["requirement"] - margins["concentration"]
    return netted


class Book:
    """Positions of all accounts, sorted once, as margin reads them.

    `accounts` (0 … `size` − 1), `contracts` (rows of `terms`) and `lots` (long positive) have shape (n,), any
    order; `terms` is a TERMS table.
    """

    def __init__(
        self,
        accounts: NDArray[Any],
        contracts: NDArray[Any],
        lots: NDArray[Any],
        terms: NDArray[Any],
        size: int,
    ) -> None:
        if terms.dtype != TERMS:
            raise TypeError(f"terms are {terms.dtype}, not TERMS")
        self._contracts = np.ascontiguousarray(contracts, np.int32)
        self._lots = np.ascontiguousarray(lots, np.int64)
        self._terms = np.ascontiguousarray(terms)
        self._begins = np.zeros(size + 1, np.int64)
        self._order = np.zeros(len(self._lots), np.int64)
        order_by_account(np.ascontiguousarray(accounts, np.int32), self._begins, self._order)
        groups = int(terms["group"].max(initial=-1)) + 1
        self._grades = np.zeros(groups, np.int64)
        self._grades[terms["group"]] = terms["grade"]
        self._size = 1 + max(int(terms[column].max(initial=-1)) for column in ("grade", "hub"))

    def free_of_concentration(self, rules: SetMarginRules) -> NDArray[np.int64]:
        """Return what an account may be net long or short in each group before concentration counts, fen.

        The rule's share of what all accounts are net long there, rounded down, but at least its floor
        (clause 5.10).
        """
        interest = np.zeros(len(self._grades), np.int64)
        fill_interest(self._contracts, self._lots, self._begins, self._order, self._terms, interest)
        share = rules.concentration_share_basis_points
        part = interest // _BASIS_POINT * share + interest % _BASIS_POINT * share // _BASIS_POINT
        free: NDArray[np.int64] = np.maximum(part, rules.concentration_floor_fen)
        return free

    def margins(
        self, rules: SetMarginRules, free: NDArray[np.int64], covered: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Return the margin (MARGIN_ROW) of each account, shape (size,); `free` as of
        `free_of_concentration`.

        `covered` (shape (n,), ≥ 0) are short lots that certificates back. They stand out of scenarios,
        netting, roll and concentration, unless the account is asked less if they don't (clause 5.12).
        """
        plain = self._filled(rules, free, self._lots)
        if covered is None or not covered.any():
            return plain
        exempt = self._filled(rules, free, uncovered(self._lots, covered))
        lower = without_concentration(exempt) < without_concentration(plain)
        plain[lower] = exempt[lower]
        return plain

    def _filled(
        self, rules: SetMarginRules, free: NDArray[np.int64], bare: NDArray[np.int64]
    ) -> NDArray[Any]:
        margins = np.zeros(len(self._begins) - 1, MARGIN_ROW)
        rates = np.array(
            [
                rules.calendar_basis_points,
                rules.inter_hub_basis_points,
                rules.concentration_basis_points,
            ],
            np.int64,
        )
        fill_margins(
            self._contracts,
            self._lots,
            bare,
            self._begins,
            self._order,
            self._terms,
            self._grades,
            free,
            rates,
            _FACTORS,
            self._size,
            margins,
        )
        return margins


def portfolio_margins(
    accounts: NDArray[Any],
    contracts: NDArray[Any],
    lots: NDArray[Any],
    terms: NDArray[Any],
    size: int,
    rules: SetMarginRules,
) -> NDArray[Any]:
    """Return the margin (MARGIN_ROW) of accounts 0 … size − 1; arguments as of `Book`."""
    book = Book(accounts, contracts, lots, terms, size)
    return book.margins(rules, book.free_of_concentration(rules))
