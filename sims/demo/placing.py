"""The scheduler's part of the day: the trace's tasks on what was bought and what is still on offer.

It runs as a process of its own (``python -m sims.demo.placing``), so that the server goes on answering and a
Ctrl-C ends the search at once. One problem is one delivery day. The enterprises' reservations are one pool,
as if they lent one another what they don't use; what providers posted and didn't sell is on offer at the
settlement price.
"""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import msgspec

from nodes.catalogue import Catalogue, load_catalogue
from nodes.types import Hub, Region
from scheduler.comparison import compare
from scheduler.placing import place
from scheduler.plan import ClassSummary, Plan
from scheduler.savings import BaselineRow, Comparison
from scheduler.types import (
    NANO_PER_FEN,
    Need,
    Network,
    Offer,
    Origin,
    Problem,
    Reservation,
    Site,
    SiteGrade,
    Workload,
    alternatives_of,
    micro_cny,
    micro_cny_from_ticks,
    milli_cards,
)
from sims.demand import Demand, demand_of, load_rules
from sims.demo.prices import ticks
from sims.demo.report import Against, ClassRow, Placement
from sims.trace import load_tasks


class PlacingFailed(Exception):
    """The scheduler's process ended without an answer."""


Product = tuple[str, str]
"""(hub, grade)."""


@dataclass(frozen=True, slots=True)
class Supply:
    """Cards of one product on one delivery day: posted, reserved out of them, and its settlement price.

    ``price`` is the exchange's, CNY per lot-hour.
    """

    hub: str
    grade: str
    posted_cards: int
    reserved_cards: int
    price: str


@dataclass(frozen=True, slots=True)
class PlacingTask:
    """What the process is given: one delivery day's supply and how long it may search."""

    day: date
    supply: list[Supply]
    time_limit_s: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A plan and its comparison with the baselines."""

    plan: Plan
    comparison: Comparison


def place_day(
    catalogue: Catalogue, demands: Iterable[Demand], supply: Sequence[Supply], time_limit_s: float
) -> Placed:
    """Place a delivery day's tasks and compare. Takes seconds of CPU."""
    problem = problem_of(catalogue, demands, supply)
    plan = place(problem, time_limit_s=time_limit_s)
    return Placed(plan, compare(problem, plan))


def problem_of(catalogue: Catalogue, demands: Iterable[Demand], supply: Sequence[Supply]) -> Problem:
    """The scheduler's problem of one delivery day; tasks arrive in the order of the trace."""
    origins = tuple(_origin(catalogue, city) for city in catalogue.edge_cities)
    sites = tuple(_site(catalogue, hub, supply) for hub in catalogue.hubs.values())
    return Problem(
        workloads=tuple(_workload(catalogue, demand) for demand in demands),
        origins=origins,
        sites=sites,
        network=Network.from_function(
            [origin.city for origin in origins], [site.code for site in sites], catalogue.round_trip_ms
        ),
        reservations=tuple(_reservations(catalogue, supply)),
        offers=tuple(_offers(catalogue, supply)),
    )


def _origin(catalogue: Catalogue, city: str) -> Origin:
    home = catalogue.edge_pool_of(city)
    return Origin(city=city, province=home.province, home_site=home.code)


def _site(catalogue: Catalogue, hub: Hub, supply: Sequence[Supply]) -> Site:
    at_hub = {item.grade: item for item in supply if item.hub == hub.code}
    grades = tuple(
        SiteGrade(
            grade=code,
            capacity_milli_cards=milli_cards(max(item.posted_cards, item.reserved_cards)),
            list_price_micro_cny=_micro(catalogue, item),
            power_micro_cny=micro_cny(catalogue.mean_power_cny_per_card_hour(hub.code, code)),
            kgco2=catalogue.kgco2_per_card_hour(hub.code, code),
        )
        for code in catalogue.grades
        if (item := at_hub.get(code)) is not None
    )
    return Site(hub.code, hub.city, hub.province, hub.region, hub.kind, grades)


def _workload(catalogue: Catalogue, demand: Demand) -> Workload:
    kind = catalogue.workload_class(demand.latency_class)
    instead = dict.fromkeys(demand.grades[1:], 1)
    return Workload(
        id=f"task-{demand.number}",
        origin=demand.origin,
        latency_ms_max=kind.rtt_budget_ms,
        alternatives=_alternatives(demand, instead),
        residency=kind.residency,
        latency_class=demand.latency_class,
    )


def _alternatives(demand: Demand, instead: Mapping[str, int]) -> tuple[tuple[Need, ...], ...]:
    return alternatives_of({demand.grade: Fraction(demand.cards_milli, 1000)}, {demand.grade: instead})


def _micro(catalogue: Catalogue, item: Supply) -> int:
    return micro_cny_from_ticks(ticks(item.price), catalogue.grade(item.grade).cards_per_lot)


def _reservations(catalogue: Catalogue, supply: Sequence[Supply]) -> Iterable[Reservation]:
    for item in supply:
        if item.reserved_cards:
            name, cards = f"reserved/{item.hub}/{item.grade}", milli_cards(item.reserved_cards)
            yield Reservation(name, item.hub, item.grade, cards, _micro(catalogue, item))


def _offers(catalogue: Catalogue, supply: Sequence[Supply]) -> Iterable[Offer]:
    for item in supply:
        unsold = item.posted_cards - item.reserved_cards
        if unsold > 0:
            name, cards = f"posted/{item.hub}/{item.grade}", milli_cards(unsold)
            yield Offer(name, item.hub, item.grade, cards, _micro(catalogue, item))


def west_percent(catalogue: Catalogue, plan: Plan) -> float:
    """Share of the placed cards, all grades added up, that stand in the west."""
    placed: Counter[Region] = Counter()
    for placement in plan.placements:
        placed[catalogue.hub(placement.site).region] += sum(need.milli_cards for need in placement.needs)
    return 100 * placed[Region.WEST] / placed.total() if placed else 0.0


def placement_of(day: date, placed: Placed, catalogue: Catalogue) -> Placement:
    """The scheduler's result as the table shows it."""
    plan = placed.plan
    unplaced: dict[str, int] = {}
    for item in plan.unplaced:
        unplaced[item.reason.value] = unplaced.get(item.reason.value, 0) + 1
    return Placement(
        day=day,
        classes=[_class_row(row, catalogue) for row in plan.by_latency_class],
        unplaced=unplaced,
        west_percent=west_percent(catalogue, plan),
        new_money_fen=plan.totals.cost_fen,
        gap_fen=-(-plan.gap_nano_cny // NANO_PER_FEN),
        seconds=plan.timings.total_s,
        against=[_against(row) for row in placed.comparison.rows],
    )


def _class_row(row: ClassSummary, catalogue: Catalogue) -> ClassRow:
    kind = catalogue.workload_class(row.latency_class)
    return ClassRow(
        latency_class=kind.code,
        name=kind.name_en,
        budget_ms=kind.rtt_budget_ms,
        tasks=row.workloads,
        placed=row.placed,
        mean_rtt_ms=row.mean_rtt_ms,
        max_rtt_ms=row.max_rtt_ms,
    )


def _against(row: BaselineRow) -> Against:
    plan, baseline = row.plan_common, row.baseline_common
    return Against(
        name=row.name,
        description=row.description,
        unserved=row.unserved,
        common=baseline.placed,
        plan_cost_fen=plan.cost_with_reserved_fen,
        baseline_cost_fen=baseline.cost_with_reserved_fen,
        plan_power_fen=plan.power_cost_fen,
        baseline_power_fen=baseline.power_cost_fen,
        plan_kgco2=plan.kgco2,
        baseline_kgco2=baseline.kgco2,
    )


# the process


async def place_elsewhere(task: PlacingTask) -> Placement:
    """Let a process of its own do it; cancelling kills that process. Raises PlacingFailed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sims.demo.placing",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        answer, _ = await process.communicate(msgspec.json.encode(task))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise PlacingFailed(f"the scheduler's process ended with {process.returncode}")
    return msgspec.json.decode(answer, type=Placement)


def main() -> None:
    """Read a task, write its placement."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=PlacingTask)
    catalogue = load_catalogue()
    demands = demand_of(load_tasks(), catalogue.edge_cities, load_rules())
    placed = place_day(catalogue, demands, task.supply, task.time_limit_s)
    sys.stdout.buffer.write(msgspec.json.encode(placement_of(task.day, placed, catalogue)))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
