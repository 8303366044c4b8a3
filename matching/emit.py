"""Writing events. Room for everything that one command can cause is checked before it is applied."""

from __future__ import annotations

from matching.constants import (
    ACCEPTED,
    AMENDED,
    CANCELLED,
    LEVEL_CHANGED,
    MAX_SHOWN,
    PHASE,
    REJECTED,
    TRADE,
    TRIGGERED,
)
from matching.jit import Row, inlined, kernel, wide
from matching.ladder import price_of
from matching.layout import event_at, instrument_at


@inlined
def order_id_of(slot: int, order: Row) -> int:
    """Return the exchange order id of an order (clause 3.9)."""
    return (int(order["generation"]) << 32) | slot


@inlined
def emit(
    core: Row,
    kind: int,
    side: int,
    code: int,
    instrument: int,
    account: int,
    price: int,
    quantity: int,
    remaining: int,
) -> Row:
    """Append an event and return it, so that the caller can fill the columns that are 0 here."""
    count = core["event_count"]
    core["event_count"] = count + 1
    event = event_at(core, count)
    event["seq"] = core["seq"]
    event["order_id"], event["contra_id"], event["client_id"] = 0, 0, 0
    event["price"], event["quantity"], event["remaining"] = price, quantity, remaining
    event["contra_remaining"], event["account"], event["contra_account"] = 0, account, -1
    event["instrument"], event["kind"], event["side"] = instrument, kind, side
    event["code"], event["flags"] = code, 0
    return event


@inlined
def _emit_order(
    core: Row, kind: int, code: int, slot: int, order: Row, quantity: int, remaining: int
) -> None:
    event = emit(
        core,
        kind,
        wide(order["side"]),
        code,
        wide(order["instrument"]),
        wide(order["account"]),
        wide(order["price"]),
        quantity,
        remaining,
    )
    event["order_id"], event["client_id"] = order_id_of(slot, order), order["client_id"]


@inlined
def _emit_open(core: Row, kind: int, slot: int, order: Row) -> None:
    lots = wide(order["remaining"])
    _emit_order(core, wide(kind), wide(0), slot, order, lots, lots)


@inlined
def emit_accepted(core: Row, slot: int, order: Row) -> None:
    """Emit ACCEPTED."""
    _emit_open(core, ACCEPTED, slot, order)


@inlined
def emit_amended(core: Row, slot: int, order: Row) -> None:
    """Emit AMENDED with what is open now."""
    _emit_open(core, AMENDED, slot, order)


@inlined
def emit_cancelled(core: Row, slot: int, order: Row, reason: int, quantity: int, remaining: int) -> None:
    """Emit CANCELLED for `quantity` lots of an order, `remaining` being left."""
    _emit_order(core, wide(CANCELLED), wide(reason), slot, order, wide(quantity), wide(remaining))


@kernel
def emit_triggered(core: Row, slot: int, order: Row) -> None:
    """Emit TRIGGERED with the trigger, which is 0 for a parked order."""
    event = emit(
        core,
        TRIGGERED,
        wide(order["side"]),
        0,
        wide(order["instrument"]),
        wide(order["account"]),
        wide(order["trigger"]),
        wide(order["remaining"]),
        wide(order["remaining"]),
    )
    event["order_id"], event["client_id"] = order_id_of(slot, order), order["client_id"]


@kernel
def emit_rejected(core: Row, command: Row, code: int) -> None:
    """Emit REJECTED for a command."""
    event = emit(
        core,
        REJECTED,
        wide(command["side"]),
        code,
        wide(command["instrument"]),
        wide(command["account"]),
        0,
        wide(command["quantity"]),
        0,
    )
    event["order_id"], event["client_id"] = command["order_id"], command["client_id"]


@kernel
def refuse(core: Row, code: int, instrument: int, account: int) -> None:
    """Emit REJECTED for a control operation."""
    emit(core, REJECTED, 0, code, instrument, account, 0, 0, 0)


@inlined
def emit_trade(
    core: Row, slot: int, order: Row, contra_slot: int, contra: Row, price: int, lots: int, flags: int
) -> None:
    """Emit TRADE; both orders' open lots are already reduced."""
    event = emit(
        core,
        TRADE,
        wide(order["side"]),
        0,
        wide(order["instrument"]),
        wide(order["account"]),
        price,
        lots,
        wide(order["remaining"]),
    )
    event["order_id"], event["contra_id"] = order_id_of(slot, order), order_id_of(contra_slot, contra)
    event["client_id"], event["flags"] = order["client_id"], flags
    event["contra_remaining"], event["contra_account"] = contra["remaining"], contra["account"]


@inlined
def emit_level(core: Row, number: int, instrument: Row, side: int, rung: int, level: Row) -> None:
    """Emit LEVEL for a rung of the displayed book."""
    shown = min(level["visible"], MAX_SHOWN)
    emit(
        core,
        LEVEL_CHANGED,
        wide(side),
        0,
        number,
        -1,
        wide(price_of(instrument, rung)),
        shown,
        wide(level["orders"]),
    )


@kernel
def enter_phase(core: Row, number: int, phase: int) -> None:
    """Change an instrument's phase and emit PHASE."""
    instrument_at(core, number)["phase"] = phase
    emit(core, PHASE, 0, phase, number, -1, 0, 0, 0)
