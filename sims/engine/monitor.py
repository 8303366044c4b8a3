"""What is watched during a run: spreads, and how far prices stray from what goods are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matching.records import Records


class Monitor:
    """Running sums over wakes and contracts; bounded, whatever the length of a run.

    `grade_of` and `usual` are by good: its grade, and what it usually costs, ticks.
    """

    def __init__(self, grade_of: NDArray[np.int32], usual: NDArray[np.float64]) -> None:
        self._grade_of, self._usual = grade_of, usual
        self._spreads = self._errors = self._apart = 0.0
        self._quoted = self._seen = self._compared = 0
        self.worst = 0.0
        """Furthest that a latest price was from what the good was worth, as a share."""

    def note(self, rows: Records, last_day: NDArray[np.bool_]) -> None:
        """Look at the board's rows (dtype ROW) after a wake; which of them trade for the last time."""
        both = (rows["bid"] > 0) & (rows["ask"] > 0)
        quoted = rows[both]
        self._spreads += float((2 * (quoted["ask"] - quoted["bid"]) / (quoted["ask"] + quoted["bid"])).sum())
        self._quoted += len(quoted)
        traded = rows[rows["lots"] > 0]
        strays = np.abs(traded["last"] / traded["worth"] - 1)
        self._errors += float(strays.sum())
        self._seen += len(traded)
        self.worst = max(self.worst, float(strays.max(initial=0.0)))
        self._note_apart(rows[(rows["lots"] > 0) & ~last_day])

    def _note_apart(self, traded: Records) -> None:
        """Compare the contracts of each grade of which several were traded."""
        grades, levels = self._grade_of[traded["good"]], traded["last"] / self._usual[traded["good"]]
        for grade in np.flatnonzero(np.bincount(grades) > 1).tolist():
            self._apart += float(levels[grades == grade].std())
            self._compared += 1

    @property
    def dispersion(self) -> float:
        """How far apart a grade's contracts at other hubs and of other periods trade: the mean standard
        deviation of latest price ÷ usual price, but for those that trade for the last time; 0 if there
        never were two.
        """
        return self._apart / self._compared if self._compared else 0.0

    @property
    def spread(self) -> float:
        """Mean quoted spread, as a share of the middle; 0 if both sides never stood."""
        return self._spreads / self._quoted if self._quoted else 0.0

    @property
    def mispricing(self) -> float:
        """Mean distance of the latest price from what the good was worth, as a share."""
        return self._errors / self._seen if self._seen else 0.0
