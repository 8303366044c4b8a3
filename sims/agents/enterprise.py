"""Enterprises: they need cards for the tasks of their city, and buy them where these may run."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.jit import wide
from matching.records import Records
from nodes.catalogue import load_catalogue
from sims.agents.buyers import Buyers
from sims.agents.crowd import Moment, Seats
from sims.demand import cards_needed, demand_of, hubs_for, load_rules
from sims.engine.jit import kernel
from sims.engine.outbox import AT_ONCE, BUY, put_order
from sims.engine.world import BASIS
from sims.scenario.populations import Enterprise
from sims.trace import load_tasks

SWEEP_BASIS_POINTS = 50
"""It takes offers up to so much above the best one."""


@cache
def needs() -> Counter[tuple[str, str, str]]:
    """Return thousandths of a card by (city, workload class, grade) that the trace's tasks need."""
    return cards_needed(demand_of(load_tasks(), load_catalogue().edge_cities, load_rules()))


@kernel
def _buy(
    out: NDArray[Any],
    refs: NDArray[Any],
    rows: NDArray[Any],
    first_ref: int,
    rows_max: int,
    wants: NDArray[np.int64],
    allowed: NDArray[np.bool_],
    missing: NDArray[np.int64],
    slot_of: NDArray[np.int64],
    asked: NDArray[np.int64],
    bounds: NDArray[np.float64],
    grade_of: NDArray[np.int32],
    turns: NDArray[np.int64],
    wake: int,
) -> int:
    """Each want of `turns` takes the cheapest offer that will do, for each delivery period.

    `wants` (n, 2): member, grade; `allowed` (n, goods); `missing` (n, slots) lots; `bounds` (n, rows) highest
    price, ticks; `asked` (members, rows) is filled with the want that orders in a row, -1 if none.
    """
    count = 0
    for turn in range(len(turns)):
        want = turns[turn]
        member, grade = wants[want, 0], wants[want, 1]
        for slot in range(missing.shape[1]):
            if missing[want, slot] <= 0:
                continue
            best = -1
            for at in range(len(rows)):
                row = rows[at]
                if slot_of[at] != slot or row["ask"] == 0 or row["halted"] != 0 or asked[member, at] >= 0:
                    continue
                if grade_of[row["good"]] != grade or not allowed[want, row["good"]]:
                    continue
                if row["ask"] <= bounds[want, at] and (best < 0 or row["ask"] < rows[best]["ask"]):
                    best = at
            if best < 0:
                continue
            row = rows[best]
            ref = first_ref + member * rows_max + best
            price = wide(row["ask"] * (BASIS + SWEEP_BASIS_POINTS) // BASIS)
            price = min(price, wide(row["high"]), wide(bounds[want, best]))
            asked[member, best] = want
            count = put_order(
                out,
                count,
                refs,
                ref,
                best,
                row["contract"],
                BUY,
                price,
                missing[want, slot],
                AT_ONCE,
                wake,
            )
    return count


class EnterpriseCrowd(Buyers):
    """Enterprises, each in one city; those of a city share its tasks evenly."""

    def __init__(self, spec: Enterprise, seats: Seats) -> None:
        super().__init__(spec, seats)
        self._spec = spec
        self._wants, self._allowed, self._lots = self._plan(seats.draws)
        self._bought: dict[tuple[int, int], NDArray[np.int64]] = {}
        """By (kind, first day) of the delivery period: lots of each want."""
        self._balance = np.zeros((len(self._wants), 2), np.int64)
        """Lot-hours that each want needed and got of the periods that were traded out."""
        self._slots: list[tuple[int, int]] = []
        self._slot_of: NDArray[np.int64] = np.zeros(0, np.int64)
        self._asked: NDArray[np.int64] = np.zeros((0, 0), np.int64)
        self._before: NDArray[np.int32] = np.zeros((0, 0), np.int32)

    def _plan(
        self, draws: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
        """Return wants (n, 2), where each may be met (n, goods), and lots of each a day (n,)."""
        world, spec = self.world, self._spec
        sharers = Counter(self.cities)
        wants, allowed, lots = [], [], []
        for member, city in enumerate(self.cities):
            error = max(0.0, 1 + draws.standard_normal() * spec.forecast / BASIS)
            for (origin, workload, grade), milli in needs().items():
                if origin != city or grade not in world.grades:
                    continue
                per_lot = 1_000 * world.catalogue.grade(grade).cards_per_lot
                share = spec.demand / BASIS / sharers[city]
                wants.append((member, world.grades.index(grade)))
                allowed.append(self._may(city, workload))
                lots.append(round(milli * share * error / per_lot))
        shape = (len(wants), len(world.goods))
        return (
            np.array(wants, np.int64).reshape(-1, 2),
            np.array(allowed, np.bool_).reshape(shape),
            np.array(lots, np.int64),
        )

    def _may(self, city: str, workload: str) -> list[bool]:
        world = self.world
        hubs = set(hubs_for(world.catalogue, city, world.catalogue.workload_class(workload)))
        if self._spec.local:
            hubs = {hub for hub in world.hubs if world.catalogue.hub(hub).city == city}
        return [good.hub in hubs for good in world.goods]

    def balance(self, members: list[int], grade: str) -> tuple[int, int]:
        """Return the lot-hours of a grade that members needed and got of the periods traded out."""
        if grade not in self.world.grades:
            return 0, 0
        theirs = np.isin(self._wants[:, 0], members)
        theirs &= self._wants[:, 1] == self.world.grades.index(grade)
        needed, got = self._balance[theirs].sum(axis=0).tolist()
        return needed, got

    def open_day(self, now: Moment) -> None:
        """Number the delivery periods of the day's rows."""
        rows = self.board.rows
        keys = list(zip(rows["kind"].tolist(), rows["first_day"].tolist(), strict=True))
        self._slots = sorted(set(keys))
        self._slot_of = np.array([self._slots.index(key) for key in keys], np.int64)
        self._asked = np.full((self.size, len(rows)), -1, np.int64)
        self._before = self.board.positions[self.accounts]

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Buy what is due by now."""
        board, world = self.board, self.world
        self._note_bought()
        members = self._wants[:, 0]
        reach = self._allowed & self.reach()[members]
        acting = (draws.random(self.size) < self._spec.activity / BASIS) & self.living
        turns = draws.permutation(np.flatnonzero(acting[members]))[: 0 if now.call else None]
        return _buy(
            out,
            board.refs,
            board.rows,
            self.first_ref,
            self._rows_max,
            self._wants,
            reach,
            self._missing(now),
            self._slot_of,
            self._asked,
            self.ceilings(now)[members],
            world.grade_of,
            turns,
            now.wake,
        )

    def close_day(self, now: Moment) -> None:
        """Count what was needed and got of the periods that were traded for the last time."""
        self._note_bought()
        wanted = np.ceil(self._wanted()).astype(np.int64)
        for number, slot in enumerate(self._slots):
            row = int(np.argmax(self._slot_of == number))
            if now.last_day[row]:
                got = np.minimum(self._bought.get(slot, np.zeros_like(wanted)), wanted)
                self._balance += int(self.board.rows["hours"][row]) * np.stack((wanted, got), axis=1)

    def _wanted(self) -> NDArray[np.float64]:
        """Return the lots that each want needs for a period."""
        return self._lots * self.world.demand / len(self.world.scenario.periods)

    def _note_bought(self) -> None:
        """Credit what came since the last wake to the wants that had asked for it."""
        held = self.board.positions[self.accounts]
        members, rows = np.nonzero(self._asked >= 0)
        for member, row in zip(members.tolist(), rows.tolist(), strict=True):
            came = int(held[member, row] - self._before[member, row])
            if came:
                slot = self._slots[int(self._slot_of[row])]
                bought = self._bought.setdefault(slot, np.zeros(len(self._wants), np.int64))
                bought[self._asked[member, row]] += came
        self._asked[:] = -1
        self._before = held

    def _missing(self, now: Moment) -> NDArray[np.int64]:
        """Return the lots that each want should hold by now and doesn't, shape (wants, slots)."""
        missing = np.zeros((len(self._wants), len(self._slots)), np.int64)
        wanted = self._wanted()
        for number, slot in enumerate(self._slots):
            row = int(np.argmax(self._slot_of == number))
            held = self._bought.get(slot, 0)
            missing[:, number] = np.ceil(wanted * self.due(now, row)).astype(np.int64) - held
        return missing
