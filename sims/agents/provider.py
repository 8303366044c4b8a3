"""Providers: they own cards, sell them forward, and deliver."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.jit import wide
from matching.records import Records
from sims.agents.crowd import PERISHES, Moment, RowCrowd, Seats
from sims.engine.jit import kernel
from sims.engine.outbox import RESTS, SELL, put_cancel, put_order
from sims.engine.world import BASIS
from sims.scenario.populations import Provider

TRANCHES = 4
"""Until its cards perish it shows a quarter of what is left; from then on all, and its ask comes down to
cost: the price of a stock that perishes falls with the time that is left (G. Gallego and G. van Ryzin,
Management Science 40, 1994).
"""


@kernel
def _offer(
    out: NDArray[Any],
    refs: NDArray[Any],
    rows: NDArray[Any],
    first_ref: int,
    rows_max: int,
    positions: NDArray[np.int32],
    capacity: NDArray[np.int64],
    cost: NDArray[np.float64],
    falls_from: NDArray[np.int64],
    turns: NDArray[np.int64],
    terms: tuple[float, float],
    wake: int,
) -> int:
    """Each member of `turns` renews its offer in every contract that it can deliver.

    `capacity` (members, goods): lots for one contract; `cost` (members, rows): ticks per lot-hour;
    `falls_from` (rows,) the price from which offers come down to cost, 0 where they don't; `terms`: markup
    as a share now, and how much of the way down is left.
    """
    markup, above = terms
    count = 0
    for turn in range(len(turns)):
        member = turns[turn]
        for at in range(len(rows)):
            row = rows[at]
            owned = capacity[member, row["good"]]
            ref = first_ref + member * rows_max + at
            left = owned + min(wide(0), wide(positions[member, at]))
            if owned == 0 or row["halted"] != 0:
                continue
            floor = wide(np.ceil(cost[member, at]))
            price = max(floor, min(wide(row["last"] * (1.0 + markup)), wide(row["high"])))
            lots = min(left, max(wide(1), left // TRANCHES))
            if falls_from[at] > 0:
                lots = left
                fallen = floor + wide((falls_from[at] - floor) * above)
                price = max(floor, fallen, wide(row["bid"]))
            price = max(price, wide(row["low"]))
            same = refs[ref]["price"] == price and refs[ref]["remaining"] == lots
            if refs[ref]["remaining"] != 0:
                if same:
                    continue
                lots = min(lots, left - wide(refs[ref]["remaining"]))  # it may trade before it is cancelled
                count = put_cancel(out, count, refs, ref)
            if lots > 0 and price <= row["high"]:
                count = put_order(out, count, refs, ref, at, row["contract"], SELL, price, lots, RESTS, wake)
    return count


class ProviderCrowd(RowCrowd):
    """Providers, each at one hub; those of a hub share its cards evenly."""

    member_kind = "provider"

    def __init__(self, spec: Provider, seats: Seats) -> None:
        super().__init__(spec.name, seats)
        accounts, world, draws = seats.accounts, seats.world, seats.draws
        self._spec = spec
        hubs = [world.hubs.index(hub) for hub in spec.hubs or tuple(world.hubs)]
        self.hub_of = np.array([hubs[i % len(hubs)] for i in range(len(accounts))])
        self._running = spec.running / BASIS * (0.5 + draws.random(len(accounts)))
        lots = [world.capacity_lots(good) * spec.capacity // BASIS for good in range(len(world.goods))]
        sharers = np.bincount(self.hub_of, minlength=len(world.hubs))
        mine = self.hub_of[:, None] == world.hub_of[None, :]
        self.capacity: NDArray[np.int64] = np.where(
            mine, np.array(lots) // np.maximum(1, sharers)[world.hub_of], 0
        ).astype(np.int64)
        """Lots a day, shape (members, goods)."""
        self._falls_from: NDArray[np.int64] = np.zeros(0, np.int64)
        """By row: the latest price when offers began to come down; 0 before."""

    @property
    def commands_max(self) -> int:
        """A cancellation and an order a row."""
        return 2 * self.size * self._rows_max

    def unit_worth(self, contracts: Records) -> NDArray[np.float64]:
        """What it costs to deliver, net of subsidies: power by the hours of the contract, and running."""
        world, goods = self.world, contracts["good"]
        power = contracts["power"] * world.power_factor[goods]
        running = self._running[:, None] * world.reference[goods]
        cost: NDArray[np.float64] = np.maximum(0.0, power + running - world.subsidy[goods])
        return cost

    def open_day(self, now: Moment) -> None:
        """Begin above the latest price."""
        self._falls_from = np.zeros(len(self.board.rows), np.int64)

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Renew offers."""
        spec, board = self._spec, self.board
        begin = now.perishing & (self._falls_from == 0)
        self._falls_from = np.where(begin, board.rows["last"], self._falls_from)
        acting = (draws.random(self.size) < spec.activity / BASIS) & self.living
        return _offer(
            out,
            board.refs,
            board.rows,
            self.first_ref,
            self._rows_max,
            board.positions[self.accounts],
            self.capacity // len(self.world.scenario.periods),
            self.unit_worth(board.rows) * (1 + self.world.dearer.worse),
            self._falls_from,
            draws.permutation(np.flatnonzero(acting)),
            (spec.markup / BASIS * (1 - now.progress), min(1.0, (1 - now.progress) / (1 - PERISHES))),
            now.wake,
        )
