"""Call auctions: the price of clause 3.31 and the uncross of 3.32 and 3.33."""

from __future__ import annotations

from matching.constants import (
    AUCTION,
    AUCTION_ENDED,
    LIMIT,
    MARKET,
    UNCROSS,
    UNFILLED,
)
from matching.emit import emit, emit_level, emit_trade
from matching.exposure import fill_resting
from matching.incoming import band_centre, settle_resting, take
from matching.jit import Row, kernel, wide
from matching.ladder import (
    close_rung,
    level_of,
    market_rung,
    next_above,
    price_of,
    rung_of,
    worse,
)
from matching.layout import BUY, SELL, instrument_at, ladder_at, order_at, scratch_at
from matching.orders import cancel_standing, lift, only_for_auctions, stand_in_book


@kernel
def _lots_at(core: Row, ladder: int, rung: int) -> int:
    level = level_of(core, ladder, rung)
    return level["visible"] + level["hidden"]


@kernel
def _demand(core: Row, ladder: int) -> int:
    """Return the open lots of all buy orders."""
    lots, rung = wide(0), wide(ladder_at(core, ladder)["best"])
    while rung != 0:
        lots += _lots_at(core, ladder, rung)
        rung = worse(core, ladder, rung)
    return lots


@kernel
def _next_candidate(buys: int, sells: int, reference: int, top: int) -> int:
    """Return the lowest of three rungs of which 0 stands for none, or 0; the market orders at `top` have no
    price.
    """
    chosen = 0 if buys == top else buys
    if sells != 0 and (chosen == 0 or sells < chosen):
        chosen = sells
    if reference != 0 and (chosen == 0 or reference < chosen):
        chosen = reference
    return chosen


@kernel
def equilibrium(core: Row, number: int) -> tuple[int, int, int]:
    """Return the auction's price in ticks, its executable lots and demand − supply there; zeros without a
    trade.

    Walks the candidates upwards once: demand falls and supply rises, and among the candidates that are
    equally good so far it remembers the lowest, the highest and the nearest to the reference.
    """
    instrument = instrument_at(core, number)
    buys, sells = number * 4 + BUY, number * 4 + SELL
    top = market_rung(instrument, BUY)
    reference = rung_of(instrument, wide(band_centre(instrument)))
    waiting = reference
    buy, sell = next_above(core, buys, 1), next_above(core, sells, 1)
    demand, supply = _demand(core, buys), _lots_at(core, sells, 1)
    most, least = wide(0), wide(0)
    lowest, highest, nearest = wide(0), wide(0), wide(0)
    surplus_low, surplus_high, surplus_nearest = wide(0), wide(0), wide(0)
    while True:
        rung = _next_candidate(buy, sell, waiting, top)
        if rung == 0:
            break
        if rung == sell:
            supply += _lots_at(core, sells, rung)
            sell = next_above(core, sells, rung)
        if rung == waiting:
            waiting = 0
        lots, surplus = min(demand, supply), demand - supply
        size = abs(surplus)
        if lots > most or (lots == most and size < least):
            most, least = lots, size
            lowest, highest, nearest = rung, rung, rung
            surplus_low, surplus_high, surplus_nearest = surplus, surplus, surplus
        elif lots == most and size == least:
            highest, surplus_high = rung, surplus
            if abs(rung - reference) <= abs(nearest - reference):
                nearest, surplus_nearest = rung, surplus
        if rung == buy:
            demand -= _lots_at(core, buys, rung)
            buy = next_above(core, buys, rung)
    if most == 0:
        return wide(0), wide(0), wide(0)
    # demand − supply never rises with the price, so its sign is the same everywhere iff it is at both ends
    if surplus_high > 0:
        nearest, surplus_nearest = highest, surplus_high
    elif surplus_low < 0:
        nearest, surplus_nearest = lowest, surplus_low
    return price_of(instrument, nearest), most, surplus_nearest


@kernel
def _trade_heads(core: Row, instrument: Row, number: int, price: int, most: int) -> int:
    """Trade the heads of both best queues at the auction price; returns the lots."""
    buys, sells = number * 4 + BUY, number * 4 + SELL
    buy_level = level_of(core, buys, wide(ladder_at(core, buys)["best"]))
    sell_level = level_of(core, sells, wide(ladder_at(core, sells)["best"]))
    buy_slot, sell_slot = wide(buy_level["head"]), wide(sell_level["head"])
    buy, sell = order_at(core, buy_slot), order_at(core, sell_slot)
    lots = min(most, wide(buy["visible"]), wide(sell["visible"]))
    take(buy_level, buy, lots)
    take(sell_level, sell, lots)
    emit_trade(core, buy_slot, buy, sell_slot, sell, price, lots, UNCROSS)
    fill_resting(core, instrument, buy, price, lots)
    fill_resting(core, instrument, sell, price, lots)
    settle_resting(core, buys, buy_level, buy_slot, buy)
    settle_resting(core, sells, sell_level, sell_slot, sell)
    return lots


@kernel
def _leave_if_empty(core: Row, number: int, instrument: Row, side: int) -> bool:
    """Emit LEVEL and give up a side's best level if no order is left there; returns whether it was so."""
    ladder = number * 4 + side
    rung = wide(ladder_at(core, ladder)["best"])
    level = level_of(core, ladder, rung)
    if level["head"] != 0:
        return False
    emit_level(core, number, instrument, side, rung, level)
    close_rung(core, ladder, rung)
    return True


@kernel
def _trade_all(core: Row, number: int, instrument: Row, price: int, lots: int) -> None:
    buy_changed, sell_changed = False, False
    while lots > 0:
        lots -= _trade_heads(core, instrument, number, price, lots)
        buy_changed = not _leave_if_empty(core, number, instrument, BUY)
        sell_changed = not _leave_if_empty(core, number, instrument, SELL)
    if buy_changed:
        _emit_best(core, number, instrument, BUY)
    if sell_changed:
        _emit_best(core, number, instrument, SELL)


@kernel
def _emit_best(core: Row, number: int, instrument: Row, side: int) -> None:
    ladder = number * 4 + side
    rung = wide(ladder_at(core, ladder)["best"])
    emit_level(core, number, instrument, side, rung, level_of(core, ladder, rung))


@kernel
def _clear_market_orders(core: Row, number: int, instrument: Row, side: int, price: int) -> None:
    """Cancel the market orders left over; market-to-limit orders become limit orders at the auction price."""
    level = level_of(core, number * 4 + side, market_rung(instrument, side))
    while level["head"] != 0:
        slot = wide(level["head"])
        order = order_at(core, slot)
        if order["type"] == MARKET or price == 0:
            cancel_standing(core, slot, UNFILLED)
        else:
            lift(core, slot, order)
            order["type"], order["price"] = LIMIT, price
            stand_in_book(core, slot, order)


@kernel
def collect_ladder(core: Row, ladder: int, count: int) -> int:
    """Append the slots of a ladder's orders, best first, to the scratch table after `count`; returns the new
    count.
    """
    rung = wide(ladder_at(core, ladder)["best"])
    while rung != 0:
        slot = wide(level_of(core, ladder, rung)["head"])
        while slot != 0:
            scratch_at(core, count)["value"] = slot
            count += 1
            slot = wide(order_at(core, slot)["next"])
        rung = worse(core, ladder, rung)
    return count


@kernel
def _clear_auction_orders(core: Row, number: int) -> None:
    """Cancel what is left of at-open and at-close orders."""
    if instrument_at(core, number)["auction_only"] == 0:
        return
    count = collect_ladder(core, number * 4 + SELL, collect_ladder(core, number * 4 + BUY, 0))
    for place in range(count):
        slot = wide(scratch_at(core, place)["value"])
        if only_for_auctions(order_at(core, slot)):
            cancel_standing(core, slot, AUCTION_ENDED)


@kernel
def uncross(core: Row, number: int) -> None:
    """Trade the book of a call at one price and clear what belonged to the call only."""
    instrument = instrument_at(core, number)
    price, lots, surplus = equilibrium(core, number)
    emit(core, AUCTION, 0, 0, number, -1, price, lots, surplus)
    if lots > 0:
        instrument["last_price"] = price
        _trade_all(core, number, instrument, price, lots)
    _clear_market_orders(core, number, instrument, BUY, price)
    _clear_market_orders(core, number, instrument, SELL, price)
    _clear_auction_orders(core, number)
