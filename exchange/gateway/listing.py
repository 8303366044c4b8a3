"""Endpoints of listing rules and load profiles: anyone reads them, an operator for the market sets them."""

from __future__ import annotations

import msgspec

from exchange.api import listing as api
from exchange.api.answers import Done
from exchange.domain.hours import hours_of, mask_of
from exchange.domain.listing import ListingRule, SetListingRules
from exchange.domain.profiles import HubProfiles, SetLoadProfiles
from exchange.gateway.calendar import day_of_text
from exchange.gateway.call import BATCH_BYTES_MAX, Call, Route


async def listing(call: Call) -> api.Listing:
    """Answer what is listed when a day opens, and which hours are peak and valley where."""
    views = call.exchange.views
    return api.Listing(
        rules=[api.ListingRule(**msgspec.structs.asdict(rule)) for rule in views.listing.rules],
        profiles=[
            api.HoursSince(from_month=since.isoformat(), hours=_shown(hours))
            for _, entries in sorted(views.load_profiles.by_hub.items())
            for since, hours in entries
        ],
        as_of_seq=views.seq,
    )


def _shown(hours: HubProfiles) -> api.HubHours:
    peak, valley = ([list(hours_of(mask)) for mask in masks] for masks in (hours.peak, hours.valley))
    return api.HubHours(hub=hours.hub, peak=peak, valley=valley)


async def set_listing_rules(call: Call) -> Done:
    """Set what is listed from the next day that is opened on (clause 4.2)."""
    told: api.SetListingRules = call.body
    rules = tuple(ListingRule(**msgspec.structs.asdict(rule)) for rule in told.rules)
    return await call.done(SetListingRules(rules=rules))


async def set_load_profiles(call: Call) -> Done:
    """Set the peak and valley hours of hubs from a month on (clause 2.9)."""
    told: api.SetLoadProfiles = call.body
    hubs = tuple(
        HubProfiles(hub=one.hub, peak=tuple(map(mask_of, one.peak)), valley=tuple(map(mask_of, one.valley)))
        for one in told.hubs
    )
    month = day_of_text(told.from_month, "from_month")
    return await call.done(SetLoadProfiles(from_month=month, hubs=hubs))


ROUTES = (
    Route(
        method="GET",
        path="/v1/listing",
        handler=listing,
        answer=api.Listing,
        summary="Listing rules and load profiles",
        tag="market",
    ),
    Route(
        method="POST",
        path="/v1/operator/listing-rules",
        handler=set_listing_rules,
        answer=Done,
        summary="Set what is listed",
        tag="operator",
        scope="operate",
        roles=("market",),
        body=api.SetListingRules,
        body_bytes_max=BATCH_BYTES_MAX,
    ),
    Route(
        method="POST",
        path="/v1/operator/load-profiles",
        handler=set_load_profiles,
        answer=Done,
        summary="Set hubs' peak and valley hours",
        tag="operator",
        scope="operate",
        roles=("market",),
        body=api.SetLoadProfiles,
        body_bytes_max=BATCH_BYTES_MAX,
    ),
)
