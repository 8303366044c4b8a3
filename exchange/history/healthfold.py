"""The market health index in the history: measured once in a quarter of an hour of market time.

At the first frame of each quarter of an hour, after it was applied: so which rows come out depends on the
journal alone.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.domain.calendar import NS_PER_HOUR
from exchange.health.measuring import Places, measure
from exchange.health.scores import score
from exchange.history.rows import HEALTH
from exchange.service.results import Applied
from exchange.service.state import State, joined
from nodes.catalogue import load_catalogue
from nodes.types import Region

EVERY_NS: Final = NS_PER_HOUR // 4


class HealthFold:
    """Measures on from market time `time_ns`, which is that of the last frame before."""

    def __init__(self, time_ns: int) -> None:
        self._time_ns = time_ns
        self._rows: list[NDArray[Any]] = []

    def apply(self, applied: Applied, state: State) -> None:
        """Take in a frame that was just applied to `state`."""
        if applied.time_ns // EVERY_NS != self._time_ns // EVERY_NS and state.contracts:
            self._rows.append(_measured(state, applied.last_seq, applied.time_ns))
        self._time_ns = applied.time_ns

    def take(self) -> NDArray[Any]:
        """Return what was measured since the last call (HEALTH)."""
        rows, self._rows = joined(self._rows, HEALTH), []
        return rows


def _measured(state: State, seq: int, time_ns: int) -> NDArray[Any]:
    rows = [
        (seq, time_ns, hub, component, raw.numerator, raw.denominator, score(component, raw))
        for hub, components in sorted(measure(state, places()).items())
        for component, raw in sorted(components.items())
    ]
    return np.array(rows, HEALTH)


@cache
def places() -> Places:
    """Return what the catalogue says of hubs."""
    catalogue = load_catalogue()

    def hubs(region: Region) -> frozenset[str]:
        return frozenset(code for code, hub in catalogue.hubs.items() if hub.region is region)

    return Places(cache(catalogue.reference_price_ticks), hubs(Region.EAST), hubs(Region.WEST))
