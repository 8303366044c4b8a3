"""What an enterprise buys in parts of a day, as pure functions: hours, and peak and valley hours.

It runs more in the peak hours of a day than its tasks need around the clock, some more at night, and now and
then a burst of a few hours. Nothing here talks to an exchange: `sims.demo.member` does.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from exchange.api.market import Contract
from exchange.api.requests import NewOrder
from sims.demand import draw
from sims.demo.enterprise import Buyer, Want, auction_price, limit_bid, low_bids, most_paid
from sims.demo.prices import ticks
from sims.demo.settings import EnterpriseSettings, PartSettings

FIRST_BURST, LAST_BURST = 8, 20
"""Hours of the day between which a burst begins."""


@dataclass(frozen=True, slots=True)
class PartWant:
    """Lots of an hour or a profile of a day that are still wanted."""

    contract: Contract
    lots: int


def parts_wanted(
    buyer: Buyer,
    listed: Iterable[Contract],
    wants: Sequence[Want],
    settings: PartSettings,
    seed: str,
) -> list[PartWant]:
    """What is missing of the parts of the days that trade for the last time, in the order of listing."""
    all_day: Counter[tuple[str, str]] = Counter()
    for want in wants:
        all_day.update({(want.grade, hub): want.lots for hub in want.hubs})
    found = []
    for contract in listed:
        if contract.active and contract.last_trading_day == buyer.trading_day.isoformat():
            needed = _needed(contract, all_day[contract.grade, contract.hub], buyer.member, settings, seed)
            missing = needed - buyer.positions.get(contract.symbol, 0)
            if missing > 0:
                found.append(PartWant(contract, missing))
    return found


def _needed(contract: Contract, all_day_lots: int, member: str, settings: PartSettings, seed: str) -> int:
    """Lots of a part beside what runs all day; none of a product that isn't wanted at all."""
    if contract.kind != "hour":
        return all_day_lots * settings.share_percent // 100
    starts = datetime.fromisoformat(contract.delivery_start)
    hours = {str(hour): 1 for hour in range(FIRST_BURST, LAST_BURST + 1)}
    burst = int(draw(hours, seed, "burst", member, starts.date()))
    return settings.burst_lots if all_day_lots and 0 <= starts.hour - burst < settings.burst_hours else 0


def auction_bids(
    buyer: Buyer, wanted: Iterable[PartWant], settings: EnterpriseSettings, seed: str
) -> list[NewOrder]:
    """Bids for the opening call auction: for all that is missing of profiles; hours are for the session."""
    return [
        limit_bid(want.contract, want.lots, auction_price(want.contract, buyer, settings, seed))
        for want in wanted
        if want.contract.kind != "hour"
    ]


def session_orders(buyer: Buyer, wanted: Iterable[PartWant], settings: EnterpriseSettings) -> list[NewOrder]:
    """One round of the session: take the best offer if it costs no more than it pays now, and leave low
    bids for what is still missing.
    """
    orders = []
    for contract, lots in ((want.contract, want.lots) for want in wanted):
        taken = 0
        if contract.ask is not None and ticks(contract.ask) <= most_paid(contract, buyer, settings):
            taken = min(lots, contract.ask_lots)
            orders.append(limit_bid(contract, taken, ticks(contract.ask), "ioc"))
        if lots > taken:
            orders += low_bids(contract, lots - taken, settings)
    return orders
