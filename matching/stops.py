"""Stops: trailing triggers follow the price, those that are reached are elected, and elected orders go in one
by one.
"""

from __future__ import annotations

from matching.constants import (
    BY_REDUCE_ONLY,
    CONTINUOUS,
    LIMIT,
    MARKET,
    REDUCE_ONLY,
    STOP_LIMIT,
    TRAILING_STOP,
)
from matching.emit import emit_cancelled, emit_triggered
from matching.entry import reducible_lots
from matching.exposure import release_exposure
from matching.incoming import enter
from matching.jit import Row, kernel, wide
from matching.ladder import join, leave, level_of, rung_of, worse
from matching.layout import (
    STOP_BUY,
    STOP_SELL,
    holding_at,
    instrument_at,
    ladder_at,
    link_at,
    order_at,
    scratch_at,
)
from matching.orders import cancel_incoming, forget_standing


@kernel
def _followed(instrument: Row, order: Row, offset: int) -> int:
    """Return where a trailing stop's trigger belongs at the last price (clause 3.24)."""
    last = wide(instrument["last_price"])
    if order["side"] == 1:
        return max(wide(order["trigger"]), last - offset)
    return min(wide(order["trigger"]), last + offset)


@kernel
def _follow_level(core: Row, instrument: Row, ladder: int, rung: int) -> None:
    """Move the trailing stops of one trigger price that the last price has left behind."""
    slot = wide(level_of(core, ladder, rung)["head"])
    while slot != 0:
        order = order_at(core, slot)
        behind = wide(order["next"])
        if order["type"] == TRAILING_STOP:
            trigger = _followed(instrument, order, link_at(core, slot)["offset"])
            if trigger != order["trigger"]:
                leave(core, ladder, rung, order)
                order["trigger"] = trigger
                join(core, ladder, rung_of(instrument, trigger), slot, order)
        slot = behind


@kernel
def _follow(core: Row, number: int, instrument: Row) -> None:
    """Let trailing stops follow. They move against their ladder's order, so none is visited twice."""
    if instrument["trailing"] == 0:
        return
    for side in (STOP_SELL, STOP_BUY):
        ladder = number * 4 + side
        rung = wide(ladder_at(core, ladder)["best"])
        while rung != 0:
            after = worse(core, ladder, rung)
            _follow_level(core, instrument, ladder, rung)
            rung = after


@kernel
def _elect_rung(core: Row, ladder: int, rung: int) -> None:
    """Move the stops of one trigger price to the end of the list of elected orders."""
    slot = wide(level_of(core, ladder, rung)["head"])
    while slot != 0:
        order = order_at(core, slot)
        behind = wide(order["next"])
        forget_standing(core, order)
        leave(core, ladder, rung, order)
        scratch_at(core, core["elected"])["value"] = slot
        core["elected"] += 1
        slot = behind


@kernel
def _elect(core: Row, number: int) -> None:
    """Elect every stop that the last price has reached (clause 3.24)."""
    instrument = instrument_at(core, number)
    if instrument["phase"] != CONTINUOUS or instrument["last_price"] == 0:
        return
    buys, sells = number * 4 + STOP_BUY, number * 4 + STOP_SELL
    if ladder_at(core, buys)["best"] == 0 and ladder_at(core, sells)["best"] == 0:
        return
    _follow(core, number, instrument)
    reached = rung_of(instrument, wide(instrument["last_price"]))
    rung = wide(ladder_at(core, buys)["best"])
    while rung != 0 and rung <= reached:
        _elect_rung(core, buys, rung)
        rung = wide(ladder_at(core, buys)["best"])
    rung = wide(ladder_at(core, sells)["best"])
    while rung >= reached:
        _elect_rung(core, sells, rung)
        rung = wide(ladder_at(core, sells)["best"])


@kernel
def _activate(core: Row, slot: int) -> None:
    """Turn an elected stop into the order that it stands for and let it in (clause 3.26)."""
    order = order_at(core, slot)
    emit_triggered(core, slot, order)
    release_exposure(core, order, wide(order["remaining"]))
    order["type"] = LIMIT if order["type"] == STOP_LIMIT else MARKET
    order["trigger"], order["place"] = 0, 0
    link_at(core, slot)["offset"] = 0
    if order["flags"] & REDUCE_ONLY != 0:
        order["flags"] = order["flags"] & (0xFF ^ REDUCE_ONLY)
        lots = reducible_lots(holding_at(core, order["holding"]), wide(order["side"]))
        if lots == 0:
            cancel_incoming(core, slot, order, BY_REDUCE_ONLY)
            return
        cut = wide(order["remaining"]) - lots
        if cut > 0:
            order["remaining"] = lots
            emit_cancelled(core, slot, order, BY_REDUCE_ONLY, cut, lots)
    enter(core, slot, 0)


@kernel
def run_stops(core: Row, number: int) -> None:
    """Elect and activate until nothing more is reached."""
    core["elected"] = 0
    _elect(core, number)
    done = 0
    while done < core["elected"]:
        _activate(core, wide(scratch_at(core, done)["value"]))
        done += 1
        _elect(core, number)
