"""Listing rules and load profiles over HTTP (rulebook clauses 2.9, 4.2)."""

from typing import Annotated, Literal

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.calendar import DayText
from exchange.api.requests import Request

Place = Annotated[str, Meta(min_length=1, max_length=64, description='a code such as "GUIAN"; "*" is any')]
HoursOfDay = Annotated[list[Annotated[int, Meta(ge=0, le=23)]], Meta(max_length=24)]
ByMonth = Annotated[
    list[HoursOfDay], Meta(min_length=12, max_length=12, description="hours of a day by month, January first")
]


class ListingRule(Answer, frozen=True, kw_only=True):
    """Lists the next `ahead` periods of a kind; of days and hours those of so many days, or trading days,
    ahead.
    """

    kind: Literal["hour", "day", "week", "month", "quarter"]
    ahead: Annotated[int, Meta(ge=1, le=31)]
    profile: Literal["base", "peak", "valley"]
    grade: Place
    hub: Place


class SetListingRules(Request, frozen=True, kw_only=True):
    """What is listed from the next day that is opened on; it replaces all rules."""

    rules: Annotated[list[ListingRule], Meta(max_length=1_000)]


class HubHours(Answer, frozen=True, kw_only=True):
    """The peak and valley hours of a hub."""

    hub: Place
    peak: ByMonth
    valley: ByMonth


class SetLoadProfiles(Request, frozen=True, kw_only=True):
    """Hours of hubs for deliveries from a month on, named by its first day."""

    from_month: DayText
    hubs: Annotated[list[HubHours], Meta(min_length=1, max_length=100)]


class HoursSince(Answer, frozen=True, kw_only=True):
    """A hub's hours, and the first day of the month from which they hold."""

    from_month: str
    hours: HubHours


class Listing(Answer, frozen=True, kw_only=True):
    """The listing rules and every hub's hours, the earliest of a hub first."""

    rules: list[ListingRule]
    profiles: list[HoursSince]
    as_of_seq: int
