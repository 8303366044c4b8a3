"""The market health index: its endpoints, and its gauges for Prometheus (docs/health.md)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange.api import health as api
from exchange.api.codes import RequestCode, refuse
from exchange.api.formats import time_text
from exchange.gateway.call import FROM_HISTORY, Call
from exchange.gateway.paging import position
from exchange.health.measuring import OVERALL
from exchange.health.scores import SCALES, Component, groups, index
from exchange.history import queries
from exchange.history.queries import Row
from exchange.history.reader import read_once
from exchange.history.store import latest
from exchange.service.exchange import Exchange

OVERALL_NAME: Final = "overall"
_HUNDREDTHS: Final = 100
_SEQ, _TIME, _HUB, _COMPONENT, _NUMERATOR, _DENOMINATOR, _SCORE = range(7)


async def market_health(call: Call) -> api.MarketHealth:
    """Answer the latest measurement of the market health index, overall and by hub."""
    seq, rows = await call.history.run(queries.health_now)
    found = _measurements(call.exchange, rows)
    overall = next((one for one in found if one.hub == OVERALL_NAME), None)
    return api.MarketHealth(overall=overall, hubs=[one for one in found if one is not overall], as_of_seq=seq)


async def hub_health(call: Call) -> api.HealthHistory:
    """Answer the measurements of a hub, or of "overall", latest first. Refused: UNKNOWN_HUB."""
    name, query = call.path["hub"], call.query
    number = OVERALL if name == OVERALL_NAME else call.exchange.views.hub_index(name)
    if number is None:
        raise refuse(
            RequestCode.UNKNOWN_HUB, f"There is no hub {name[:32]!r}; GET /v1/hubs lists them.", "hub"
        )
    before = None if query.cursor is None else position(query.cursor)
    ask = partial(queries.health_of, hub=number, before=before, limit=query.limit + 1)
    seq, rows = await call.history.run(ask)
    found = _measurements(call.exchange, rows)
    shown = found[: query.limit]
    cursor = str(shown[-1].seq) if len(found) > query.limit else None
    return api.HealthHistory(measurements=shown, as_of_seq=seq, next_cursor=cursor)


def _measurements(exchange: Exchange, rows: Sequence[Row]) -> list[api.HubHealth]:
    """Return one measurement for each run of rows of the same moment and hub."""
    codes = exchange.views.hub_codes()
    return [
        _measurement(OVERALL_NAME if hub == OVERALL else codes[hub], list(of))
        for (_, hub), of in groupby(rows, key=lambda row: (row[_SEQ], row[_HUB]))
    ]


def _measurement(hub: str, rows: Sequence[Row]) -> api.HubHealth:
    scores = {Component(row[_COMPONENT]): int(row[_SCORE]) for row in rows}
    of_groups = groups(scores)
    return api.HubHealth(
        hub=hub,
        time=time_text(rows[0][_TIME]),
        seq=rows[0][_SEQ],
        index=(index(of_groups) or 0) / _HUNDREDTHS,
        groups=[
            api.HealthGroup(
                name=group.label,
                name_zh=group.label_zh,
                score=value / _HUNDREDTHS,
                components=[
                    api.HealthComponent(
                        name=Component(row[_COMPONENT]).label,
                        score=row[_SCORE] / _HUNDREDTHS,
                        numerator=row[_NUMERATOR],
                        denominator=row[_DENOMINATOR],
                    )
                    for row in rows
                    if SCALES[Component(row[_COMPONENT])].group is group
                ],
            )
            for group, value in of_groups.items()
        ],
    )


class Gauges(Collector):
    """The latest measurement, read from the history whenever Prometheus asks; nothing while there is none."""

    def __init__(self, exchange: Exchange, folder: Path) -> None:
        self._exchange = exchange
        self._folder = folder

    def describe(self) -> list[Metric]:
        """Return no names beforehand, so that registering doesn't read."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the index and its groups by hub."""
        whole = GaugeMetricFamily("dongxi_health_index", "Market health, 0 to 100.", labels=("hub",))
        parts = GaugeMetricFamily(
            "dongxi_health_group", "Market health by group, 0 to 100.", labels=("hub", "group")
        )
        for one in self._latest():
            whole.add_metric((one.hub,), one.index)
            for group in one.groups:
                parts.add_metric((one.hub, group.name), group.score)
        yield whole
        yield parts

    def _latest(self) -> list[api.HubHealth]:
        path = latest(self._folder)
        if path is None:
            return []
        try:
            return _measurements(self._exchange, read_once(path, queries.health_now))
        except sqlite3.Error:
            return []


ROUTES = (
    FROM_HISTORY(
        path="/v1/health-index",
        handler=market_health,
        answer=api.MarketHealth,
        summary="The market health index now, overall and by hub",
        tag="market",
    ),
    FROM_HISTORY(
        path="/v1/health-index/{hub}",
        handler=hub_health,
        answer=api.HealthHistory,
        summary="A hub's market health over time",
        tag="market",
        query=api.HealthQuery,
        path_help={"hub": "a hub's code, or overall"},
    ),
)
