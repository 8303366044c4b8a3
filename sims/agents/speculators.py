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
from sims.engine.outbox import AT_ONCE, BUY, RESTS, SELL, put_cancel, put_order
from sims.engine.world import BASIS, World
from sims.scenario import populations

LEAVES: Final = 0.3
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
    """Each member of `turns` closes what it holds in `leaving` rows, one row a wake in turn: against the
    best price if there is one, else with an order that rests at the latest.

    `positions` (members, rows).
    """
    for turn in range(len(turns)):
        member = turns[turn]
        ref = first_ref + member * refs_each
        for step in range(len(rows)):
            at = (wake + step) % len(rows)
            held = wide(positions[member, at])
            row = rows[at]
            if not leaving[at] or held == 0 or row["halted"] != 0:
                continue
            count = put_cancel(out, count, refs, ref)
            side = SELL if held > 0 else BUY
            price = wide(row["bid"]) if side == SELL else wide(row["ask"])
            if price == 0:
                price = wide(row["last"])
            count = put_order(out, count, refs, ref, at, row["contract"], side, price, abs(held), RESTS, wake)
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
        spec: populations.Crowd,
        accounts: NDArray[np.int32],
        world: World,
        board: Board,
    ) -> None:
        super().__init__(spec.name, accounts, world, board)
        self._activity = spec.activity / BASIS

    @property
    def commands_max(self) -> int:
        """At most two orders a member, and an order and a cancellation to close."""
        return 4 * self.size

    def turns(self, draws: np.random.Generator) -> NDArray[np.int64]:
        """Return the members that act now, in an order drawn anew."""
        acting = (draws.random(self.size) < self._activity) & self.living
        return draws.permutation(np.flatnonzero(acting))

    def leaving(self, now: Moment) -> NDArray[np.bool_]:
        """Return which rows are only closed in, shape (rows,)."""
        return now.last_day & (now.progress >= LEAVES)

    def no_taking(self, now: Moment) -> NDArray[np.bool_]:
        """Return in which rows nothing can or should be taken at once, shape (rows,)."""
        return self.leaving(now) | now.call

    def held(self) -> NDArray[np.int32]:
        """Return the lots that each member holds, shape (members, rows)."""
        return self.board.positions[self.accounts]

    def close(self, now: Moment, turns: NDArray[np.int64], out: Records, count: int) -> int:
        """Write orders that close positions in rows that are left; return the new count."""
        rows = self.leaving(now)
        if not rows.any():
            return count
        board = self.board
        return leave(
            out,
            count,
            board.refs,
            board.rows,
            self.first_ref,
            self.refs_each,
            self.held(),
            rows,
            turns,
            now.wake,
        )
