"""Handlers of standing sales (clause 10.8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, get_args

from exchange.domain import primary as p
from exchange.domain.rejects import RejectCode
from exchange.service.standing import PHASES, accepted_orders, cancel_standing, renew_standing, set_sale
from exchange.service.state import Outcome, Stamp, State, refused
from nodes.types import Profile

PRICE_MAX = 1 << 30
SALE_KINDS = set(get_args(p.SaleKind))
PROFILES = {profile.value for profile in Profile}


def provider_fault(state: State, account: int) -> RejectCode | None:
    """Return why an account may not act as a provider."""
    member = state.members_by_account.get(account)
    if member is None or member.kind != "provider":
        return RejectCode.NOT_A_PROVIDER
    return None if state.may_trade(member) else RejectCode.MEMBER_NOT_APPROVED


def sound_sale(kinds: tuple[str, ...], price_ticks: int) -> bool:
    """Return whether a sale in these kinds of contracts at this price can be."""
    return set(kinds) <= SALE_KINDS and len(set(kinds)) == len(kinds) and 1 <= price_ticks < PRICE_MAX


def set_standing_sale(state: State, message: p.SetStandingSale, stamp: Stamp) -> Outcome:
    """Set, change or end a standing sale; its orders are renewed at once."""
    fault = provider_fault(state, message.account)
    if fault is not None:
        return refused(fault)
    if (message.grade, message.hub) not in state.products:
        return refused(RejectCode.UNKNOWN_PRODUCT, f"{message.grade} at {message.hub}")
    if not sound_sale((message.kind,), message.price_ticks or 1) or message.profile not in PROFILES:
        return refused(RejectCode.INVALID_SALE)
    events = []
    if message.price_ticks == 0:
        events = cancel_standing(state, message.account, stamp)
    what = message.grade, message.hub, message.kind, message.profile
    set_sale(state, message.account, what, message.price_ticks)
    events += renew_standing(state, message.account, stamp)
    return Outcome(data={"orders": accepted_orders(events)}, events=events)


def place_standing_sales(state: State, message: p.PlaceStandingSales, stamp: Stamp) -> Outcome:
    """Enter the day's orders of every provider with a standing sale, ascending account."""
    if state.day.phase not in PHASES:
        return refused(RejectCode.WRONG_PHASE, state.day.phase.label)
    state.day.standing_placed = True
    accounts = sorted({sale.account for sale in state.primary.standing})
    events = [part for account in accounts for part in renew_standing(state, account, stamp)]
    return Outcome(data={"orders": accepted_orders(events)}, events=events)


HANDLERS: Final[dict[type, Callable[[State, Any, Stamp], Outcome]]] = {
    p.SetStandingSale: set_standing_sale,
    p.PlaceStandingSales: place_standing_sales,
}
"""One handler a rare message of standing sales."""
