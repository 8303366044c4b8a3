"""Brokers: clients with accounts of their own say what they would trade, and the brokers work the orders."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.jit import wide
from matching.records import Records
from sims.agents.crowd import Moment, Seats
from sims.agents.speculators import Speculators
from sims.engine.jit import inlined, kernel
from sims.engine.outbox import BUY, RESTS, SELL, put_cancel, put_order
from sims.engine.world import BASIS
from sims.scenario.populations import Broker


@inlined
def _limit(row: Any, belief: float, side: int, cost: float) -> int:
    """Return the worst price (ticks) at which a trade is worth its commission to a client."""
    value = row["worth"] * belief
    return wide(value * (1.0 - cost)) if side == BUY else wide(value * (1.0 + cost)) + 1


@inlined
def _improved(row: Any, side: int, limit: int) -> int:
    """Return a tick better than the best price of a side, or the latest price where nobody stands, up to the
    client's and the day's limits.
    """
    best = wide(row["bid"]) + 1 if side == BUY else wide(row["ask"]) - 1
    if row["bid"] == 0 if side == BUY else row["ask"] == 0:
        best = wide(row["last"])
    return min(best, limit, wide(row["high"])) if side == BUY else max(best, limit, wide(row["low"]))


@kernel
def _work(
    out: NDArray[Any],
    refs: NDArray[Any],
    rows: NDArray[Any],
    first_ref: int,
    positions: NDArray[np.int32],
    beliefs: NDArray[np.float64],
    leaving: NDArray[np.bool_],
    turns: NDArray[np.int64],
    picks: NDArray[np.int64],
    terms: tuple[float, int, int, int],
    wake: int,
) -> int:
    """Work an order of each client of `turns`: a tick better than the best price of its side; after some
    wakes at the client's limit, which takes what is there and waits again; after as many more it is given up.

    `positions` (clients, rows); `beliefs` (clients, goods) share of a good's worth; `terms`: commission as a
    share of value, lots, most lots held, wakes that an order waits.
    """
    cost, lots_each, position_max, patience = terms
    count = 0
    for turn in range(len(turns)):
        client = turns[turn]
        ref = first_ref + client
        waiting = wide(refs[ref]["remaining"])
        at = wide(refs[ref]["row"]) if waiting != 0 else picks[client]
        row = rows[at]
        if row["halted"] != 0:
            continue
        if waiting != 0 and wake - refs[ref]["born"] < patience and not leaving[at]:
            continue
        belief, held = beliefs[client, row["good"]], wide(positions[client, at])
        side = BUY if row["worth"] * belief > row["last"] else SELL
        lots = min(lots_each, position_max - held if side == BUY else position_max + held)
        if waiting != 0:
            side, lots = wide(refs[ref]["side"]), waiting
        limit = _limit(row, belief, side, cost)
        price = _improved(row, side, limit)
        if waiting != 0:
            count = put_cancel(out, count, refs, ref)
            price = min(limit, wide(row["high"])) if side == BUY else max(limit, wide(row["low"]))
            if price == refs[ref]["price"]:
                continue
        elif limit < row["last"] if side == BUY else limit > row["last"]:
            continue  # what it would gain doesn't pay for the commission
        if lots > 0 and not leaving[at] and row["low"] <= price <= row["high"]:
            count = put_order(out, count, refs, ref, at, row["contract"], side, price, lots, RESTS, wake)
    return count


class BrokerCrowd(Speculators):
    """The members are the clients; `hosts` are the brokers' own accounts, which trade nothing."""

    def __init__(self, spec: Broker, seats: Seats) -> None:
        super().__init__(spec, seats.accounts, seats.world, seats.board)
        errors = seats.draws.standard_normal((self.size, len(self.world.goods)))
        self._beliefs = np.maximum(0.1, 1 + errors * (spec.noise / BASIS))
        self._spec = spec

    def held(self) -> NDArray[np.int32]:
        """Return what each client holds, shape (clients, rows), with what wasn't given up yet."""
        held = super().held()
        away = self.desks != self.accounts
        held[away] += self.board.positions[self.desks[away]]
        return held

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Work orders of the clients that have something to say and nothing to close."""
        spec, cost = self._spec, self._spec.commission / BASIS + self.world.dearer.taking
        board, turns, held, leaving = self.board, self.turns(draws), self.held(), self.leaving(now)
        picks = draws.integers(0, len(board.rows), self.size)
        closing = (held[:, leaving] != 0).any(axis=1)
        count = _work(
            out,
            board.refs,
            board.rows,
            self.first_ref,
            held,
            self._beliefs,
            leaving,
            turns[~closing[turns]],
            picks,
            (max(0.0, cost), spec.lots, spec.position_max, spec.patience),
            now.wake,
        )
        return self.close(now, turns, out, count)
