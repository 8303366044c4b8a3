"""What is watched during a run: spreads, and how far prices stray from what goods are worth and from one
another.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.records import Records
from sims.engine.jit import kernel


@kernel
def _watch(
    rows: NDArray[Any],
    last_day: NDArray[np.bool_],
    perishing: NDArray[np.bool_],
    grade_of: NDArray[np.int32],
    usual: NDArray[np.float64],
    sums: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> float:
    """Add a wake to the sums and counts of spreads, strays and deviations; return the furthest stray."""
    worst = 0.0
    for at in range(len(rows)):
        row = rows[at]
        if row["bid"] > 0 and row["ask"] > 0:
            sums[0] += 2.0 * (row["ask"] - row["bid"]) / (row["ask"] + row["bid"])
            counts[0] += 1
        if row["lots"] > 0 and not perishing[at]:
            stray = abs(row["last"] / row["worth"] - 1.0)
            worst = max(worst, stray)
            sums[1] += stray
            counts[1] += 1
    for grade in range(grade_of.max() + 1):
        number, total, squares = 0, 0.0, 0.0
        for at in range(len(rows)):
            row = rows[at]
            if row["lots"] > 0 and not last_day[at] and grade_of[row["good"]] == grade:
                beyond = row["last"] / usual[row["good"]] - 1.0
                number, total, squares = number + 1, total + beyond, squares + beyond * beyond
        if number > 1:
            sums[2] += np.sqrt(max(0.0, squares / number - (total / number) ** 2))
            counts[2] += 1
    return worst


class Monitor:
    """Running sums over wakes and contracts; bounded, whatever the length of a run.

    `grade_of` and `usual` are by good: its grade, and what it usually costs, ticks.
    """

    def __init__(self, grade_of: NDArray[np.int32], usual: NDArray[np.float64]) -> None:
        self._grade_of, self._usual = grade_of, usual
        self._sums = np.zeros(3)
        self._counts = np.zeros(3, np.int64)
        self.worst = 0.0
        """Furthest that a latest price was from what the good was worth until then, as a share."""

    def note(self, rows: Records, last_day: NDArray[np.bool_], perishing: NDArray[np.bool_]) -> None:
        """Look at the board's rows (dtype ROW) after a wake; which of them trade for the last time, and which
        soon no more.
        """
        worst = _watch(rows, last_day, perishing, self._grade_of, self._usual, self._sums, self._counts)
        self.worst = max(self.worst, float(worst))

    @property
    def spread(self) -> float:
        """Mean quoted spread, as a share of the middle; 0 if both sides never stood."""
        return self._mean(0)

    @property
    def mispricing(self) -> float:
        """Mean distance of the latest price from what the good was worth, as a share, until unsold cards
        perish.
        """
        return self._mean(1)

    @property
    def dispersion(self) -> float:
        """How far apart a grade's contracts at other hubs and of other periods trade: the mean standard
        deviation of latest price ÷ usual price, but for those that trade for the last time; 0 if there
        never were two.
        """
        return self._mean(2)

    def _mean(self, of: int) -> float:
        return float(self._sums[of] / self._counts[of]) if self._counts[of] else 0.0
