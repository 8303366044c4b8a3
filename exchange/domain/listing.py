"""Which contracts are listed: the rules of clause 4.2, and the rare command that sets them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from typing import Literal

from exchange.domain.calendar import next_trading_day
from exchange.domain.contracts import (
    Period,
    PeriodKind,
    day_period,
    hour_period,
    last_trading_day,
    period_of,
)
from exchange.domain.hours import HOURS_PER_DAY
from exchange.domain.message import Message, Part
from nodes.types import Profile

ANY = "*"
AHEAD_MAX = {"hour": 5, "day": 31, "week": 8, "month": 12, "quarter": 8}
"""How far ahead a rule may list."""
RECESS_DAYS_MAX = 10
"""Days after a trading day up to and with the next one, at most: a week of holidays between two weekends."""
CASCADE_LISTED_MAX = 3 + 31 + 6
"""Most contracts that the cascades of one product and profile can list in one settlement: a quarter's months,
the first one's days, and those of a week that begins in it (clause 6.4).
"""


class ListingRule(Part, frozen=True, kw_only=True):
    """Lists the next `ahead` periods of a kind for a grade at a hub; "*" is any.

    Of hours: those of the days up to and with the next trading day, or the one so many ahead. Of days: those
    up to so many days ahead.
    """

    kind: Literal["hour", "day", "week", "month", "quarter"]
    ahead: int
    profile: Literal["base", "peak", "valley"] = "base"
    grade: str = ANY
    hub: str = ANY

    def sound(self) -> bool:
        """Return whether it lists what there can be."""
        return 1 <= self.ahead <= AHEAD_MAX[self.kind] and (self.kind, self.profile) not in (
            ("hour", "peak"),
            ("hour", "valley"),
        )

    def holds_for(self, grade: str, hub: str) -> bool:
        """Return whether the rule is about a grade at a hub."""
        return self.grade in (ANY, grade) and self.hub in (ANY, hub)


BASE_RULES = (
    ListingRule(kind="day", ahead=7),
    ListingRule(kind="week", ahead=4),
    ListingRule(kind="month", ahead=6),
    ListingRule(kind="quarter", ahead=4),
)
"""What every product has: its base contracts."""


class SetListingRules(Message, frozen=True, kw_only=True):
    """Sets what is listed when a trading day opens, from the next one on; clause 4.2.

    Refused: INVALID_RULE, CONTRACT_LIMIT (more than the exchange has room for).
    """

    rules: tuple[ListingRule, ...] = BASE_RULES


def fine_rules(products: Collection[str]) -> tuple[ListingRule, ...]:
    """Return rules that list hours, and peak and valley contracts, of products such as "H100.GUIAN"."""
    return tuple(
        rule
        for grade, hub in (product.split(".") for product in sorted(products))
        for rule in (
            ListingRule(kind="hour", ahead=1, grade=grade, hub=hub),
            *(
                ListingRule(kind=base.kind, ahead=base.ahead, profile=profile, grade=grade, hub=hub)
                for profile in ("peak", "valley")
                for base in BASE_RULES
            ),
        )
    )


def room_for(rules: Collection[ListingRule], products: Collection[tuple[str, str]]) -> int:
    """Return how many contracts rules may list of products (grade, hub), with those that cascades list beside
    them (clause 4.2).
    """
    ahead: dict[tuple[tuple[str, str], str, str], int] = {}
    for rule in rules:
        for product in (one for one in products if rule.holds_for(*one)):
            terms = product, rule.profile, rule.kind
            ahead[terms] = max(rule.ahead, ahead.get(terms, 0))
    hours = HOURS_PER_DAY * RECESS_DAYS_MAX
    listed = sum(most * (hours if kind == "hour" else 1) for (*_, kind), most in ahead.items())
    cascading = {(product, profile) for product, profile, kind in ahead if PeriodKind(kind).cascades}
    return listed + CASCADE_LISTED_MAX * len(cascading)


def periods_ahead(
    kind: PeriodKind, ahead: int, trading_day: date, closed_days: Collection[date]
) -> Iterator[Period]:
    """Yield the periods of one kind that a rule lists on `trading_day`, in order: those whose last trading
    day isn't over.
    """
    for period in _ahead(kind, ahead, trading_day, closed_days):
        if last_trading_day(period, closed_days) >= trading_day:
            yield period


def _ahead(
    kind: PeriodKind, ahead: int, trading_day: date, closed_days: Collection[date]
) -> Iterator[Period]:
    if kind is PeriodKind.HOUR:
        last = trading_day
        for _ in range(ahead):
            last = next_trading_day(last, closed_days)
        days = (trading_day + timedelta(days=after) for after in range(1, (last - trading_day).days + 1))
        yield from (hour_period(day, hour) for day in days for hour in range(HOURS_PER_DAY))
    elif kind is PeriodKind.DAY:
        yield from (day_period(trading_day + timedelta(days=after)) for after in range(1, ahead + 1))
    else:
        period = period_of(kind, trading_day)
        for _ in range(ahead):
            period = period_of(kind, period.end)
            yield period


def listed_periods(
    rules: Collection[ListingRule],
    product: tuple[str, str],
    trading_day: date,
    closed_days: Collection[date],
) -> list[tuple[Period, Profile]]:
    """Return what the rules list of a product (grade, hub) on `trading_day`, each once, in their order."""
    return list(
        dict.fromkeys(
            (period, Profile(rule.profile))
            for rule in rules
            if rule.holds_for(*product)
            for period in periods_ahead(PeriodKind(rule.kind), rule.ahead, trading_day, closed_days)
        )
    )
