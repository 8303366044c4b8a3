"""Zero-intelligence-plus traders as a population of the exchange's continuous market.

Cliff's traders call one price at a time and hear at once what became of it. In a book orders stand, so we
follow G. Tesauro and R. Das, "High-performance bidding agents for the continuous double auction" (EC 2001):
a trade is a shout that was taken, and while nobody trades the best bid and the best ask are shouts that are
refused again and again, so that those who still want to trade outbid them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.jit import wide
from matching.records import Records
from sims.agents.crowd import Moment, Seats
from sims.agents.speculators import Speculators
from sims.agents.zip_rule import Zip
from sims.engine.jit import kernel
from sims.engine.outbox import BUY, RESTS, SELL, put_cancel, put_order
from sims.engine.world import BASIS
from sims.scenario.populations import ZipTraders


@kernel
def _shout(
    out: NDArray[Any],
    refs: NDArray[Any],
    rows: NDArray[Any],
    first_ref: int,
    refs_each: int,
    prices: NDArray[np.float64],
    wants: NDArray[np.bool_],
    turns: NDArray[np.int64],
    wake: int,
) -> int:
    """Each member of `turns` renews its quote of one lot in every row that it `wants` to trade in.

    `prices` and `wants` (members, rows); a price beyond the day's limit on the eager side is quoted at it.
    Ref 0 of a member is for closing, then one a row. Even members buy.
    """
    count = 0
    for turn in range(len(turns)):
        member = turns[turn]
        side = BUY if member % 2 == 0 else SELL
        for at in range(len(rows)):
            row = rows[at]
            if row["halted"] != 0:
                continue
            ref = first_ref + member * refs_each + 1 + at
            price = wide(prices[member, at])
            price = min(price, wide(row["high"])) if side == BUY else max(price, wide(row["low"]))
            wanted = wants[member, at] and row["low"] <= price <= row["high"]
            stands = refs[ref]["remaining"] != 0
            same = stands and refs[ref]["price"] == price
            if stands and not (same and wanted):
                count = put_cancel(out, count, refs, ref)
            if wanted and not same:
                count = put_order(out, count, refs, ref, at, row["contract"], side, price, 1, RESTS, wake)
    return count


class ZipCrowd(Speculators):
    """Half of them buy, half sell; a margin in each contract, kept from day to day."""

    def __init__(self, spec: ZipTraders, seats: Seats) -> None:
        super().__init__(spec, seats.accounts, seats.world, seats.board)
        self._rows_max = seats.rows_max
        self._position_max = spec.position_max
        self._values = 1 + (2 * seats.draws.random((self.size, 1)) - 1) * (spec.spread / BASIS)
        self._buys = np.arange(self.size)[:, None] % 2 == 0
        self._traders = Zip(np.ones((self.size, 0)), self._buys, seats.draws)
        self._seen: Records = self.board.rows.copy()

    @property
    def refs_each(self) -> int:
        """One to close with, one a row."""
        return 1 + self._rows_max

    @property
    def commands_max(self) -> int:
        """A cancellation and an order a row, and those to close."""
        return self.size * (2 * self._rows_max + 2)

    def open_day(self, now: Moment) -> None:
        """Take margins over to the contracts that trade on."""
        rows = self.board.rows
        before = {contract: place for place, contract in enumerate(self._seen["contract"].tolist())}
        kept = [before.get(contract, -1) for contract in rows["contract"].tolist()]
        self._traders.move_to(self._limits(), np.array(kept, np.int64))
        self._seen = rows.copy()

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Learn from what happened since the last wake, then shout."""
        board, turns, held = self.board, self.turns(draws), self.held()
        room = np.where(self._buys, held < self._position_max, held > -self._position_max)
        wants = room & ~self.leaving(now)
        self._traders.limits = self._limits()
        self._learn(wants)
        prices = self._traders.prices()
        count = _shout(
            out, board.refs, board.rows, self.first_ref, self.refs_each, prices, wants, turns, now.wake
        )
        return self.close(now, turns, out, count)

    def unit_worth(self, contracts: Records) -> NDArray[np.float64]:
        """Its value."""
        worth: NDArray[np.float64] = self.world.worth[contracts["good"]] * self._values
        return worth

    def _limits(self) -> NDArray[np.float64]:
        """Return each member's value of each row, less what fees add for a buyer and more for a seller,
        ticks, shape (members, rows).
        """
        limits: NDArray[np.float64] = self.board.rows["worth"] * (
            self._values * self.limit_factor(self._buys)
        )
        return limits

    def _learn(self, wants: NDArray[np.bool_]) -> None:
        """Hear one or two shouts in every row: the latest trade since the last wake or else both best prices.

        The shout of a trade is the order that stood; the incoming one took it.
        """
        rows = self.board.rows
        dealt = rows["lots"] > self._seen["lots"]
        self._seen = rows.copy()
        bids = np.where(dealt, rows["taker"] == SELL, True)
        prices = np.where(dealt, rows["last"], rows["bid"])
        self._traders.learn(bids, prices, dealt, wants, prices > 0)
        nobody = np.zeros(len(rows), np.bool_)
        self._traders.learn(nobody, rows["ask"], nobody, wants, ~dealt & (rows["ask"] > 0))
