"""Counters and histograms that cost a dictionary entry to raise: they are raised for every turn of the loop.

One thread raises a figure; the exposition reads it at any moment.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

Labels = tuple[str, ...]


class Counts(Collector):
    """A counter by labels."""

    def __init__(
        self, registry: CollectorRegistry, name: str, meaning: str, labels: Sequence[str] = ()
    ) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._values: dict[Labels, float] = {} if labels else {(): 0.0}
        registry.register(self)

    def add(self, labels: Labels, count: float = 1) -> None:
        """Raise the count of some labels."""
        self._values[labels] = self._values.get(labels, 0.0) + count

    def collect(self) -> Iterator[Metric]:
        """Return the counter as Prometheus has it."""
        family = CounterMetricFamily(self._name, self._meaning, labels=self._labels)
        for labels, value in self._values.copy().items():
            family.add_metric(labels, value)
        yield family


class Spread:
    """How observed values spread over buckets."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value; it belongs to the first bucket whose bound it doesn't exceed."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def rows(self) -> tuple[list[tuple[str, float]], float]:
        """Return the buckets, each with those below it, and the sum of all values."""
        names = [*map(str, self._bounds), "+Inf"]
        return list(zip(names, accumulate(self._counts), strict=True)), self._sum


class Spreads(Collector):
    """A histogram by labels."""

    def __init__(
        self,
        registry: CollectorRegistry,
        name: str,
        meaning: str,
        bounds: Sequence[float],
        labels: Sequence[str] = (),
    ) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._bounds: Final = tuple(float(bound) for bound in bounds)
        self._spreads: dict[Labels, Spread] = {}
        registry.register(self)

    def of(self, labels: Labels = ()) -> Spread:
        """Return the spread of some labels."""
        spread = self._spreads.get(labels)
        if spread is None:
            spread = self._spreads[labels] = Spread(self._bounds)
        return spread

    def collect(self) -> Iterator[Metric]:
        """Return the histogram as Prometheus has it."""
        family = HistogramMetricFamily(self._name, self._meaning, labels=self._labels)
        for labels, spread in self._spreads.copy().items():
            buckets, total = spread.rows()
            family.add_metric(labels, buckets, total)
        yield family
