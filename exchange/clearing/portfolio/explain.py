"""Where every fen of a portfolio margin comes from: lines with a clause each, whose amounts sum to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange.clearing.portfolio.reference import Terms, nets, uncovered, worst_scenario
from exchange.clearing.portfolio.scenarios import SCENARIOS, WHOLE
from exchange.domain.messages import SetMarginRules
from exchange.domain.money import BASIS_POINT, ceiling_share


@dataclass(frozen=True, slots=True)
class Line:
    """One amount, fen; what lowers margin is negative."""

    clause: str
    what: str
    how: str
    """The arithmetic in words."""
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Names:
    """What numbers stand for: contracts' symbols, and groups, grades and hubs as people name them."""

    contracts: Mapping[int, str]
    groups: Mapping[int, str]
    grades: Mapping[int, str]
    hubs: Mapping[int, str]


def single_lines(positions: Mapping[int, int], terms: Sequence[Terms], names: Names) -> list[Line]:
    """Return each position's margin on its own (clause 5.1)."""
    lines = []
    for contract, lots in sorted(positions.items()):
        of = terms[contract]
        if lots > 0:
            how = f"{lots:,} long × the greater of scan range {of.scan:,} and roll {of.roll:,}"
            lines.append(Line("5.1", names.contracts[contract], how, lots * max(of.scan, of.roll)))
        else:
            how = f"{-lots:,} short × (scan range {of.scan:,} + hub's failure {of.failure:,})"
            lines.append(Line("5.1", names.contracts[contract], how, -lots * (of.scan + of.failure)))
    return lines


def portfolio_lines(
    positions: Mapping[int, int],
    terms: Sequence[Terms],
    rules: SetMarginRules,
    free: Mapping[int, int],
    names: Names,
    covered: Mapping[int, int] | None = None,
) -> list[Line]:
    """Return the lines of an account (contract → lots other than 0, of which short ones may be covered);
    they sum to its portfolio margin.
    """
    delivery = _delivery_lines(positions, terms, names)
    plain = _priced_lines(positions, terms, rules, names)
    bare = {c: lots for c, lots in uncovered(positions, covered or {}).items() if lots}
    exempt = _priced_lines(bare, terms, rules, names)
    if _sum(exempt) < _sum(plain):
        exemption = _covered_lines(positions, bare, names)
        return [*exemption, *exempt, *delivery, *_concentration_lines(bare, terms, rules, free, names)]
    return [*plain, *delivery, *_concentration_lines(positions, terms, rules, free, names)]


def _sum(lines: Sequence[Line]) -> int:
    return sum(line.amount_fen for line in lines)


def _covered_lines(positions: Mapping[int, int], bare: Mapping[int, int], names: Names) -> list[Line]:
    """Return what isn't asked for, since certificates back it (clause 5.12)."""
    lines = []
    for contract, lots in sorted(positions.items()):
        left = -bare.get(contract, 0)
        if lots < 0 and left < -lots:
            how = f"{-lots - left:,} of {-lots:,} short are backed by certificates: delivery only"
            lines.append(Line("5.12", f"covered {names.contracts[contract]}", how, 0))
    return lines


def _priced_lines(
    positions: Mapping[int, int], terms: Sequence[Terms], rules: SetMarginRules, names: Names
) -> list[Line]:
    """Return what positions can lose by their prices, grade by grade."""
    grades: dict[int, dict[int, int]] = {}
    for contract in positions:
        grades.setdefault(terms[contract].grade, {})[terms[contract].group] = 0
    lines: list[Line] = []
    for grade, groups in sorted(grades.items()):
        inside = {c: lots for c, lots in positions.items() if terms[c].grade == grade}
        lines += _grade_lines(grade, sorted(groups), inside, terms, rules, names)
    return lines


def _concentration_lines(
    positions: Mapping[int, int],
    terms: Sequence[Terms],
    rules: SetMarginRules,
    free: Mapping[int, int],
    names: Names,
) -> list[Line]:
    lines: list[Line] = []
    for group, net in sorted(nets(positions, terms).items()):
        over = abs(net) - free[group]
        if over > 0:
            rate = rules.concentration_basis_points
            how = f"|{net:,}| less {free[group]:,} free = {over:,}, × {_percent(rate)}"
            amount = ceiling_share(over, rate)
            lines.append(Line("5.10", f"concentration in {names.groups[group]}", how, amount))
    return lines


def _grade_lines(
    grade: int,
    groups: Sequence[int],
    positions: Mapping[int, int],
    terms: Sequence[Terms],
    rules: SetMarginRules,
    names: Names,
) -> list[Line]:
    """Return scenarios, netting, credit and roll of one grade."""
    lines: list[Line] = []
    nets_of = nets(positions, terms)
    for group in groups:
        inside = {c: lots for c, lots in positions.items() if terms[c].group == group}
        lines += _group_lines(group, inside, terms, rules, names)
    longs = sum(max(0, nets_of[group]) for group in groups)
    shorts = sum(max(0, -nets_of[group]) for group in groups)
    rate = rules.inter_hub_basis_points
    credit = 2 * min(longs, shorts) * rate // BASIS_POINT
    if credit:
        how = f"2 × the lesser of {longs:,} net long and {shorts:,} net short, × {_percent(rate)}"
        lines.append(Line("5.7", f"credit between hubs of {names.grades[grade]}", how, -credit))
    risk = _sum(lines)
    roll = sum(lots * terms[c].roll for c, lots in positions.items())
    if roll > risk:
        how = f"net loss {roll:,} less {risk:,} asked above"
        lines.append(Line("5.8", f"generation roll of {names.grades[grade]}", how, roll - risk))
    return lines


def _group_lines(
    group: int,
    positions: Mapping[int, int],
    terms: Sequence[Terms],
    rules: SetMarginRules,
    names: Names,
) -> list[Line]:
    ranges = {c: lots * terms[c].scan for c, lots in sorted(positions.items())}
    net, worst = sum(ranges.values()), worst_scenario(sum(ranges.values()))
    at = next(i for i, of in enumerate(SCENARIOS) if -(of.factor * net // WHOLE) == worst)
    parts = " ".join(
        f"{'+' if lots > 0 else '-'} {abs(lots):,} × {terms[c].scan:,}"
        for c, lots in sorted(positions.items())
    )
    how = f"{parts.removeprefix('+ ')} = {net:,}; worst is scenario {at + 1}: {SCENARIOS[at].label}"
    lines = [Line("5.6", names.groups[group], how, worst)]
    matched = min(
        sum(max(0, amount) for amount in ranges.values()), sum(max(0, -amount) for amount in ranges.values())
    )
    charge = ceiling_share(matched, rules.calendar_basis_points)
    if charge:
        how = f"{matched:,} of scan range netted × {_percent(rules.calendar_basis_points)}"
        lines.append(Line("5.7", f"periods netted in {names.groups[group]}", how, charge))
    return lines


def _delivery_lines(positions: Mapping[int, int], terms: Sequence[Terms], names: Names) -> list[Line]:
    losses: dict[int, int] = {}
    for contract, lots in positions.items():
        if lots < 0:
            hub = terms[contract].hub
            losses[hub] = losses.get(hub, 0) - lots * terms[contract].failure
    worst = max(losses, key=lambda hub: (losses[hub], -hub), default=None)
    if worst is None or not losses[worst]:
        return []
    others = f"; {len(losses) - 1} other hubs would cost no more" if len(losses) > 1 else ""
    how = f"shorts there lose mark-up and damages{others}"
    return [Line("5.9", f"{names.hubs[worst]} fails whole", how, losses[worst])]


def _percent(basis_points: int) -> str:
    return f"{basis_points / 100:g} %"
