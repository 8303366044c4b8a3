"""Events and messages of the journal in words."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from exchange.api.formats import price_text
from exchange.domain import messages as m
from exchange.domain.defaults import CloseAuction, CloseOut, CoverDefault, EnforceCalls
from exchange.service.state import State
from matching.records import CancelReason, EventFlag, EventKind, RejectCode, Side

OPERATOR: Final = "an operator"
EXCHANGE: Final = "the exchange"
HOUSE: Final = "house"
SESSION: Final = "session of "
"""Before a member's name: what a command came by that the member gave at the screens."""

_OF_THE_EXCHANGE: Final = (
    m.ListContracts,
    m.OpenDay,
    m.SetPhase,
    m.RunMargin,
    EnforceCalls,
    CloseOut,
    CloseAuction,
    CoverDefault,
    m.SettleDay,
    m.FinishDelivery,
)
"""What the calendar causes and no person."""

_ACTING: Final = ("operator", "account", "broker")
"""Fields that name the account which sent a message, the first that is there."""


def name_of(state: State, account: int) -> str:
    """Return the member whose account it is."""
    member = state.members_by_account.get(account)
    return member.name if member is not None else HOUSE if account == 0 else f"account {account}"


def sender_of(state: State, message: m.RareMessage) -> str:
    """Return who sent a rare message, as far as the message says it."""
    if isinstance(message, _OF_THE_EXCHANGE):
        return EXCHANGE
    for field in _ACTING:
        if hasattr(message, field):
            return name_of(state, getattr(message, field))
    key = state.keys.get(message.by)
    return key.member if key is not None else message.by.removeprefix(SESSION) or OPERATOR


def says(message: Any, accounts: set[int], names: set[str]) -> bool:
    """Return whether a message names one of these accounts or members, in whatever field."""
    if isinstance(message, tuple):
        return any(says(part, accounts, names) for part in message)
    if not isinstance(message, msgspec.Struct):
        return False
    for field in message.__struct_fields__:
        value = getattr(message, field)
        if field in ("account", "restricted", "operator", "broker") and value in accounts:
            return True
        if field in ("name", "member", "to_member") and value in names:
            return True
        if says(value, accounts, names):
            return True
    return False


def event_words(event: Any) -> str:
    """Return an event of one order other than a fill, in words."""
    kind, lots = EventKind(int(event["kind"])), int(event["quantity"])
    order, price = int(event["order_id"]), int(event["price"])
    at = f" at {price_text(price)}" if price else ""
    side = Side(int(event["side"])).name.lower()
    match kind:
        case EventKind.ACCEPTED:
            return f"order {order} accepted: {side} {lots}{at}"
        case EventKind.REJECTED:
            asked = f"{side} {lots}{at}" if lots else f"order {order}"
            return f"refused, {RejectCode(int(event['code'])).name}: {asked}"
        case EventKind.CANCELLED:
            reason = CancelReason(int(event["code"])).name
            return f"order {order} loses {lots} lots, {int(event['remaining'])} left: {reason}"
        case EventKind.ACCOUNT:
            return "account may trade" if event["code"] else "account may not trade"
        case _:
            return f"order {order} {kind.name.lower()}: {lots} open{at}"


def fill_words(trade: Any, trade_id: int, maker: bool, order_id: int, bought: bool, fee_fen: int) -> str:
    """Return one side of a trade in words."""
    auction = trade["flags"] & EventFlag.UNCROSS != 0
    role = "in the auction" if auction else "as maker" if maker else "as taker"
    verb = "buys" if bought else "sells"
    return (
        f"trade {trade_id}: order {order_id} {verb} {int(trade['quantity'])} at "
        f"{price_text(int(trade['price']))} {role}, fee {fee_fen:,} fen"
    )
