"""The pictures of a report: means over seeds with 95 % intervals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
import plotly.graph_objects as go
from plotly.colors import qualitative

from sims.engine.rows import HubRow, Outcome
from sims.experiments.findings import Line
from sims.experiments.inference import Estimate, estimate
from sims.experiments.job import Finished

EPOCH = date(1970, 1, 1)
DAYS_LABELLED: Final = 14
"""So many days have a label each."""
_MS_PER_DAY: Final = 86_400_000
_DASHES: Final = ("solid", "dash", "dot", "dashdot")
"""Of the variants' lines, in their order."""
_COLOURS: Final = qualitative.Dark24
_OF_HUBS: tuple[tuple[str, Callable[[HubRow], float]], ...] = (
    ("Mean quoted spread by hub, basis points", lambda row: 10_000 * row.spread),
    ("Lots traded by hub", lambda row: float(row.lots)),
    ("Market health index by hub, 0 to 100", lambda row: row.health),
)


class _Series:
    """Values by variant, name and day, one a run. Each variant's lines are dashed in another way."""

    def __init__(self) -> None:
        self.lines: dict[tuple[int, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, variant: int, name: str, day: int, value: float) -> None:
        """Add a run's value; what is negative wasn't measured."""
        if value >= 0:
            self.lines[variant, name][day].append(value)

    def drawn(self, title: str, variants: Sequence[str]) -> go.Figure | None:
        """Return a line a name and variant, of means with intervals; nothing if there is none."""
        if not self.lines:
            return None
        figure = _figure(title if len(variants) > 1 else f"{title}: {variants[0]}")
        names = sorted({name for _, name in self.lines})
        for (variant, name), points in sorted(self.lines.items()):
            days = sorted(points)
            means = [estimate(np.array(points[day])) for day in days]
            line = {
                "color": _COLOURS[names.index(name) % len(_COLOURS)],
                "dash": _DASHES[variant],
            }
            figure.add_trace(
                go.Scatter(
                    name=name if len(variants) == 1 else f"{name}, {variants[variant]}",
                    x=[EPOCH + timedelta(days=day) for day in days],
                    y=[of.mean for of in means],
                    error_y={"array": _halves(means)},
                    line=line,
                )
            )
        days_shown = {day for points in self.lines.values() for day in points}
        if len(days_shown) <= DAYS_LABELLED:
            figure.update_xaxes(tickformat="%-d %b", dtick=_MS_PER_DAY)
        return figure


class _Sums:
    """Sums by variant, label and seed."""

    def __init__(self) -> None:
        self.variants: dict[str, dict[str, dict[int, float]]] = {}

    def add(self, one: Finished, label: str, value: float) -> None:
        """Add to a run's sum."""
        by_seed = self.variants.setdefault(one.variant, {}).setdefault(label, {})
        by_seed[one.outcome.seed] = by_seed.get(one.outcome.seed, 0.0) + value

    def drawn(self, title: str, runs: Mapping[str, int]) -> go.Figure | None:
        """Return bars by label and variant, of so many runs; a run without the label counts as 0."""
        if not self.variants:
            return None
        figure = _figure(title)
        labels = sorted({label for of_variant in self.variants.values() for label in of_variant})
        for variant, of_variant in self.variants.items():
            padded = [np.zeros(runs[variant]) for _ in labels]
            for values, label in zip(padded, labels, strict=True):
                found = list(of_variant.get(label, {}).values())
                values[: len(found)] = found
            figure.add_trace(_bars(variant, labels, [estimate(values) for values in padded]))
        return figure


class _Seen:
    """What the pictures show, gathered run by run: a run's tables needn't stay in memory.

    Lines over days are of the variants in `compared`.
    """

    def __init__(self, compared: Sequence[str]) -> None:
        self.compared = compared
        self.runs: Counter[str] = Counter()
        self.paths, self.curve, self.deliveries = _Series(), _Series(), _Series()
        self.hubs = [_Series() for _ in _OF_HUBS]
        self.flows, self.margin = _Sums(), _Sums()

    def add(self, one: Finished) -> None:
        """Look at a run."""
        self.runs[one.variant] += 1
        if one.variant in self.compared:
            self._add_days(self.compared.index(one.variant), one.outcome)
        for flow in one.outcome.flows:
            if flow.home:
                self.flows.add(one, f"{flow.home} buys in the {flow.region}", flow.bought)
        for step in one.outcome.margin:
            if step.amount and step.step != "restricted":
                self.margin.add(one, step.step, step.amount)

    def _add_days(self, variant: int, outcome: Outcome) -> None:
        last = max((row.day for row in outcome.prices), default=0)
        for row in outcome.prices:
            if row.kind == "day" and row.first_day == row.day + 1:
                self.paths.add(variant, row.good, row.day, row.price / 100)
            if row.day == last:
                self.curve.add(variant, f"{row.good} {row.kind}", row.first_day, row.price / 100)
        for series, (_, value) in zip(self.hubs, _OF_HUBS, strict=True):
            for hub in outcome.hubs:
                series.add(variant, hub.hub, hub.day, value(hub))
        for delivery in outcome.deliveries:
            if delivery.due:
                self.deliveries.add(
                    variant, delivery.hub, delivery.day, 100 * delivery.delivered / delivery.due
                )


def drawings(found: Sequence[Line], finished: Iterable[Finished]) -> Iterator[go.Figure]:
    """Yield the pictures of an experiment that have anything to show; runs come variant by variant. Lines
    over days are of every variant, or of the first if there are too many to tell apart.
    """
    variants = list(found[0].by_variant) if found else []
    compared = variants if len(variants) <= len(_DASHES) else variants[:1]
    seen = _Seen(compared)
    for one in finished:
        seen.add(one)
    figures = (
        _bars_of(found, "Welfare and what was lost of it, CNY", "welfare_cny", "lost_"),
        _bars_of(found, "Surplus by population, CNY", "", "surplus of "),
        seen.paths.drawn("Settlement price of tomorrow's delivery, CNY per lot-hour", compared),
        seen.curve.drawn(
            "Forward curve on the last day, CNY per lot-hour by first day of delivery", compared
        ),
        *(series.drawn(title, compared) for series, (title, _) in zip(seen.hubs, _OF_HUBS, strict=True)),
        seen.deliveries.drawn("Delivered of what was due by hub and delivery day, %", compared),
        seen.flows.drawn("East and west: card-hours bought by enterprises, a run", seen.runs),
        seen.margin.drawn("Margin calls, losses and who paid them, CNY a run", seen.runs),
    )
    yield from (figure for figure in figures if figure is not None)


def _figure(title: str) -> go.Figure:
    return go.Figure(layout={"title": title, "barmode": "group", "template": "plotly_white"})


def _bars_of(found: Sequence[Line], title: str, whole: str, prefix: str) -> go.Figure:
    """Draw figures by variant: `whole`, and those whose names begin with `prefix`."""
    figure = _figure(title)
    shown = [line for line in found if line.name == whole or line.name.startswith(prefix)]
    for variant in dict.fromkeys(name for line in shown for name in line.by_variant):
        there = [line for line in shown if variant in line.by_variant]
        means = [line.by_variant[variant] for line in there]
        names = [line.name.removeprefix(prefix).removesuffix("_cny") for line in there]
        figure.add_trace(_bars(variant, names, means))
    return figure


def _bars(name: str, labels: Sequence[str], means: Sequence[Estimate]) -> go.Bar:
    return go.Bar(name=name, x=labels, y=[of.mean for of in means], error_y={"array": _halves(means)})


def _halves(means: Sequence[Estimate]) -> list[float]:
    return [of.high - of.mean if of.runs > 1 else 0.0 for of in means]
