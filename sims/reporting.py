"""Collects the report of a demonstration day, all at the end: so a resumed run reports the whole day."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from exchange.api.answers import CapacityPost, Contract, Settlement
from exchange.service.viewtypes import MoneyView
from nodes.catalogue import Catalogue
from scheduler.comparison import BaselineRow
from scheduler.plan import ClassSummary
from sims.demand import demand_of, load_rules
from sims.findings import (
    Observer,
    conversion_of,
    day_prices,
    days_from,
    delivery_of,
    hub_prices,
    money_of,
    supply_of,
    traded_of,
)
from sims.placing import Placed, place_day, west_percent
from sims.provider import start_day
from sims.report import Against, ClassRow, Conversion, DayReport, Delivery, Money, Placement
from sims.settings import DemoSettings
from sims.trace import load_tasks
from sims.troupe import Tally

PLACING_TIME_LIMIT_S = 8.0


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What only the run itself knows."""

    trading_day: date
    next_trading_day: date
    base_url: str
    data_dir: Path
    enterprise: str
    members: int
    tally: Tally
    wall_s: float


async def collect(
    facts: RunFacts, observer: Observer, money: MoneyView, catalogue: Catalogue, settings: DemoSettings
) -> DayReport:
    """The whole report, over HTTP but for the house's books (``money``), which no member can see."""
    contracts = await observer.public.contracts(active=None)
    settled = (await observer.public.settlements(facts.trading_day.isoformat())).settlements
    capacity = await observer.capacity()
    expired = expired_days(facts.trading_day, contracts)
    first = expired[0]
    prices = day_prices(first, contracts, settled)
    status = await observer.public.status()
    return DayReport(
        trading_day=facts.trading_day,
        next_trading_day=facts.next_trading_day,
        wall_s=facts.wall_s,
        commands=facts.tally.sent,
        refused=dict(facts.tally.refused),
        processes=facts.members,
        traded=traded_of(contracts, settled),
        conversion=await _conversion(observer, expired, capacity),
        prices_day=first,
        grades=list(catalogue.grades),
        prices=hub_prices(catalogue, prices),
        money=await _money(observer, facts, money),
        deliveries=await _deliveries(observer, facts, settings),
        placement=await _placement(observer, catalogue, first, contracts, settled, capacity),
        base_url=facts.base_url,
        enterprise=facts.enterprise,
        data_dir=str(facts.data_dir),
        state_hash=status.state_hash,
        seq=status.as_of_seq,
    )


def expired_days(trading_day: date, contracts: Sequence[Contract]) -> list[date]:
    """The delivery days whose contracts traded last on this trading day."""
    name = trading_day.isoformat()
    return sorted({start_day(c) for c in contracts if c.kind == "day" and c.last_trading_day == name})


async def _conversion(
    observer: Observer, days: Sequence[date], capacity: Sequence[CapacityPost]
) -> Conversion:
    reserved = [row for day in days for row in await observer.reservations(day)]
    return conversion_of(days, capacity, reserved)


async def _money(observer: Observer, facts: RunFacts, money: MoneyView) -> Money:
    statements = await observer.statements(days_from(facts.trading_day, facts.next_trading_day))
    return money_of(
        await observer.operator.members(),
        money.deposits_fen - money.withdrawals_fen,
        money.house_cash_fen,
        statements,
    )


async def _deliveries(observer: Observer, facts: RunFacts, settings: DemoSettings) -> list[Delivery]:
    rows = []
    for day in days_from(facts.trading_day, facts.next_trading_day):
        reservations = await observer.reservations(day)
        if reservations:
            rows.append(delivery_of(day, reservations, settings.outage))
    return rows


async def _placement(
    observer: Observer,
    catalogue: Catalogue,
    day: date,
    contracts: Sequence[Contract],
    settled: Sequence[Settlement],
    capacity: Sequence[CapacityPost],
) -> Placement:
    demands = demand_of(load_tasks(), catalogue.edge_cities, load_rules())
    prices = day_prices(day, contracts, settled)
    supply = supply_of(day, capacity, await observer.reservations(day), prices)
    # in a thread, so that the server goes on answering; the solver works outside Python most of the time
    placed = await asyncio.to_thread(place_day, catalogue, demands, supply, PLACING_TIME_LIMIT_S)
    return placement_of(day, placed, catalogue)


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
        gap=plan.gap,
        seconds=plan.timings.total_s,
        model=plan.model,
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
