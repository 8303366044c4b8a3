"""Traders whom a move of the price makes trade: feedback from volatility to activity, over many horizons.

U. A. Müller et al., "Volatilities of different time resolutions", Journal of Empirical Finance 4 (1997): a
market's traders look back over horizons from minutes to months. P. Blanc, J. Donier and J.-P. Bouchaud,
"Quadratic Hawkes processes for financial prices", Quantitative Finance 17 (2017): activity that grows with
the square of past moves gives fat tails and clusters of volatility, and no trend.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.jit import wide
from matching.records import Records
from sims.agents.crowd import Moment, Seats
from sims.agents.speculators import Speculators
from sims.engine.jit import kernel
from sims.engine.outbox import AT_ONCE, BUY, SELL, put_order
from sims.engine.world import BASIS
from sims.scenario.populations import Reactive


@kernel
def _react(
    out: NDArray[Any],
    refs: NDArray[Any],
    rows: NDArray[Any],
    first_ref: int,
    positions: NDArray[np.int32],
    shut: NDArray[np.bool_],
    turns: NDArray[np.int64],
    picks: NDArray[np.int64],
    buys: NDArray[np.bool_],
    terms: tuple[int, int, int],
    wake: int,
) -> int:
    """Each member of `turns` takes from the book of its row, so far from the best price at most.

    `positions` (members, rows); `picks`, `buys` (members,); `terms`: lots, most lots held, slippage in basis
    points.
    """
    lots_each, position_max, slippage = terms
    count = 0
    for turn in range(len(turns)):
        member = turns[turn]
        at = picks[member]
        row = rows[at]
        side = BUY if buys[member] else SELL
        best = wide(row["ask"]) if side == BUY else wide(row["bid"])
        held = wide(positions[member, at])
        lots = min(lots_each, position_max - held if side == BUY else position_max + held)
        ref = first_ref + member
        if shut[at] or row["halted"] != 0 or best == 0 or lots <= 0 or refs[ref]["remaining"] != 0:
            continue
        away = best * slippage // BASIS
        price = min(best + away, wide(row["high"])) if side == BUY else max(best - away, wide(row["low"]))
        count = put_order(out, count, refs, ref, at, row["contract"], side, price, lots, AT_ONCE, wake)
    return count


class ReactiveCrowd(Speculators):
    """A member has one horizon; it acts in one contract a wake."""

    def __init__(self, spec: Reactive, seats: Seats) -> None:
        super().__init__(spec, seats.accounts, seats.world, seats.board)
        ratio = max(1.0, spec.horizon_max / spec.horizon_min)
        horizons = np.append(spec.horizon_min * ratio ** seats.draws.random(self.size), spec.horizon_max)
        self._weights: NDArray[np.float64] = 2 / (horizons[:, None] + 1)
        self._feedback = spec.feedback / BASIS
        self._terms = (spec.lots, spec.position_max, spec.slippage)
        self._moves: NDArray[np.float64] = np.zeros((self.size + 1, 0))
        """Mean squared move over each member's horizon and, last, the usual one, by row."""
        self._seen: NDArray[np.int64] = np.zeros(0, np.int64)
        """Moves that the means hold, by row."""
        self._prices: NDArray[np.float64] = np.zeros(0)
        self._contracts: list[int] = []

    def open_day(self, now: Moment) -> None:
        """Take what is known of contracts that trade on; nothing moved overnight."""
        contracts = self.board.rows["contract"].tolist()
        before = {contract: place for place, contract in enumerate(self._contracts)}
        moves, seen = np.zeros((self.size + 1, len(contracts))), np.zeros(len(contracts), np.int64)
        for place, contract in enumerate(contracts):
            if contract in before:
                moves[:, place], seen[place] = self._moves[:, before[contract]], self._seen[before[contract]]
        self._moves, self._seen, self._contracts = moves, seen, contracts
        self._prices = self._middles()

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """See how far prices moved, then trade or not."""
        board = self.board
        self._learn()
        picks = draws.integers(0, len(board.rows), self.size)
        chances = self._activity * (1 + self._feedback * (self._excited(picks) - 1))
        acting = (draws.random(self.size) < chances) & self.living
        turns = draws.permutation(np.flatnonzero(acting))
        count = _react(
            out,
            board.refs,
            board.rows,
            self.first_ref,
            self.held(),
            self.no_taking(now),
            turns,
            picks,
            draws.random(self.size) < 0.5,
            self._terms,
            now.wake,
        )
        return self.close(now, turns, out, count)

    def _learn(self) -> None:
        """Let the moves since the last wake into the means."""
        prices = self._middles()
        moves = (prices / self._prices - 1) ** 2
        self._prices = prices
        self._seen += 1
        self._moves += self._weights * (moves - self._moves)

    def _excited(self, picks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mean squared move over each member's horizon as a multiple of the usual one, in the row
        that it picked, shape (members,); 1 where nothing moved yet.

        The means began at 0: each is divided by the weight of what it has seen.
        """
        means = self._moves / (1 - (1 - self._weights) ** np.maximum(1, self._seen))
        usual = means[-1, picks]
        here = means[np.arange(self.size), picks]
        excited: NDArray[np.float64] = np.divide(here, usual, out=np.ones(self.size), where=usual > 0)
        return excited

    def _middles(self) -> NDArray[np.float64]:
        """Return the middle of each row's best prices, ticks; the latest price where a side is empty."""
        rows = self.board.rows
        both = (rows["bid"] > 0) & (rows["ask"] > 0)
        middles: NDArray[np.float64] = np.where(both, (rows["bid"] + rows["ask"]) / 2, rows["last"])
        return middles
