"""What placements cost, draw and emit: exact integers, the same for a plan and for every baseline."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from scheduler.plan import ClassSummary, Placement, Purchase, Totals
from scheduler.types import MILLI, InvariantViolation, Offer, Problem, Reservation, Workload

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
        self.steps = _steps(problem)

    def used(self, placements: Iterable[Placement]) -> dict[Resource, int]:
        """Milli-cards in use of each grade at each site."""
        used: dict[Resource, int] = defaultdict(int)
        for placement in placements:
            for grade, milli in placement.needs:
                used[placement.site, grade] += milli
        return used

    def taken(self, used: Mapping[Resource, int]) -> Iterator[tuple[Reservation | Offer, int]]:
        """What serves this use, with milli-cards of each: least cost first, reserved before offered."""
        for resource in sorted(used):
            lacking = used[resource]
            for item in self.steps.get(resource, ()):
                if (milli := min(lacking, item.milli_cards)) > 0:
                    yield item, milli
                    lacking -= milli
            if lacking > 0:
                raise InvariantViolation(f"{resource} lacks {lacking} milli-cards for what is placed there")

    def purchases(self, used: Mapping[Resource, int]) -> tuple[Purchase, ...]:
        """What must be bought for this use."""
        hours = self.problem.slot_hours
        return tuple(
            Purchase(
                item.id,
                item.site,
                item.grade,
                milli,
                item.price_micro_cny,
                milli * item.price_micro_cny * hours,
            )
            for item, milli in self.taken(used)
            if isinstance(item, Offer)
        )

    def reserved(self, used: Mapping[Resource, int]) -> tuple[int, int]:
        """Nano-CNY paid for the reserved cards in use, and nano-CNY that they would still have fetched."""
        paid = forgone = 0
        for item, milli in self.taken(used):
            if isinstance(item, Reservation):
                paid += milli * item.paid_micro_cny * self.problem.slot_hours
                forgone += milli * item.worth_micro_cny * self.problem.slot_hours
        return paid, forgone

    def totals(self, placements: Sequence[Placement]) -> Totals:
        """Everything about a set of placements; raises `InvariantViolation` if capacity does not suffice."""
        used = self.used(placements)
        purchase = sum(item.cost_nano_cny for item in self.purchases(used))
        return self._totals(placements, purchase, *self.reserved(used))

    def totals_at_list_price(self, placements: Sequence[Placement]) -> Totals:
        """The same with unlimited capacity at the sites' list prices, nothing reserved."""
        hours = self.problem.slot_hours
        used = self.used(placements).items()
        purchase = sum(milli * self.grades[r].list_price_micro_cny * hours for r, milli in used)
        return self._totals(placements, purchase, 0, 0)

    def _totals(self, placements: Sequence[Placement], purchase: int, paid: int, forgone: int) -> Totals:
        milli_hours: dict[Resource, int] = defaultdict(int)
        for placement in placements:
            for grade, milli in placement.needs:
                milli_hours[placement.site, grade] += milli * self.workloads[placement.workload].hours
        return Totals(
            placed=len(placements),
            milli_card_hours=sum(milli_hours.values()),
            purchase_nano_cny=purchase,
            transfer_nano_cny=sum(self.transfer(p) for p in placements),
            reserved_value_nano_cny=paid,
            forgone_nano_cny=forgone,
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


def _steps(problem: Problem) -> dict[Resource, list[Reservation | Offer]]:
    """Everything there is of each resource in the order in which it is used."""
    order: list[tuple[int, int, int, int, Reservation | Offer]] = []
    for row, item in enumerate(problem.reservations):
        order.append((item.worth_micro_cny, 0, item.paid_micro_cny, row, item))
    for row, offer in enumerate(problem.offers):
        order.append((offer.price_micro_cny, 1, 0, row, offer))
    found: dict[Resource, list[Reservation | Offer]] = defaultdict(list)
    for *_, step in sorted(order, key=lambda entry: entry[:4]):
        found[step.site, step.grade].append(step)
    return found
