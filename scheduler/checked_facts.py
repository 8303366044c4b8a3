"""A problem as the independent checker sees it: plain numpy and Python, written from the rules.

It shares the input and result types with the rest of the package and nothing else. Money is held in arrays of
Python integers (dtype object), so nothing can overflow or be rounded.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodes.types import Residency
from scheduler.plan import Certificate
from scheduler.types import Need, Problem, Site, Workload
from scheduler.workload_table import RESIDENCIES, WorkloadTable

PENALTY_FACTOR = 10
"""Leaving work out counts ten times its demand at its grades' dearest list price, and again per priority."""
BLOCK = 50_000
"""Workloads whose options are looked at together."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Money = NDArray[Any]
"""Exact integers as Python objects."""
Resource = tuple[str, str]


class Step(NamedTuple):
    """Cards at one price: offered, or reserved with what they cost and what they would still fetch."""

    price_micro_cny: int
    offered: bool
    paid_micro_cny: int
    milli_cards: int


class Facts:
    """The problem's tables by name, and the rules that need them; workloads by row, sites by position."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.hours = problem.slot_hours
        self.table = WorkloadTable.of(problem.workloads)
        self.row = {name: row for row, name in enumerate(self.table.ids)}
        self.position = {site.code: at for at, site in enumerate(problem.sites)}
        self.grade = {(site.code, g.grade): g for site in problem.sites for g in site.grades}
        self.steps: dict[Resource, list[Step]] = defaultdict(list)
        for item in problem.reservations:
            step = Step(item.worth_micro_cny, False, item.paid_micro_cny, item.milli_cards)
            self.steps[item.site, item.grade].append(step)
        for offer in problem.offers:
            step = Step(offer.price_micro_cny, True, 0, offer.milli_cards)
            self.steps[offer.site, offer.grade].append(step)
        for steps in self.steps.values():
            # a stable sort: what is alike stays in the order given
            steps.sort(key=lambda step: step[:3])
        self._lay_out_network()
        self.demand = self._demands()
        """(N,) the same number for workloads with the same demand vectors."""

    def _lay_out_network(self) -> None:
        network, table, sites = self.problem.network, self.table, self.problem.sites
        origins = {origin.city: origin for origin in self.problem.origins}
        rows = [network.origins.index(city) for city in table.cities]
        columns = [network.sites.index(site.code) for site in sites]
        self.rtt_ms = network.rtt_ms[np.ix_(rows, columns)]
        self.price: Money = np.zeros(self.rtt_ms.shape, dtype=object)
        if network.transfer_micro_cny_per_gb is not None:
            self.price = network.transfer_micro_cny_per_gb[np.ix_(rows, columns)].astype(object)
        self.open = np.zeros((len(RESIDENCIES), *self.rtt_ms.shape), dtype=np.bool_)
        for at, site in enumerate(sites):
            for c, city in enumerate(table.cities):
                allowed = {
                    Residency.SITE: site.code == origins[city].home_site,
                    Residency.CITY: site.city == origins[city].city,
                    Residency.PROVINCE: site.province == origins[city].province,
                    Residency.ANY: True,
                }
                self.open[:, c, at] = [allowed[residency] for residency in RESIDENCIES]

    def _demands(self) -> Ints:
        table, code = self.table, np.zeros(len(self.table), dtype=np.int64)
        used = 0
        for number, shape in enumerate(table.shapes):
            rows = np.flatnonzero(table.shape == number)
            if len(rows):
                width = sum(len(vector) for vector in shape)
                milli = table.need_milli[table.need_start[rows][:, None] + np.arange(width)]
                _, same = np.unique(milli, axis=0, return_inverse=True)
                code[rows] = used + same.reshape(-1)
                used = int(code[rows].max()) + 1
        return code

    # one workload at one site

    def near(self, rows: Ints) -> Bools:
        """(n, S) which sites are within the latency bound."""
        rtt_ms = self.rtt_ms[self.table.origin[rows]]
        near: Bools = np.isfinite(rtt_ms) & (rtt_ms <= self.table.latency_ms_max[rows][:, None])
        return near

    def may_go(self, rows: Ints) -> Bools:
        """(n, S) where the data may go."""
        may: Bools = self.open[self.table.residency[rows], self.table.origin[rows], :]
        return may

    def transfer(self, rows: Ints) -> Money:
        """(n, S) nano-CNY for moving the data."""
        gb = self.table.data_gb[rows].astype(object)[:, None]
        cost: Money = self.price[self.table.origin[rows]] * gb * 1000
        return cost

    def penalty(self, rows: Ints) -> Money:
        """(n,) nano-CNY for leaving a workload out."""
        dearest: Counter[str] = Counter()
        for site in self.problem.sites:
            for g in site.grades:
                dearest[g.grade] = max(dearest[g.grade], g.list_price_micro_cny)
        _, first, same = np.unique(self.demand[rows], return_index=True, return_inverse=True)
        worths = [
            sum(
                max(dearest[grade] * self.hours, 1) * milli
                for grade, milli in self.table.alternatives(row)[0]
            )
            for row in rows[first].tolist()
        ]
        demand = np.array(worths, dtype=object)[same.reshape(-1)]
        dearest_site = np.array([max(prices, default=0) for prices in self.price.tolist()], dtype=object)
        gb = self.table.data_gb[rows].astype(object)
        transfer = dearest_site[self.table.origin[rows]] * gb * 1000
        penalty: Money = PENALTY_FACTOR * (1 + self.table.priority[rows].astype(object)) * (demand + transfer)
        return penalty

    def carbon_rate(self, site: str, grade: str) -> int:
        """Nano-CNY charged for a running milli-card-hour: kg a card-hour × micro-CNY a kg, half up."""
        exact = Fraction(self.grade[site, grade].kgco2) * self.problem.carbon_price_micro_cny_per_kg
        return math.floor(exact + Fraction(1, 2))

    # capacity

    def capacity(self, resource: Resource) -> int:
        """Milli-cards there are."""
        return sum(step.milli_cards for step in self.steps[resource])

    def priced(self, resource: Resource) -> list[Step]:
        """The steps that a certificate counts: everything but what is reserved and free to use."""
        steps = self.steps[resource]
        return [step for step in steps if step.milli_cards and (step.offered or step.price_micro_cny)]

    def free(self, resource: Resource) -> int:
        """Milli-cards reserved that nobody else would pay for."""
        steps = self.steps[resource]
        return sum(step.milli_cards for step in steps if not step.offered and not step.price_micro_cny)

    def fits_alone(self, site: str, vector: Sequence[Need]) -> bool:
        """Whether an empty site has room for a demand vector."""
        return all(
            (site, grade) in self.grade and milli <= self.capacity((site, grade)) for grade, milli in vector
        )

    def cost_alone(self, row: int, site: str, vector: Sequence[Need]) -> int:
        """Nano-CNY of serving a workload at an empty site that holds it."""
        (at,) = (at for at, other in enumerate(self.problem.sites) if other.code == site)
        total = int(self.transfer(np.array([row]))[0, at])
        total += self._carbon_an_hour(self.problem.sites[at], vector) * int(self.table.hours[row])
        for grade, needed in vector:
            taken = self.taken((site, grade), needed)
            total += sum(milli * step.price_micro_cny * self.hours for step, milli in taken)
        return total

    def cheapest_cover(self, resource: Resource, used: int) -> int | None:
        """Nano-CNY of what must be bought for this use; None if there are not so many milli-cards."""
        taken = self.taken(resource, used)
        if sum(milli for _, milli in taken) < used:
            return None
        return sum(milli * step.price_micro_cny * self.hours for step, milli in taken if step.offered)

    def taken(self, resource: Resource, used: int) -> list[tuple[Step, int]]:
        """How many milli-cards of each step serve this use."""
        found = []
        for step in self.steps[resource]:
            milli = min(used, step.milli_cards)
            used -= milli
            found.append((step, milli))
        return found

    # the certificate

    def bound(self, certificate: Certificate) -> int:
        """Lagrangian bound: every workload on its own takes its cheapest way at the certificate's charges."""
        charge = _Charges(self, certificate)
        table = self.table
        columns = (
            self.demand,
            table.origin,
            table.latency_ms_max,
            table.residency,
            table.data_gb,
            table.hours,
        )
        same = np.zeros(len(table), dtype=np.int64)
        for column in (*columns, table.priority):
            _, number = np.unique(column, return_inverse=True)
            _, same = np.unique(same * (int(number.max(initial=0)) + 1) + number, return_inverse=True)
        _, first, count = np.unique(same, return_index=True, return_counts=True)
        total = -charge.worth
        for start in range(0, len(first), BLOCK):
            block = slice(start, start + BLOCK)
            total += int((self._cheapest(first[block], charge) * count[block].astype(object)).sum())
        return total

    def _cheapest(self, rows: Ints, charge: "_Charges") -> Money:
        """(n,) nano-CNY of the cheapest of staying out and every option."""
        best, open_to, transfer = self.penalty(rows), self.near(rows) & self.may_go(rows), self.transfer(rows)
        for number, shape in enumerate(self.table.shapes):
            here = np.flatnonzero(self.table.shape[rows] == number)
            if not len(here):
                continue
            _, first, same = np.unique(self.demand[rows[here]], return_index=True, return_inverse=True)
            same = same.reshape(-1)
            vectors = [self.table.alternatives(row) for row in rows[here][first].tolist()]
            for alternative in range(len(shape)):
                for at, site in enumerate(self.problem.sites):
                    asked = [charge.asked(site, vector[alternative]) for vector in vectors]
                    possible = np.array([cost is not None for cost in asked])[same] & open_to[here, at]
                    chosen = here[possible]
                    costs = np.array([cost or 0 for cost in asked], dtype=object)[same][possible]
                    costs = costs + transfer[chosen, at]
                    if self.problem.carbon_price_micro_cny_per_kg:
                        emitted = [self._carbon_an_hour(site, vector[alternative]) for vector in vectors]
                        hourly = np.array(emitted, dtype=object)[same][possible]
                        costs = costs + hourly * self.table.hours[rows[chosen]].astype(object)
                    best[chosen] = np.minimum(best[chosen], costs)
        return best

    def _carbon_an_hour(self, site: Site, vector: Sequence[Need]) -> int:
        held = {g.grade for g in site.grades}
        return sum(self.carbon_rate(site.code, grade) * milli for grade, milli in vector if grade in held)

    # reasons

    def workload(self, row: int) -> Workload:
        """One workload as an object."""
        return self.table[row]

    def sites(self, allowed: Bools) -> Iterator[Site]:
        """The sites that a row of `near` or `may_go` names."""
        return (self.problem.sites[at] for at in np.flatnonzero(allowed).tolist())


class _Charges:
    """What a certificate charges for cards, and what it says all capacity is worth beyond its price.

    A row says: what workloads of size a count, d·⌊a/w⌋ + max(0, a mod w − f), adds up to at most d·⌊b/w⌋ plus
    what is taken beyond b, the free cards and the ``level`` cheapest steps; f = b mod w and d = w − f.
    """

    def __init__(self, facts: Facts, certificate: Certificate) -> None:
        self.facts = facts
        self.rows: dict[Resource, list[tuple[int, int, int]]] = defaultdict(list)
        self.room = {resource: facts.capacity(resource) for resource in facts.grade}
        self.memory: dict[tuple[Resource, int], int] = {}
        self.worth = 0
        relaxed: dict[Resource, list[int]] = {}
        for row in certificate.rows:
            if row.nano_cny < 0 or row.grain < 1 or row.level < 0:
                raise ValueError(f"{row} is no valid row of a certificate")
            resource = (row.site, row.grade)
            steps = facts.priced(resource)
            capacity = facts.free(resource) + sum(step.milli_cards for step in steps[: row.level])
            self.rows[resource].append((row.grain, capacity % row.grain, row.nano_cny))
            self.worth += row.nano_cny * (row.grain - capacity % row.grain) * (capacity // row.grain)
            beyond = relaxed.setdefault(resource, [0] * len(steps))
            for position in range(row.level, len(steps)):
                beyond[position] += row.nano_cny
        for resource, prices in relaxed.items():
            for price, step in zip(prices, facts.priced(resource), strict=True):
                self.worth += step.milli_cards * max(0, price - step.price_micro_cny * facts.hours)

    def asked(self, site: Site, vector: Sequence[Need]) -> int | None:
        """Nano-CNY charged for a demand vector at a site; None where even the empty site has no room."""
        if any(milli > self.room.get((site.code, grade), -1) for grade, milli in vector):
            return None
        return sum(self.of((site.code, grade), milli) for grade, milli in vector)

    def of(self, resource: Resource, milli: int) -> int:
        """Nano-CNY charged for a workload that needs so many milli-cards of a resource."""
        if (resource, milli) not in self.memory:
            self.memory[resource, milli] = sum(
                price * ((grain - rest) * (milli // grain) + max(0, milli % grain - rest))
                for grain, rest, price in self.rows[resource]
            )
        return self.memory[resource, milli]
