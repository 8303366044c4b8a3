"""Handlers of what is listed and of load profiles (clauses 2.9 and 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from exchange.domain.listing import SetListingRules, room_for
from exchange.domain.profiles import SetLoadProfiles
from exchange.domain.rejects import RejectCode
from exchange.service.state import DONE, Outcome, Stamp, State, refused
from nodes.types import Profile

RULES_MAX = 1_000


def set_listing_rules(state: State, message: SetListingRules, stamp: Stamp) -> Outcome:
    """Set what is listed when a trading day opens."""
    if len(message.rules) > RULES_MAX or not all(rule.sound() for rule in message.rules):
        return refused(RejectCode.INVALID_RULE)
    needed, most = room_for(message.rules, state.products), state.engine.limits.max_instruments
    if needed > most:
        return refused(RejectCode.CONTRACT_LIMIT, f"{needed:,} contracts, and there is room for {most:,}")
    state.listing = message
    return DONE


def set_load_profiles(state: State, message: SetLoadProfiles, stamp: Stamp) -> Outcome:
    """Set hubs' peak and valley hours, but not those that a listed contract delivers."""
    hubs = [hours.hub for hours in message.hubs]
    sound = message.from_month.day == 1 and len(set(hubs)) == len(hubs)
    if not sound or not all(hours.sound() for hours in message.hubs):
        return refused(RejectCode.INVALID_RULE)
    unknown = sorted(set(hubs) - state.hub_indices.keys())
    if unknown:
        return refused(RejectCode.UNKNOWN_HUB, unknown[0])
    profiles = state.load_profiles.with_set(message)
    listed = (state.contracts[index] for index in state.active_contracts().tolist())
    for one in (c for c in listed if c.hub in hubs and c.profile is not Profile.BASE):
        if profiles.delivery(one.hub, one.period, one.profile) != one.delivery:
            return refused(RejectCode.PROFILE_FIXED, one.symbol)
    state.load_profiles = profiles
    return DONE


HANDLERS: Final[dict[type, Callable[[State, Any, Stamp], Outcome]]] = {
    SetListingRules: set_listing_rules,
    SetLoadProfiles: set_load_profiles,
}
"""The handlers of listing rules and load profiles."""
