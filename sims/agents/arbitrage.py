"""Arbitrage between hubs and between periods."""

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
from sims.scenario.populations import Arbitrageur


@kernel
def _arbitrage(
    out: NDArray[Any],
    refs: NDArray[Any],
    rows: NDArray[Any],
    first_ref: int,
    positions: NDArray[np.int32],
    shut: NDArray[np.bool_],
    turns: NDArray[np.int64],
    pairs: NDArray[np.int64],
    level: NDArray[np.float64],
    terms: tuple[float, int, int],
    wake: int,
) -> int:
    """Each member of `turns` compares the two rows of its pair (members, 2) and trades a gap both ways.

    `level` (rows,) what goods usually cost; `terms`: least gap as a share, lots, most lots held.
    """
    gain, lots, position_max = terms
    count = 0
    for turn in range(len(turns)):
        member = turns[turn]
        cheap, dear = pairs[member, 0], pairs[member, 1]
        ask, bid = rows[cheap]["ask"], rows[dear]["bid"]
        if cheap == dear or ask == 0 or bid == 0 or shut[cheap] or shut[dear]:
            continue
        if bid / level[dear] - ask / level[cheap] <= gain:
            continue
        most = min(position_max - positions[member, cheap], position_max + positions[member, dear])
        wanted = min(lots, wide(most))
        ref = first_ref + 2 * member
        count = take(out, count, refs, ref, cheap, rows[cheap], BUY, wanted, wake)
        count = take(out, count, refs, ref + 1, dear, rows[dear], SELL, wanted, wake)
    return count


class ArbitrageCrowd(Speculators):
    """Two contracts of one grade a wake: other hubs, other periods."""

    @property
    def refs_each(self) -> int:
        """One order in each of two contracts."""
        return 2

    def __init__(self, spec: Arbitrageur, accounts: NDArray[np.int32], world: World, board: Board) -> None:
        super().__init__(spec, accounts, world, board)
        self._spec = spec

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Compare two contracts each; those of different grades are passed over."""
        spec, board, world, turns = self._spec, self.board, self.world, self.turns(draws)
        gain = max(0.0, spec.gain / BASIS + 2 * world.dearer.taking)
        pairs = draws.integers(0, len(board.rows), (self.size, 2))
        goods = board.rows["good"]
        grades = world.grade_of[goods]
        pairs[:, 1] = np.where(grades[pairs[:, 0]] == grades[pairs[:, 1]], pairs[:, 1], pairs[:, 0])
        count = _arbitrage(
            out,
            board.refs,
            board.rows,
            self.first_ref,
            self.held(),
            self.no_taking(now),
            turns,
            pairs,
            world.reference[goods],
            (gain, spec.lots, spec.position_max),
            now.wake,
        )
        return self.close(now, turns, out, count)
