"""What is watched during a run: spreads, and how far prices stray from what goods are worth."""

from __future__ import annotations

import numpy as np

from matching.records import Records


class Monitor:
    """Running sums over wakes and contracts; bounded, whatever the length of a run."""

    def __init__(self) -> None:
        self._spreads = self._errors = 0.0
        self._quoted = self._seen = 0
        self.worst = 0.0
        """Furthest that a latest price was from what the good was worth, as a share."""

    def note(self, rows: Records) -> None:
        """Look at the board's rows (dtype ROW) after a wake."""
        both = (rows["bid"] > 0) & (rows["ask"] > 0)
        quoted = rows[both]
        self._spreads += float((2 * (quoted["ask"] - quoted["bid"]) / (quoted["ask"] + quoted["bid"])).sum())
        self._quoted += len(quoted)
        traded = rows[rows["lots"] > 0]
        strays = np.abs(traded["last"] / traded["worth"] - 1)
        self._errors += float(strays.sum())
        self._seen += len(traded)
        self.worst = max(self.worst, float(strays.max(initial=0.0)))

    @property
    def spread(self) -> float:
        """Mean quoted spread, as a share of the middle; 0 if both sides never stood."""
        return self._spreads / self._quoted if self._quoted else 0.0

    @property
    def mispricing(self) -> float:
        """Mean distance of the latest price from what the good was worth, as a share."""
        return self._errors / self._seen if self._seen else 0.0
