"""Populations without a view: zero intelligence and Poisson order flow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.jit import wide
from matching.records import Records
from sims.agents.crowd import Crowd, Moment
from sims.agents.speculators import Speculators
from sims.engine.board import Board
from sims.engine.jit import kernel
from sims.engine.outbox import AT_ONCE, BUY, RESTS, SELL, put_cancel, put_order
from sims.engine.world import BASIS, World
from sims.scenario.populations import PoissonFlow, ZeroIntelligence


@kernel
def _quote(
    out: NDArray[Any],
    refs: NDArray[Any],
    rows: NDArray[Any],
    first_ref: int,
    limits: NDArray[np.float64],
    chances: NDArray[np.float64],
    positions: NDArray[np.int32],
    leaving: NDArray[np.bool_],
    turns: NDArray[np.int64],
    terms: tuple[bool, int],
    wake: int,
) -> int:
    """Each member of `turns` replaces its quote in a contract drawn at random by one of one lot.

    `limits` (members,) beyond which nobody with a budget quotes, as a multiple of what the good is worth;
    `chances` (members, 2) uniform: contract and price; `positions` (members, rows); `terms`: whether there is
    a budget, most lots held.
    """
    budget, position_max = terms
    count = 0
    for turn in range(len(turns)):
        member = turns[turn]
        at = wide(chances[member, 0] * len(rows))
        row = rows[at]
        if row["halted"] != 0 or leaving[at]:
            continue
        ref = first_ref + member
        count = put_cancel(out, count, refs, ref)
        side = BUY if member % 2 == 0 else SELL
        low, high = wide(row["low"]), wide(row["high"])
        held = wide(positions[member, at])
        if (held if side == BUY else -held) >= position_max:
            continue
        if budget:
            own = wide(row["worth"] * limits[member])
            if side == BUY:
                high = min(high, own)
            else:
                low = max(low, own)
        if low <= high:
            price = low + wide(chances[member, 1] * (high - low + 1))
            count = put_order(out, count, refs, ref, at, row["contract"], side, price, 1, RESTS, wake)
    return count


class ZeroIntelligenceCrowd(Speculators):
    """Half of them buy, half sell, each one lot at a random price."""

    def __init__(
        self,
        spec: ZeroIntelligence,
        accounts: NDArray[np.int32],
        world: World,
        board: Board,
        draws: np.random.Generator,
    ) -> None:
        super().__init__(spec, accounts, world, board)
        self._spec = spec
        self._values = (2 * draws.random(len(accounts)) - 1) * (spec.spread / BASIS)

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Replace quotes."""
        turns = self.turns(draws)
        chances = draws.random((self.size, 2))
        board = self.board
        count = _quote(
            out,
            board.refs,
            board.rows,
            self.first_ref,
            self._limits(),
            chances,
            self.held(),
            self.leaving(now),
            turns,
            (self._spec.budget, self._spec.position_max),
            now.wake,
        )
        return self.close(now, turns, out, count)

    def _limits(self) -> NDArray[np.float64]:
        """Return each member's value, less what fees add for a buyer and more for a seller."""
        buys = np.arange(self.size) % 2 == 0
        limits: NDArray[np.float64] = (1.0 + self._values) * self.limit_factor(buys)
        return limits

    def unit_worth(self, contracts: Records) -> NDArray[np.float64]:
        """Its value."""
        if not self._spec.budget:
            return super().unit_worth(contracts)
        worth: NDArray[np.float64] = self.world.worth[contracts["good"]] * (1 + self._values[:, None])
        return worth


@kernel
def _flow(
    out: NDArray[Any],
    refs: NDArray[Any],
    rows: NDArray[Any],
    first_ref: int,
    places: int,
    words: NDArray[np.uint64],
    market_share: int,
    reach: int,
    call: bool,
    wake: int,
) -> int:
    """Each word (members, draws) of 64 random bits is an order or a cancellation of one lot.

    Bits: 14 place, 14 contract, 1 side, 14 market or limit, 14 price. `market_share` of 2^14.
    """
    count = 0
    mask = np.uint64(0x3FFF)
    for draw in range(words.shape[1]):
        for member in range(words.shape[0]):
            word = words[member, draw]
            place = (wide(word & mask) * places) >> 14
            ref = first_ref + member * places + place
            if refs[ref]["remaining"] != 0:
                count = put_cancel(out, count, refs, ref)
                continue
            at = (wide((word >> np.uint64(14)) & mask) * len(rows)) >> 14
            row = rows[at]
            if row["halted"] != 0:
                continue
            side = wide((word >> np.uint64(28)) & np.uint64(1))
            low, high = wide(row["low"]), wide(row["high"])
            if wide((word >> np.uint64(29)) & mask) < market_share:
                if call:
                    continue
                price, tif = (high, AT_ONCE) if side == BUY else (low, AT_ONCE)
            else:
                step = 1 + ((wide((word >> np.uint64(43)) & mask) * reach) >> 14)
                best = wide(row["ask"]) if side == BUY else wide(row["bid"])
                if best == 0:
                    best = wide(row["last"])
                price = best - step if side == BUY else best + step
                tif = RESTS
            price = min(high, max(low, price))
            count = put_order(out, count, refs, ref, at, row["contract"], side, price, 1, tif, wake)
    return count


class PoissonCrowd(Crowd):
    """Random flow: it sees the best prices as they were at its wake."""

    def __init__(self, spec: PoissonFlow, accounts: NDArray[np.int32], world: World, board: Board) -> None:
        super().__init__(spec.name, accounts, world, board)
        self._spec = spec

    @property
    def refs_each(self) -> int:
        """Places for open orders."""
        return self._spec.open_orders

    @property
    def commands_max(self) -> int:
        """One a draw."""
        return self.size * self._spec.orders

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Send a wake's flow."""
        spec, board = self._spec, self.board
        words = draws.bit_generator.random_raw((self.size, spec.orders * spec.activity // BASIS))
        return _flow(
            out,
            board.refs,
            board.rows,
            self.first_ref,
            spec.open_orders,
            words,
            spec.market_share * (1 << 14) // BASIS,
            spec.reach,
            now.call,
            now.wake,
        )
