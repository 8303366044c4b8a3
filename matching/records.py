"""The records of the engine: one layout for the wire, the journal and the kernel.

``COMMAND`` (72 bytes) and ``EVENT`` (64 bytes) are little-endian numpy structured dtypes with explicit
offsets and no hidden padding. A command's bytes as they arrive are the bytes that are journaled and the bytes
that the kernel reads. Prices are in ticks (0.01 CNY per card-hour), quantities in lots, money in fen, times
in nanoseconds since 1970-01-01 UTC, days in days since 1970-01-01 in Asia/Shanghai.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Records = NDArray[Any]
"""A one-dimensional structured array; the docstring that uses it names the dtype."""


class CommandKind(IntEnum):
    """What a command asks for."""

    NEW = 1
    CANCEL = 2
    AMEND = 3
    MASS_CANCEL = 4
    INDICATIVE = 5


class Side(IntEnum):
    """Side of an order; ``ANY`` only as the filter of a mass cancel."""

    BUY = 0
    SELL = 1
    ANY = 2


class OrderType(IntEnum):
    """How an order is priced."""

    LIMIT = 0
    MARKET = 1
    MARKET_TO_LIMIT = 2
    STOP = 3
    STOP_LIMIT = 4
    TRAILING_STOP = 5


class TimeInForce(IntEnum):
    """How long an order lives."""

    DAY = 0
    GTC = 1
    GTD = 2
    IOC = 3
    FOK = 4
    AT_OPEN = 5
    AT_CLOSE = 6


class StpMode(IntEnum):
    """What happens when an incoming order meets a resting order of its own account."""

    NONE = 0
    CANCEL_RESTING = 1
    CANCEL_TAKING = 2
    CANCEL_BOTH = 3
    DECREMENT = 4


class OrderFlag(IntFlag):
    """Attributes that an order may carry; the two post-only flags exclude each other."""

    NONE = 0
    POST_ONLY = 1
    POST_ONLY_SLIDE = 2
    REDUCE_ONLY = 4


class Phase(IntEnum):
    """Trading phase of an instrument."""

    CLOSED = 0
    OPENING_CALL = 1
    CONTINUOUS = 2
    VOLATILITY_CALL = 3
    CLOSING_CALL = 4
    HALTED = 5


class EventKind(IntEnum):
    """What happened. The table in ``EVENT_COLUMNS`` says which columns carry what for each kind."""

    ACCEPTED = 1
    REJECTED = 2
    TRADE = 3
    CANCELLED = 4
    AMENDED = 5
    TRIGGERED = 6
    LEVEL = 7
    INDICATIVE = 8
    AUCTION = 9
    PHASE = 10
    MASS_CANCELLED = 11
    INSTRUMENT = 12
    ACCOUNT = 13


class EventFlag(IntFlag):
    """Bits of an event's ``flags`` column."""

    NONE = 0
    UNCROSS = 1
    """A trade of an auction: ``order_id`` is the buyer's order, ``contra_id`` the seller's."""


class RejectCode(IntEnum):
    """Why a command was refused; the numbers are stable."""

    NONE = 0
    UNKNOWN_COMMAND = 1
    UNKNOWN_ACCOUNT = 2
    UNKNOWN_INSTRUMENT = 3
    UNKNOWN_ORDER = 4
    INVALID_SIDE = 5
    INVALID_TYPE = 6
    INVALID_TIME_IN_FORCE = 7
    INVALID_STP_MODE = 8
    INVALID_FLAGS = 9
    INVALID_COMBINATION = 10
    ACCOUNT_DISABLED = 11
    MARKET_CLOSED = 12
    HALTED = 13
    NOT_IN_THIS_PHASE = 14
    ORDER_RATE = 15
    INVALID_QUANTITY = 16
    ORDER_TOO_LARGE = 17
    INVALID_DISPLAY = 18
    INVALID_MIN_QUANTITY = 19
    PRICE_NOT_ALLOWED = 20
    PRICE_OUTSIDE_LIMITS = 21
    TRIGGER_OUTSIDE_LIMITS = 22
    INVALID_OFFSET = 23
    INVALID_EXPIRY = 24
    POST_ONLY_WOULD_TRADE = 25
    NOTHING_TO_REDUCE = 26
    ORDER_NOTIONAL = 27
    OPEN_ORDER_LIMIT = 28
    POSITION_LIMIT = 29
    MARGIN = 30
    ENGINE_FULL = 31
    TOO_MANY_HOLDINGS = 32
    TOO_MANY_REFRESHES = 33
    INVALID_INSTRUMENT = 34
    TOO_MANY_LEVELS = 35
    INSTRUMENT_EXISTS = 36
    INVALID_ACCOUNT = 37
    INVALID_PHASE = 38


class CancelReason(IntEnum):
    """Why an order (or part of it) left without trading; the numbers are stable."""

    REQUESTED = 1
    MASS_CANCEL = 2
    IMMEDIATE_OR_CANCEL = 3
    FILL_OR_KILL = 4
    MIN_QUANTITY = 5
    UNFILLED = 6
    SELF_TRADE = 7
    REDUCE_ONLY = 8
    AMENDED_AWAY = 9
    VOLATILITY = 10
    AUCTION_ENDED = 11
    EXPIRED = 12
    PRICE_OUTSIDE_LIMITS = 13
    INSTRUMENT_REMOVED = 14
    KILL_SWITCH = 15


ANY_INSTRUMENT: Final = -1
"""A mass cancel's ``instrument`` when every instrument is meant."""
ANY_HUB: Final = 0xFFFF
"""A mass cancel's ``hub`` when every hub is meant."""
ANY_GROUP: Final = 0
"""A mass cancel's ``group`` when every group is meant; an order in no group carries the same value."""

COMMAND_COLUMNS: Final = (
    ("seq", "<i8", "sequence number, stamped by the sequencer, rising by one"),
    ("time_ns", "<i8", "exchange time in ns, stamped by the sequencer, never falling"),
    ("order_id", "<i8", "exchange order id of the order to cancel or amend; 0 otherwise"),
    ("client_id", "<u8", "the client's own id of the order; echoed, never interpreted"),
    ("price", "<i4", "limit price in ticks; 0 where the type has none; in an AMEND 0 keeps the price"),
    (
        "trigger",
        "<i4",
        "trigger price in ticks, or the offset in ticks of a trailing stop; AMEND: 0 keeps it",
    ),
    ("quantity", "<i4", "lots; in an AMEND the new total, executed lots included, 0 keeps it"),
    ("display", "<i4", "displayed lots of an iceberg; 0 shows everything"),
    ("min_quantity", "<i4", "lots that must trade at once; 0 for none"),
    ("account", "<i4", "account index"),
    ("instrument", "<i4", "instrument index; ANY_INSTRUMENT in a mass cancel; ignored by CANCEL and AMEND"),
    ("expiry_day", "<u2", "last trading day of a GTD order, in days since 1970-01-01; 0 otherwise"),
    ("group", "<u2", "cancel-on-disconnect group; 0 for none, or any group in a mass cancel"),
    ("hub", "<u2", "hub filter of a mass cancel, ANY_HUB for every hub; 0 otherwise"),
    ("kind", "<u1", "CommandKind"),
    ("side", "<u1", "Side"),
    ("type", "<u1", "OrderType"),
    ("tif", "<u1", "TimeInForce"),
    ("flags", "<u1", "OrderFlag bits"),
    ("stp", "<u1", "StpMode"),
)
"""Name, little-endian numpy type and meaning of each command column, in byte order."""

EVENT_COLUMNS: Final = (
    ("seq", "<i8", "seq of the command (or the control operation) that caused the event"),
    ("order_id", "<i8", "the order concerned; TRADE: the incoming order (in an uncross the buyer's); else 0"),
    ("contra_id", "<i8", "TRADE: the resting order (in an uncross the seller's); else 0"),
    ("client_id", "<u8", "client id of order_id; REJECTED: of the command; else 0"),
    (
        "price",
        "<i4",
        "TRADE, LEVEL, AUCTION, INDICATIVE: that price (LEVEL 0 = market orders in a call); "
        "TRIGGERED: the trigger; INSTRUMENT: the reference price; ACCEPTED, AMENDED, CANCELLED: the limit "
        "price, 0 if the order has none; else 0",
    ),
    (
        "quantity",
        "<i4",
        "lots: ordered (ACCEPTED), open (AMENDED, TRIGGERED), traded (TRADE), cancelled (CANCELLED), "
        "displayed (LEVEL), executable (AUCTION, INDICATIVE); REJECTED: as in the command; "
        "MASS_CANCELLED: number of orders; INSTRUMENT: price_low; else 0",
    ),
    (
        "remaining",
        "<i4",
        "open lots of order_id after the event; LEVEL: number of orders; AUCTION, INDICATIVE: buy surplus in "
        "lots; INSTRUMENT: price_high; else 0",
    ),
    ("contra_remaining", "<i4", "TRADE: lots left of contra_id, reserve included; else 0"),
    (
        "account",
        "<i4",
        "account of order_id or of the command; -1 where none is meant (LEVEL, AUCTION, PHASE …)",
    ),
    ("contra_account", "<i4", "TRADE: account of contra_id; else -1"),
    ("instrument", "<i4", "instrument index; REJECTED: as in the command; -1 where none is meant"),
    ("kind", "<u1", "EventKind"),
    ("side", "<u1", "side of order_id or of the level; REJECTED: as in the command; else 0"),
    (
        "code",
        "<u1",
        "REJECTED: RejectCode; CANCELLED: CancelReason; PHASE: the new Phase; ACCOUNT: 1 if enabled; "
        "INSTRUMENT: 0 removed, 1 listed, 2 re-based or its margins changed; else 0",
    ),
    ("flags", "<u1", "EventFlag bits"),
)
"""Name, little-endian numpy type and meaning of each event column, in byte order."""


def _packed(columns: tuple[tuple[str, str, str], ...]) -> np.dtype[np.void]:
    return np.dtype([(name, kind) for name, kind, _ in columns])


COMMAND: Final = _packed(COMMAND_COLUMNS)
"""The command record: 72 bytes."""
EVENT: Final = _packed(EVENT_COLUMNS)
"""The event record: 64 bytes."""


def empty_commands(count: int) -> Records:
    """Return ``count`` zeroed commands (dtype ``COMMAND``) for the constructors below to fill."""
    return np.zeros(count, COMMAND)


def new_order(
    *,
    account: int,
    instrument: int,
    side: Side,
    quantity: int,
    price: int = 0,
    order_type: OrderType = OrderType.LIMIT,
    tif: TimeInForce = TimeInForce.DAY,
    trigger: int = 0,
    display: int = 0,
    min_quantity: int = 0,
    flags: OrderFlag = OrderFlag.NONE,
    stp: StpMode = StpMode.NONE,
    group: int = 0,
    expiry_day: int = 0,
    client_id: int = 0,
    seq: int = 0,
    time_ns: int = 0,
) -> Records:
    """Return one NEW command as an array of shape (1,); columns as in ``COMMAND_COLUMNS``."""
    row = empty_commands(1)
    row["kind"] = CommandKind.NEW
    row["account"], row["instrument"], row["side"] = account, instrument, side
    row["quantity"], row["price"], row["trigger"] = quantity, price, trigger
    row["display"], row["min_quantity"] = display, min_quantity
    row["type"], row["tif"], row["flags"], row["stp"] = order_type, tif, flags, stp
    row["group"], row["expiry_day"], row["client_id"] = group, expiry_day, client_id
    row["seq"], row["time_ns"] = seq, time_ns
    return row


def cancel(*, account: int, order_id: int, client_id: int = 0, seq: int = 0, time_ns: int = 0) -> Records:
    """Return one CANCEL command as an array of shape (1,)."""
    row = empty_commands(1)
    row["kind"] = CommandKind.CANCEL
    row["account"], row["order_id"], row["client_id"] = account, order_id, client_id
    row["seq"], row["time_ns"] = seq, time_ns
    return row


def amend(
    *,
    account: int,
    order_id: int,
    quantity: int = 0,
    price: int = 0,
    trigger: int = 0,
    client_id: int = 0,
    seq: int = 0,
    time_ns: int = 0,
) -> Records:
    """Return one AMEND command as an array of shape (1,); 0 keeps a quantity (total lots), price or
    trigger."""
    row = empty_commands(1)
    row["kind"] = CommandKind.AMEND
    row["account"], row["order_id"], row["client_id"] = account, order_id, client_id
    row["quantity"], row["price"], row["trigger"] = quantity, price, trigger
    row["seq"], row["time_ns"] = seq, time_ns
    return row


def mass_cancel(
    *,
    account: int,
    instrument: int = ANY_INSTRUMENT,
    hub: int = ANY_HUB,
    side: Side = Side.ANY,
    group: int = ANY_GROUP,
    seq: int = 0,
    time_ns: int = 0,
) -> Records:
    """Return one MASS_CANCEL command as an array of shape (1,): the account's orders that pass every
    filter."""
    row = empty_commands(1)
    row["kind"] = CommandKind.MASS_CANCEL
    row["account"], row["instrument"], row["side"] = account, instrument, side
    row["hub"], row["group"] = hub, group
    row["seq"], row["time_ns"] = seq, time_ns
    return row


def publish_indicative(*, instrument: int, seq: int = 0, time_ns: int = 0) -> Records:
    """Return one INDICATIVE command as an array of shape (1,): publish the indicative auction price."""
    row = empty_commands(1)
    row["kind"] = CommandKind.INDICATIVE
    row["instrument"], row["seq"], row["time_ns"] = instrument, seq, time_ns
    return row
