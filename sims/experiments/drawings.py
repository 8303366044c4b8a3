"""The pictures of a report: means over seeds with 95 % intervals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import plotly.graph_objects as go

from sims.engine.rows import HubRow
from sims.experiments.findings import Line
from sims.experiments.inference import Estimate, estimate
from sims.experiments.job import Finished

EPOCH = date(1970, 1, 1)
_OF_HUBS: tuple[tuple[str, Callable[[HubRow], float]], ...] = (
    ("Mean quoted spread by hub, basis points", lambda row: 10_000 * row.spread),
    ("Lots traded by hub", lambda row: float(row.lots)),
    ("Market health index by hub, 0 to 100", lambda row: row.health),
)


def drawings(found: Sequence[Line], finished: Sequence[Finished]) -> Iterator[go.Figure]:
    """Yield the pictures of an experiment that have anything to show."""
    first = _first_variant(finished)
    by_hub = [_drawn(title, _days(first, value)) for title, value in _OF_HUBS]
    figures = (_surplus(found), _paths(first), _curve(first), *by_hub, _flows(finished), _margin(finished))
    yield from (figure for figure in figures if figure is not None)


def _surplus(found: Sequence[Line]) -> go.Figure:
    """Who gains: each population's surplus by variant."""
    figure = go.Figure(layout={"title": "Surplus by population, CNY", "barmode": "group"})
    classes = [line for line in found if line.name.startswith("surplus of ")]
    for variant in dict.fromkeys(name for line in classes for name in line.by_variant):
        means = [line.by_variant[variant] for line in classes]
        names = [line.name.removeprefix("surplus of ") for line in classes]
        figure.add_trace(_bars(variant, names, means))
    return figure


def _bars(name: str, labels: Sequence[str], means: Sequence[Estimate]) -> go.Bar:
    return go.Bar(name=name, x=labels, y=[of.mean for of in means], error_y={"array": _halves(means)})


def _halves(means: Sequence[Estimate]) -> list[float]:
    return [of.high - of.mean if of.runs > 1 else 0.0 for of in means]


def _paths(finished: Sequence[Finished]) -> go.Figure | None:
    """Settlement prices of the next day's delivery over trading days, by good, first variant."""
    by_good: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in finished:
        for row in one.outcome.prices:
            if row.kind == "day" and row.first_day == row.day + 1:
                by_good[row.good][row.day].append(row.price / 100)
    return _drawn("Settlement price of tomorrow's delivery, CNY per lot-hour", by_good)


def _curve(finished: Sequence[Finished]) -> go.Figure | None:
    """Forward curves on the last trading day, by good, first variant."""
    by_good: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in finished:
        last = max((row.day for row in one.outcome.prices), default=0)
        for row in one.outcome.prices:
            if row.day == last:
                by_good[f"{row.good} {row.kind}"][row.first_day].append(row.price / 100)
    return _drawn("Forward curve on the last day, CNY per lot-hour by first day of delivery", by_good)


def _first_variant(finished: Sequence[Finished]) -> list[Finished]:
    return [one for one in finished if one.variant == finished[0].variant]


def _drawn(title: str, lines_by_name: dict[str, dict[int, list[float]]]) -> go.Figure | None:
    if not lines_by_name:
        return None
    figure = go.Figure(layout={"title": title})
    for name, points in sorted(lines_by_name.items()):
        days = sorted(points)
        means = [estimate(np.array(points[day])) for day in days]
        dates = [EPOCH + timedelta(days=day) for day in days]
        prices = [of.mean for of in means]
        figure.add_trace(go.Scatter(name=name, x=dates, y=prices, error_y={"array": _halves(means)}))
    return figure


def _days(
    finished: Sequence[Finished], value: Callable[[HubRow], float]
) -> dict[str, dict[int, list[float]]]:
    """Return a figure of hubs by hub and day, a value a run; what is negative wasn't measured."""
    by_hub: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in finished:
        for row in one.outcome.hubs:
            if value(row) >= 0:
                by_hub[row.hub][row.day].append(value(row))
    return by_hub


def _flows(finished: Sequence[Finished]) -> go.Figure | None:
    """What enterprises of each region bought in each, card-hours a run."""
    rows = [
        (one, f"{row.home} buys in the {row.region}", row.bought)
        for one in finished
        for row in one.outcome.flows
        if row.home
    ]
    return _compared("East and west: card-hours bought by enterprises, a run", _summed(rows), _runs(finished))


def _margin(finished: Sequence[Finished]) -> go.Figure | None:
    """What was called for, lost, and paid by each layer of the waterfall, CNY a run."""
    rows = [
        (one, row.step, row.amount)
        for one in finished
        for row in one.outcome.margin
        if row.amount and row.step != "restricted"
    ]
    return _compared("Margin calls, losses and who paid them, CNY a run", _summed(rows), _runs(finished))


def _runs(finished: Sequence[Finished]) -> Counter[str]:
    """Return how many runs each variant has."""
    return Counter(one.variant for one in finished)


def _summed(rows: Sequence[tuple[Finished, str, float]]) -> dict[str, dict[str, dict[int, float]]]:
    """Return sums by variant, label and seed."""
    sums: dict[str, dict[str, dict[int, float]]] = {}
    for one, label, value in rows:
        by_seed = sums.setdefault(one.variant, {}).setdefault(label, {})
        by_seed[one.outcome.seed] = by_seed.get(one.outcome.seed, 0.0) + value
    return sums


def _compared(
    title: str, sums: dict[str, dict[str, dict[int, float]]], runs: Mapping[str, int]
) -> go.Figure | None:
    """Return bars by label and variant; a run without the label counts as 0."""
    if not sums:
        return None
    figure = go.Figure(layout={"title": title, "barmode": "group"})
    labels = sorted({label for of_variant in sums.values() for label in of_variant})
    for variant, of_variant in sums.items():
        padded = [np.zeros(runs[variant]) for _ in labels]
        for values, label in zip(padded, labels, strict=True):
            found = list(of_variant.get(label, {}).values())
            values[: len(found)] = found
        figure.add_trace(_bars(variant, labels, [estimate(values) for values in padded]))
    return figure
