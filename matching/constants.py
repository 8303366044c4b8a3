"""The enums' numbers as plain integers, the form in which compiled code can use them."""

from __future__ import annotations

from typing import Final

from matching.records import (
    CancelReason,
    CommandKind,
    EventFlag,
    EventKind,
    OrderFlag,
    OrderType,
    Phase,
    RejectCode,
    StpMode,
    TimeInForce,
)
from matching.state import Place

LIMIT: Final = int(OrderType.LIMIT)
MARKET: Final = int(OrderType.MARKET)
MARKET_TO_LIMIT: Final = int(OrderType.MARKET_TO_LIMIT)
STOP: Final = int(OrderType.STOP)
STOP_LIMIT: Final = int(OrderType.STOP_LIMIT)
TRAILING_STOP: Final = int(OrderType.TRAILING_STOP)

DAY: Final = int(TimeInForce.DAY)
GTC: Final = int(TimeInForce.GTC)
GTD: Final = int(TimeInForce.GTD)
IOC: Final = int(TimeInForce.IOC)
FOK: Final = int(TimeInForce.FOK)
AT_OPEN: Final = int(TimeInForce.AT_OPEN)
AT_CLOSE: Final = int(TimeInForce.AT_CLOSE)

IMMEDIATE: Final = (IOC, FOK)
FOR_AUCTIONS: Final = (AT_OPEN, AT_CLOSE)

CLOSED: Final = int(Phase.CLOSED)
OPENING_CALL: Final = int(Phase.OPENING_CALL)
CONTINUOUS: Final = int(Phase.CONTINUOUS)
VOLATILITY_CALL: Final = int(Phase.VOLATILITY_CALL)
CLOSING_CALL: Final = int(Phase.CLOSING_CALL)
HALTED: Final = int(Phase.HALTED)

NOT_A_CALL: Final = (CLOSED, CONTINUOUS, HALTED)

STP_NONE: Final = int(StpMode.NONE)
CANCEL_RESTING: Final = int(StpMode.CANCEL_RESTING)
CANCEL_TAKING: Final = int(StpMode.CANCEL_TAKING)
CANCEL_BOTH: Final = int(StpMode.CANCEL_BOTH)
DECREMENT: Final = int(StpMode.DECREMENT)

POST_ONLY: Final = int(OrderFlag.POST_ONLY)
POST_ONLY_SLIDE: Final = int(OrderFlag.POST_ONLY_SLIDE)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
ANY_POST_ONLY: Final = POST_ONLY | POST_ONLY_SLIDE

IN_BOOK: Final = int(Place.BOOK)
IN_STOPS: Final = int(Place.STOP)
IN_PARKED: Final = int(Place.PARKED)

NEW: Final = int(CommandKind.NEW)
CANCEL: Final = int(CommandKind.CANCEL)
AMEND: Final = int(CommandKind.AMEND)
MASS_CANCEL: Final = int(CommandKind.MASS_CANCEL)
PUBLISH: Final = int(CommandKind.INDICATIVE)

ACCEPTED: Final = int(EventKind.ACCEPTED)
REJECTED: Final = int(EventKind.REJECTED)
TRADE: Final = int(EventKind.TRADE)
CANCELLED: Final = int(EventKind.CANCELLED)
AMENDED: Final = int(EventKind.AMENDED)
TRIGGERED: Final = int(EventKind.TRIGGERED)
LEVEL_CHANGED: Final = int(EventKind.LEVEL)
INDICATIVE: Final = int(EventKind.INDICATIVE)
AUCTION: Final = int(EventKind.AUCTION)
PHASE: Final = int(EventKind.PHASE)
MASS_CANCELLED: Final = int(EventKind.MASS_CANCELLED)
INSTRUMENT_CHANGED: Final = int(EventKind.INSTRUMENT)
ACCOUNT_CHANGED: Final = int(EventKind.ACCOUNT)
UNCROSS: Final = int(EventFlag.UNCROSS)

BY_REQUEST: Final = int(CancelReason.REQUESTED)
BY_MASS_CANCEL: Final = int(CancelReason.MASS_CANCEL)
BY_IOC: Final = int(CancelReason.IMMEDIATE_OR_CANCEL)
BY_FOK: Final = int(CancelReason.FILL_OR_KILL)
BY_MIN_QUANTITY: Final = int(CancelReason.MIN_QUANTITY)
UNFILLED: Final = int(CancelReason.UNFILLED)
SELF_TRADE: Final = int(CancelReason.SELF_TRADE)
BY_REDUCE_ONLY: Final = int(CancelReason.REDUCE_ONLY)
AMENDED_AWAY: Final = int(CancelReason.AMENDED_AWAY)
BY_VOLATILITY: Final = int(CancelReason.VOLATILITY)
AUCTION_ENDED: Final = int(CancelReason.AUCTION_ENDED)
EXPIRED: Final = int(CancelReason.EXPIRED)
OUTSIDE_LIMITS: Final = int(CancelReason.PRICE_OUTSIDE_LIMITS)
INSTRUMENT_REMOVED: Final = int(CancelReason.INSTRUMENT_REMOVED)
KILL_SWITCH: Final = int(CancelReason.KILL_SWITCH)

NO_REJECT: Final = int(RejectCode.NONE)
R_UNKNOWN_COMMAND: Final = int(RejectCode.UNKNOWN_COMMAND)
R_UNKNOWN_ACCOUNT: Final = int(RejectCode.UNKNOWN_ACCOUNT)
R_UNKNOWN_INSTRUMENT: Final = int(RejectCode.UNKNOWN_INSTRUMENT)
R_UNKNOWN_ORDER: Final = int(RejectCode.UNKNOWN_ORDER)
R_SIDE: Final = int(RejectCode.INVALID_SIDE)
R_TYPE: Final = int(RejectCode.INVALID_TYPE)
R_TIF: Final = int(RejectCode.INVALID_TIME_IN_FORCE)
R_STP: Final = int(RejectCode.INVALID_STP_MODE)
R_FLAGS: Final = int(RejectCode.INVALID_FLAGS)
R_COMBINATION: Final = int(RejectCode.INVALID_COMBINATION)
R_DISABLED: Final = int(RejectCode.ACCOUNT_DISABLED)
R_CLOSED: Final = int(RejectCode.MARKET_CLOSED)
R_HALTED: Final = int(RejectCode.HALTED)
R_PHASE: Final = int(RejectCode.NOT_IN_THIS_PHASE)
R_RATE: Final = int(RejectCode.ORDER_RATE)
R_QUANTITY: Final = int(RejectCode.INVALID_QUANTITY)
R_TOO_LARGE: Final = int(RejectCode.ORDER_TOO_LARGE)
R_DISPLAY: Final = int(RejectCode.INVALID_DISPLAY)
R_MIN_QUANTITY: Final = int(RejectCode.INVALID_MIN_QUANTITY)
R_PRICE: Final = int(RejectCode.PRICE_NOT_ALLOWED)
R_LIMITS: Final = int(RejectCode.PRICE_OUTSIDE_LIMITS)
R_TRIGGER: Final = int(RejectCode.TRIGGER_OUTSIDE_LIMITS)
R_OFFSET: Final = int(RejectCode.INVALID_OFFSET)
R_EXPIRY: Final = int(RejectCode.INVALID_EXPIRY)
R_POST_ONLY: Final = int(RejectCode.POST_ONLY_WOULD_TRADE)
R_NOTHING_TO_REDUCE: Final = int(RejectCode.NOTHING_TO_REDUCE)
R_NOTIONAL: Final = int(RejectCode.ORDER_NOTIONAL)
R_OPEN_ORDERS: Final = int(RejectCode.OPEN_ORDER_LIMIT)
R_POSITION: Final = int(RejectCode.POSITION_LIMIT)
R_MARGIN: Final = int(RejectCode.MARGIN)
R_FULL: Final = int(RejectCode.ENGINE_FULL)
R_HOLDINGS: Final = int(RejectCode.TOO_MANY_HOLDINGS)
R_REFRESHES: Final = int(RejectCode.TOO_MANY_REFRESHES)

MAX_QUANTITY: Final = 1 << 20
"""Lots of one order at most, whatever the instrument says (clause 3.11)."""
MAX_POSITION: Final = (1 << 30) - 1
"""Lots of a worst-case position at most, whatever the instrument says (clause 3.37)."""
MAX_SHOWN: Final = 0x7FFFFFFF
"""Largest number of lots that a LEVEL event can show."""
