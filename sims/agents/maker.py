"""Market makers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from exchange.domain.messages import MemberKind
from matching.jit import wide
from matching.records import Records
from sims.agents.crowd import Moment
from sims.agents.speculators import Speculators
from sims.engine.board import Board
from sims.engine.jit import kernel
from sims.engine.outbox import BUY, RESTS, SELL, put_cancel, put_order
from sims.engine.world import BASIS, World
from sims.scenario.populations import MarketMaker


@kernel
def _make(
    out: NDArray[Any],
    refs: NDArray[Any],
    rows: NDArray[Any],
    first_ref: int,
    refs_each: int,
    positions: NDArray[np.int32],
    leaving: NDArray[np.bool_],
    turns: NDArray[np.int64],
    terms: tuple[int, int, int, int],
    wake: int,
) -> int:
    """Each member of `turns` renews its bid and its ask in every row; ref 0 is for closing, then two a row.

    `terms`: half spread and lean in basis points, lots, most lots held.
    """
    half_spread, lean, lots, position_max = terms
    count = 0
    for turn in range(len(turns)):
        member = turns[turn]
        for at in range(len(rows)):
            row = rows[at]
            held = wide(positions[member, at])
            centre = wide(row["last"])
            centre -= centre * lean * held // (BASIS * position_max)
            away = max(1, centre * half_spread // BASIS)
            for side in (BUY, SELL):
                ref = first_ref + member * refs_each + 1 + 2 * at + side
                price = centre - away if side == BUY else centre + away
                room = position_max - held if side == BUY else position_max + held
                wanted = min(lots, room)
                legal = row["low"] <= price <= row["high"] and row["halted"] == 0 and not leaving[at]
                same = refs[ref]["price"] == price and refs[ref]["remaining"] == wanted
                if refs[ref]["remaining"] != 0 and not (same and legal):
                    count = put_cancel(out, count, refs, ref)
                if legal and wanted > 0 and not (same and refs[ref]["remaining"] != 0):
                    count = put_order(
                        out, count, refs, ref, at, row["contract"], side, price, wanted, RESTS, wake
                    )
    return count


class MakerCrowd(Speculators):
    """Quote around the latest price in every contract."""

    member_kind: ClassVar[MemberKind] = "market-maker"

    def __init__(
        self, spec: MarketMaker, accounts: NDArray[np.int32], world: World, board: Board, rows_max: int
    ) -> None:
        super().__init__(spec, accounts, world, board)
        self._spec = spec
        self._rows_max = rows_max

    @property
    def refs_each(self) -> int:
        """One to close with, two a row."""
        return 1 + 2 * self._rows_max

    @property
    def commands_max(self) -> int:
        """Two cancellations and two orders a row, and one to close."""
        return self.size * (4 * self._rows_max + 2)

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Renew quotes."""
        spec, board, turns = self._spec, self.board, self.turns(draws)
        half_spread = max(0, spec.half_spread + round(BASIS * self.world.dearer.making))
        count = _make(
            out,
            board.refs,
            board.rows,
            self.first_ref,
            self.refs_each,
            self.held(),
            self.leaving(now),
            turns,
            (half_spread, spec.lean, spec.lots, spec.position_max),
            now.wake,
        )
        return self.close(now, turns, out, count)
