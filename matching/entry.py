"""New orders: every check of clause 3.11 in its order, then the order's way in."""

from __future__ import annotations

from matching.constants import (
    ANY_POST_ONLY,
    AT_CLOSE,
    AT_OPEN,
    BY_REDUCE_ONLY,
    CLOSED,
    CLOSING_CALL,
    CONTINUOUS,
    DECREMENT,
    FOK,
    FOR_AUCTIONS,
    GTD,
    HALTED,
    IMMEDIATE,
    LIMIT,
    MARKET,
    MARKET_TO_LIMIT,
    MAX_POSITION,
    MAX_QUANTITY,
    NO_REJECT,
    OPENING_CALL,
    POST_ONLY_SLIDE,
    R_CLOSED,
    R_COMBINATION,
    R_DISABLED,
    R_DISPLAY,
    R_EXPIRY,
    R_FLAGS,
    R_FULL,
    R_HALTED,
    R_LIMITS,
    R_MARGIN,
    R_MIN_QUANTITY,
    R_NOTHING_TO_REDUCE,
    R_NOTIONAL,
    R_OFFSET,
    R_OPEN_ORDERS,
    R_PHASE,
    R_POSITION,
    R_POST_ONLY,
    R_PRICE,
    R_QUANTITY,
    R_RATE,
    R_REFRESHES,
    R_SIDE,
    R_STP,
    R_TIF,
    R_TOO_LARGE,
    R_TRIGGER,
    R_TYPE,
    R_UNKNOWN_ACCOUNT,
    R_UNKNOWN_INSTRUMENT,
    REDUCE_ONLY,
    STOP,
    STOP_LIMIT,
    TRAILING_STOP,
)
from matching.emit import emit_accepted, emit_cancelled, emit_rejected
from matching.exposure import (
    add_holding,
    exposure_price,
    find_holding,
    holding_room,
    loss_per_lot,
    margin_of,
)
from matching.incoming import band_centre, enter
from matching.jit import Row, inlined, kernel, wide
from matching.ladder import price_of
from matching.layout import account_at, holding_at, instrument_at, ladder_at, link_at, order_at
from matching.orders import list_order, stand_in_stops, stand_parked, take_slot

SECOND_NS = 1_000_000_000
"""Nanoseconds of a second."""


@inlined
def is_stop(order_type: int) -> bool:
    """Tell whether a type waits for a trigger."""
    return order_type >= STOP


@inlined
def account_fault(core: Row, account: int) -> int:
    """Return UNKNOWN_ACCOUNT unless the account is set up."""
    if account < 0 or account >= core["max_accounts"] or account_at(core, account)["known"] == 0:
        return R_UNKNOWN_ACCOUNT
    return NO_REJECT


@inlined
def instrument_fault(core: Row, number: int) -> int:
    """Return UNKNOWN_INSTRUMENT unless the instrument is listed."""
    if number < 0 or number >= core["max_instruments"] or instrument_at(core, number)["listed"] == 0:
        return R_UNKNOWN_INSTRUMENT
    return NO_REJECT


@inlined
def _form_fault(command: Row) -> int:
    """Check that every enumerated column has a defined value."""
    if command["side"] > 1:
        return R_SIDE
    if command["type"] > TRAILING_STOP:
        return R_TYPE
    if command["tif"] > AT_CLOSE:
        return R_TIF
    if command["stp"] > DECREMENT:
        return R_STP
    flags = command["flags"]
    if flags > 7 or flags & ANY_POST_ONLY == ANY_POST_ONLY:
        return R_FLAGS
    bare = command["display"] == 0 and command["min_quantity"] == 0 and flags == 0
    if bare and command["type"] <= MARKET:
        return NO_REJECT  # nothing that could be combined wrongly
    return _combination_fault(command)


@kernel
def _combination_fault(command: Row) -> int:
    """Check clause 3.12."""
    tif, order_type, flags = command["tif"], command["type"], command["flags"]
    immediate = tif in IMMEDIATE
    auction = tif in FOR_AUCTIONS
    resting_limit = order_type in (LIMIT, STOP_LIMIT)
    reducing = flags & REDUCE_ONLY != 0
    posting = flags & ANY_POST_ONLY != 0
    immediate_limit = order_type == LIMIT and immediate
    reducible = order_type in (MARKET, STOP, TRAILING_STOP) or immediate_limit
    bad = is_stop(order_type) and (immediate or auction)
    bad = bad or (command["display"] != 0 and (not resting_limit or immediate))
    bad = bad or (
        command["min_quantity"] != 0 and (is_stop(order_type) or tif == FOK or auction or posting or reducing)
    )
    bad = bad or (posting and (order_type != LIMIT or immediate or auction))
    bad = bad or (order_type == MARKET_TO_LIMIT and tif == FOK)
    bad = bad or (reducing and (not reducible or auction))
    return R_COMBINATION if bad else NO_REJECT


@inlined
def open_fault(account: Row, phase: int) -> int:
    """Check that the account may send orders and the instrument takes them."""
    if account["enabled"] == 0:
        return R_DISABLED
    if phase == CLOSED:
        return R_CLOSED
    if phase == HALTED:
        return R_HALTED
    return NO_REJECT


@inlined
def _phase_fault(command: Row, phase: int) -> int:
    """Check clause 3.13."""
    tif = command["tif"]
    if phase == CONTINUOUS:
        return R_PHASE if tif == AT_OPEN else NO_REJECT
    if tif == AT_OPEN and phase != OPENING_CALL:
        return R_PHASE
    reducing = command["flags"] & REDUCE_ONLY != 0 and not is_stop(command["type"])
    posting = command["flags"] & ANY_POST_ONLY != 0
    if (tif in IMMEDIATE) or command["min_quantity"] != 0 or posting or reducing:
        return R_PHASE
    return NO_REJECT


@inlined
def rate_fault(account: Row, time_ns: int) -> int:
    """Count a command against its second and check clause 3.38."""
    second = time_ns // SECOND_NS
    if account["rate_second"] != second:
        account["rate_second"], account["rate_count"] = second, 0
    account["rate_count"] += 1
    limit = account["max_orders_per_second"]
    if limit > 0 and account["rate_count"] > limit:
        return R_RATE
    return NO_REJECT


@inlined
def _size_fault(instrument: Row, command: Row) -> int:
    quantity = command["quantity"]
    if quantity < 1:
        return R_QUANTITY
    if too_large(instrument, quantity):
        return R_TOO_LARGE
    if command["display"] < 0 or command["display"] > quantity:
        return R_DISPLAY
    if command["min_quantity"] < 0 or command["min_quantity"] > quantity:
        return R_MIN_QUANTITY
    return NO_REJECT


@inlined
def too_large(instrument: Row, quantity: int) -> bool:
    """Tell whether an order's quantity is beyond the instrument's size limit."""
    limit = instrument["max_order_size"]
    return quantity > MAX_QUANTITY or (limit > 0 and quantity > limit)


@inlined
def within_limits(instrument: Row, price: int) -> bool:
    """Tell whether a price lies within the daily limits."""
    return instrument["price_low"] <= price <= instrument["price_high"]


@inlined
def _price_fault(core: Row, instrument: Row, command: Row) -> int:
    order_type = command["type"]
    if (order_type == LIMIT) | (order_type == STOP_LIMIT):
        if not within_limits(instrument, command["price"]):
            return R_LIMITS
    elif command["price"] != 0:
        return R_PRICE
    if is_stop(order_type):
        if order_type == TRAILING_STOP:
            if command["trigger"] < 1:
                return R_OFFSET
        elif not within_limits(instrument, command["trigger"]):
            return R_TRIGGER
    if command["tif"] == GTD and command["expiry_day"] <= core["trading_day"]:
        return R_EXPIRY
    return NO_REJECT


@kernel
def post_only_price(core: Row, number: int, side: int, flags: int, price: int) -> int:
    """Return the price that a post-only order gets (clause 3.16), or 0 if it is refused."""
    best = wide(ladder_at(core, number * 4 + 1 - side)["best"])
    if best == 0:
        return price
    instrument = instrument_at(core, number)
    opposite = price_of(instrument, best)
    crosses = price >= opposite if side == 0 else price <= opposite
    if not crosses:
        return price
    slid = opposite - 1 if side == 0 else opposite + 1
    if flags & POST_ONLY_SLIDE == 0 or not within_limits(instrument, slid):
        return 0
    return slid


@inlined
def position_fault(instrument: Row, holding: Row, side: int, more: int) -> int:
    """Check the worst-case position with `more` open lots on a side (clause 3.37)."""
    limit = instrument["position_limit"]
    if limit == 0 or limit > MAX_POSITION:
        limit = MAX_POSITION
    if side == 0:
        lots = wide(holding["position"]) + holding["open_buy"]
    else:
        lots = wide(holding["open_sell"]) - holding["position"]
    return R_POSITION if more > 0 and lots + more > limit else NO_REJECT


@inlined
def margin_fault(instrument: Row, account: Row, holding: Row, side: int, more: int, loss_by: int) -> int:
    """Check the gate of clause 3.36 with `more` open lots of a side and `loss_by` fen more loss."""
    free = account["equity_fen"] + account["offset_fen"] - account["requirement_fen"]
    rate = instrument["margin_long_fen"] if side == 0 else instrument["margin_short_fen"]
    if more >= 0 and more * rate + loss_by <= free:  # the rise can't be greater than that
        return NO_REJECT
    position, buys, sells = (
        wide(holding["position"]),
        wide(holding["open_buy"]),
        wide(holding["open_sell"]),
    )
    before = margin_of(instrument, position, buys, sells)
    if side == 0:
        buys += more
    else:
        sells += more
    rise = margin_of(instrument, position, buys, sells) - before + loss_by
    return R_MARGIN if rise > 0 and rise > free else NO_REJECT


@inlined
def _risk_fault(instrument: Row, account: Row, holding: Row, command: Row, price: int, lots: int) -> int:
    """Check clauses 3.36 and 3.37 for a new order of `lots` lots with a limit price, or 0 without."""
    side = wide(command["side"])
    counted = wide(exposure_price(instrument, side, command["type"], price))
    most = account["max_order_notional_fen"]
    if most > 0 and counted * wide(command["quantity"]) * instrument["multiplier"] > most:
        return R_NOTIONAL
    if account["max_open_orders"] > 0 and account["open_orders"] >= account["max_open_orders"]:
        return R_OPEN_ORDERS
    if command["flags"] & REDUCE_ONLY != 0 and not is_stop(command["type"]):
        return NO_REJECT
    code = position_fault(instrument, holding, side, lots)
    if code != NO_REJECT:
        return code
    loss = loss_per_lot(instrument, side, counted) * lots
    return margin_fault(instrument, account, holding, side, lots, loss)


@inlined
def _room_fault(core: Row, command: Row, holding: int) -> int:
    if core["live_orders"] >= core["max_orders"]:
        return R_FULL
    if holding == 0 and holding_room(core) != NO_REJECT:
        return holding_room(core)
    display = wide(command["display"])
    if display > 0:
        slices = (command["quantity"] - 1) // display
        if core["refreshes"] + slices > core["max_refreshes"]:
            return R_REFRESHES
    return NO_REJECT


@inlined
def _screen(core: Row, command: Row) -> int:
    """Check a new order up to its price: everything that doesn't depend on the book or on money."""
    code = account_fault(core, command["account"])
    if code == NO_REJECT:
        code = instrument_fault(core, command["instrument"])
    if code == NO_REJECT:
        code = _form_fault(command)
    if code != NO_REJECT:
        return code
    account, instrument = account_at(core, command["account"]), instrument_at(core, command["instrument"])
    code = open_fault(account, instrument["phase"])
    if code == NO_REJECT:
        code = _phase_fault(command, instrument["phase"])
    if code == NO_REJECT:
        code = rate_fault(account, command["time_ns"])
    if code == NO_REJECT:
        code = _size_fault(instrument, command)
    if code == NO_REJECT:
        code = _price_fault(core, instrument, command)
    return code


@inlined
def reducible_lots(holding: Row, side: int) -> int:
    """Return the lots that an order of a side can take off the position."""
    position = wide(holding["position"])
    return max(wide(0), position if side == 1 else -position)


@inlined
def _kept_lots(holding: Row, command: Row) -> int:
    """Return how much of an order stays after clause 3.17: everything unless it is reduce-only now."""
    quantity = wide(command["quantity"])
    if command["flags"] & REDUCE_ONLY == 0 or is_stop(command["type"]):
        return quantity
    return min(quantity, reducible_lots(holding, wide(command["side"])))


@inlined
def new_order(core: Row, command: Row) -> int:
    """Apply a NEW command; returns the instrument whose stops must then be looked at, or -1."""
    code = _screen(core, command)
    if code != NO_REJECT:
        emit_rejected(core, command, code)
        return -1
    number = wide(command["instrument"])
    instrument, account = instrument_at(core, number), account_at(core, command["account"])
    price = wide(command["price"])
    if command["flags"] & ANY_POST_ONLY != 0 and instrument["phase"] == CONTINUOUS:
        price = post_only_price(core, number, wide(command["side"]), command["flags"], price)
        if price == 0:
            emit_rejected(core, command, R_POST_ONLY)
            return -1
    row = find_holding(core, command["account"], number)
    holding = holding_at(core, row)  # row 0 stays zero: what an account without a holding has
    lots = _kept_lots(holding, command)
    code = R_NOTHING_TO_REDUCE if lots == 0 else NO_REJECT
    if code == NO_REJECT:
        code = _risk_fault(instrument, account, holding, command, price, lots)
    if code == NO_REJECT:
        code = _room_fault(core, command, row)
    if code != NO_REJECT:
        emit_rejected(core, command, code)
        return -1
    if row == 0:
        row = add_holding(core, command["account"], number)
    _admit(core, command, price, lots, row)
    return number


@inlined
def _admit(core: Row, command: Row, price: int, lots: int, holding: int) -> None:
    """Give an order its slot, announce it and let it in."""
    slot = take_slot(core)
    order = order_at(core, slot)
    _write_order(core, slot, order, command, price, holding)
    list_order(core, slot, order)
    emit_accepted(core, slot, order)
    cut = wide(order["remaining"]) - lots
    if cut > 0:
        order["remaining"] = lots
        emit_cancelled(core, slot, order, BY_REDUCE_ONLY, cut, lots)
    phase = instrument_at(core, order["instrument"])["phase"]
    if is_stop(order["type"]):
        stand_in_stops(core, slot, order)
    elif order["tif"] == AT_CLOSE and phase != CLOSING_CALL:
        stand_parked(core, slot, order)
    else:
        enter(core, slot, wide(command["min_quantity"]))


@inlined
def _write_order(core: Row, slot: int, order: Row, command: Row, price: int, holding: int) -> None:
    core["arrivals"] += 1
    link = link_at(core, slot)
    link["arrival"], link["offset"], link["expiry_day"] = core["arrivals"], 0, 0
    order["client_id"], order["price"] = command["client_id"], price
    order["remaining"], order["visible"] = command["quantity"], command["quantity"]
    order["executed"], order["account"] = 0, command["account"]
    order["instrument"], order["holding"] = command["instrument"], holding
    order["display"] = command["display"] if command["display"] < command["quantity"] else 0
    order["trigger"], order["group"] = 0, command["group"]
    order["side"], order["type"], order["tif"] = command["side"], command["type"], command["tif"]
    order["flags"], order["stp"], order["place"] = command["flags"], command["stp"], 0
    if command["tif"] == GTD:
        link["expiry_day"] = command["expiry_day"]
    if is_stop(command["type"]):
        _write_trigger(core, link, order, command["trigger"])


@kernel
def _write_trigger(core: Row, link: Row, order: Row, trigger: int) -> None:
    """Set a stop's trigger; a trailing stop's lies its offset away from the latest price (clause 3.25)."""
    if order["type"] != TRAILING_STOP:
        order["trigger"] = trigger
        return
    instrument = instrument_at(core, order["instrument"])
    link["offset"] = trigger
    start = wide(band_centre(instrument))
    away = start + trigger if order["side"] == 0 else start - trigger
    order["trigger"] = min(max(away, instrument["price_low"]), instrument["price_high"])
