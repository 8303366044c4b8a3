"""Rare operations on instruments and accounts; each is one compiled call that emits its events."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from matching.auction import collect_ladder, uncross
from matching.commands import has_stops
from matching.constants import (
    ACCOUNT_CHANGED,
    AT_CLOSE,
    AT_OPEN,
    CLOSED,
    CLOSING_CALL,
    CONTINUOUS,
    DAY,
    EXPIRED,
    GTD,
    IN_STOPS,
    INSTRUMENT_CHANGED,
    INSTRUMENT_REMOVED,
    KILL_SWITCH,
    MASS_CANCELLED,
    NOT_A_CALL,
    OUTSIDE_LIMITS,
)
from matching.emit import emit, emit_triggered, enter_phase
from matching.exposure import (
    add_holding,
    drop_holding,
    find_holding,
    holding_margin,
    move,
    release_exposure,
    take_exposure,
)
from matching.jit import Row, kernel, wide
from matching.ladder import book_rung, join, leave, leave_parked, stop_rung, stop_side
from matching.layout import (
    BUY,
    SELL,
    STOP_BUY,
    STOP_SELL,
    account_at,
    holding_at,
    instrument_at,
    link_at,
    order_at,
    scratch_at,
)
from matching.orders import cancel_standing, forget_standing, stand_in_book
from matching.stops import run_stops


@kernel
def collect_orders(core: Row, number: int) -> int:
    """Write the slots of an instrument's orders to the scratch table in book order (clause 3.8); returns
    their number.
    """
    count = wide(0)
    for side in (BUY, SELL, STOP_SELL, STOP_BUY):
        count = collect_ladder(core, number * 4 + side, count)
    slot = instrument_at(core, number)["parked_head"]
    while slot != 0:
        scratch_at(core, count)["value"] = slot
        count += 1
        slot = wide(order_at(core, slot)["next"])
    return count


@kernel
def _in_call(phase: int) -> bool:
    return phase not in NOT_A_CALL


@kernel
def _release_parked(core: Row, number: int) -> None:
    """Let parked orders into the closing call's book."""
    instrument = instrument_at(core, number)
    while instrument["parked_head"] != 0:
        slot = wide(instrument["parked_head"])
        order = order_at(core, slot)
        emit_triggered(core, slot, order)
        forget_standing(core, order)
        release_exposure(core, order, wide(order["remaining"]))
        leave_parked(core, order)
        stand_in_book(core, slot, order)


@kernel
def set_phase(cores: NDArray[Any], number: int, phase: int) -> None:
    """Move an instrument to a phase (clause 3.3)."""
    core = cores[0]
    old = instrument_at(core, number)["phase"]
    if old == phase:
        return
    if phase == CONTINUOUS or (phase == CLOSED and _in_call(old)):
        uncross(core, number)
    enter_phase(core, number, phase)
    if phase == CLOSING_CALL:
        _release_parked(core, number)
    if phase == CONTINUOUS and has_stops(core, number):
        run_stops(core, number)


@kernel
def emit_instrument(core: Row, number: int, code: int) -> None:
    """Emit INSTRUMENT with the terms as they stand."""
    row = instrument_at(core, number)
    emit(
        core,
        INSTRUMENT_CHANGED,
        0,
        code,
        number,
        -1,
        wide(row["reference_price"]),
        wide(row["price_low"]),
        wide(row["price_high"]),
    )


@kernel
def emit_account(core: Row, account: int) -> None:
    """Emit ACCOUNT."""
    emit(core, ACCOUNT_CHANGED, 0, wide(account_at(core, account)["enabled"]), -1, account, 0, 0, 0)


@kernel
def announce(cores: NDArray[Any], number: int, account: int, code: int) -> None:
    """Emit INSTRUMENT for an instrument, or ACCOUNT if `number` is -1."""
    core = cores[0]
    if number >= 0:
        emit_instrument(core, number, code)
    else:
        emit_account(core, account)


@kernel
def _outside(order: Row, low: int, high: int) -> bool:
    """Tell whether an order's limit price or trigger lies outside limits."""
    price, trigger = order["price"], order["trigger"]
    if price != 0 and (price < low or price > high):
        return True
    return bool(order["place"] == IN_STOPS and (trigger < low or trigger > high))


@kernel
def _ladder_and_rung(instrument: Row, order: Row) -> tuple[int, int]:
    """Return where an order of the book or of the stops stands."""
    number = wide(order["instrument"])
    if order["place"] == IN_STOPS:
        return number * 4 + stop_side(order), stop_rung(instrument, order)
    return number * 4 + wide(order["side"]), book_rung(instrument, order)


@kernel
def rebase(cores: NDArray[Any], number: int, low: int, high: int, reference: int) -> None:
    """Give an instrument new limits and a new reference price (clause 3.4)."""
    core = cores[0]
    instrument = instrument_at(core, number)
    count = collect_orders(core, number)
    kept = 0
    for place in range(count):
        slot = wide(scratch_at(core, place)["value"])
        if _outside(order_at(core, slot), low, high):
            cancel_standing(core, slot, OUTSIDE_LIMITS)
        else:
            scratch_at(core, kept)["value"] = slot
            kept += 1
    for place in range(kept):
        _take_down(core, instrument, wide(scratch_at(core, place)["value"]))
    instrument["price_low"], instrument["price_high"] = low, high
    instrument["reference_price"], instrument["last_price"] = reference, 0
    for place in range(kept):
        _put_up(core, instrument, wide(scratch_at(core, place)["value"]))
    emit_instrument(core, number, 2)


@kernel
def _take_down(core: Row, instrument: Row, slot: int) -> None:
    """Lift an order for the time of a re-base, without a trace; parked orders stay in their queue."""
    order = order_at(core, slot)
    release_exposure(core, order, wide(order["remaining"]))
    if order["place"] != 3:
        ladder, rung = _ladder_and_rung(instrument, order)
        leave(core, ladder, rung, order)


@kernel
def _put_up(core: Row, instrument: Row, slot: int) -> None:
    order = order_at(core, slot)
    take_exposure(core, order)
    if order["place"] != 3:
        ladder, rung = _ladder_and_rung(instrument, order)
        join(core, ladder, rung, slot, order)


@kernel
def set_margins(cores: NDArray[Any], number: int, margin_long: int, margin_short: int) -> None:
    """Set margins per lot and recompute the requirements of everyone who holds the instrument."""
    core = cores[0]
    instrument = instrument_at(core, number)
    for sign in (-1, 1):
        row = wide(instrument["first_holding"])
        while row != 0:
            holding = holding_at(core, row)
            margin = holding_margin(instrument, holding)
            account_at(core, holding["account"])["requirement_fen"] += sign * margin
            row = wide(holding["next"])
        instrument["margin_long_fen"], instrument["margin_short_fen"] = margin_long, margin_short
    emit_instrument(core, number, 2)


@kernel
def set_position_limit(cores: NDArray[Any], number: int, lots: int) -> None:
    """Set the position limit, which orders are checked against from here on."""
    core = cores[0]
    instrument_at(core, number)["position_limit"] = lots
    emit_instrument(core, number, 2)


@kernel
def remove_instrument(cores: NDArray[Any], number: int) -> None:
    """Cancel an instrument's orders and forget its holdings and terms."""
    core = cores[0]
    instrument = instrument_at(core, number)
    count = collect_orders(core, number)
    for place in range(count):
        cancel_standing(core, wide(scratch_at(core, place)["value"]), INSTRUMENT_REMOVED)
    row = wide(instrument["first_holding"])
    while row != 0:
        holding = holding_at(core, row)
        behind = wide(holding["next"])
        margin = holding_margin(instrument, holding)
        account_at(core, holding["account"])["requirement_fen"] -= margin
        drop_holding(core, row)
        row = behind
    instrument["first_holding"], instrument["listed"] = 0, 0
    emit_instrument(core, number, 0)


@kernel
def kill_account(cores: NDArray[Any], account: int) -> None:
    """Disable an account and cancel its orders (clause 3.28)."""
    core = cores[0]
    row = account_at(core, account)
    row["enabled"] = 0
    emit_account(core, account)
    count = 0
    slot = wide(row["head"])
    while slot != 0:
        behind = wide(link_at(core, slot)["next"])
        cancel_standing(core, slot, KILL_SWITCH)
        count += 1
        slot = behind
    emit(core, MASS_CANCELLED, 0, 0, -1, account, 0, count, 0)


@kernel
def cancel_all(cores: NDArray[Any], number: int) -> None:
    """Cancel every order of an instrument in book order (clause 3.28)."""
    core = cores[0]
    for place in range(collect_orders(core, number)):
        cancel_standing(core, wide(scratch_at(core, place)["value"]), KILL_SWITCH)


@kernel
def expire_orders(cores: NDArray[Any], number: int, trading_day: int) -> None:
    """Cancel an instrument's orders whose time is over at the end of a trading day (clause 3.5)."""
    core = cores[0]
    for place in range(collect_orders(core, number)):
        slot = wide(scratch_at(core, place)["value"])
        tif = order_at(core, slot)["tif"]
        of_the_day = tif in (DAY, AT_OPEN, AT_CLOSE)
        if of_the_day or (tif == GTD and link_at(core, slot)["expiry_day"] <= trading_day):
            cancel_standing(core, slot, EXPIRED)


@kernel
def set_position(cores: NDArray[Any], account: int, number: int, lots: int) -> None:
    """Set a position without a trade; there must be room for the holding."""
    core = cores[0]
    row = find_holding(core, account, number)
    if row == 0:
        row = add_holding(core, account, number)
    holding = holding_at(core, row)
    by = lots - wide(holding["position"])
    move(account_at(core, account), instrument_at(core, number), holding, 0, by, 0, 0)
    emit_account(core, account)
