"""What a provider does, as pure functions: what it posts, at which prices it offers, what its meters read.

A provider offers each hub's cards on a ladder around the last settlement price, never below its power cost.
It leans up when it sells faster than it expected and down when slower. Nothing here talks to an exchange:
`sims.demo.member` does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from exchange.api.delivering import Reservation
from exchange.api.market import Contract
from exchange.api.primary import CapacityPost
from exchange.api.requests import Cancel, NewOrder, PostCapacity
from exchange.api.trading import Order
from sims.demand import draw
from sims.demo.prices import part, shifted, text, ticks, within_limits
from sims.demo.settings import Outage, ProviderSettings

HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True)
class Holding:
    """Cards of a grade that a provider runs at a hub, and what an hour of one costs it in power (CNY)."""

    hub: str
    grade: str
    cards: int
    cards_per_lot: int
    power_cny_per_card_hour: float


@dataclass(frozen=True, slots=True)
class Allotment:
    """Lots of each contract kind that a provider sells from one holding; together never above its cards."""

    day_lots: int
    week_lots: int
    month_lots: int
    profile_lots: int = 0
    hour_lots: int = 0

    @property
    def near_lots(self) -> int:
        """Lots that must stand behind the next days: all but the months'."""
        return self.day_lots + self.week_lots + self.profile_lots + self.hour_lots


def allot(holding: Holding, settings: ProviderSettings, *, parts: bool = False) -> Allotment:
    """Divide a holding among days, weeks and months, and with `parts` among hours and profiles of days, too;
    the days get what the others' shares, rounded down, leave.
    """
    lots = holding.cards // holding.cards_per_lot
    week = lots * settings.week_share_percent // 100
    month = lots * settings.month_share_percent // 100
    profile = lots * settings.profile_share_percent // 100 if parts else 0
    hour = lots * settings.hour_share_percent // 100 if parts else 0
    return Allotment(lots - week - month - profile - hour, week, month, profile, hour)


def trades_in_parts(contracts: Iterable[Contract]) -> bool:
    """Whether there are contracts of hours or profiles."""
    return any(c.kind == "hour" or c.profile != "base" for c in contracts)


# What it posts


def horizon(contracts: Iterable[Contract]) -> tuple[date, date] | None:
    """First and last delivery day behind which there must be cards: all day contracts and the next week."""
    days = [start_day(c) for c in contracts if c.kind == "day" and c.active]
    if not days:
        return None
    weeks = [c for c in contracts if c.kind == "week" and c.active]
    next_week = min(weeks, key=start_day, default=None)
    return min(days), max([*days, *([last_day(next_week)] if next_week else [])])


def posts_due(
    holding: Holding, allotment: Allotment, contracts: Sequence[Contract], posted: Iterable[CapacityPost]
) -> list[PostCapacity]:
    """Capacity to post so that every contract on offer has cards behind it, given what is posted already.

    Day and week cards stand behind the days up to the horizon, month cards behind the next month on offer.
    """
    mine = [p for p in posted if (p.hub, p.grade) == (holding.hub, holding.grade)]
    covered = {(p.first_day, p.last_day) for p in mine}
    wanted: list[tuple[int, date, date]] = []
    month = nearest(contracts, "month")
    month_span = (start_day(month), last_day(month)) if month else None
    span = horizon(contracts)
    if span is not None:
        days_posted = [date.fromisoformat(p.last_day) for p in mine if not _is_month(p)]
        first = max([span[0], *(day + timedelta(days=1) for day in days_posted)])
        wanted.append((allotment.near_lots, first, span[1]))
    if month_span is not None and (month_span[0].isoformat(), month_span[1].isoformat()) not in covered:
        wanted.append((allotment.month_lots, *month_span))
    return [_post(holding, lots, first, last) for lots, first, last in wanted if lots and first <= last]


def _is_month(post: CapacityPost) -> bool:
    """Whether a post is one calendar month's, which only the month's share is."""
    first, last = date.fromisoformat(post.first_day), date.fromisoformat(post.last_day)
    return first.day == 1 and (last + timedelta(days=1)).day == 1 and (last - first).days >= 27


def _post(holding: Holding, lots: int, first: date, last: date) -> PostCapacity:
    return PostCapacity(
        grade=holding.grade,
        hub=holding.hub,
        cards=lots * holding.cards_per_lot,
        first_day=first.isoformat(),
        last_day=last.isoformat(),
    )


# What it offers


def for_sale(contract: Contract, allotment: Allotment, contracts: Sequence[Contract]) -> int:
    """Lots of a contract that it means to sell in all: of weeks and months only the next one, base."""
    if contract.kind == "hour":
        return allotment.hour_lots
    if contract.kind == "day" and contract.profile != "base":
        return allotment.profile_lots
    if contract.kind == "day":
        return allotment.day_lots
    next_one = nearest(contracts, contract.kind)
    if next_one is None or next_one.symbol != contract.symbol:
        return 0
    return allotment.week_lots if contract.kind == "week" else allotment.month_lots


def base_price_ticks(
    contract: Contract,
    holding: Holding,
    sold_percent: int,
    progress_percent: int,
    settings: ProviderSettings,
    seed: str,
) -> int:
    """The price around which it quotes: reference, its own view, and how sales go against expectation."""
    bound = settings.view_basis_points_max
    view = int(draw({str(b): 1 for b in range(-bound, bound + 1)}, seed, "view", holding.hub, holding.grade))
    ahead_percent = sold_percent - settings.expected_sold_percent * progress_percent // 100
    lean = max(
        settings.lean_basis_points_min,
        min(settings.lean_basis_points_max, ahead_percent * settings.lean_basis_points_per_percent),
    )
    return shifted(ticks(contract.reference_price), view + lean)


def floor_ticks(contract: Contract, holding: Holding, settings: ProviderSettings) -> int:
    """The lowest price that still pays for power, in ticks per lot-hour."""
    power_ticks = holding.power_cny_per_card_hour * contract.cards_per_lot * 100
    return -int(-power_ticks * (100 + settings.floor_over_power_percent) // 100)


def ladder(
    contract: Contract, lots: int, base_ticks: int, lowest_ticks: int, settings: ProviderSettings
) -> list[NewOrder]:
    """Sell orders for `lots`, split over the steps; what the limits of the day forbid moves to the limit."""
    orders: list[NewOrder] = []
    left = lots
    steps = ((0, 100),) if contract.kind == "hour" else settings.ladder
    for number, (basis_points, share_percent) in enumerate(steps):
        last = number == len(steps) - 1
        quantity = left if last else min(left, part(lots, share_percent))
        left -= quantity
        price = within_limits(max(lowest_ticks, shifted(base_ticks, basis_points)), contract)
        if quantity and price >= lowest_ticks:
            orders.append(NewOrder(symbol=contract.symbol, side="sell", quantity=quantity, price=text(price)))
    return orders


@dataclass(frozen=True, slots=True)
class Desk:
    """What a provider sees when it quotes: one moment's contracts and its own book."""

    contracts: Sequence[Contract]
    positions: Mapping[str, int]
    open_orders: Mapping[str, Sequence[Order]]
    progress_percent: int


def quote(
    desk: Desk, holdings: Sequence[Holding], settings: ProviderSettings, seed: str
) -> list[Cancel | NewOrder]:
    """Cancels and new ladders for every contract whose offers are missing or have moved too far."""
    by_product: dict[tuple[str, str], list[Contract]] = {}
    for contract in desk.contracts:
        by_product.setdefault((contract.hub, contract.grade), []).append(contract)
    items: list[Cancel | NewOrder] = []
    for holding in holdings:
        contracts = by_product.get((holding.hub, holding.grade), [])
        allotment = allot(holding, settings, parts=trades_in_parts(contracts))
        for contract in contracts:
            lots = for_sale(contract, allotment, contracts)
            if lots:
                items += _quote_one(desk, contract, holding, lots, settings, seed)
    return items


def _quote_one(
    desk: Desk, contract: Contract, holding: Holding, lots: int, settings: ProviderSettings, seed: str
) -> list[Cancel | NewOrder]:
    sold = max(0, -desk.positions.get(contract.symbol, 0))
    base = base_price_ticks(contract, holding, 100 * sold // lots, desk.progress_percent, settings, seed)
    offers = ladder(contract, max(0, lots - sold), base, floor_ticks(contract, holding, settings), settings)
    resting = desk.open_orders.get(contract.symbol, ())
    if resting and offers and not _moved(resting, offers, base, settings):
        return []
    return [*(Cancel(order_id=order.order_id) for order in resting), *offers]


def _moved(
    resting: Sequence[Order], offers: Sequence[NewOrder], base_ticks: int, settings: ProviderSettings
) -> bool:
    """Whether the highest offer, which sells last, is too far from where it should be."""
    now = max(ticks(order.price or "0") for order in resting)
    then = max(ticks(order.price or "0") for order in offers)
    threshold = max(1, base_ticks * settings.requote_basis_points // 10_000)
    return abs(then - now) >= threshold


# What its meters read


def cards_delivered(reservation: Reservation, day: date, hour: int, outages: Sequence[Outage]) -> int:
    """Cards that served this hour: all of them but for planned outages, rounded down."""
    cards = reservation.cards
    for outage in outages:
        if outage.hits(reservation.hub, day, hour):
            cards = cards * (100 - outage.cards_lost_percent) // 100
    return cards


# Contracts and days


def start_day(contract: Contract) -> date:
    """First delivery day."""
    return date.fromisoformat(contract.delivery_start[:10])


def last_day(contract: Contract) -> date:
    """Last delivery day: delivery may end with the midnight after it."""
    return (datetime.fromisoformat(contract.delivery_end) - timedelta(hours=1)).date()


def nearest(contracts: Iterable[Contract], kind: str) -> Contract | None:
    """The next active base contract of a kind: the first to start delivery."""
    base = (c for c in contracts if (c.kind, c.profile) == (kind, "base") and c.active)
    return min(base, key=start_day, default=None)
