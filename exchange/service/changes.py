"""Which contracts changed when, so that views needn't rebuild what stayed the same. Derived, not state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exchange.service.hot import mark
from matching.records import Records


class Changes:
    """The seq at which each contract last changed."""

    def __init__(self) -> None:
        self._by_contract: NDArray[np.int64] = np.zeros(1024, np.int64)
        self._all = 0

    def mark(self, events: Records, seq: int) -> None:
        """Note the contracts that `events` (dtype EVENT) name."""
        highest = mark(events, self._by_contract, seq)
        if highest >= 0:
            grown = np.zeros(2 * (highest + 1), np.int64)
            grown[: len(self._by_contract)] = self._by_contract
            self._by_contract = grown
            mark(events, grown, seq)

    def mark_all(self, seq: int) -> None:
        """Note that every contract may have changed."""
        self._all = seq

    def last(self, contract: int) -> int:
        """Return the seq at which the contract last changed, or may have; 0 if it never did."""
        known = contract < len(self._by_contract)
        return max(self._all, int(self._by_contract[contract]) if known else 0)
