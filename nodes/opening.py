"""Where a market without history starts: opening reference prices and the demonstration's capacity.

Both are derived by rules told in docs/catalogue.md; neither claims to be what a hub charges or owns.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from nodes.energy import facility_kw, mean_cny_per_kwh
from nodes.types import Grade, Hub, HubKind, Tariff

TICK_CNY = Decimal("0.01")
TICKS_PER_CNY = 100

HourCounts = Mapping[tuple[int, int], int]
"""How many hours there are of each (month 1–12, hour 0–23) of the year."""


@dataclass(frozen=True, slots=True)
class CapacityRule:
    """Demonstration capacity: cards by grade over all hubs, the edge pools' share, each hub's weight."""

    cards_posted: Mapping[str, int]
    edge_share: Mapping[str, float]
    weight: Mapping[str, float]


def reference_price_cny_per_card_hour(grade: Grade, hub: Hub, clusters: Sequence[Hub]) -> float:
    """The grade's national level plus this hub's power cost less the mean cluster's (clause 2.8).

    Land, staff and build cost differ too; no figure for them was found, so they are left out.
    """
    mean_cluster = math.fsum(_power_cny(cluster, grade) for cluster in clusters) / len(clusters)
    return grade.reference_price_cny_per_card_hour + _power_cny(hub, grade) - mean_cluster


def _power_cny(hub: Hub, grade: Grade) -> float:
    return mean_cny_per_kwh(hub) * facility_kw(hub, grade)


def to_ticks(cny: float) -> int:
    """A price in ticks of 0.01 CNY, half up, at least one.

    The price is first written with six decimals, so that the last bits of a float can't move a half.
    """
    exact = Decimal(f"{cny:.6f}")
    return max(1, int((exact / TICK_CNY).to_integral_value(ROUND_HALF_UP)))


def power_premium_ticks(grade: Grade, hub: Hub, tariff: Tariff, part: HourCounts, whole: HourCounts) -> int:
    """What the electricity of a lot-hour costs more on the mean of `part` than on that of `whole`, in ticks,
    half up; negative if it costs less (clause 2.12). Neither may be empty.

    Only the floating part of a price varies over the hours. The figures count as the decimals that the data
    files have, so the result is exact.
    """
    floating = _exact(hub.tou_floating_cny_per_kwh) * _exact(grade.power_kw) * _exact(hub.pue)
    dearer = _mean_multiplier(tariff, part) - _mean_multiplier(tariff, whole)
    return math.floor(floating * dearer * grade.cards_per_lot * TICKS_PER_CNY + Fraction(1, 2))


def _mean_multiplier(tariff: Tariff, hours: HourCounts) -> Fraction:
    weighed = (_exact(tariff.multipliers[month - 1][hour]) * n for (month, hour), n in hours.items())
    return sum(weighed, Fraction()) / sum(hours.values())


def _exact(figure: float) -> Fraction:
    """The decimal that a figure is written as."""
    return Fraction(str(figure))


def posted_cards(grade: Grade, hubs: Sequence[Hub], rule: CapacityRule) -> dict[str, int]:
    """Cards of a grade posted by each hub: whole lots, the hubs' sum is the rule's total exactly."""
    lots = rule.cards_posted[grade.code] // grade.cards_per_lot
    edge_lots = round(lots * rule.edge_share[grade.code])
    cards: dict[str, int] = {}
    for kind, total in ((HubKind.CLUSTER, lots - edge_lots), (HubKind.EDGE_POOL, edge_lots)):
        weights = {hub.code: rule.weight[hub.code] for hub in hubs if hub.kind is kind}
        cards |= {code: n * grade.cards_per_lot for code, n in largest_remainder(total, weights).items()}
    return cards


def largest_remainder(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Split a whole number in proportion to weights, by largest remainder, ties by name."""
    scale = total / math.fsum(weights.values())
    parts = {name: math.floor(weight * scale) for name, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda name: (parts[name] - weights[name] * scale, name))
    for name in by_remainder[: total - sum(parts.values())]:
        parts[name] += 1
    return parts
