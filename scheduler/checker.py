"""An independent check of a plan: plain Python and numpy, written from the rules and not from the models.

It shares the input and result types with the rest of the package and nothing else, so a mistake in a model,
in the accounting or in the bound cannot hide in here as well. Integers and fractions throughout.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

import numpy as np

from scheduler.checked_facts import Facts, Ints, Step
from scheduler.checked_worths import bound_by_worths
from scheduler.plan import Certificate, ClassSummary, Placement, Plan, PlanStatus, Totals, UnplacedReason
from scheduler.types import Need, Problem

RTT_TOLERANCE_MS = 1e-9
"""For the mean of round trips only: limits are compared exactly."""


class Checker:
    """Checks plans and placements of one problem, whose tables it lays out once."""

    def __init__(self, problem: Problem) -> None:
        self.facts = Facts(problem)

    def plan(self, plan: Plan) -> tuple[str, ...]:
        """Every rule the plan breaks and every wrong figure it states, in sentences; empty if it is right."""
        return tuple(_PlanCheck(self.facts, plan).violations())

    def placements(self, placements: Iterable[Placement], capacity: bool) -> tuple[str, ...]:
        """Every rule that placements alone break; ``capacity`` says whether there is only so much of it."""
        check = _Check(self.facts, tuple(placements))
        found = [*check.names(), *check.rules()]
        return tuple([*found, *check.capacity()] if capacity else found)


def check_plan(problem: Problem, plan: Plan) -> tuple[str, ...]:
    """Every rule the plan breaks and every wrong figure it states, in sentences; empty if it is right."""
    return Checker(problem).plan(plan)


def check_placements(problem: Problem, placements: Iterable[Placement], capacity: bool) -> tuple[str, ...]:
    """Every rule that placements alone break; ``capacity`` says whether there is only so much of it."""
    return Checker(problem).placements(placements, capacity)


def certified_bound(problem: Problem, certificate: Certificate) -> int:
    """The lower bound in nano-CNY that a certificate's prices prove, whatever bound it states.

    Raises ``ValueError`` for rows that are none, and unless there are no worths or one a workload.
    """
    return _proved(Facts(problem), certificate)


def _proved(facts: Facts, certificate: Certificate) -> int:
    if certificate.worths_nano_cny:
        return bound_by_worths(facts, certificate.worths_nano_cny)
    return facts.bound(certificate)


class _Check:
    """Placements against one problem: names, rules, capacity."""

    def __init__(self, facts: Facts, placements: Sequence[Placement]) -> None:
        self.facts = facts
        self.problem = facts.problem
        self.stated = placements
        self.placements = [placement for placement in placements if self._known(placement)]
        self.rows = _ints([facts.row[p.workload] for p in self.placements])
        """(P,) row of each placement's workload, `at` the position of its site."""
        self.at = _ints([facts.position[p.site] for p in self.placements])
        self.used: dict[tuple[str, str], int] = defaultdict(int)
        for (site, needs), times in Counter((p.site, p.needs) for p in self.placements).items():
            for grade, milli in needs:
                self.used[site, grade] += milli * times

    def _known(self, placement: Placement) -> bool:
        known = placement.workload in self.facts.row and placement.site in self.facts.position
        return known and all((placement.site, need.grade) in self.facts.grade for need in placement.needs)

    def names(self, others: Iterable[str] = ()) -> Iterator[str]:
        named = Counter(p.workload for p in self.stated)
        named.update(others)
        for name, times in named.items():
            if name not in self.facts.row:
                yield f"{name} is no workload of the problem"
            elif times > 1:
                yield f"{name} is placed or left out {times} times"
        for placement in self.stated:
            if not self._known(placement):
                yield f"{placement.workload}: {placement.site} is no site with the grades it is given"

    def rules(self) -> Iterator[str]:
        yield from self._needs()
        facts, here = self.facts, np.arange(len(self.rows))
        for n in np.flatnonzero(~facts.near(self.rows)[here, self.at]).tolist():
            w, site = facts.workload(int(self.rows[n])), self.placements[n].site
            rtt_ms = float(facts.rtt_ms[facts.table.origin[self.rows[n]], self.at[n]])
            yield f"{w.id}: {site} is {rtt_ms} ms away, beyond {w.latency_ms_max} ms"
        for n in np.flatnonzero(~facts.may_go(self.rows)[here, self.at]).tolist():
            w, site = facts.workload(int(self.rows[n])), self.placements[n].site
            yield f"{w.id}: its data may not leave its {w.residency}, but it is at {site}"

    def _needs(self) -> Iterator[str]:
        """Whether each placement has the cards of the alternative that it names."""
        right: dict[tuple[int, int, tuple[Need, ...]], bool] = {}
        demands = self.facts.demand[self.rows].tolist()
        for placement, demand, row in zip(self.placements, demands, self.rows.tolist(), strict=True):
            stated = (demand, placement.alternative, placement.needs)
            if stated not in right:
                vectors = dict(enumerate(self.facts.table.alternatives(row)))
                right[stated] = vectors.get(placement.alternative) == placement.needs
            if not right[stated]:
                yield (
                    f"{placement.workload}: {placement.needs} is not its alternative {placement.alternative}"
                )

    def capacity(self) -> Iterator[str]:
        for resource, used in self.used.items():
            if used > self.facts.capacity(resource):
                yield f"{resource}: {used} milli-cards used, {self.facts.capacity(resource)} there"


class _PlanCheck(_Check):
    """A whole plan: its figures and its proof as well."""

    def __init__(self, facts: Facts, plan: Plan) -> None:
        super().__init__(facts, plan.placements)
        self.plan = plan

    def violations(self) -> Iterator[str]:
        yield from self.names(u.workload for u in self.plan.unplaced)
        yield from self._missing()
        yield from self.rules()
        yield from self.capacity()
        yield from self._purchases()
        yield from self._totals()
        yield from self._summaries()
        yield from self._reasons()
        yield from self._proof()

    def _missing(self) -> Iterator[str]:
        named = {p.workload for p in self.plan.placements} | {u.workload for u in self.plan.unplaced}
        for name in self.facts.row:
            if name not in named:
                yield f"{name} is neither placed nor left out"

    def _purchases(self) -> Iterator[str]:
        offers = {offer.id: offer for offer in self.problem.offers}
        bought: dict[tuple[str, str], int] = defaultdict(int)
        cost: dict[tuple[str, str], int] = defaultdict(int)
        taken: Counter[str] = Counter()
        for item in self.plan.purchases:
            offer = offers.get(item.offer)
            stated = (item.site, item.grade, item.price_micro_cny)
            if offer is None or (offer.site, offer.grade, offer.price_micro_cny) != stated:
                yield f"{item} is not what is offered"
                continue
            taken[item.offer] += item.milli_cards
            if item.milli_cards <= 0 or taken[item.offer] > offer.milli_cards:
                yield f"{item} takes more than is offered, or nothing"
            if item.cost_nano_cny != item.milli_cards * offer.price_micro_cny * self.problem.slot_hours:
                yield f"{item} states a wrong cost"
            bought[offer.site, offer.grade] += item.milli_cards
            cost[offer.site, offer.grade] += item.cost_nano_cny
        for resource in self.used.keys() | bought.keys():
            serving = self.facts.taken(resource, self.used[resource])
            lacking = sum(milli for step, milli in serving if step.offered)
            if bought[resource] != lacking:
                yield f"{resource}: {bought[resource]} milli-cards bought, {lacking} needed"
            elif cost[resource] != self.facts.cheapest_cover(resource, self.used[resource]):
                yield f"{resource}: not bought from the cheapest offers"

    def _totals(self) -> Iterator[str]:
        expected = self._recomputed()
        for name in Totals.__slots__:
            stated, right = getattr(self.plan.totals, name), expected[name]
            agrees = math.isclose(stated, right, rel_tol=1e-12) if name == "kgco2" else stated == right
            if not agrees:
                yield f"totals.{name} is {stated}, recomputed {float(right):.6f}"

    def _recomputed(self) -> Mapping[str, Fraction | int]:
        hours = power = carbon = 0
        kgco2 = Fraction(0)
        table = self.facts.table
        # times it runs: hours of all workloads with the same cards at the same site
        running: Counter[tuple[str, tuple[Need, ...]]] = Counter()
        for placement, times in zip(self.placements, table.hours[self.rows].tolist(), strict=True):
            running[placement.site, placement.needs] += times
        for (site, needs), times in running.items():
            for grade, milli in needs:
                figures = self.facts.grade[site, grade]
                hours += milli * times
                power += milli * times * figures.power_micro_cny
                carbon += milli * times * self.facts.carbon_rate(site, grade)
                kgco2 += Fraction(figures.kgco2) * milli * times / 1000
        price = self.facts.price[table.origin[self.rows], self.at]
        transfer = int((price * table.data_gb[self.rows].astype(object)).sum()) * 1000
        covers = [self.facts.cheapest_cover(resource, used) for resource, used in self.used.items()]
        return {
            "placed": len(self.placements),
            "milli_card_hours": hours,
            "purchase_nano_cny": sum(cost or 0 for cost in covers),
            "transfer_nano_cny": transfer,
            "reserved_value_nano_cny": self._of_reservations(lambda step: step.paid_micro_cny),
            "forgone_nano_cny": self._of_reservations(lambda step: step.price_micro_cny),
            "carbon_nano_cny": carbon,
            "power_nano_cny": power,
            "kgco2": kgco2,
        }

    def _of_reservations(self, price: Callable[[Step], int]) -> int:
        """A price in micro-CNY added up over the reserved cards in use, in nano-CNY for the slot."""
        worth = 0
        for resource, used in self.used.items():
            taken = self.facts.taken(resource, used)
            worth += sum(milli * price(step) for step, milli in taken if not step.offered)
        return worth * self.problem.slot_hours

    def _summaries(self) -> Iterator[str]:
        table = self.facts.table
        names = [table.latency_classes[number] for number in table.latency_class.tolist()]
        sizes = Counter(names)
        rtts: dict[str, list[float]] = defaultdict(list)
        hours: Counter[str] = Counter()
        times = self.facts.rtt_ms[table.origin[self.rows], self.at].tolist()
        running = table.hours[self.rows].tolist()
        for placement, row, rtt_ms, ran in zip(
            self.placements, self.rows.tolist(), times, running, strict=True
        ):
            rtts[names[row]].append(rtt_ms)
            hours[names[row]] += sum(need.milli_cards for need in placement.needs) * ran
        if [row.latency_class for row in self.plan.by_latency_class] != list(sizes):
            yield "the summary does not have each latency class once, in order of arrival"
        for summary in self.plan.by_latency_class:
            name, trips = summary.latency_class, rtts[summary.latency_class]
            mean = math.fsum(trips) / len(trips) if trips else 0.0
            right = ClassSummary(name, sizes[name], len(trips), hours[name], mean, max(trips, default=0.0))
            same = abs(summary.mean_rtt_ms - right.mean_rtt_ms) <= RTT_TOLERANCE_MS
            if not same or summary._replace(mean_rtt_ms=0) != right._replace(mean_rtt_ms=0):
                yield f"{summary} should be {right}"

    def _reasons(self) -> Iterator[str]:
        known: dict[object, UnplacedReason] = {}
        table = self.facts.table
        for item in self.plan.unplaced:
            row = self.facts.row.get(item.workload)
            if row is None:
                continue
            alike = (
                self.facts.demand[row],
                table.origin[row],
                table.residency[row],
                table.latency_ms_max[row],
            )
            if alike not in known:
                known[alike] = self._reason(row)
            if item.reason != known[alike]:
                yield f"{item.workload} is left out for {item.reason}, but the reason is {known[alike]}"

    def _reason(self, row: int) -> UnplacedReason:
        one = _ints([row])
        near = self.facts.near(one)[0]
        vectors = self.facts.table.alternatives(row)
        sites = [site.code for site in self.facts.sites(near & self.facts.may_go(one)[0])]
        if not sites:
            return UnplacedReason.RESIDENCY if near.any() else UnplacedReason.LATENCY
        smallest = [tuple(Need(grade, 1) for grade, _ in vector) for vector in vectors]
        if not any(self.facts.fits_alone(site, vector) for site in sites for vector in smallest):
            return UnplacedReason.NO_GRADE
        fitting = [(s, v) for s in sites for v in vectors if self.facts.fits_alone(s, v)]
        if not fitting:
            return UnplacedReason.TOO_LARGE
        served = any(self.facts.cost_alone(row, *way) < self.facts.penalty(one)[0] for way in fitting)
        return UnplacedReason.CAPACITY if served else UnplacedReason.TOO_DEAR

    def _certificate(self) -> Iterator[str]:
        stated = self.plan.certificate.bound_nano_cny
        try:
            bound = _proved(self.facts, self.plan.certificate)
        except ValueError as error:
            yield f"the certificate proves nothing: {error}"
            return
        if stated > max(bound, 0):
            yield f"the certificate proves {bound}, not {stated}"

    def _proof(self) -> Iterator[str]:
        out = np.ones(len(self.facts.table), dtype=np.bool_)
        out[self.rows] = False
        penalties = int(self.facts.penalty(np.flatnonzero(out)).sum())
        totals = self._recomputed()
        paid = ("purchase_nano_cny", "transfer_nano_cny", "forgone_nano_cny", "carbon_nano_cny")
        worth = sum(totals[name] for name in paid) + penalties
        if self.plan.value_nano_cny != worth:
            yield f"the plan states a value of {self.plan.value_nano_cny}, recomputed {worth}"
        yield from self._certificate()
        if not self.plan.certificate.bound_nano_cny <= self.plan.lower_bound_nano_cny <= worth:
            yield f"the lower bound {self.plan.lower_bound_nano_cny} contradicts certificate or value"
        certified = self.plan.certificate.bound_nano_cny == self.plan.lower_bound_nano_cny
        if self.plan.bound_from == "certificate" and not certified:
            yield "the bound is not the certificate's"
        if (self.plan.status is PlanStatus.OPTIMAL) != (self.plan.gap_nano_cny == 0):
            yield f"status {self.plan.status} with a gap of {self.plan.gap_nano_cny}"


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)
