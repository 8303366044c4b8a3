"""Enterprises that let the scheduler decide what they buy, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.domain.calendar import SHANGHAI, date_of, epoch_day
from exchange.domain.contracts import PeriodKind
from matching.records import Records
from scheduler.io.venue import Holding, Level, Stock
from scheduler.io.workloads import WorkloadRow
from scheduler.types import MILLI
from sims.agents.buyers import Buyers
from sims.agents.crowd import Moment, Seats
from sims.agents.planning import DAY_HOURS, first_of, purchases, tasks_of
from sims.engine.jit import kernel
from sims.engine.outbox import AT_ONCE, BUY, put_order
from sims.engine.world import BASIS
from sims.scenario.populations import Planner

_DAY = tuple(PeriodKind).index(PeriodKind.DAY)


@kernel
def _send(
    out: NDArray[Any],
    count: int,
    refs: NDArray[Any],
    rows: NDArray[Any],
    first_ref: int,
    orders: NDArray[np.int64],
    wake: int,
) -> int:
    """Write a member's `orders` (n, 3): row, lots, limit in ticks."""
    for number in range(len(orders)):
        at, lots, price = orders[number]
        contract = rows[at]["contract"]
        count = put_order(out, count, refs, first_ref + at, at, contract, BUY, price, lots, AT_ONCE, wake)
    return count


class PlannerCrowd(Buyers):
    """Each plans its own tasks: on the days that it holds, and on the offers that it would pay."""

    def __init__(self, spec: Planner, seats: Seats) -> None:
        super().__init__(spec, seats)
        self._spec = spec
        self._tasks = self._deal(seats.draws)
        self._planned = np.zeros(self.size, np.int64)
        """Plans of each member today."""
        self._balance = np.zeros((self.size, len(self.world.grades), 2), np.int64)
        """Lot-hours that each member needed and got of the days that were traded out."""

    def _deal(self, draws: np.random.Generator) -> list[list[WorkloadRow]]:
        """Return each member's tasks, in the order in which they come up."""
        start = _midnight(epoch_day(self.world.scenario.first_day))
        sharers, seen = Counter(self.cities), Counter[str]()
        dealt = []
        for city in self.cities:
            tasks = tasks_of(city, tuple(self.world.grades), start)[seen[city] :: sharers[city]]
            seen[city] += 1
            dealt.append([tasks[number] for number in draws.permutation(len(tasks))])
        return dealt

    def balance(self, members: list[int], grade: str) -> tuple[int, int]:
        """Return the lot-hours of a grade that members needed and got of the days traded out."""
        if grade not in self.world.grades:
            return 0, 0
        needed, got = self._balance[members, self.world.grades.index(grade)].sum(axis=0).tolist()
        return needed, got

    def open_day(self, now: Moment) -> None:
        """Begin to count plans anew."""
        self._planned[:] = 0

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Let those whose turn has come plan every day that trades, and buy."""
        if now.call:
            return 0  # what a plan buys it takes at once
        turn = self._turns(now)
        awake = draws.random(self.size) < self._spec.activity / BASIS
        acting = (turn > self._planned) & self.living & awake
        self._planned = turn
        ceilings, reach, count = self.ceilings(now), self.reach(), 0
        for member in np.flatnonzero(acting).tolist():
            for rows in self._days():
                stock = self._stock(member, rows, ceilings[member], reach[member])
                final = now.last_day[rows[0]] and turn[member] == self._spec.plans
                share = 1.0 if final else self.due(now, rows[0])
                orders = _orders(self._due_tasks(member, share), stock)
                first_ref = self.first_ref + member * self._rows_max
                count = _send(out, count, self.board.refs, self.board.rows, first_ref, orders, now.wake)
        return count

    def close_day(self, now: Moment) -> None:
        """Count what was needed and got of the days that were traded for the last time."""
        board, held = self.board, self.board.positions[self.accounts]
        for rows in self._days():
            if now.last_day[rows[0]]:
                needed = np.array([self._lots_needed(member) for member in range(self.size)])
                grades = self.world.grade_of[board.rows["good"][rows]]
                got = np.zeros_like(needed)
                np.add.at(got.T, grades, held[:, rows].T)
                self._balance += DAY_HOURS * np.stack((needed, np.minimum(got, needed)), axis=2)

    def _turns(self, now: Moment) -> NDArray[np.int64]:
        """Return how many plans each member should have made by now; they take turns, in second halves, and
        those whose last turn comes after the last offers can be taken have it before.
        """
        if now.last_taking:
            return np.full(self.size, self._spec.plans, np.int64)
        phase = 0.5 + (np.arange(self.size) + 0.5) / (2 * self.size)
        return np.floor(now.progress * self._spec.plans - phase).astype(np.int64) + 1

    def _days(self) -> list[list[int]]:
        """Return the rows of each delivery day."""
        rows = self.board.rows
        days = rows["first_day"][rows["kind"] == _DAY]
        return [
            np.flatnonzero((rows["kind"] == _DAY) & (rows["first_day"] == day)).tolist()
            for day in np.unique(days)
        ]

    def _due_tasks(self, member: int, share: float) -> list[WorkloadRow]:
        tasks = self._tasks[member]
        count = len(tasks) * self._spec.demand / BASIS * self.world.demand * share
        return first_of(tasks, int(np.ceil(count)))

    def _lots_needed(self, member: int) -> list[int]:
        """Return the lots of each grade that a member's tasks need on a day."""
        milli: Counter[str] = Counter()
        for task in self._due_tasks(member, 1.0):
            milli.update(dict(task.demand))
        grade_of = self.world.catalogue.grade
        return [-(-milli[name] // (MILLI * grade_of(name).cards_per_lot)) for name in self.world.grades]

    def _stock(
        self, member: int, rows: Sequence[int], ceilings: NDArray[np.float64], reach: NDArray[np.bool_]
    ) -> Stock:
        """Return what a member holds of one day, and the offers that it can get at and would pay."""
        holdings: list[Holding] = []
        levels: list[Level] = []
        for at in rows:
            row = self.board.rows[at]
            good = self.world.goods[row["good"]]
            start, end = _midnight(int(row["first_day"])), _midnight(int(row["first_day"]) + 1)
            each = int(self.world.cards_per_lot[row["good"]])
            held = int(self.board.positions[self.accounts[member], at])
            if held > 0:
                price = int(row["reference"])
                name = f"held/{good}"
                cards = held * each
                holdings.append(
                    Holding(name, str(at), good.hub, good.grade, cards, each, start, end, price, False)
                )
            if not row["halted"] and reach[row["good"]]:
                levels += [
                    Level(str(at), good.hub, good.grade, each, start, end, lots, price)
                    for price, lots in self.board.asks(at, ceilings[at])
                ]
        return Stock(tuple(holdings), tuple(levels))


def _orders(tasks: Sequence[WorkloadRow], stock: Stock) -> NDArray[np.int64]:
    """Return what the plan of a day's tasks buys, shape (n, 3): row, lots, limit in ticks."""
    start = stock.levels[0].start if stock.levels else None
    bought = purchases(tasks, stock, start) if start and tasks else ()
    orders = [(int(order.symbol), order.lots, order.limit_ticks) for order in bought]
    return np.array(orders, np.int64).reshape(-1, 3)


def _midnight(day: int) -> datetime:
    return datetime.combine(date_of(day), time.min, SHANGHAI)
