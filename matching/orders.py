"""An order's life outside the queues: its slot and id, its account's list, where it stands, how it ends."""

from __future__ import annotations

from matching.constants import (
    AT_CLOSE,
    AT_OPEN,
    IN_BOOK,
    IN_PARKED,
    IN_STOPS,
    TRAILING_STOP,
)
from matching.emit import emit_cancelled, emit_level
from matching.exposure import release_exposure, take_exposure
from matching.jit import Row, inlined, kernel, wide
from matching.ladder import book_rung, join, join_parked, leave, leave_parked, stop_rung, stop_side
from matching.layout import account_at, free_slot_at, instrument_at, link_at, order_at


@inlined
def take_slot(core: Row) -> int:
    """Take a slot for an accepted order (clause 3.9); there must be one."""
    if core["free_slot_count"] > 0:
        core["free_slot_count"] -= 1
        slot = wide(free_slot_at(core, core["free_slot_count"])["value"])
    else:
        core["used_slots"] += 1
        slot = core["used_slots"]
    order = order_at(core, slot)
    order["generation"] = (order["generation"] + 1) & 0x7FFFFFFF
    core["live_orders"] += 1
    return slot


@inlined
def find_order(core: Row, account: int, order_id: int) -> int:
    """Return the slot of an open order of the account, or 0 (clause 3.21)."""
    slot = order_id & 0xFFFFFFFF
    if slot < 1 or slot > core["used_slots"]:
        return 0
    order = order_at(core, slot)
    if order["place"] == 0 or order["account"] != account or order["generation"] != order_id >> 32:
        return 0
    return slot


@inlined
def reserve_slices(order: Row) -> int:
    """Return how many times an iceberg can still refresh (clause 3.15)."""
    if order["display"] == 0:
        return 0
    return (wide(order["remaining"]) - order["visible"] + order["display"] - 1) // order["display"]


@inlined
def show(order: Row) -> None:
    """Set the shown lots of an order that joins a queue."""
    if order["display"] == 0:
        order["visible"] = order["remaining"]
    else:
        order["visible"] = min(order["display"], order["remaining"])


@inlined
def list_order(core: Row, slot: int, order: Row) -> None:
    """Append an accepted order to its account's list."""
    account = account_at(core, order["account"])
    tail = wide(account["tail"])
    link = link_at(core, slot)
    link["prev"], link["next"] = tail, 0
    if tail:
        link_at(core, tail)["next"] = slot
    else:
        account["head"] = slot
    account["tail"] = slot
    account["open_orders"] += 1


@inlined
def end_order(core: Row, slot: int, order: Row) -> None:
    """Free the slot of an order that stands nowhere any more."""
    account, link = account_at(core, order["account"]), link_at(core, slot)
    ahead, behind = wide(link["prev"]), wide(link["next"])
    if ahead:
        link_at(core, ahead)["next"] = behind
    else:
        account["head"] = behind
    if behind:
        link_at(core, behind)["prev"] = ahead
    else:
        account["tail"] = ahead
    account["open_orders"] -= 1
    order["place"] = 0
    free_slot_at(core, core["free_slot_count"])["value"] = slot
    core["free_slot_count"] += 1
    core["live_orders"] -= 1


@inlined
def only_for_auctions(order: Row) -> bool:
    """Tell whether an order in the book leaves after the next uncross (clause 3.33)."""
    return order["tif"] == AT_OPEN or order["tif"] == AT_CLOSE


@kernel
def stand_in_book(core: Row, slot: int, order: Row) -> None:
    """Rest an order at the tail of its price's queue; emits LEVEL. Its open lots count from now on."""
    number = wide(order["instrument"])
    instrument = instrument_at(core, number)
    rung = book_rung(instrument, order)
    show(order)
    order["place"] = IN_BOOK
    core["refreshes"] += reserve_slices(order)
    if only_for_auctions(order):
        instrument["auction_only"] += 1
    take_exposure(core, order)
    level = join(core, number * 4 + order["side"], rung, slot, order)
    emit_level(core, number, instrument, wide(order["side"]), rung, level)


@kernel
def stand_in_stops(core: Row, slot: int, order: Row) -> None:
    """Put a stop at the tail of its trigger's queue. Its open lots count from now on."""
    number = wide(order["instrument"])
    instrument = instrument_at(core, number)
    show(order)
    order["place"] = IN_STOPS
    core["refreshes"] += reserve_slices(order)
    if order["type"] == TRAILING_STOP:
        instrument["trailing"] += 1
    take_exposure(core, order)
    join(core, number * 4 + stop_side(order), stop_rung(instrument, order), slot, order)


@kernel
def stand_parked(core: Row, slot: int, order: Row) -> None:
    """Park an order for the closing call. Its open lots count from now on."""
    show(order)
    order["place"] = IN_PARKED
    core["refreshes"] += reserve_slices(order)
    take_exposure(core, order)
    join_parked(core, slot, order)


@inlined
def forget_standing(core: Row, order: Row) -> None:
    """Undo the counters of an order that is about to leave its place."""
    instrument = instrument_at(core, order["instrument"])
    core["refreshes"] -= reserve_slices(order)
    if order["place"] == IN_BOOK and only_for_auctions(order):
        instrument["auction_only"] -= 1
    if order["place"] == IN_STOPS and order["type"] == TRAILING_STOP:
        instrument["trailing"] -= 1


@inlined
def lift_inlined(core: Row, slot: int, order: Row) -> None:
    """Take a standing order out of its place; emits LEVEL from the book. Its open lots no longer count."""
    number = wide(order["instrument"])
    instrument = instrument_at(core, number)
    place = order["place"]
    forget_standing(core, order)
    release_exposure(core, order, wide(order["remaining"]))
    order["place"] = 0
    if place == IN_BOOK:
        rung = book_rung(instrument, order)
        level = leave(core, number * 4 + order["side"], rung, order)
        emit_level(core, number, instrument, wide(order["side"]), rung, level)
    elif place == IN_STOPS:
        leave(core, number * 4 + stop_side(order), stop_rung(instrument, order), order)
    else:
        leave_parked(core, order)


@kernel
def lift(core: Row, slot: int, order: Row) -> None:
    """Take a standing order out of its place, as ``lift_inlined`` does."""
    lift_inlined(core, slot, order)


@inlined
def cancel_inlined(core: Row, slot: int, reason: int) -> None:
    """Cancel an open order wherever it stands; emits CANCELLED, and LEVEL from the book."""
    order = order_at(core, slot)
    emit_cancelled(core, slot, order, reason, wide(order["remaining"]), 0)
    lift_inlined(core, slot, order)
    end_order(core, slot, order)


@kernel
def cancel_standing(core: Row, slot: int, reason: int) -> None:
    """Cancel an open order wherever it stands, as ``cancel_inlined`` does."""
    cancel_inlined(core, slot, reason)


@kernel
def cancel_incoming(core: Row, slot: int, order: Row, reason: int) -> None:
    """Cancel what is left of an order that stands nowhere yet; emits CANCELLED."""
    emit_cancelled(core, slot, order, reason, wide(order["remaining"]), 0)
    order["remaining"] = 0
    end_order(core, slot, order)
