"""What an enterprise does, as pure functions: what its tasks need, and the orders that buy it.

An enterprise stands in one edge city. Each latency class of its tasks may run at some hubs only; of these it
buys where it is cheapest. Nothing here talks to an exchange: `sims.demo.member` does.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from exchange.api.market import Contract
from exchange.api.requests import Cancel, NewOrder
from exchange.api.trading import Order
from sims.demand import draw
from sims.demo.prices import part, shifted, text, ticks, within_limits
from sims.demo.provider import last_day, nearest, start_day
from sims.demo.settings import EnterpriseSettings

MILLI = 1_000


@dataclass(frozen=True, slots=True)
class Want:
    """Lots of a grade wanted for one delivery day at any of these hubs."""

    grade: str
    hubs: tuple[str, ...]
    lots: int


def wants_of(
    cards_milli: Mapping[tuple[str, str], int],
    hubs_of_class: Mapping[str, tuple[str, ...]],
    cards_per_lot: Mapping[str, int],
) -> list[Want]:
    """What a city's tasks need, in whole lots, the least movable first.

    ``cards_milli`` is by (latency class, grade). Classes that may run at the same hubs are added up before
    rounding up to lots; a class that may run nowhere is left out, since nothing that could be bought would
    serve it.
    """
    needed: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for (latency_class, grade), milli in cards_milli.items():
        needed[grade, hubs_of_class[latency_class]] += milli
    wants = [
        Want(grade, hubs, -(-milli // (MILLI * cards_per_lot[grade])))
        for (grade, hubs), milli in needed.items()
        if hubs
    ]
    return sorted(wants, key=lambda want: (want.grade, len(want.hubs), want.hubs))


def still_wanted(wants: Sequence[Want], owned: Mapping[tuple[str, str], int]) -> list[Want]:
    """What is missing after the lots owned, by (grade, hub), are given to the least movable wants first.

    Hubs in reach grow with the latency budget, so the hubs of one want contain those of the wants before it,
    and serving the least movable first loses nothing.
    """
    left = Counter({key: lots for key, lots in owned.items() if lots > 0})
    missing = []
    for want in sorted(wants, key=lambda want: len(want.hubs)):
        open_lots = want.lots
        for hub in want.hubs:
            used = min(open_lots, left[want.grade, hub])
            left[want.grade, hub] -= used
            open_lots -= used
        missing.append(replace(want, lots=open_lots))
    return [want for want in missing if want.lots]


@dataclass(frozen=True, slots=True)
class Buyer:
    """What an enterprise sees when it decides: the contracts, its positions, its open orders, and the trading
    day.

    ``rounds_left`` counts the rounds of the session from this one on; in the last one it buys whatever it
    costs, within the day's limits.
    """

    member: str
    trading_day: date
    contracts: Sequence[Contract]
    positions: Mapping[str, int]
    open_orders: Sequence[Order]
    rounds_left: int = 1
    rounds: int = 1


def owned_on(
    day: date, contracts: Iterable[Contract], positions: Mapping[str, int]
) -> Counter[tuple[str, str]]:
    """Lots bought for a delivery day by (grade, hub): the day's own contracts, and weeks and months that
    contain it.
    """
    owned: Counter[tuple[str, str]] = Counter()
    for contract in contracts:
        lots = positions.get(contract.symbol, 0)
        if lots and start_day(contract) <= day <= last_day(contract):
            owned[contract.grade, contract.hub] += lots
    return owned


def wants_by_day(buyer: Buyer, wants: Sequence[Want], settings: EnterpriseSettings) -> dict[date, list[Want]]:
    """What is still wanted for each delivery day on offer.

    On a day contract's last trading day it is everything; before that the forward share of it.
    """
    days = {start_day(c): c for c in buyer.contracts if c.kind == "day" and c.active}
    wanted = {}
    for day, contract in sorted(days.items()):
        today = contract.last_trading_day == buyer.trading_day.isoformat()
        target = wants if today else _share(wants, settings.forward_share_percent)
        wanted[day] = still_wanted(target, owned_on(day, buyer.contracts, buyer.positions))
    return wanted


def _share(wants: Iterable[Want], percent: int) -> list[Want]:
    return [replace(want, lots=want.lots * percent // 100) for want in wants]


# The opening auction


def auction_bids(
    buyer: Buyer, wants: Sequence[Want], settings: EnterpriseSettings, seed: str
) -> list[NewOrder]:
    """Bids for the opening call auction: a share of each day's wants, and a little of the next week and
    month.
    """
    orders = []
    for day, missing in wants_by_day(buyer, wants, settings).items():
        market = _day_market(buyer.contracts, day)
        for want in missing:
            lots = part(want.lots, settings.auction_share_percent)
            orders += _spread_bids(want, lots, market, buyer, settings, seed)
    return orders + _strip_bids(buyer, wants, settings, seed)


def _spread_bids(
    want: Want,
    lots: int,
    market: Mapping[tuple[str, str], Contract],
    buyer: Buyer,
    settings: EnterpriseSettings,
    seed: str,
) -> list[NewOrder]:
    """Bids for `lots` over the hubs that are cheapest by their reference price."""
    contracts = _cheapest(want, market, settings)
    return [
        limit_bid(contract, quantity, auction_price(contract, buyer, settings, seed))
        for contract, quantity in zip(contracts, _in_parts(lots, len(contracts)), strict=True)
        if quantity
    ]


def auction_price(contract: Contract, buyer: Buyer, settings: EnterpriseSettings, seed: str) -> int:
    """What it bids in the opening auction, ticks."""
    shares = {str(step): 1 for step in range(settings.auction_basis_points_max + 1)}
    above = int(draw(shares, seed, "auction", buyer.member, buyer.trading_day, contract.symbol))
    return shifted(ticks(contract.reference_price), above)


def _strip_bids(
    buyer: Buyer, wants: Sequence[Want], settings: EnterpriseSettings, seed: str
) -> list[NewOrder]:
    """Bids for the next week and the next month, for the part of the demand that may stand anywhere."""
    orders = []
    shares = {"week": settings.week_share_percent, "month": settings.month_share_percent}
    for kind, percent in shares.items():
        next_one = nearest(buyer.contracts, kind)
        if next_one is None:
            continue
        market = {(c.grade, c.hub): c for c in buyer.contracts if _same_period(c, next_one)}
        owned: Counter[str] = Counter()
        for (grade, _), contract in market.items():
            owned[grade] += buyer.positions.get(contract.symbol, 0)
        for want in _most_movable(wants):
            lots = want.lots * percent // 100 - owned[want.grade]
            if lots > 0:
                orders += _spread_bids(want, lots, market, buyer, settings, seed)
    return orders


def _same_period(contract: Contract, other: Contract) -> bool:
    return (contract.kind, contract.delivery_start) == (other.kind, other.delivery_start)


def _most_movable(wants: Iterable[Want]) -> list[Want]:
    """Of each grade the want with the most hubs."""
    widest: dict[str, Want] = {}
    for want in wants:
        if want.grade not in widest or len(want.hubs) > len(widest[want.grade].hubs):
            widest[want.grade] = want
    return list(widest.values())


# The session


def session_orders(
    buyer: Buyer, wants: Sequence[Want], settings: EnterpriseSettings
) -> list[Cancel | NewOrder]:
    """One round of the session: cancel what rests, take offers for the part that is due, leave a low bid for
    more.

    An equal part of what is missing falls due in each round. It pays more the later it is.
    """
    items: list[Cancel | NewOrder] = [Cancel(order_id=order.order_id) for order in buyer.open_orders]
    for day, missing in wants_by_day(buyer, wants, settings).items():
        market = _day_market(buyer.contracts, day)
        offered = {contract.symbol: contract.ask_lots for contract in market.values()}
        for want in missing:
            due = -(-want.lots // buyer.rounds_left)
            taken = _take(want, due, market, offered, buyer, settings)
            rest = want.lots - sum(order.quantity for order in taken)
            items += [*taken, *_rest(want, rest, market, settings)]
    return items


def _take(
    want: Want,
    lots: int,
    market: Mapping[tuple[str, str], Contract],
    offered: dict[str, int],
    buyer: Buyer,
    settings: EnterpriseSettings,
) -> list[NewOrder]:
    """Immediate orders at the best offers of the cheapest hubs, none above what it would pay now.

    ``offered`` is what is left of each best offer; what is taken comes off it, so that two wants don't count
    on it.
    """
    asks = sorted(
        (ticks(contract.ask), contract.symbol, contract)
        for hub in want.hubs
        if (contract := market.get((want.grade, hub))) is not None and contract.ask is not None
    )
    orders = []
    for ask, symbol, contract in asks:
        quantity = min(lots, offered[symbol])
        if quantity and ask <= most_paid(contract, buyer, settings):
            orders.append(limit_bid(contract, quantity, ask, "ioc"))
            offered[symbol] -= quantity
            lots -= quantity
    return orders


def most_paid(contract: Contract, buyer: Buyer, settings: EnterpriseSettings) -> int:
    """The most it pays now, ticks."""
    if buyer.rounds_left == 1:
        return ticks(contract.price_high)
    low, high = settings.patience_basis_points_min, settings.patience_basis_points_max
    gone = buyer.rounds - buyer.rounds_left
    return shifted(ticks(contract.reference_price), low + (high - low) * gone // buyer.rounds)


def _rest(
    want: Want, lots: int, market: Mapping[tuple[str, str], Contract], settings: EnterpriseSettings
) -> list[NewOrder]:
    """Low bids at the cheapest hubs for a part of what is still missing."""
    contracts = _cheapest(want, market, settings)
    quantities = _in_parts(part(lots, settings.resting_share_percent), len(contracts))
    return [
        bid
        for contract, quantity in zip(contracts, quantities, strict=True)
        for bid in low_bids(contract, quantity, settings)
    ]


def low_bids(contract: Contract, lots: int, settings: EnterpriseSettings) -> list[NewOrder]:
    """Bids below the reference, on a ladder, for `lots` of a contract."""
    steps = settings.resting_basis_points
    return [
        limit_bid(contract, quantity, shifted(ticks(contract.reference_price), -below))
        for below, quantity in zip(steps, _in_parts(lots, len(steps)), strict=True)
        if quantity
    ]


def _cheapest(
    want: Want, market: Mapping[tuple[str, str], Contract], settings: EnterpriseSettings
) -> list[Contract]:
    """The contracts that will do, of the hubs over which it spreads its bids: the cheapest by reference."""
    contracts = (market[want.grade, hub] for hub in want.hubs if (want.grade, hub) in market)
    by_price = sorted(contracts, key=lambda contract: (ticks(contract.reference_price), contract.symbol))
    return by_price[: settings.spread_hubs]


def _in_parts(lots: int, count: int) -> list[int]:
    """Whole lots in nearly equal parts; the first are never smaller."""
    return [lots // count + (number < lots % count) for number in range(count)]


def _day_market(contracts: Iterable[Contract], day: date) -> dict[tuple[str, str], Contract]:
    """The day contracts of one delivery day by (grade, hub)."""
    return {
        (contract.grade, contract.hub): contract
        for contract in contracts
        if contract.kind == "day" and contract.active and start_day(contract) == day
    }


def limit_bid(contract: Contract, lots: int, price_ticks: int, time_in_force: str = "day") -> NewOrder:
    """A bid, moved to the nearest price that the day's limits allow."""
    return NewOrder(
        symbol=contract.symbol,
        side="buy",
        quantity=lots,
        price=text(within_limits(price_ticks, contract)),
        time_in_force="ioc" if time_in_force == "ioc" else "day",
    )
