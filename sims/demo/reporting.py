"""Collects the report of a demonstration day, all at the end: so a resumed run reports the whole day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from exchange.api.market import Contract, Settlement
from exchange.api.primary import CapacityPost
from exchange.service.viewtypes import MoneyView
from nodes.catalogue import Catalogue
from sims.demo.findings import (
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
from sims.demo.placing import PlacingTask, Product, place_elsewhere
from sims.demo.provider import start_day
from sims.demo.report import Conversion, DayReport, Delivery, Money, Placement
from sims.demo.settings import DemoSettings
from sims.demo.troupe import Tally

PLACING_TIME_LIMIT_S = 12.0


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What only the run itself knows."""

    trading_day: date
    next_trading_day: date
    base_url: str
    command: str
    keys_dir: Path
    data_dir: Path
    serving: bool
    enterprise: str
    members: int
    tally: Tally
    wall_s: float


async def collect(
    facts: RunFacts,
    observer: Observer,
    money: MoneyView,
    placement: Placement | None,
    catalogue: Catalogue,
    settings: DemoSettings,
) -> DayReport:
    """The whole report, over HTTP but for the house's books (``money``), which no member can see."""
    market = await Market.of(observer, facts.trading_day)
    first = market.expired[0]
    capacity = await observer.capacity()
    status = await observer.public.status()
    return DayReport(
        trading_day=facts.trading_day,
        next_trading_day=facts.next_trading_day,
        wall_s=facts.wall_s,
        commands=facts.tally.sent,
        refused=dict(facts.tally.refused),
        processes=facts.members,
        traded=traded_of(market.contracts, market.settled),
        conversion=await _conversion(observer, market.expired, capacity),
        prices_day=first,
        grades=list(catalogue.grades),
        prices=hub_prices(catalogue, market.prices(first)),
        money=await _money(observer, facts, money),
        deliveries=await _deliveries(observer, facts, settings),
        placement=placement,
        base_url=facts.base_url,
        command=facts.command,
        enterprise=facts.enterprise,
        keys_dir=str(facts.keys_dir),
        data_dir=str(facts.data_dir),
        serving=facts.serving,
        state_hash=status.state_hash,
        seq=status.state_hash_seq,
    )


@dataclass(frozen=True, slots=True)
class Market:
    """A settled trading day: every contract, its settlement prices, and the delivery days that expired."""

    contracts: Sequence[Contract]
    settled: Sequence[Settlement]
    expired: Sequence[date]

    @classmethod
    async def of(cls, observer: Observer, trading_day: date) -> "Market":
        """Ask for it."""
        contracts = await observer.public.contracts(active=None)
        settled = (await observer.public.settlements(trading_day.isoformat())).settlements
        return cls(contracts, settled, expired_days(trading_day, contracts))

    def prices(self, day: date) -> dict[Product, str]:
        """Settlement prices for a delivery day by (hub, grade)."""
        return day_prices(day, self.contracts, self.settled)


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


async def place_tasks(observer: Observer, trading_day: date) -> Placement:
    """The scheduler's plan for the first delivery day that expired on a settled trading day."""
    market = await Market.of(observer, trading_day)
    day = market.expired[0]
    reservations = await observer.reservations(day)
    supply = supply_of(day, await observer.capacity(), reservations, market.prices(day))
    return await place_elsewhere(PlacingTask(day, list(supply.values()), PLACING_TIME_LIMIT_S))
