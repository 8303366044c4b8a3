"""The numbers behind a report's pictures, as tables for those who read its Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest

import plotly.graph_objects as go

from sims.experiments.inference import readable


def tables_of(figures: Iterable[go.Figure]) -> list[tuple[str, list[list[str]]]]:
    """Return title and table of each picture, heading first: its lines against its places, the more of these
    downwards; means ± half of their intervals.
    """
    return [(figure.layout.title.text, _table(figure)) for figure in figures]


def _table(figure: go.Figure) -> list[list[str]]:
    cells = {(trace.name, str(at)): told for trace in figure.data for at, told in _points(trace)}
    names, places = (list(dict.fromkeys(part)) for part in zip(*cells, strict=True))
    places = sorted(places) if places[0][:1].isdigit() else places  # days; what else there is has its order
    rows = [[name, *(cells.get((name, at), "") for at in places)] for name in names]
    table = [["", *places], *rows]
    if len(places) <= len(names):
        return table
    return [list(column) for column in zip(*table, strict=True)]


def _points(trace: go.Scatter | go.Bar) -> Iterable[tuple[object, str]]:
    halves = trace.error_y.array if trace.error_y.array is not None else ()
    for at, mean, half in zip_longest(trace.x, trace.y, halves):
        yield at, f"{readable(mean)} ± {readable(half)}" if half else readable(mean)
