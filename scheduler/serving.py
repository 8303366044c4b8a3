"""What serving one workload would cost beside others, and what leaving it out counts: one slot, exactly."""

from collections.abc import Sequence

from scheduler.accounting import Books
from scheduler.instance import PENALTY_FACTOR, Ints
from scheduler.types import Need, Problem, Reservation, carbon_rate


class Serving:
    """The figures of one problem in nano-CNY; workloads by row, sites by position."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.books = Books(problem)
        self.table = self.books.table
        self.dearest: dict[str, int] = {}
        for g in self.books.grades:
            self.dearest[g.grade] = max(self.dearest.get(g.grade, 0), g.list_price_micro_cny)

    def cost(self, row: int, site: int, vector: Sequence[Need], used: Ints) -> int | None:
        """Cards at their marginal price beside ``used`` (R,), transfer and carbon; None without room."""
        code = self.problem.sites[site].code
        total = self.transfer(row)[site]
        for grade, milli in vector:
            at = self.books.index.get((code, grade))
            cards = None if at is None else self._cards(at, milli, int(used[at]))
            if at is None or cards is None:
                return None
            rate = carbon_rate(self.books.grades[at], self.books.carbon_price)
            total += cards + rate * milli * int(self.table.hours[row])
        return total

    def penalty(self, row: int, vector: Sequence[Need], priority: int) -> int:
        """What leaving it out counts if ``vector`` were its demand: `scheduler.instance.PENALTY_FACTOR`."""
        hours = self.problem.slot_hours
        demand = sum(max(self.dearest.get(grade, 0) * hours, 1) * milli for grade, milli in vector)
        return PENALTY_FACTOR * (1 + priority) * (demand + max(self.transfer(row), default=0))

    def transfer(self, row: int) -> list[int]:
        """Moving its data to each site."""
        prices = self.problem.network.transfer_micro_cny_per_gb
        if prices is None:
            return [0] * len(self.problem.sites)
        origin = self.books.cities[self.table.origin[row]]
        here: list[int] = prices[origin, self.books.columns].tolist()
        return [price * int(self.table.data_gb[row]) * 1000 for price in here]

    def _cards(self, at: int, milli: int, used: int) -> int | None:
        total = 0
        for item in self.books.steps.get(self.books.resources[at], ()):
            here = min(milli, max(item.milli_cards - used, 0))
            used = max(used - item.milli_cards, 0)
            price = item.worth_micro_cny if isinstance(item, Reservation) else item.price_micro_cny
            total += here * price * self.problem.slot_hours
            milli -= here
        return None if milli else total
