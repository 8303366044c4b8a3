"""What populations share that trade for gain and don't want to be delivered.

On a contract's last trading day they stop opening positions and close what they hold.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from exchange.domain.messages import MemberKind
from matching.jit import wide
from matching.records import Records
from sims.agents.crowd import Crowd, Moment
from sims.engine.board import Board
from sims.engine.jit import inlined, kernel
from sims.engine.outbox import AT_ONCE, BUY, SELL, put_order
from sims.engine.world import BASIS, World
from sims.scenario.populations import Arbitrageur, MarketMaker, Momentum, Value

LEAVES: Final = 0.6
"""From this share of a contract's last trading day on they only close positions."""


@inlined
def take(
    out: NDArray[Any],
    count: int,
    refs: NDArray[Any],
    ref: int,
    at: int,
    row: Any,
    side: int,
    lots: int,
    wake: int,
) -> int:
    """Write an order that takes up to so many lots at the best price now; nothing if there is none."""
    price = wide(row["ask"]) if side == BUY else wide(row["bid"])
    if price == 0 or lots <= 0 or row["halted"] != 0 or refs[ref]["remaining"] != 0:
        return count
    return put_order(out, count, refs, ref, at, row["contract"], side, price, lots, AT_ONCE, wake)


@kernel
def leave(
    out: NDArray[Any],
    count: int,
    refs: NDArray[Any],
    rows: NDArray[Any],
    first_ref: int,
    refs_each: int,
    positions: NDArray[np.int32],
    leaving: NDArray[np.bool_],
    turns: NDArray[np.int64],
    wake: int,
) -> int:
    """Each member of `turns` closes what it holds in `leaving` rows, one row a wake.

    `positions` (members, rows).
    """
    for turn in range(len(turns)):
        member = turns[turn]
        for at in range(len(rows)):
            held = wide(positions[member, at])
            if leaving[at] and held != 0:
                side = SELL if held > 0 else BUY
                ref = first_ref + member * refs_each
                count = take(out, count, refs, ref, at, rows[at], side, abs(held), wake)
                break
    return count


class Speculators(Crowd):
    """What they share: who acts, which rows they leave, what they hold."""

    member_kind: ClassVar[MemberKind] = "broker"

    @property
    def refs_each(self) -> int:
        """One order."""
        return 1

    def __init__(
        self,
        spec: MarketMaker | Momentum | Value | Arbitrageur,
        accounts: NDArray[np.int32],
        world: World,
        board: Board,
    ) -> None:
        super().__init__(spec.name, accounts, world, board)
        self._activity = spec.activity / BASIS

    @property
    def commands_max(self) -> int:
        """At most two orders a member, and one to close."""
        return 3 * self.size

    def _turns(self, draws: np.random.Generator) -> NDArray[np.int64]:
        acting = (draws.random(self.size) < self._activity) & self.living
        return draws.permutation(np.flatnonzero(acting))

    def _leaving(self, now: Moment) -> NDArray[np.bool_]:
        return now.last_day & (now.progress >= LEAVES)

    def _held(self) -> NDArray[np.int32]:
        return self.board.positions[self.accounts]

    def _leave(self, now: Moment, turns: NDArray[np.int64], out: Records, count: int) -> int:
        leaving = self._leaving(now)
        if not leaving.any():
            return count
        board = self.board
        return leave(
            out,
            count,
            board.refs,
            board.rows,
            self.first_ref,
            self.refs_each,
            self._held(),
            leaving,
            turns,
            now.wake,
        )
