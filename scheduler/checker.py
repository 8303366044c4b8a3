"""An independent check of a plan: plain Python, written from the rules and not from the models.

It shares the input and result types with the rest of the package and nothing else, so a mistake in a model,
in the accounting or in the bound cannot hide in here as well. Integers and fractions throughout.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from nodes.types import Residency
from scheduler.plan import Certificate, ClassSummary, Placement, Plan, PlanStatus, Totals, UnplacedReason
from scheduler.types import Need, Problem, Site, Workload

PENALTY_FACTOR = 10
"""Leaving work out counts ten times its demand at its grades' dearest list price, and again per priority."""

RTT_TOLERANCE_MS = 1e-9
"""For the mean of round trips only: limits are compared exactly."""


def check_plan(problem: Problem, plan: Plan) -> tuple[str, ...]:
    """Every rule the plan breaks and every wrong figure it states, in sentences; empty if it is right."""
    return tuple(_PlanCheck(problem, plan).violations())


def check_placements(problem: Problem, placements: Iterable[Placement], capacity: bool) -> tuple[str, ...]:
    """Every rule that placements alone break; ``capacity`` says whether there is only so much of it."""
    check = _Check(problem, tuple(placements))
    found = [*check.names(), *check.rules()]
    return tuple([*found, *check.capacity()] if capacity else found)


def certified_bound(problem: Problem, certificate: Certificate) -> int:
    """The lower bound in nano-CNY that a certificate's prices prove, whatever bound it states."""
    return _Facts(problem).bound(certificate)


class _Step(NamedTuple):
    """Cards at one price: offered, or reserved with what they cost and what they would still fetch."""

    price_micro_cny: int
    offered: bool
    paid_micro_cny: int
    milli_cards: int


class _Facts:
    """The problem's tables by name, and the rules that need them."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.hours = problem.slot_hours
        self.workloads = {w.id: w for w in problem.workloads}
        self.sites = {site.code: site for site in problem.sites}
        self.origins = {origin.city: origin for origin in problem.origins}
        self.grade = {(site.code, g.grade): g for site in problem.sites for g in site.grades}
        self.reserved: dict[tuple[str, str], int] = defaultdict(int)
        self.steps: dict[tuple[str, str], list[_Step]] = defaultdict(list)
        for item in problem.reservations:
            self.reserved[item.site, item.grade] += 0 if item.worth_micro_cny else item.milli_cards
            step = _Step(item.worth_micro_cny, False, item.paid_micro_cny, item.milli_cards)
            self.steps[item.site, item.grade].append(step)
        for offer in problem.offers:
            step = _Step(offer.price_micro_cny, True, 0, offer.milli_cards)
            self.steps[offer.site, offer.grade].append(step)
        for steps in self.steps.values():
            # a stable sort: what is alike stays in the order given
            steps.sort(key=lambda step: step[:3])
        self.network_row = {city: i for i, city in enumerate(problem.network.origins)}
        self.network_column = {code: i for i, code in enumerate(problem.network.sites)}

    def rtt_ms(self, w: Workload, site: str) -> float:
        return float(self.problem.network.rtt_ms[self.network_row[w.origin]][self.network_column[site]])

    def may_go(self, w: Workload, site: Site) -> bool:
        origin = self.origins[w.origin]
        allowed = {
            Residency.SITE: site.code == origin.home_site,
            Residency.CITY: site.city == origin.city,
            Residency.PROVINCE: site.province == origin.province,
            Residency.ANY: True,
        }
        return allowed[w.residency]

    def near(self, w: Workload, site: Site) -> bool:
        rtt_ms = self.rtt_ms(w, site.code)
        return math.isfinite(rtt_ms) and rtt_ms <= w.latency_ms_max

    def transfer(self, w: Workload, site: str) -> int:
        prices = self.problem.network.transfer_micro_cny_per_gb
        if prices is None:
            return 0
        micro = int(prices[self.network_row[w.origin]][self.network_column[site]]) * w.data_gb
        return micro * 1000

    def penalty(self, w: Workload) -> int:
        dearest: Counter[str] = Counter()
        for site in self.problem.sites:
            for g in site.grades:
                dearest[g.grade] = max(dearest[g.grade], g.list_price_micro_cny)
        demand = sum(max(dearest[grade] * self.hours, 1) * milli for grade, milli in w.alternatives[0])
        transfer = max((self.transfer(w, code) for code in self.sites), default=0)
        return PENALTY_FACTOR * (1 + w.priority) * (demand + transfer)

    def capacity(self, resource: tuple[str, str]) -> int:
        return sum(step.milli_cards for step in self.steps[resource])

    def priced(self, resource: tuple[str, str]) -> "list[_Step]":
        """The steps that a certificate counts: everything but what is reserved and free to use."""
        steps = self.steps[resource]
        return [step for step in steps if step.milli_cards and (step.offered or step.price_micro_cny)]

    def fits_alone(self, site: str, vector: tuple[Need, ...]) -> bool:
        return all(
            (site, grade) in self.grade and milli <= self.capacity((site, grade)) for grade, milli in vector
        )

    def cheapest_cover(self, resource: tuple[str, str], used: int) -> int | None:
        """Nano-CNY of what must be bought for this use; None if there are not so many milli-cards."""
        taken = self.taken(resource, used)
        if sum(milli for _, milli in taken) < used:
            return None
        return sum(milli * step.price_micro_cny * self.hours for step, milli in taken if step.offered)

    def taken(self, resource: tuple[str, str], used: int) -> "list[tuple[_Step, int]]":
        """How many milli-cards of each step serve this use."""
        found = []
        for step in self.steps[resource]:
            milli = min(used, step.milli_cards)
            used -= milli
            found.append((step, milli))
        return found

    def bound(self, certificate: Certificate) -> int:
        """Lagrangian bound, one workload at a time."""
        charge = _Charges(self, certificate)
        known: dict[tuple[object, ...], int] = {}
        total = 0
        for w in self.problem.workloads:
            alike = (w.alternatives, w.origin, w.latency_ms_max, w.residency, w.data_gb, w.priority)
            if alike not in known:
                known[alike] = min([self.penalty(w), *self._options(w, charge)])
            total += known[alike]
        return total - charge.worth

    def _options(self, w: Workload, charge: "_Charges") -> Iterator[int]:
        for site in self.problem.sites:
            if self.near(w, site) and self.may_go(w, site):
                for vector in w.alternatives:
                    if self.fits_alone(site.code, vector):
                        charges = sum(charge.of((site.code, grade), milli) for grade, milli in vector)
                        yield self.transfer(w, site.code) + charges


class _Charges:
    """What a certificate charges for cards, and what it says all capacity is worth beyond its price.

    A row says: what workloads of size a count, d·⌊a/w⌋ + max(0, a mod w − f), adds up to at most d·⌊b/w⌋ plus
    what is taken beyond b, the free cards and the ``level`` cheapest steps; f = b mod w and d = w − f.
    """

    def __init__(self, facts: _Facts, certificate: Certificate) -> None:
        self.rows: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
        self.memory: dict[tuple[tuple[str, str], int], int] = {}
        self.worth = 0
        relaxed: dict[tuple[str, str], list[int]] = {}
        for row in certificate.rows:
            if row.nano_cny < 0 or row.grain < 1 or row.level < 0:
                raise ValueError(f"{row} is no valid row of a certificate")
            resource = (row.site, row.grade)
            steps = facts.priced(resource)
            capacity = facts.reserved[resource] + sum(step.milli_cards for step in steps[: row.level])
            self.rows[resource].append((row.grain, capacity % row.grain, row.nano_cny))
            self.worth += row.nano_cny * (row.grain - capacity % row.grain) * (capacity // row.grain)
            beyond = relaxed.setdefault(resource, [0] * len(steps))
            for position in range(row.level, len(steps)):
                beyond[position] += row.nano_cny
        for resource, prices in relaxed.items():
            for price, step in zip(prices, facts.priced(resource), strict=True):
                self.worth += step.milli_cards * max(0, price - step.price_micro_cny * facts.hours)

    def of(self, resource: tuple[str, str], milli: int) -> int:
        """Nano-CNY charged for a workload that needs so many milli-cards of a resource."""
        if (resource, milli) not in self.memory:
            self.memory[resource, milli] = sum(
                price * ((grain - rest) * (milli // grain) + max(0, milli % grain - rest))
                for grain, rest, price in self.rows[resource]
            )
        return self.memory[resource, milli]


class _Check:
    """Placements against one problem: names, rules, capacity."""

    def __init__(self, problem: Problem, placements: Sequence[Placement]) -> None:
        self.facts = _Facts(problem)
        self.problem = problem
        self.stated = placements
        self.placements = [placement for placement in placements if self._known(placement)]
        self.used: dict[tuple[str, str], int] = defaultdict(int)
        for placement in self.placements:
            for grade, milli in placement.needs:
                self.used[placement.site, grade] += milli

    def _known(self, placement: Placement) -> bool:
        known = placement.workload in self.facts.workloads and placement.site in self.facts.sites
        return known and all((placement.site, need.grade) in self.facts.grade for need in placement.needs)

    def names(self, others: Iterable[str] = ()) -> Iterator[str]:
        named = Counter(p.workload for p in self.stated)
        named.update(others)
        for name, times in named.items():
            if name not in self.facts.workloads:
                yield f"{name} is no workload of the problem"
            elif times > 1:
                yield f"{name} is placed or left out {times} times"
        for placement in self.stated:
            if not self._known(placement):
                yield f"{placement.workload}: {placement.site} is no site with the grades it is given"

    def rules(self) -> Iterator[str]:
        for placement in self.placements:
            yield from self._placement(placement)

    def _placement(self, placement: Placement) -> Iterator[str]:
        w = self.facts.workloads[placement.workload]
        site = self.facts.sites[placement.site]
        vectors = dict(enumerate(w.alternatives))
        if vectors.get(placement.alternative) != placement.needs:
            yield f"{w.id}: {placement.needs} is not its alternative {placement.alternative}"
        if not self.facts.near(w, site):
            rtt_ms = self.facts.rtt_ms(w, site.code)
            yield f"{w.id}: {site.code} is {rtt_ms} ms away, beyond {w.latency_ms_max} ms"
        if not self.facts.may_go(w, site):
            yield f"{w.id}: its data may not leave its {w.residency}, but it is at {site.code}"

    def capacity(self) -> Iterator[str]:
        for resource, used in self.used.items():
            if used > self.facts.capacity(resource):
                yield f"{resource}: {used} milli-cards used, {self.facts.capacity(resource)} there"


class _PlanCheck(_Check):
    """A whole plan: its figures and its proof as well."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        super().__init__(problem, plan.placements)
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
        for name in self.facts.workloads:
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
        hours = power = transfer = 0
        kgco2 = Fraction(0)
        for placement in self.placements:
            w = self.facts.workloads[placement.workload]
            transfer += self.facts.transfer(w, placement.site)
            for grade, milli in placement.needs:
                figures = self.facts.grade[placement.site, grade]
                hours += milli * w.hours
                power += milli * w.hours * figures.power_micro_cny
                kgco2 += Fraction(figures.kgco2) * milli * w.hours / 1000
        covers = [self.facts.cheapest_cover(resource, used) for resource, used in self.used.items()]
        return {
            "placed": len(self.placements),
            "milli_card_hours": hours,
            "purchase_nano_cny": sum(cost or 0 for cost in covers),
            "transfer_nano_cny": transfer,
            "reserved_value_nano_cny": self._of_reservations(lambda step: step.paid_micro_cny),
            "forgone_nano_cny": self._of_reservations(lambda step: step.price_micro_cny),
            "power_nano_cny": power,
            "kgco2": kgco2,
        }

    def _of_reservations(self, price: Callable[[_Step], int]) -> int:
        """A price in micro-CNY added up over the reserved cards in use, in nano-CNY for the slot."""
        worth = 0
        for resource, used in self.used.items():
            taken = self.facts.taken(resource, used)
            worth += sum(milli * price(step) for step, milli in taken if not step.offered)
        return worth * self.problem.slot_hours

    def _summaries(self) -> Iterator[str]:
        sizes = Counter(w.latency_class for w in self.problem.workloads)
        rtts: dict[str, list[float]] = defaultdict(list)
        hours: Counter[str] = Counter()
        for placement in self.placements:
            w = self.facts.workloads[placement.workload]
            rtts[w.latency_class].append(self.facts.rtt_ms(w, placement.site))
            hours[w.latency_class] += sum(need.milli_cards for need in placement.needs) * w.hours
        if [row.latency_class for row in self.plan.by_latency_class] != list(sizes):
            yield "the summary does not have each latency class once, in order of arrival"
        for row in self.plan.by_latency_class:
            name, times = row.latency_class, rtts[row.latency_class]
            mean = sum(map(Fraction, times)) / len(times) if times else 0
            right = ClassSummary(
                name, sizes[name], len(times), hours[name], float(mean), max(times, default=0.0)
            )
            same = abs(row.mean_rtt_ms - right.mean_rtt_ms) <= RTT_TOLERANCE_MS
            if not same or row._replace(mean_rtt_ms=0) != right._replace(mean_rtt_ms=0):
                yield f"{row} should be {right}"

    def _reasons(self) -> Iterator[str]:
        for item in self.plan.unplaced:
            w = self.facts.workloads.get(item.workload)
            if w is not None and item.reason != (right := self._reason(w)):
                yield f"{w.id} is left out for {item.reason}, but the reason is {right}"

    def _reason(self, w: Workload) -> UnplacedReason:
        near = [site for site in self.problem.sites if self.facts.near(w, site)]
        sites = [site.code for site in near if self.facts.may_go(w, site)]
        if not sites:
            return UnplacedReason.RESIDENCY if near else UnplacedReason.LATENCY
        smallest = [tuple(Need(grade, 1) for grade, _ in vector) for vector in w.alternatives]
        if not any(self.facts.fits_alone(site, vector) for site in sites for vector in smallest):
            return UnplacedReason.NO_GRADE
        fits = any(self.facts.fits_alone(site, vector) for site in sites for vector in w.alternatives)
        return UnplacedReason.CAPACITY if fits else UnplacedReason.TOO_LARGE

    def _proof(self) -> Iterator[str]:
        placed = {placement.workload for placement in self.placements}
        penalties = sum(self.facts.penalty(w) for w in self.problem.workloads if w.id not in placed)
        totals = self._recomputed()
        paid = ("purchase_nano_cny", "transfer_nano_cny", "forgone_nano_cny")
        worth = sum(totals[name] for name in paid) + penalties
        if self.plan.value_nano_cny != worth:
            yield f"the plan states a value of {self.plan.value_nano_cny}, recomputed {worth}"
        bound = self.facts.bound(self.plan.certificate)
        if self.plan.certificate.bound_nano_cny > max(bound, 0):
            yield f"the certificate proves {bound}, not {self.plan.certificate.bound_nano_cny}"
        if not self.plan.certificate.bound_nano_cny <= self.plan.lower_bound_nano_cny <= worth:
            yield f"the lower bound {self.plan.lower_bound_nano_cny} contradicts certificate or value"
        if (self.plan.status is PlanStatus.OPTIMAL) != (self.plan.gap_nano_cny == 0):
            yield f"status {self.plan.status} with a gap of {self.plan.gap_nano_cny}"
