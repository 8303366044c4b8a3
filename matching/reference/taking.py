"""Trading in CONTINUOUS: an incoming order against the book (clauses 3.14, 3.18, 3.19, 3.22, 3.23)."""

from __future__ import annotations

from matching.records import CancelReason, OrderType, Phase, Side, StpMode, TimeInForce
from matching.reference.book import Queue
from matching.reference.market import CALLS, Instrument, Market
from matching.reference.orders import Order
from matching.reference.risk import settle_trade
from matching.state import Place


def proceed(market: Market, order: Order, min_quantity: int = 0) -> None:
    """Clause 3.14: an order that has just been accepted, amended or activated stands or trades."""
    instrument = market.instruments[order.instrument]
    if order.is_stop:
        instrument.book.stand(order, Place.STOP)
    elif instrument.phase in CALLS:
        market.rest(order)
    else:
        trade_at_once(market, instrument, order, min_quantity)


def trade_at_once(market: Market, instrument: Instrument, order: Order, min_quantity: int) -> None:
    """Clauses 3.18 and 3.19: price MARKET_TO_LIMIT, judge FOK and minimum quantity, then trade."""
    if order.type == OrderType.MARKET_TO_LIMIT:
        order.price = instrument.book.best_price(order.opposite)
        if not order.price:
            market.cancel(order, CancelReason.UNFILLED)
            return
        order.type = OrderType.LIMIT
    needed = order.remaining if order.tif == TimeInForce.FOK else min_quantity
    if needed and min(available(instrument, order), order.remaining) < needed:
        fok = order.tif == TimeInForce.FOK
        market.cancel(order, CancelReason.FILL_OR_KILL if fok else CancelReason.MIN_QUANTITY)
    else:
        meet_levels(market, instrument, order)


def meet_levels(market: Market, instrument: Instrument, order: Order) -> None:
    """Clause 3.18: meet the opposite levels, best first, as long as lots are left and the price allows."""
    centre = instrument.anchor
    while level := next_level(instrument, order):
        if outside_band(instrument, level.price, centre):
            interrupt(market, instrument, order)
            return
        meet_level(market, instrument, order, level)
        if order.remaining == 0:
            return
    treat_rest(market, order)


def next_level(instrument: Instrument, order: Order) -> Queue | None:
    """Clause 3.18: the opposite side's best level, if the order's price allows it."""
    level = instrument.book.priced[order.opposite].best
    return level if level and price_allows(order, level.price) else None


def price_allows(order: Order, price: int) -> bool:
    """Clause 3.18: whether an incoming order may trade at a price; a MARKET order at any."""
    if order.type == OrderType.MARKET:
        return True
    return price <= order.price if order.side == Side.BUY else price >= order.price


def outside_band(instrument: Instrument, price: int, centre: int) -> bool:
    """Clause 3.23: whether a price is further from the centre than the band's half-width."""
    return instrument.spec.band_ticks > 0 and abs(price - centre) > instrument.spec.band_ticks


def interrupt(market: Market, instrument: Instrument, order: Order) -> None:
    """Clause 3.23: the level doesn't trade, the phase becomes VOLATILITY_CALL."""
    instrument.phase = Phase.VOLATILITY_CALL
    market.events.phase(instrument.index, instrument.phase)
    if order.type == OrderType.MARKET or order.tif == TimeInForce.IOC:
        market.cancel(order, CancelReason.VOLATILITY)
    else:
        market.rest(order)


def treat_rest(market: Market, order: Order) -> None:
    """Clause 3.14: what becomes of the lots that found nobody."""
    if order.tif == TimeInForce.IOC:
        market.cancel(order, CancelReason.IMMEDIATE_OR_CANCEL)
    elif order.type == OrderType.MARKET:
        market.cancel(order, CancelReason.UNFILLED)
    else:
        market.rest(order)


def meet_level(market: Market, instrument: Instrument, order: Order, level: Queue) -> None:
    """Clauses 3.10, 3.18, 3.22: meet a level's orders from its head; emits LEVEL if anything left."""
    changed = False
    while order.remaining and level:
        resting = level.head
        own = order.stp != StpMode.NONE and resting.account == order.account
        if own:
            prevent_self_trade(market, order, resting)
        else:
            trade(market, order, resting, level)
        changed |= not own or order.stp != StpMode.CANCEL_TAKING
    if changed:
        market.events.level(instrument.index, order.opposite, level)


def trade(market: Market, order: Order, resting: Order, level: Queue) -> None:
    """Clause 3.18: the smaller of the lots left and the shown lots, at the resting order's price."""
    lots = min(order.remaining, resting.visible)
    buy, sell = (order, resting) if order.side == Side.BUY else (resting, order)
    settle_trade(market, buy, sell, level.price, lots)
    market.events.trade(order, resting, level.price, lots)
    end_or_refresh(market, resting, level, lots)
    if order.remaining == 0:
        market.end(order)


def end_or_refresh(market: Market, resting: Order, level: Queue, lots: int) -> None:
    """Clauses 3.9, 3.15: a resting order traded out ends; an iceberg's next slice goes to the tail."""
    resting.visible -= lots
    if resting.remaining == 0:
        market.end(resting)
    elif resting.visible == 0:
        resting.show()
        level.to_tail(resting)


def prevent_self_trade(market: Market, order: Order, resting: Order) -> None:
    """Clause 3.22: the incoming order's STP mode decides."""
    if order.stp == StpMode.DECREMENT:
        decrement(market, order, resting)
        return
    if order.stp in (StpMode.CANCEL_RESTING, StpMode.CANCEL_BOTH):
        market.cancel_quietly(resting, CancelReason.SELF_TRADE)
    if order.stp in (StpMode.CANCEL_TAKING, StpMode.CANCEL_BOTH):
        market.cancel_quietly(order, CancelReason.SELF_TRADE)


def decrement(market: Market, order: Order, resting: Order) -> None:
    """Clause 3.22, DECREMENT: both lose the smaller of their open lots; who has none left has ended."""
    lots = min(order.remaining, resting.remaining)
    for each in (resting, order):
        each.lose(lots)
        market.events.cancelled(each, lots, CancelReason.SELF_TRADE)
        if each.remaining == 0:
            market.end(each)


def available(instrument: Instrument, order: Order) -> int:
    """Clause 3.19: the lots at allowed prices within the band that an incoming order could trade."""
    total = 0
    for level in instrument.book.priced[order.opposite]:
        if not price_allows(order, level.price) or outside_band(instrument, level.price, instrument.anchor):
            break
        own = [resting for resting in level if order.stp != StpMode.NONE and resting.account == order.account]
        if own and order.stp != StpMode.CANCEL_RESTING:
            return total + shown_ahead_of(own[0], level)
        total += sum(resting.remaining for resting in level) - sum(resting.remaining for resting in own)
    return total


def shown_ahead_of(own: Order, level: Queue) -> int:
    """Clause 3.19: the shown lots of a level before its first order of the incoming order's account."""
    ahead = 0
    for resting in level:
        if resting is own:
            break
        ahead += resting.visible
    return ahead
