"""Trading fees of events, as the fold of trades takes them from cash (clause 8.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.domain.money import BASIS_POINT, half_up_share
from matching.records import EventFlag, Records

_HALF: Final = BASIS_POINT // 2


@dataclass(frozen=True, slots=True)
class FeeRates:
    """What trades pay from a command on, basis points of their value."""

    from_seq: int
    maker_basis_points: int
    taker_basis_points: int

    def maker_fen(self, value_fen: int) -> int:
        """Return the fee of the resting side, or of either side of an auction, fen."""
        return half_up_share(value_fen, self.maker_basis_points)

    def taker_fen(self, value_fen: int) -> int:
        """Return the fee of the side that took, fen."""
        return half_up_share(value_fen, self.taker_basis_points)


def fees_of(
    trades: Records, hours: NDArray[Any], rates: FeeRates
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what the sides `account` and `contra_account` of trades pay, fen, each of shape (n,).

    `trades` are TRADE events, shape (n,), dtype EVENT; `hours` are those of their contracts, shape (n,).
    """
    value = trades["price"].astype(np.int64) * trades["quantity"] * hours
    maker = (value * rates.maker_basis_points + _HALF) // BASIS_POINT
    taker = (value * rates.taker_basis_points + _HALF) // BASIS_POINT
    return np.where(trades["flags"] & EventFlag.UNCROSS != 0, maker, taker), maker
