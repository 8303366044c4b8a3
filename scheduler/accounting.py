"""What placements cost, draw and emit: exact integers, the same for a plan and for every baseline."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from scheduler.plan import ClassSummary, Placement, Purchase, Totals
from scheduler.types import MILLI, InvariantViolation, Problem, Reservation, Workload

Resource = tuple[str, str]
"""(site code, grade)."""


class Books:
    """The figures of one problem, looked up by name."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.workloads = {w.id: w for w in problem.workloads}
        self.grades = {(site.code, g.grade): g for site in problem.sites for g in site.grades}
        self.row = {city: i for i, city in enumerate(problem.network.origins)}
        self.column = {code: i for i, code in enumerate(problem.network.sites)}
        self.reservations: Mapping[Resource, list[Reservation]] = _by_resource(
            sorted(problem.reservations, key=lambda item: item.paid_micro_cny)
        )
        self.offers = defaultdict(list)
        for row, offer in enumerate(problem.offers):
            self.offers[offer.site, offer.grade].append((offer.price_micro_cny, row))

    def used(self, placements: Iterable[Placement]) -> dict[Resource, int]:
        """Milli-cards in use of each grade at each site."""
        used: dict[Resource, int] = defaultdict(int)
        for placement in placements:
            for grade, milli in placement.needs:
                used[placement.site, grade] += milli
        return used

    def purchases(self, used: Mapping[Resource, int]) -> tuple[Purchase, ...]:
        """What must be bought: reserved cards first, then the cheapest offers, ties in the order given."""
        bought = []
        for resource in sorted(used):
            lacking = used[resource] - sum(item.milli_cards for item in self.reservations.get(resource, ()))
            for price, row in sorted(self.offers[resource]):
                offer = self.problem.offers[row]
                if (milli := min(lacking, offer.milli_cards)) > 0:
                    cost = milli * price * self.problem.slot_hours
                    bought.append(Purchase(offer.id, *resource, milli, price, cost))
                    lacking -= milli
            if lacking > 0:
                raise InvariantViolation(f"{resource} lacks {lacking} milli-cards for what is placed there")
        return tuple(bought)

    def reserved_value(self, used: Mapping[Resource, int]) -> int:
        """The sunk price in nano-CNY of the reserved cards in use, the cheapest taken first."""
        worth = 0
        for resource, milli in used.items():
            for item in self.reservations.get(resource, ()):
                taken = min(milli, item.milli_cards)
                worth += taken * item.paid_micro_cny * self.problem.slot_hours
                milli -= taken
        return worth

    def totals(self, placements: Sequence[Placement]) -> Totals:
        """Everything about a set of placements; raises `InvariantViolation` if capacity does not suffice."""
        used = self.used(placements)
        purchase = sum(item.cost_nano_cny for item in self.purchases(used))
        return self._totals(placements, purchase, self.reserved_value(used))

    def totals_at_list_price(self, placements: Sequence[Placement]) -> Totals:
        """The same with unlimited capacity at the sites' list prices, nothing reserved."""
        hours = self.problem.slot_hours
        used = self.used(placements).items()
        purchase = sum(milli * self.grades[r].list_price_micro_cny * hours for r, milli in used)
        return self._totals(placements, purchase, 0)

    def _totals(self, placements: Sequence[Placement], purchase: int, reserved: int) -> Totals:
        milli_hours: dict[Resource, int] = defaultdict(int)
        for placement in placements:
            for grade, milli in placement.needs:
                milli_hours[placement.site, grade] += milli * self.workloads[placement.workload].hours
        return Totals(
            placed=len(placements),
            milli_card_hours=sum(milli_hours.values()),
            purchase_nano_cny=purchase,
            transfer_nano_cny=sum(self.transfer(p) for p in placements),
            reserved_value_nano_cny=reserved,
            power_nano_cny=sum(m * self.grades[r].power_micro_cny for r, m in milli_hours.items()),
            # fsum: the same total in whatever order the placements come
            kgco2=math.fsum(m * self.grades[r].kgco2 / MILLI for r, m in milli_hours.items()),
        )

    def transfer(self, placement: Placement) -> int:
        """Nano-CNY for moving one workload's data to its site."""
        prices = self.problem.network.transfer_micro_cny_per_gb
        if prices is None:
            return 0
        w = self.workloads[placement.workload]
        return int(prices[self.row[w.origin], self.column[placement.site]]) * w.data_gb * 1000

    def rtt_ms(self, w: Workload, site: str) -> float:
        """Round trip between a workload's origin and a site."""
        return float(self.problem.network.rtt_ms[self.row[w.origin], self.column[site]])

    def by_latency_class(self, placements: Iterable[Placement]) -> tuple[ClassSummary, ...]:
        """One summary a latency class, in order of first arrival."""
        placed: dict[str, list[tuple[float, int]]] = {w.latency_class: [] for w in self.problem.workloads}
        total: dict[str, int] = defaultdict(int)
        for w in self.problem.workloads:
            total[w.latency_class] += 1
        for placement in placements:
            w = self.workloads[placement.workload]
            milli = sum(need.milli_cards for need in placement.needs)
            placed[w.latency_class].append((self.rtt_ms(w, placement.site), milli * w.hours))
        return tuple(_summary(name, total[name], rows) for name, rows in placed.items())


def _summary(name: str, workloads: int, rows: Sequence[tuple[float, int]]) -> ClassSummary:
    rtts = [rtt for rtt, _ in rows]
    mean = math.fsum(rtts) / len(rtts) if rtts else 0.0
    hours = sum(milli_hours for _, milli_hours in rows)
    return ClassSummary(name, workloads, len(rows), hours, mean, max(rtts, default=0.0))


def _by_resource(items: Iterable[Reservation]) -> dict[Resource, list[Reservation]]:
    found: dict[Resource, list[Reservation]] = defaultdict(list)
    for item in items:
        found[item.site, item.grade].append(item)
    return found
