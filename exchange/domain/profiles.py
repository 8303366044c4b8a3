"""Load profiles: which hours of a day are peak and which are valley at a hub (clause 2.9)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Self

import msgspec

from exchange.domain.contracts import Period, month_period
from exchange.domain.hours import EVERY_HOUR, EVERY_MONTH, MONTHS, HourSet, hour_set
from exchange.domain.message import Message, Part
from nodes.types import Profile


class HubProfiles(Part, frozen=True, kw_only=True):
    """The peak and valley hours of a hub, by month: 12 masks each, January's first; bit h is the hour that
    begins at h:00.
    """

    hub: str
    peak: tuple[int, ...]
    valley: tuple[int, ...]

    def sound(self) -> bool:
        """Return whether there are hours of each month, none of them both."""
        return len(self.peak) == len(self.valley) == MONTHS and all(
            0 < peak < EVERY_HOUR and 0 < valley < EVERY_HOUR and not peak & valley
            for peak, valley in zip(self.peak, self.valley, strict=True)
        )

    def mask(self, profile: Profile, month: int) -> int:
        """Return the hours of a profile in a month, 1 … 12."""
        return (self.peak if profile is Profile.PEAK else self.valley)[month - 1]


class SetLoadProfiles(Message, frozen=True, kw_only=True):
    """Sets the peak and valley hours of hubs for deliveries from a month on; clause 2.9.

    Refused: INVALID_RULE, UNKNOWN_HUB, PROFILE_FIXED (a listed contract delivers other hours of such a
    month).
    """

    from_month: date
    """Its first day."""
    hubs: tuple[HubProfiles, ...]


class LoadProfiles(msgspec.Struct):
    """Every hub's profiles, the earliest first."""

    by_hub: dict[str, list[tuple[date, HubProfiles]]] = {}

    def of(self, hub: str, month: date) -> HubProfiles | None:
        """Return the profiles that hold at a hub in the month that begins on `month`."""
        known = [hours for since, hours in self.by_hub.get(hub, []) if since <= month]
        return known[-1] if known else None

    def delivery(self, hub: str, period: Period, profile: Profile) -> HourSet | None:
        """Return the hours of a period that a profile has at a hub; None where the hub has no such profile
        then, or none of the hours.
        """
        if profile is Profile.BASE:
            return hour_set(period.first_hour, period.end_hour, EVERY_MONTH)
        masks = [0] * MONTHS
        for month in months_of(period):
            hours = self.of(hub, month)
            if hours is None:
                return None
            masks[month.month - 1] = hours.mask(profile, month.month)
        return hour_set(period.first_hour, period.end_hour, masks) or None

    def with_set(self, message: SetLoadProfiles) -> Self:
        """Return these profiles with what a message sets; later ones that were set for its hubs are gone."""
        by_hub = dict(self.by_hub)
        for hours in message.hubs:
            earlier = [entry for entry in by_hub.get(hours.hub, []) if entry[0] < message.from_month]
            by_hub[hours.hub] = [*earlier, (message.from_month, hours)]
        return type(self)(by_hub)


def months_of(period: Period) -> Iterable[date]:
    """Yield the first day of each month in which a period has hours."""
    month = month_period(period.first)
    while month.first_hour < period.end_hour:
        yield month.first
        month = month_period(month.end)
