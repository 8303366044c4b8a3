"""What placements cost, draw and emit: exact integers, the same for a plan and for every baseline."""

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from scheduler.instance import Ints
from scheduler.integers import dot
from scheduler.placed import Placed, uses
from scheduler.plan import ClassSummary, Purchase, Totals
from scheduler.types import MILLI, InvariantViolation, Offer, Problem, Reservation, carbon_rate
from scheduler.workload_table import WorkloadTable

Resource = tuple[str, str]
"""(site code, grade)."""


class Books:
    """The figures of one problem as columns; R resources in the order of the sites and their grades."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.table = WorkloadTable.of(problem.workloads)
        held = [(site.code, g) for site in problem.sites for g in site.grades]
        self.resources: list[Resource] = [(code, g.grade) for code, g in held]
        self.grades = [g for _, g in held]
        self.carbon_price = problem.carbon_price_micro_cny_per_kg
        self.index = {resource: row for row, resource in enumerate(self.resources)}
        self.steps = _steps(problem)
        row = {city: i for i, city in enumerate(problem.network.origins)}
        column = {code: i for i, code in enumerate(problem.network.sites)}
        self.cities = np.array([row[city] for city in self.table.cities], dtype=np.int64)
        self.columns = np.array([column[site.code] for site in problem.sites], dtype=np.int64)

    def used(self, placed: Placed, times: Ints | None = None) -> Ints:
        """(R,) milli-cards in use; ``times`` (N,) counts each workload so often, e.g. its running hours."""
        used = np.zeros(len(self.resources), dtype=np.int64)
        for grade, at, milli in uses(self.table, placed):
            rows = [self.index.get((site.code, grade), -1) for site in self.problem.sites]
            resource = np.array(rows, dtype=np.int64)[placed.site[at]]
            np.add.at(used, resource, milli if times is None else milli * times[placed.row[at]])
        return used

    def taken(self, used: Ints) -> Iterator[tuple[Reservation | Offer, int]]:
        """What serves this use (R,), with milli-cards of each: least cost first, reserved before offered."""
        for row, lacking in sorted(enumerate(used.tolist()), key=lambda item: self.resources[item[0]]):
            for item in self.steps.get(self.resources[row], ()):
                if (milli := min(lacking, item.milli_cards)) > 0:
                    yield item, milli
                    lacking -= milli
            if lacking > 0:
                where = self.resources[row]
                raise InvariantViolation(f"{where} lacks {lacking} milli-cards for what is placed there")

    def purchases(self, used: Ints) -> tuple[Purchase, ...]:
        """What must be bought for this use (R,)."""
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

    def reserved(self, used: Ints) -> tuple[int, int]:
        """Nano-CNY paid for the reserved cards in use, and nano-CNY that they would still have fetched."""
        paid = forgone = 0
        for item, milli in self.taken(used):
            if isinstance(item, Reservation):
                paid += milli * item.paid_micro_cny * self.problem.slot_hours
                forgone += milli * item.worth_micro_cny * self.problem.slot_hours
        return paid, forgone

    def totals(self, placed: Placed) -> Totals:
        """Everything about a set of placements; raises `InvariantViolation` if capacity does not suffice."""
        used = self.used(placed)
        purchase = sum(item.cost_nano_cny for item in self.purchases(used))
        return self._totals(placed, purchase, *self.reserved(used))

    def totals_at_list_price(self, placed: Placed) -> Totals:
        """The same with unlimited capacity at the sites' list prices, nothing reserved."""
        used = zip(self.used(placed).tolist(), self.grades, strict=True)
        purchase = sum(milli * g.list_price_micro_cny * self.problem.slot_hours for milli, g in used)
        return self._totals(placed, purchase, 0, 0)

    def _totals(self, placed: Placed, purchase: int, paid: int, forgone: int) -> Totals:
        milli_hours = self.used(placed, self.table.hours).tolist()
        held = list(zip(milli_hours, self.grades, strict=True))
        return Totals(
            placed=len(placed.row),
            milli_card_hours=sum(milli_hours),
            purchase_nano_cny=purchase,
            transfer_nano_cny=self.transfer(placed),
            reserved_value_nano_cny=paid,
            forgone_nano_cny=forgone,
            carbon_nano_cny=sum(milli * carbon_rate(g, self.carbon_price) for milli, g in held),
            power_nano_cny=sum(milli * g.power_micro_cny for milli, g in held),
            # fsum: the same total in whatever order the resources come
            kgco2=math.fsum(milli * g.kgco2 / MILLI for milli, g in held),
        )

    def transfer(self, placed: Placed) -> int:
        """Nano-CNY for moving the workloads' data to their sites."""
        prices = self.problem.network.transfer_micro_cny_per_gb
        if prices is None:
            return 0
        origin = self.cities[self.table.origin[placed.row]]
        price = prices[origin, self.columns[placed.site]].astype(np.int64)
        return dot(price, self.table.data_gb[placed.row]) * 1000

    def by_latency_class(self, placed: Placed) -> tuple[ClassSummary, ...]:
        """One summary a latency class, in order of first arrival."""
        table = self.table
        numbers, first = np.unique(table.latency_class, return_index=True)
        rtt_ms = self.problem.network.rtt_ms[self.cities[table.origin[placed.row]], self.columns[placed.site]]
        milli = np.zeros(len(placed.row), dtype=np.int64)
        for _, at, cards in uses(table, placed):
            milli[at] += cards
        hours = milli * table.hours[placed.row]
        total = np.bincount(table.latency_class, minlength=len(table.latency_classes))
        summaries = []
        for number in numbers[np.argsort(first)].tolist():
            here = table.latency_class[placed.row] == number
            rtts = rtt_ms[here].tolist()
            mean = math.fsum(rtts) / len(rtts) if rtts else 0.0
            name, longest = table.latency_classes[number], max(rtts, default=0.0)
            summary = ClassSummary(name, int(total[number]), len(rtts), int(hours[here].sum()), mean, longest)
            summaries.append(summary)
        return tuple(summaries)


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
