"""The same margin said slowly: plain Python, one account at a time, read beside clauses 5.5 to 5.10."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange.clearing.portfolio.scenarios import SCENARIOS, WHOLE
from exchange.domain.messages import SetMarginRules
from exchange.domain.money import BASIS_POINT, ceiling_share


@dataclass(frozen=True, slots=True)
class Terms:
    """What margin reads of a contract; columns as in `terms.TERMS`."""

    scan: int
    roll: int
    failure: int
    group: int
    grade: int
    hub: int


@dataclass(frozen=True, slots=True)
class Margin:
    """The margin of one account, fen; columns as in `terms.MARGIN_ROW`."""

    single: int
    scan: int
    calendar: int
    credit: int
    roll: int
    delivery: int
    concentration: int

    @property
    def netted(self) -> int:
        """What is asked without concentration."""
        return self.scan + self.calendar - self.credit + self.roll + self.delivery

    @property
    def requirement(self) -> int:
        """What the account must have."""
        return self.netted + self.concentration


def nets(positions: Mapping[int, int], terms: Sequence[Terms]) -> dict[int, int]:
    """Return what an account (contract → lots, long positive) is net long in each group, fen of scan
    range.
    """
    net: dict[int, int] = defaultdict(int)
    for contract, lots in positions.items():
        net[terms[contract].group] += lots * terms[contract].scan
    return net


def free_of_concentration(
    books: Sequence[Mapping[int, int]], terms: Sequence[Terms], rules: SetMarginRules
) -> dict[int, int]:
    """Return what each group may hold before concentration counts, fen (clause 5.10)."""
    interest: dict[int, int] = defaultdict(int)
    for positions in books:
        for group, net in nets(positions, terms).items():
            interest[group] += max(0, net)
    share = rules.concentration_share_basis_points
    return {g: max(fen * share // BASIS_POINT, rules.concentration_floor_fen) for g, fen in interest.items()}


def worst_scenario(net: int) -> int:
    """Return the greatest loss of a net scan range over the sixteen scenarios, rounded up (clause 5.6)."""
    return max(-(scenario.factor * net // WHOLE) for scenario in SCENARIOS)


def uncovered(positions: Mapping[int, int], covered: Mapping[int, int]) -> dict[int, int]:
    """Return the positions (contract → lots, long positive) without the short lots that are covered."""
    return {c: lots + min(covered.get(c, 0), max(0, -lots)) for c, lots in positions.items()}


def margin(
    positions: Mapping[int, int],
    terms: Sequence[Terms],
    rules: SetMarginRules,
    free: Mapping[int, int],
    covered: Mapping[int, int] | None = None,
) -> Margin:
    """Return the margin of one account (contract → lots, long positive), of whose short lots some are
    covered: the lower one of with and without their exemption (clause 5.12).
    """
    plain = _margin(positions, positions, terms, rules, free)
    exempt = _margin(positions, uncovered(positions, covered or {}), terms, rules, free)
    return exempt if exempt.netted < plain.netted else plain


def _margin(
    positions: Mapping[int, int],
    bare: Mapping[int, int],
    terms: Sequence[Terms],
    rules: SetMarginRules,
    free: Mapping[int, int],
) -> Margin:
    """Return the margin when only the `bare` lots can lose by their price."""
    single = 0
    long_scan: dict[int, int] = defaultdict(int)
    short_scan: dict[int, int] = defaultdict(int)
    roll: dict[int, int] = defaultdict(int)
    failure: dict[int, int] = defaultdict(int)
    grade_of: dict[int, int] = {}
    for contract, lots in positions.items():
        of, priced = terms[contract], bare[contract]
        grade_of[of.group] = of.grade
        roll[of.grade] += priced * of.roll
        if lots > 0:
            single += lots * max(of.scan, of.roll)
            long_scan[of.group] += priced * of.scan
        else:
            single += -lots * (of.scan + of.failure)
            short_scan[of.group] += -priced * of.scan
            failure[of.hub] += -lots * of.failure

    scan = calendar = credit = rolled = concentration = 0
    for grade in set(grade_of.values()):
        risk = longs = shorts = 0
        for group in (group for group, its in grade_of.items() if its == grade):
            net = long_scan[group] - short_scan[group]
            worst = worst_scenario(net)
            charge = ceiling_share(min(long_scan[group], short_scan[group]), rules.calendar_basis_points)
            scan += worst
            calendar += charge
            risk += worst + charge
            longs += max(0, net)
            shorts += max(0, -net)
            over = max(0, abs(net) - free.get(group, rules.concentration_floor_fen))
            concentration += ceiling_share(over, rules.concentration_basis_points)
        between_hubs = 2 * min(longs, shorts) * rules.inter_hub_basis_points // BASIS_POINT
        credit += between_hubs
        rolled += max(0, roll[grade] - (risk - between_hubs))
    delivery = max(failure.values(), default=0)
    return Margin(single, scan, calendar, credit, rolled, delivery, concentration)
