"""Populations with a view of prices: momentum and value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.jit import wide
from matching.records import Records
from sims.agents.crowd import Moment
from sims.agents.speculators import Speculators, take
from sims.engine.board import Board
from sims.engine.jit import kernel
from sims.engine.outbox import BUY, SELL
from sims.engine.world import BASIS, World
from sims.scenario.populations import Momentum, Value


@kernel
def _trade_views(
    out: NDArray[Any],
    refs: NDArray[Any],
    rows: NDArray[Any],
    first_ref: int,
    positions: NDArray[np.int32],
    shut: NDArray[np.bool_],
    turns: NDArray[np.int64],
    picks: NDArray[np.int64],
    buy_below: NDArray[np.float64],
    sell_above: NDArray[np.float64],
    terms: tuple[int, int],
    wake: int,
) -> int:
    """Each member of `turns` looks at the row that it picked, and takes what is better than its bounds.

    Bounds (members,), ticks; `terms`: lots, most lots held.
    """
    lots, position_max = terms
    count = 0
    for turn in range(len(turns)):
        member = turns[turn]
        at = picks[member]
        row = rows[at]
        if shut[at]:
            continue
        held = wide(positions[member, at])
        ref = first_ref + member
        if row["ask"] > 0 and row["ask"] < buy_below[member]:
            count = take(out, count, refs, ref, at, row, BUY, min(lots, position_max - held), wake)
        elif row["bid"] > 0 and row["bid"] > sell_above[member]:
            count = take(out, count, refs, ref, at, row, SELL, min(lots, position_max + held), wake)
    return count


class _ViewCrowd(Speculators):
    """One contract a wake, bought below one price and sold above another."""

    def __init__(
        self, spec: Momentum | Value, accounts: NDArray[np.int32], world: World, board: Board
    ) -> None:
        super().__init__(spec, accounts, world, board)
        self._terms = (spec.lots, spec.position_max)

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Look at one contract each."""
        board, turns = self.board, self.turns(draws)
        picks = draws.integers(0, len(board.rows), self.size)
        buy_below, sell_above = self._bounds(picks)
        count = _trade_views(
            out,
            board.refs,
            board.rows,
            self.first_ref,
            self.held(),
            self.no_taking(now),
            turns,
            picks,
            buy_below,
            sell_above,
            self._terms,
            now.wake,
        )
        return self.close(now, turns, out, count)

    def _bounds(self, picks: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return below what, and above what, each member trades in the row that it picked."""
        raise NotImplementedError


class MomentumCrowd(_ViewCrowd):
    """Follow the trend."""

    def __init__(self, spec: Momentum, accounts: NDArray[np.int32], world: World, board: Board) -> None:
        super().__init__(spec, accounts, world, board)
        self._trigger = spec.trigger / BASIS
        self._weight = 2 / (spec.memory + 1)
        self._average: NDArray[np.float64] = np.zeros(0)

    def open_day(self, now: Moment) -> None:
        """Begin averages at the reference prices."""
        self._average = self.board.rows["reference"].astype(np.float64)

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Look at one contract each, then move the averages."""
        count = super().wake(now, draws, out)
        self._average += self._weight * (self.board.rows["last"] - self._average)
        return count

    def _bounds(self, picks: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        drift = (self.board.rows["last"] / self._average - 1)[picks]
        trigger = max(0.0, self._trigger + self.world.dearer.taking)
        return np.where(drift > trigger, np.inf, -np.inf), np.where(drift < -trigger, -np.inf, np.inf)


class ValueCrowd(_ViewCrowd):
    """Trade towards what goods are worth, as each believes."""

    def __init__(
        self,
        spec: Value,
        accounts: NDArray[np.int32],
        world: World,
        board: Board,
        draws: np.random.Generator,
    ) -> None:
        super().__init__(spec, accounts, world, board)
        self._margin = spec.margin / BASIS
        errors = draws.standard_normal((len(accounts), len(world.goods)))
        self._belief = np.maximum(0.1, 1 + errors * (spec.noise / BASIS))

    def _bounds(self, picks: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        rows = self.board.rows[picks]
        believed = rows["worth"] * self._belief[np.arange(self.size), rows["good"]]
        margin = max(0.0, self._margin + self.world.dearer.taking)
        return believed * (1 - margin), believed * (1 + margin)
