"""From a problem to an instance: columns all the way, so that a million workloads take seconds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scheduler.eligibility import Eligibility
from scheduler.instance import PENALTY_FACTOR, Bools, Instance, Ints, Supply, supply_of
from scheduler.integers import SAFE, first_rows, numbered, starts
from scheduler.types import Fault, InvalidProblem, Problem, carbon_rate
from scheduler.workload_table import Shape, WorkloadTable


def compile_instance(problem: Problem) -> Instance:
    """Group the workloads of a validated problem into classes and build their options.

    Raises `InvalidProblem` where a workload's worth would not fit int64.
    """
    table = WorkloadTable.of(problem.workloads)
    eligibility = Eligibility(problem, table)
    # running hours tell workloads apart only where carbon is charged
    hours = table.hours if problem.carbon_price_micro_cny_per_kg else np.zeros_like(table.hours)
    first, workload_class = first_rows(numbered(_class_codes(table, eligibility), hours))
    supply = supply_of(problem)
    transfer = eligibility.transfer(first)
    options = _options(supply, [site.code for site in problem.sites], table, first, eligibility.sites(first))
    group = np.repeat(np.arange(len(first)), np.diff(options.start))
    return Instance(
        supply=supply,
        workload_class=workload_class,
        count=np.bincount(workload_class, minlength=len(first)),
        penalty=_penalties(problem, table, first, transfer),
        option_start=options.start,
        option_site=options.site,
        option_alternative=options.alternative,
        option_cost=transfer[group, options.site] + _carbon(problem, table.hours[first][group], options),
        need_start=options.need_start,
        need_resource=options.need_resource,
        need_milli=options.need_milli,
    )


def _carbon(problem: Problem, hours: Ints, options: "_Options") -> Ints:
    """(O,) nano-CNY for the carbon of one workload that runs ``hours`` (O,) there."""
    price = problem.carbon_price_micro_cny_per_kg
    if not price or not len(hours):
        return np.zeros_like(hours)
    rate = np.array([carbon_rate(g, price) for site in problem.sites for g in site.grades], dtype=np.int64)
    if float(rate.max()) * float(options.need_milli.max()) * float(hours.max()) >= SAFE:
        message = "carbon times demand is beyond what 64 bits hold"
        raise InvalidProblem([Fault("problem", 0, "", "carbon_price_micro_cny_per_kg", message)])
    per_hour = np.add.reduceat(rate[options.need_resource] * options.need_milli, options.need_start[:-1])
    cost: Ints = per_hour * hours
    return cost


def _class_codes(table: WorkloadTable, eligibility: Eligibility) -> Ints:
    """(N,) the same number for workloads that cannot be told apart."""
    profile = eligibility.profiles()
    first, profile = first_rows(profile)
    reach = np.packbits(eligibility.sites(first), axis=1)
    reach_code = numbered(*reach.T)[profile] if reach.size else profile
    return numbered(reach_code, eligibility.moves(), _demands(table), table.priority)


def _demands(table: WorkloadTable) -> Ints:
    """(N,) the same number for workloads with the same demand vectors."""
    code = np.zeros(len(table), dtype=np.int64)
    used = 0
    for number in range(len(table.shapes)):
        rows = np.flatnonzero(table.shape == number)
        if len(rows):
            code[rows] = used + numbered(*_milli(table, rows).T)
            used = int(code[rows].max()) + 1
    return code


def _milli(table: WorkloadTable, rows: Ints) -> Ints:
    """(n, needs of the shape) milli-cards of workloads of one shape."""
    width = int(table.need_start[rows[0] + 1] - table.need_start[rows[0]])
    milli: Ints = table.need_milli[table.need_start[rows][:, None] + np.arange(width)]
    return milli


def _shapes(table: WorkloadTable, first: Ints) -> list[tuple[Shape, Ints]]:
    """Each shape in use and the classes (given by their first rows) that have it."""
    by_number = ((shape, np.flatnonzero(table.shape[first] == n)) for n, shape in enumerate(table.shapes))
    return [(shape, groups) for shape, groups in by_number if len(groups)]


def _penalties(problem: Problem, table: WorkloadTable, first: Ints, transfer: Ints) -> Ints:
    """(C,) nano-CNY: ten times the demand at the dearest list price and the dearest transfer, by priority."""
    dearest: dict[str, int] = {}
    for site in problem.sites:
        for g in site.grades:
            dearest[g.grade] = max(dearest.get(g.grade, 0), g.list_price_micro_cny)
    demand = np.zeros(len(first), dtype=np.int64)
    roughly = np.zeros(len(first))
    dearest_offer = max((offer.price_micro_cny for offer in problem.offers), default=0)
    for shape, groups in _shapes(table, first):
        # at least 1 a milli-card, so that work is never free to leave out
        price = np.array([max(dearest.get(grade, 0) * problem.slot_hours, 1) for grade in shape[0]])
        milli = _milli(table, first[groups])[:, : len(price)]
        demand[groups] = milli @ price
        roughly[groups] = milli @ np.maximum(price, dearest_offer * problem.slot_hours).astype(np.float64)
    move = transfer.max(axis=1, initial=0)
    weight = PENALTY_FACTOR * (1 + table.priority[first])
    dearest_move = float(_dearest_transfer(problem)) * 1000 * table.data_gb[first]
    too_much = np.flatnonzero((roughly + dearest_move) * weight >= SAFE)
    if len(too_much):
        rows = first[too_much].tolist()
        message = "demand times price is beyond what 64 bits hold"
        raise InvalidProblem(
            [Fault("workloads", row, table.ids[row], "alternatives", message) for row in rows]
        )
    penalty: Ints = weight * (demand + move)
    return penalty


def _dearest_transfer(problem: Problem) -> int:
    prices = problem.network.transfer_micro_cny_per_gb
    return 0 if prices is None else int(prices.max(initial=0))


class _Options(NamedTuple):
    """Options as columns, sorted by (class, site, alternative), and their needs sorted by option."""

    start: Ints
    site: Ints
    alternative: Ints
    need_start: Ints
    need_resource: Ints
    need_milli: Ints


def _options(
    supply: Supply, codes: Sequence[str], table: WorkloadTable, first: Ints, eligible: Bools
) -> _Options:
    """Every (class, site, alternative) that is eligible and fits the empty site, shape by shape."""
    found = [
        _options_of_shape(supply, codes, shape, groups, _milli(table, first[groups]), eligible[groups])
        for shape, groups in _shapes(table, first)
    ]
    per_class = sum((part.per_class(len(first)) for part in found), np.zeros(len(first), dtype=np.int64))
    start = starts(per_class)
    site, alternative, lengths = (np.zeros(int(start[-1]), dtype=np.int64) for _ in range(3))
    places = [part.places(start) for part in found]
    for part, place in zip(found, places, strict=True):
        site[place] = part.site
        alternative[place] = part.alternative
        lengths[place] = part.widths[part.alternative]
    need_start = starts(lengths)
    resource, milli = (np.zeros(int(need_start[-1]), dtype=np.int64) for _ in range(2))
    for part, place in zip(found, places, strict=True):
        part.write_needs(need_start[place], resource, milli)
    return _Options(start, site, alternative, need_start, resource, milli)


class _OfShape(NamedTuple):
    """The options of the classes of one shape, sorted by (class, site, alternative)."""

    group: Ints
    """(o,) class."""
    site: Ints
    alternative: Ints
    row: Ints
    """(o,) row of ``milli``."""
    milli: Ints
    """(classes of the shape, needs of the shape)."""
    resource: Ints
    """(needs of the shape, S), -1 where a site lacks the grade."""
    widths: Ints
    """Needs of each alternative."""

    def per_class(self, classes: int) -> Ints:
        """(C,) how many options each class has."""
        return np.bincount(self.group, minlength=classes)

    def places(self, start: Ints) -> Ints:
        """(o,) where the options stand among those of all shapes."""
        counts = self.per_class(len(start) - 1)
        place: Ints = np.arange(len(self.group)) + (start[:-1] - starts(counts)[:-1])[self.group]
        return place

    def write_needs(self, need_start: Ints, resource: Ints, milli: Ints) -> None:
        """Write every option's needs from where they begin."""
        before = starts(self.widths)
        for alternative, width in enumerate(self.widths.tolist()):
            chosen = np.flatnonzero(self.alternative == alternative)
            for k in range(width):
                place, need = need_start[chosen] + k, int(before[alternative]) + k
                resource[place] = self.resource[need][self.site[chosen]]
                milli[place] = self.milli[self.row[chosen], need]


def _options_of_shape(
    supply: Supply, codes: Sequence[str], shape: Shape, groups: Ints, milli: Ints, eligible: Bools
) -> _OfShape:
    grades = [grade for vector in shape for grade in vector]
    # a grade that a site does not have: resource -1, which nothing fits
    resource = np.array([[supply.index.get((code, grade), -1) for code in codes] for grade in grades])
    capacity = np.append(supply.capacity, -1)
    widths = np.array([len(vector) for vector in shape], dtype=np.int64)
    before = starts(widths).tolist()
    fits = np.repeat(eligible[:, :, None], len(shape), axis=2)
    for alternative in range(len(shape)):
        for need in range(before[alternative], before[alternative + 1]):
            fits[:, :, alternative] &= capacity[resource[need]][None, :] >= milli[:, need][:, None]
    row, site, which = np.nonzero(fits)
    return _OfShape(groups[row], site, which, row, milli, resource, widths)
