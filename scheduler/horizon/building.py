"""Whole plans from prices: everyone is placed by steadily rising prices, then by what things really cost."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scheduler.horizon.in_time import TimeIsUp, in_time
from scheduler.horizon.insertion import (
    NO_GUIDE,
    OUT,
    Guide,
    Lookup,
    State,
    copied,
    empty_state,
    lookup_of,
    sweep,
)
from scheduler.horizon.instance import Instance, milli_of_member
from scheduler.horizon.pricing import Prices
from scheduler.horizon.squeezing import squeeze
from scheduler.horizon.supply import Ints

ENTRIES = 256
SPAN = 1.25
"""A guide's tables reach this far beyond capacity."""
RAMPS = (0.05, 0.05, 0.03, 0.02)
"""Width of the rise before capacity, as a share of it, sweep by sweep."""
RAMP_PRICES = 3
"""The rise at capacity, in typical list prices."""
SHAKEN_SHARE = 0.15
"""Share of the workloads that a shake takes out."""
SWEEPS_MAX = 12
SQUEEZES_FAILED_MAX = 8
"""Workloads in a row that no room can be made for, after which no more are tried."""
SETTLED_SHARE = 0.002
"""Sweeping ends once fewer than this share of the workloads change."""


Floats = NDArray[np.floating[Any]]


class Builder:
    """Builds and improves plans of one instance; keeps nothing but arrays that never change."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.lookup: Lookup = lookup_of(instance)
        kinds = instance.kinds
        first = kinds.alternative_start[:-1]
        size = milli_of_member(kinds)[first] * kinds.gang * kinds.duration[first]
        # large ones find a place only while there is room in one piece
        self.largest_first: Ints = np.argsort(-size[instance.kind], kind="stable")
        self.listed = _typical_price(instance)

    def in_order(self, order: Ints) -> State:
        """Each where it is cheapest at that moment, in this order."""
        state = empty_state(self.instance)
        sweep(self.instance.kinds, self.lookup, state, NO_GUIDE, order)
        return state

    def guided(self, prices: Prices, deadline: float) -> State | None:
        """Built by rising prices at or above the relaxation's, then improved by real ones.

        None where time ran out before it was a plan: what rising prices place may lie beyond capacity.
        """
        state = empty_state(self.instance)
        for width in RAMPS:
            began = time.monotonic()
            if self._sweep(state, self.guide(prices, width), self.largest_first, deadline) is None:
                return None
            # as long again is needed to bring everyone within capacity
            if 2 * time.monotonic() - began > deadline:
                break
        return state if self._finish(state, prices, deadline) else None

    def shaken(
        self, state: State, prices: Prices, draw: np.random.Generator, deadline: float
    ) -> State | None:
        """A copy with some workloads taken out, put back by prices, and improved; None if time ran out."""
        other = copied(state)
        some = self.largest_first[draw.random(len(self.largest_first)) < SHAKEN_SHARE]
        if self._sweep(other, self.guide(prices, RAMPS[-1]), some, deadline) is None:
            return None
        return other if self._finish(other, prices, deadline) else None

    def _finish(self, state: State, prices: Prices, deadline: float) -> bool:
        """Improve a plan, then make room for those still left out; whether the first was done in time."""
        if not self.improve(state, deadline):
            return False
        guide, failed = self.guide(prices, RAMPS[-1]), 0

        def out_of_time() -> bool:
            return time.monotonic() > deadline

        for j in self.largest_first[state.site[self.largest_first] == OUT].tolist():
            if failed == SQUEEZES_FAILED_MAX or out_of_time():
                break
            placed = squeeze(self.instance.kinds, self.lookup, state, guide, j, out_of_time)
            failed = 0 if placed else failed + 1
        return True

    def improve(self, state: State, deadline: float) -> bool:
        """Sweep by real costs until hardly anyone moves; whether one sweep over everyone was made in time."""
        made = 0
        for _ in range(SWEEPS_MAX):
            changed = self._sweep(state, NO_GUIDE, self.largest_first, deadline)
            if changed is None:
                break
            made += 1
            if changed <= SETTLED_SHARE * len(self.largest_first):
                break
        self._settle(state, deadline)
        return made > 0

    def _sweep(self, state: State, guide: Guide, order: Ints, deadline: float) -> int | None:
        """Sweep over an order bit by bit; how many changed, or None where the time ran out on the way."""
        kinds, lookup = self.instance.kinds, self.lookup
        try:
            return sum(sweep(kinds, lookup, state, guide, part) for part in in_time(order, deadline))
        except TimeIsUp:
            return None

    def _settle(self, state: State, deadline: float) -> None:
        """Undo every move of running work that gains no more than its migration costs, others as they are.

        One sweep is made even out of time, so that hardly anybody moves for nothing.
        """
        running = np.flatnonzero(self.instance.kinds.could_stay[self.instance.kind])
        for _ in range(SWEEPS_MAX if len(running) else 0):
            changed = sweep(self.instance.kinds, self.lookup, state, NO_GUIDE, running)
            if not changed or time.monotonic() > deadline:
                break

    def guide(self, prices: Prices, width: float) -> Guide:
        """Prices at or above these that rise steeply over the last ``width`` of each cell and beyond."""
        supply = self.instance.supply
        capacity = np.maximum(supply.usable, 1)
        unit = np.maximum((capacity * SPAN / ENTRIES).astype(np.int64), 1)
        middle = (np.arange(ENTRIES) + 0.5) * unit[:, None]
        price = np.maximum(_price_at(self.instance, middle), prices.capacity[:, None])
        rise = np.maximum(middle / capacity[:, None] - (1 - width), 0) / width
        table = price + (rise * RAMP_PRICES * self.listed).astype(np.int64)
        return Guide(table, unit, prices.carbon)


def _typical_price(instance: Instance) -> float:
    supply = instance.supply
    listed = supply.list_price[supply.held] * supply.hours
    return max(float(np.median(listed)) if len(listed) else 0.0, 1.0)


def _price_at(instance: Instance, use: Floats) -> Ints:
    """(N, entries) price of the step in which a cell's use lies; of its last step beyond capacity."""
    supply = instance.supply
    steps = np.diff(supply.step_start)
    price = np.zeros(use.shape, dtype=np.int64)
    covered = np.zeros(len(steps))
    for rank in range(int(steps.max(initial=0))):
        cells = np.flatnonzero(steps > rank)
        step = supply.step_start[cells] + rank
        here = use[cells] >= covered[cells, None]
        price[cells] = np.where(here, supply.step_price[step][:, None], price[cells])
        covered[cells] += supply.step_milli[step]
    return price


def marginal_prices(instance: Instance, state: State) -> Ints:
    """(N,) nano-CNY of the next milli-card of each cell, of the last one where nothing is left."""
    supply = instance.supply
    return _price_at(instance, np.minimum(state.used, supply.usable - 1)[:, None].astype(np.float64))[:, 0]
