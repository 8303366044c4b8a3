"""What the report's charts show, as plain JSON values: map, Gantt chart, load and price curves."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from nodes.types import Point
from scheduler.anyplan import AnyProblem
from scheduler.io.schedule import Run, Schedule
from scheduler.report.supply import Hourly, Resource, supply_of
from scheduler.types import MILLI

MICRO_PER_CNY: Final = 1_000_000
FLOWS_MAX: Final = 150
"""Lines on the map, the heaviest; the rest would only be a blur."""
LANES_MAX: Final = 12
"""Rows a site has in the Gantt chart; what does not fit is added up in the last."""
IDS_SHOWN: Final = 6


def map_of(problem: AnyProblem, schedule: Schedule, points: Mapping[str, Point]) -> dict[str, Any]:
    """Sites and cities that have a point, and card-hours between them."""
    at_site: Counter[str] = Counter()
    flows: Counter[tuple[str, str]] = Counter()
    for run in schedule.runs:
        weight = _card_hours(run)
        at_site[run.site] += weight
        flows[run.origin, run.site] += weight
    cities = {run.origin for run in schedule.runs}
    return {
        "sites": [
            {
                "code": site.code,
                "region": site.region.value,
                "edge": site.kind.value == "edge_pool",
                "lat": points[site.code].latitude_deg,
                "lon": points[site.code].longitude_deg,
                "card_hours": at_site[site.code] / MILLI,
            }
            for site in problem.sites
            if site.code in points
        ],
        "cities": [
            {"name": city, "lat": points[city].latitude_deg, "lon": points[city].longitude_deg}
            for city in sorted(cities)
            if city in points
        ],
        "flows": [
            {"from": origin, "to": site, "card_hours": weight / MILLI}
            for (origin, site), weight in flows.most_common(FLOWS_MAX)
            if origin in points and site in points
        ],
        "flows_hidden": max(0, len(flows) - FLOWS_MAX),
    }


def _card_hours(run: Run) -> int:
    """Milli-card-hours of a run."""
    return sum(need.milli_cards for need in run.milli_cards()) * (run.end_hour - run.first_hour)


# Gantt


def gantt_of(schedule: Schedule) -> dict[str, Any]:
    """Bars of one class at one site over the same hours, in lanes that do not overlap."""
    bars: dict[str, dict[tuple[int, int, str], list[Run]]] = defaultdict(lambda: defaultdict(list))
    for run in schedule.runs:
        bars[run.site][run.first_hour, run.end_hour, run.latency_class].append(run)
    weight = {s: sum(_card_hours(r) for rs in found.values() for r in rs) for s, found in bars.items()}
    return {
        "start": schedule.start.isoformat(),
        "hours": schedule.hours,
        "sites": [
            {"site": site, "lanes": _lanes(schedule.start, bars[site])}
            for site in sorted(bars, key=lambda site: (-weight[site], site))
        ],
    }


def _lanes(start: datetime, bars: Mapping[tuple[int, int, str], Sequence[Run]]) -> list[list[dict[str, Any]]]:
    """Each bar in the first lane that is free, the earliest and longest first."""
    lanes: list[list[dict[str, Any]]] = []
    ends: list[int] = []
    for first, end, kind in sorted(bars, key=lambda key: (key[0], -key[1], key[2])):
        lane = next((at for at, until in enumerate(ends) if until <= first), len(ends))
        if lane == len(ends):
            if lane == LANES_MAX:
                lane -= 1
            else:
                ends.append(0)
                lanes.append([])
        ends[lane] = max(ends[lane], end)
        lanes[lane].append(_bar(start, first, end, kind, bars[first, end, kind]))
    return lanes


def _bar(start: datetime, first: int, end: int, kind: str, runs: Sequence[Run]) -> dict[str, Any]:
    cards: Counter[str] = Counter()
    for run in runs:
        for grade, milli in run.milli_cards():
            cards[grade] += milli
    names = [run.workload for run in runs[:IDS_SHOWN]]
    more = len(runs) - len(names)
    return {
        "from": local(start, first),
        "hours": end - first,
        "class": kind,
        "count": len(runs),
        "cards": {grade: milli / MILLI for grade, milli in sorted(cards.items())},
        "ids": ", ".join(names) + (f" and {more} more" if more else ""),
    }


def local(start: datetime, hour: int) -> str:
    """The moment of an hour of the plan as the plan's own clock shows it, without offset, for the axes."""
    return (start + timedelta(hours=hour)).replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")


# curves


def curves_of(problem: AnyProblem, schedule: Schedule) -> dict[str, Any]:
    """By hour, for each grade at each site with load: cards used, reserved and there, and prices in CNY."""
    used = _used(schedule)
    supply = supply_of(problem)
    shadow: dict[Resource, Hourly] = {}
    for price in schedule.shadows:
        resource = (price.site, price.grade)
        by_hour = shadow.setdefault(resource, np.zeros(schedule.hours, np.int64))
        by_hour[price.first_hour : price.end_hour] = price.micro_cny
    rows = []
    for resource in sorted(used, key=lambda r: (-int(used[r].sum()), r)):
        there = supply[resource]
        rows.append(
            {
                "site": resource[0],
                "grade": resource[1],
                "used": _cards(used[resource]),
                "reserved": _cards(there.reserved),
                "capacity": _cards(there.capacity),
                "next_price": [_cny(p) for p in there.next_price(used[resource])],
                "shadow": [_cny(p) for p in shadow[resource].tolist()] if resource in shadow else None,
                "power": [_cny(p) for p in there.power.tolist()],
            }
        )
    return {"times": [local(schedule.start, hour) for hour in range(schedule.hours + 1)], "rows": rows}


def _used(schedule: Schedule) -> dict[Resource, Hourly]:
    used: dict[Resource, Hourly] = {}
    for run in schedule.runs:
        for grade, milli in run.milli_cards():
            by_hour = used.setdefault((run.site, grade), np.zeros(schedule.hours, np.int64))
            by_hour[run.first_hour : run.end_hour] += milli
    return used


def _cards(figures: Hourly) -> list[float]:
    return [milli / MILLI for milli in figures.tolist()]


def _cny(micro: int | None) -> float | None:
    return None if micro is None else round(micro / MICRO_PER_CNY, 6)


def load_by_region(problem: AnyProblem, schedule: Schedule) -> dict[str, float]:
    """Share of the card-hours, all grades added up, by region."""
    region = {site.code: site.region.value for site in problem.sites}
    total: Counter[str] = Counter()
    for run in schedule.runs:
        total[region[run.site]] += _card_hours(run)
    return {name: count / total.total() for name, count in total.most_common()} if total else {}


def reasons(schedule: Schedule) -> Iterable[tuple[str, int]]:
    """How many workloads stay out for each reason, most first."""
    return Counter(left.reason for left in schedule.left).most_common()
