"""An incoming order meets the book: lots available, trades, self-trade prevention, the rest."""

from __future__ import annotations

from matching.constants import (
    BY_FOK,
    BY_IOC,
    BY_MIN_QUANTITY,
    BY_VOLATILITY,
    CANCEL_BOTH,
    CANCEL_RESTING,
    CANCEL_TAKING,
    CONTINUOUS,
    FOK,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    MARKET_TO_LIMIT,
    SELF_TRADE,
    STP_NONE,
    UNFILLED,
    VOLATILITY_CALL,
)
from matching.emit import emit_cancelled, emit_level, emit_trade, enter_phase
from matching.exposure import fill_resting, move, release_exposure
from matching.jit import Row, inlined, kernel, wide
from matching.ladder import close_rung, level_of, price_of, rung_of, unlink, worse
from matching.layout import account_at, holding_at, instrument_at, ladder_at, order_at
from matching.orders import (
    cancel_incoming,
    end_order,
    forget_standing,
    reserve_slices,
    show,
    stand_in_book,
)


@inlined
def allows(order: Row, price: int) -> bool:
    """Tell whether an incoming order may trade at a price; one without a limit price may at any."""
    if order["price"] == 0:
        return True
    if order["side"] == 0:
        return price <= order["price"]
    return price >= order["price"]


@inlined
def band_centre(instrument: Row) -> int:
    """Return the price around which the dynamic band lies, ticks (clause 3.23)."""
    last = wide(instrument["last_price"])
    return last if last != 0 else wide(instrument["reference_price"])


@inlined
def outside_band(instrument: Row, centre: int, price: int) -> bool:
    """Tell whether a trade at a price would leave the dynamic band."""
    return instrument["band_ticks"] > 0 and abs(wide(price) - centre) > instrument["band_ticks"]


@kernel
def _lots_of_others(core: Row, level: Row, order: Row) -> tuple[int, bool]:
    """Return the lots of a level that an order with an STP mode can count on, and whether its account is
    there.
    """
    everything, ahead, met = wide(0), wide(0), False
    slot = wide(level["head"])
    while slot != 0:
        resting = order_at(core, slot)
        if resting["account"] == order["account"]:
            met = True
        else:
            everything += resting["remaining"]
            if not met:
                ahead += resting["visible"]
        slot = wide(resting["next"])
    if met and order["stp"] != CANCEL_RESTING:
        return ahead, True
    return everything, False


@kernel
def enough(core: Row, instrument: Row, ladder: int, order: Row, need: int) -> bool:
    """Tell whether `need` lots are available at once (clause 3.19)."""
    centre = band_centre(instrument)
    total = wide(0)
    rung = wide(ladder_at(core, ladder)["best"])
    while rung != 0 and total < need:
        price = price_of(instrument, rung)
        if not allows(order, price) or outside_band(instrument, centre, price):
            break
        level = level_of(core, ladder, rung)
        if order["stp"] == STP_NONE:
            total += level["visible"] + level["hidden"]
        else:
            lots, barred = _lots_of_others(core, level, order)
            total += lots
            if barred:
                break
        rung = worse(core, ladder, rung)
    return total >= need


@kernel
def shrink(core: Row, level: Row, order: Row, lots: int) -> None:
    """Leave a standing order with `lots` open lots, its reserve reduced first; the level's sums follow."""
    core["refreshes"] -= reserve_slices(order)
    release_exposure(core, order, order["remaining"] - lots)
    level["visible"] -= order["visible"]
    level["hidden"] -= order["remaining"] - order["visible"]
    order["remaining"] = lots
    order["visible"] = min(order["visible"], lots)
    level["visible"] += order["visible"]
    level["hidden"] += order["remaining"] - order["visible"]
    core["refreshes"] += reserve_slices(order)


@kernel
def _strike(core: Row, ladder: int, level: Row, slot: int, order: Row) -> None:
    """End a resting order inside its level without LEVEL: that follows when the level is left."""
    forget_standing(core, order)
    release_exposure(core, order, wide(order["remaining"]))
    unlink(core, ladder, level, order)
    end_order(core, slot, order)


@kernel
def _decrement(core: Row, ladder: int, level: Row, slot: int, order: Row, own_slot: int, own: Row) -> None:
    lots = wide(min(order["remaining"], own["remaining"]))
    left = own["remaining"] - lots
    emit_cancelled(core, own_slot, own, SELF_TRADE, lots, left)
    if left == 0:
        _strike(core, ladder, level, own_slot, own)
    else:
        shrink(core, level, own, left)
    order["remaining"] -= lots
    emit_cancelled(core, slot, order, SELF_TRADE, lots, wide(order["remaining"]))


@kernel
def prevent(core: Row, ladder: int, level: Row, slot: int, order: Row, own_slot: int, own: Row) -> bool:
    """Keep an order from trading with its own account (clause 3.22); returns whether the level changed."""
    mode = order["stp"]
    if mode in (CANCEL_RESTING, CANCEL_BOTH):
        emit_cancelled(core, own_slot, own, SELF_TRADE, wide(own["remaining"]), 0)
        _strike(core, ladder, level, own_slot, own)
    elif mode != CANCEL_TAKING:
        _decrement(core, ladder, level, slot, order, own_slot, own)
    if mode in (CANCEL_TAKING, CANCEL_BOTH):
        emit_cancelled(core, slot, order, SELF_TRADE, wide(order["remaining"]), 0)
        order["remaining"] = 0
    return bool(mode != CANCEL_TAKING)


@inlined
def take(level: Row, order: Row, lots: int) -> None:
    """Take traded lots off a standing order and its level."""
    order["remaining"] -= lots
    order["visible"] -= lots
    order["executed"] += lots
    level["visible"] -= lots


@kernel
def refresh(core: Row, level: Row, slot: int, order: Row) -> None:
    """Show an iceberg's next lots and send it to the tail of its queue (clause 3.15)."""
    core["refreshes"] -= 1
    show(order)
    level["visible"] += order["visible"]
    level["hidden"] -= order["visible"]
    if level["tail"] == slot:
        return
    ahead, behind = wide(order["prev"]), wide(order["next"])
    if ahead:
        order_at(core, ahead)["next"] = behind
    else:
        level["head"] = behind
    order_at(core, behind)["prev"] = ahead
    tail = wide(level["tail"])
    order_at(core, tail)["next"] = slot
    order["prev"], order["next"] = tail, 0
    level["tail"] = slot


@inlined
def settle_resting(core: Row, ladder: int, level: Row, slot: int, order: Row) -> None:
    """After a trade: end a resting order without open lots, or refresh one without shown lots."""
    if order["remaining"] == 0:
        forget_standing(core, order)
        unlink(core, ladder, level, order)
        end_order(core, slot, order)
    elif order["visible"] == 0:
        refresh(core, level, slot, order)


@inlined
def trade_level(
    core: Row, number: int, instrument: Row, ladder: int, rung: int, slot: int, order: Row
) -> int:
    """Trade an incoming order against one level; returns the lots traded. Emits LEVEL if it changed."""
    level = level_of(core, ladder, rung)
    price = price_of(instrument, rung)
    traded, changed = wide(0), False
    while order["remaining"] > 0 and level["head"] != 0:
        resting_slot = wide(level["head"])
        resting = order_at(core, resting_slot)
        if order["stp"] != STP_NONE and resting["account"] == order["account"]:
            changed = prevent(core, ladder, level, slot, order, resting_slot, resting) or changed
            continue
        lots = wide(min(order["remaining"], resting["visible"]))
        order["remaining"] -= lots
        order["executed"] += lots
        take(level, resting, lots)
        emit_trade(core, slot, order, resting_slot, resting, price, lots, 0)
        fill_resting(core, instrument, resting, price, lots)
        settle_resting(core, ladder, level, resting_slot, resting)
        traded, changed = traded + lots, True
    if changed:
        if traded > 0:
            instrument["last_price"] = price
        emit_level(core, number, instrument, ladder & 3, rung, level)
        if level["head"] == 0:
            close_rung(core, ladder, rung)
    return traded


@inlined
def sweep(core: Row, number: int, instrument: Row, ladder: int, slot: int, order: Row) -> bool:
    """Trade an incoming order level by level and book its side; returns whether the band stopped it."""
    centre = band_centre(instrument)
    lots, value, stopped = wide(0), wide(0), False
    rung = wide(ladder_at(core, ladder)["best"])
    while rung != 0 and order["remaining"] > 0:
        price = price_of(instrument, rung)
        if not allows(order, price):
            break
        if outside_band(instrument, centre, price):
            stopped = True
            break
        traded = trade_level(core, number, instrument, ladder, rung, slot, order)
        lots += traded
        value += traded * price
        rung = wide(ladder_at(core, ladder)["best"])
    if lots > 0:
        _book_incoming(core, instrument, order, lots, value)
    return stopped


@inlined
def _book_incoming(core: Row, instrument: Row, order: Row, lots: int, value: int) -> None:
    """Book all trades of an incoming order at once: position, and the mark to the reference price."""
    account, holding = account_at(core, order["account"]), holding_at(core, order["holding"])
    gain = (lots * instrument["reference_price"] - value) * instrument["multiplier"]
    if order["side"] == 0:
        move(account, instrument, holding, 0, lots, 0, 0)
        account["equity_fen"] += gain
    else:
        move(account, instrument, holding, 1, -lots, 0, 0)
        account["equity_fen"] -= gain


@inlined
def _rests_at_once(core: Row, instrument: Row, ladder: int, order: Row) -> bool:
    """Tell whether a limit order meets nothing on the opposite ladder."""
    if order["type"] != LIMIT:
        return False
    best = wide(ladder_at(core, ladder)["best"])
    rung = rung_of(instrument, wide(order["price"]))
    return bool(best == 0 or (rung < best if order["side"] == 0 else rung > best))


@kernel
def enter(core: Row, slot: int, min_quantity: int) -> None:
    """Let an order that stands nowhere trade or stand (clause 3.14): new, amended or activated."""
    order = order_at(core, slot)
    number = wide(order["instrument"])
    instrument = instrument_at(core, number)
    if instrument["phase"] != CONTINUOUS:
        stand_in_book(core, slot, order)
        return
    ladder = number * 4 + 1 - wide(order["side"])
    if min_quantity == 0 and order["tif"] <= GTD and _rests_at_once(core, instrument, ladder, order):
        stand_in_book(core, slot, order)
        return
    if order["type"] == MARKET_TO_LIMIT and not _fix_price(core, instrument, ladder, order):
        cancel_incoming(core, slot, order, UNFILLED)
        return
    need = wide(order["remaining"]) if order["tif"] == FOK else wide(min_quantity)
    if need > 0 and not enough(core, instrument, ladder, order, need):
        cancel_incoming(core, slot, order, BY_FOK if order["tif"] == FOK else BY_MIN_QUANTITY)
        return
    stopped = sweep(core, number, instrument, ladder, slot, order)
    _settle_incoming(core, number, slot, order, stopped)


@inlined
def _fix_price(core: Row, instrument: Row, ladder: int, order: Row) -> bool:
    """Make a market-to-limit order a limit order at the best opposite price; False if there is none."""
    best = wide(ladder_at(core, ladder)["best"])
    if best == 0:
        return False
    order["type"], order["price"] = LIMIT, price_of(instrument, best)
    return True


@inlined
def _settle_incoming(core: Row, number: int, slot: int, order: Row, stopped: bool) -> None:
    """End an order that has nothing left; cancel or rest what is left of another."""
    if order["remaining"] == 0:
        end_order(core, slot, order)
        return
    if stopped:
        enter_phase(core, number, VOLATILITY_CALL)
        if order["type"] == MARKET or order["tif"] == IOC:
            cancel_incoming(core, slot, order, BY_VOLATILITY)
        else:
            stand_in_book(core, slot, order)
    elif order["tif"] == IOC:
        cancel_incoming(core, slot, order, BY_IOC)
    elif order["type"] == MARKET:
        cancel_incoming(core, slot, order, UNFILLED)
    else:
        stand_in_book(core, slot, order)
