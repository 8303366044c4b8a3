"""What one run says of each promise: pure functions over its tables.

Prices are CNY a card-hour, quantities card-hours. *Without a market* means that a city's enterprises rent in
their own city's pool at the catalogue's reference price.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import nan

from sims.engine.rows import FlowRow, NeedRow, Outcome

EAST = "east"
WEST = "west"


def posted(outcome: Outcome) -> float:
    """Card-hours that providers had, of the delivery days that were traded out."""
    return outcome.metrics["posted_card_hours"]


def conversion(outcome: Outcome) -> float:
    """Share of the posted card-hours that providers sold and owe, whoever bought; what they bought back is no
    sale. (Clause 7.2 counts what was sold first, of days still to come, too.)
    """
    return outcome.metrics["conversion"]


def used_conversion(outcome: Outcome) -> float:
    """Share of the posted card-hours that enterprises bought for what they need."""
    return ratio(sum(row.bought for row in outcome.needs), posted(outcome))


def most_conversion(outcome: Outcome) -> float:
    """Share of the posted card-hours that enterprises need: no market can sell them more."""
    return ratio(sum(row.needed for row in outcome.needs), posted(outcome))


def cost_saving(needs: Sequence[NeedRow]) -> float:
    """Share of what the needs cost without a market that enterprises save; what they didn't get they still
    rent at home.
    """
    with_market = sum(
        min(row.bought, row.needed) * row.price + max(0.0, row.needed - row.bought) * row.home_price
        for row in needs
    )
    return 1 - ratio(with_market, cost_at_home(needs)) if needs else 0.0


def saving_by_place(needs: Sequence[NeedRow]) -> float:
    """The part of `cost_saving` that comes from buying at hubs whose reference price is lower."""
    return ratio(sum(row.bought * (row.home_price - row.hub_price) for row in needs), cost_at_home(needs))


def saving_by_price(needs: Sequence[NeedRow]) -> float:
    """The part of `cost_saving` that comes from paying less than those hubs' reference price."""
    return ratio(sum(row.bought * (row.hub_price - row.price) for row in needs), cost_at_home(needs))


def cost_at_home(needs: Iterable[NeedRow]) -> float:
    """What the needs cost without a market, CNY."""
    return sum(row.needed * row.home_price for row in needs)


def served(needs: Sequence[NeedRow]) -> float:
    """Share of the needed card-hours that were bought."""
    return ratio(sum(row.bought for row in needs), sum(row.needed for row in needs))


def west_saving(flows: Sequence[FlowRow]) -> float:
    """How much less enterprises paid for a basket of grades at western hubs than at eastern ones, as a share.

    The basket is what they bought of each grade at both together; a grade bought on one side only is left
    out, since it has no price on the other; not a number if nothing is left.
    """
    west, east = _basket(flows)
    return 1 - west / east if east else nan


def east_over_west(flows: Sequence[FlowRow]) -> float:
    """How many times what the basket cost at western hubs it cost at eastern ones; not a number if it is
    empty.
    """
    west, east = _basket(flows)
    return east / west if west else nan


def west_share(flows: Sequence[FlowRow]) -> float:
    """Share of what eastern enterprises bought that stands in the west."""
    of_east = [row for row in flows if row.home == EAST]
    return ratio(sum(row.bought for row in of_east if row.region == WEST), sum(row.bought for row in of_east))


def _basket(flows: Sequence[FlowRow]) -> tuple[float, float]:
    """Return what the basket of grades costs in the west and in the east, CNY."""
    of_enterprises = [row for row in flows if row.home and row.bought]
    costs = {WEST: 0.0, EAST: 0.0}
    for grade in {row.grade for row in of_enterprises}:
        sides = {
            region: [row for row in of_enterprises if row.grade == grade and row.region == region]
            for region in costs
        }
        if all(sides.values()):
            lot = sum(row.bought for rows in sides.values() for row in rows)
            for region, rows in sides.items():
                mean = sum(row.bought_cny for row in rows) / sum(row.bought for row in rows)
                costs[region] += lot * mean
    return costs[WEST], costs[EAST]


def ratio(part: float, whole: float) -> float:
    """Return part ÷ whole, 0 of nothing."""
    return part / whole if whole else 0.0
