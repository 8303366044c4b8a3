"""Amendments (clause 3.20) and cancellations (3.21, 3.27)."""

from __future__ import annotations

from matching.constants import (
    AMENDED_AWAY,
    ANY_POST_ONLY,
    BY_MASS_CANCEL,
    BY_REQUEST,
    CONTINUOUS,
    IN_BOOK,
    IN_STOPS,
    MASS_CANCELLED,
    NO_REJECT,
    R_COMBINATION,
    R_LIMITS,
    R_NOTIONAL,
    R_POST_ONLY,
    R_PRICE,
    R_QUANTITY,
    R_REFRESHES,
    R_SIDE,
    R_TOO_LARGE,
    R_TRIGGER,
    R_UNKNOWN_ORDER,
    TRAILING_STOP,
)
from matching.emit import emit, emit_amended, emit_level, emit_rejected
from matching.entry import (
    account_fault,
    instrument_fault,
    margin_fault,
    open_fault,
    position_fault,
    post_only_price,
    rate_fault,
    too_large,
    within_limits,
)
from matching.exposure import exposure_price, loss_of, loss_per_lot, release_exposure
from matching.incoming import enter, shrink
from matching.jit import Row, inlined, kernel, wide
from matching.ladder import book_rung, leave, leave_parked, level_of, stop_rung, stop_side
from matching.layout import account_at, holding_at, instrument_at, link_at, order_at
from matching.orders import (
    cancel_inlined,
    cancel_standing,
    find_order,
    forget_standing,
    reserve_slices,
    stand_in_stops,
    stand_parked,
)

ANY_HUB = 0xFFFF


@inlined
def cancel_order(core: Row, command: Row) -> None:
    """Apply a CANCEL command."""
    code = account_fault(core, command["account"])
    if code != NO_REJECT:
        emit_rejected(core, command, code)
        return
    slot = find_order(core, command["account"], command["order_id"])
    if slot == 0:
        emit_rejected(core, command, R_UNKNOWN_ORDER)
        return
    cancel_inlined(core, slot, BY_REQUEST)


@kernel
def _passes(core: Row, command: Row, order: Row) -> bool:
    """Tell whether an order passes every filter of a mass cancel."""
    if command["instrument"] >= 0 and order["instrument"] != command["instrument"]:
        return False
    if command["side"] <= 1 and order["side"] != command["side"]:
        return False
    if command["group"] != 0 and order["group"] != command["group"]:
        return False
    hub = command["hub"]
    return bool(hub == ANY_HUB or instrument_at(core, order["instrument"])["hub"] == hub)


@kernel
def mass_cancel(core: Row, command: Row) -> None:
    """Apply a MASS_CANCEL command in time proportional to the account's open orders."""
    code = account_fault(core, command["account"])
    if code == NO_REJECT and command["instrument"] != -1:
        code = instrument_fault(core, command["instrument"])
    if code == NO_REJECT and command["side"] > 2:
        code = R_SIDE
    if code != NO_REJECT:
        emit_rejected(core, command, code)
        return
    count = 0
    slot = wide(account_at(core, command["account"])["head"])
    while slot != 0:
        behind = wide(link_at(core, slot)["next"])
        if _passes(core, command, order_at(core, slot)):
            cancel_standing(core, slot, BY_MASS_CANCEL)
            count += 1
        slot = behind
    number, account = wide(command["instrument"]), wide(command["account"])
    emit(core, MASS_CANCELLED, 0, 0, number, account, 0, count, 0)


@kernel
def _terms_fault(instrument: Row, command: Row, order: Row) -> int:
    """Check an amendment's quantity, price and trigger."""
    if command["quantity"] < 0:
        return R_QUANTITY
    if too_large(instrument, command["quantity"]):
        return R_TOO_LARGE
    if command["price"] != 0:
        if order["price"] == 0:
            return R_PRICE
        if not within_limits(instrument, command["price"]):
            return R_LIMITS
    if command["trigger"] != 0:
        if order["place"] != IN_STOPS or order["type"] == TRAILING_STOP:
            return R_COMBINATION
        if not within_limits(instrument, command["trigger"]):
            return R_TRIGGER
    return NO_REJECT


@kernel
def _risk_fault(instrument: Row, account: Row, holding: Row, order: Row, price: int, lots: int) -> int:
    """Check clauses 3.36 and 3.37 for an order that would have `lots` open lots at a price."""
    side = wide(order["side"])
    counted = wide(exposure_price(instrument, side, order["type"], price))
    most = account["max_order_notional_fen"]
    if most > 0 and counted * lots * instrument["multiplier"] > most:
        return R_NOTIONAL
    more = lots - wide(order["remaining"])
    code = position_fault(instrument, holding, side, more)
    if code != NO_REJECT:
        return code
    loss_by = loss_per_lot(instrument, side, counted) * lots - loss_of(instrument, order)
    return margin_fault(instrument, account, holding, side, more, loss_by)


@kernel
def _refresh_fault(core: Row, order: Row, lots: int, keeps: bool) -> int:
    display = wide(order["display"])
    if display == 0:
        return NO_REJECT
    shown = min(wide(order["visible"]), lots) if keeps else min(display, lots)
    slices = (lots - shown + display - 1) // display
    if core["refreshes"] - reserve_slices(order) + slices > core["max_refreshes"]:
        return R_REFRESHES
    return NO_REJECT


@kernel
def amend_order(core: Row, command: Row) -> int:
    """Apply an AMEND command; returns the instrument whose stops must then be looked at, or -1."""
    code = account_fault(core, command["account"])
    slot = 0
    if code == NO_REJECT:
        slot = find_order(core, command["account"], command["order_id"])
        code = R_UNKNOWN_ORDER if slot == 0 else NO_REJECT
    if code != NO_REJECT:
        emit_rejected(core, command, code)
        return -1
    order = order_at(core, slot)
    account, instrument = account_at(core, command["account"]), instrument_at(core, order["instrument"])
    code = open_fault(account, instrument["phase"])
    if code == NO_REJECT:
        code = rate_fault(account, command["time_ns"])
    if code == NO_REJECT:
        code = _terms_fault(instrument, command, order)
    if code != NO_REJECT:
        emit_rejected(core, command, code)
        return -1
    return _amend_known(core, command, slot, order)


@kernel
def _amend_known(core: Row, command: Row, slot: int, order: Row) -> int:
    """Amend an order whose new terms are well-formed."""
    number = wide(order["instrument"])
    lots, price, trigger = wide(order["remaining"]), wide(order["price"]), order["trigger"]
    if command["quantity"] != 0:
        lots = wide(command["quantity"]) - order["executed"]
    if lots <= 0:
        cancel_standing(core, slot, AMENDED_AWAY)
        return number
    if command["price"] != 0:
        price = wide(command["price"])
    if command["trigger"] != 0:
        trigger = command["trigger"]
    keeps = bool(price == order["price"] and trigger == order["trigger"] and lots <= order["remaining"])
    instrument, account = instrument_at(core, number), account_at(core, order["account"])
    posting = order["flags"] & ANY_POST_ONLY != 0 and order["place"] == IN_BOOK
    if posting and not keeps and instrument["phase"] == CONTINUOUS:
        price = post_only_price(core, number, wide(order["side"]), order["flags"], price)
    code = R_POST_ONLY if price == 0 and order["price"] != 0 else NO_REJECT
    if code == NO_REJECT:
        code = _risk_fault(instrument, account, holding_at(core, order["holding"]), order, price, lots)
    if code == NO_REJECT:
        code = _refresh_fault(core, order, lots, keeps)
    if code != NO_REJECT:
        emit_rejected(core, command, code)
        return -1
    if keeps:
        _amend_in_place(core, slot, order, lots)
    else:
        _amend_and_requeue(core, slot, order, price, trigger, lots)
    return number


@kernel
def _amend_in_place(core: Row, slot: int, order: Row, lots: int) -> None:
    """Reduce an order where it stands."""
    number = wide(order["instrument"])
    instrument = instrument_at(core, number)
    if order["place"] == IN_BOOK:
        rung = book_rung(instrument, order)
        level = level_of(core, number * 4 + order["side"], rung)
        shrink(core, level, order, lots)
        emit_amended(core, slot, order)
        emit_level(core, number, instrument, wide(order["side"]), rung, level)
        return
    if order["place"] == IN_STOPS:
        level = level_of(core, number * 4 + stop_side(order), stop_rung(instrument, order))
        shrink(core, level, order, lots)
    else:
        core["refreshes"] -= reserve_slices(order)
        release_exposure(core, order, wide(order["remaining"]) - lots)
        order["remaining"], order["visible"] = lots, min(order["visible"], lots)
        core["refreshes"] += reserve_slices(order)
    emit_amended(core, slot, order)


@kernel
def _amend_and_requeue(core: Row, slot: int, order: Row, price: int, trigger: int, lots: int) -> None:
    """Take an order out of its queue, give it its new terms and let it in again."""
    number = wide(order["instrument"])
    instrument = instrument_at(core, number)
    place, side = order["place"], wide(order["side"])
    forget_standing(core, order)
    release_exposure(core, order, wide(order["remaining"]))
    rung = book_rung(instrument, order) if place == IN_BOOK else wide(0)
    level = level_of(core, number * 4 + side, rung)
    if place == IN_BOOK:
        leave(core, number * 4 + side, rung, order)
    elif place == IN_STOPS:
        leave(core, number * 4 + stop_side(order), stop_rung(instrument, order), order)
    else:
        leave_parked(core, order)
    order["price"], order["trigger"], order["remaining"] = price, trigger, lots
    order["visible"], order["place"] = lots, 0
    emit_amended(core, slot, order)
    if place == IN_BOOK:
        emit_level(core, number, instrument, side, rung, level)
        enter(core, slot, 0)
    elif place == IN_STOPS:
        stand_in_stops(core, slot, order)
    else:
        stand_parked(core, slot, order)
