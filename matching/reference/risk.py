"""The gate: exposure, requirement and the other limits of an account (clauses 3.35 to 3.38)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from matching.records import RejectCode, Side
from matching.reference.market import Account, Instrument, Market
from matching.reference.orders import PRICED, Order

NS_PER_SECOND = 1_000_000_000
MOST_WORST_CASE = (1 << 30) - 1
"""No worst-case position is larger, in lots (clause 3.37)."""


def exposure_price(instrument: Instrument, order: Order) -> int:
    """Clause 3.35: the limit price; without one, the price at which the order would cost most."""
    if order.type in PRICED:
        return order.price
    return instrument.spec.price_high if order.side == Side.BUY else instrument.spec.price_low


def loss_to_settlement(instrument: Instrument, order: Order) -> int:
    """Clause 3.36: what open lots would lose against the reference price if they traded, fen."""
    beyond = exposure_price(instrument, order) - instrument.spec.reference_price
    adverse = beyond if order.side == Side.BUY else -beyond
    return order.remaining * instrument.spec.multiplier * max(0, adverse)


def open_lots(orders: Iterable[Order], instrument: int, side: Side) -> int:
    """Clause 3.35: the open lots of a holding on one side."""
    return sum(o.remaining for o in orders if o.instrument == instrument and o.side == side)


def worst_case_margin(instrument: Instrument, position: int, buy: int, sell: int) -> int:
    """Clause 3.36: the margin of a holding if all open orders of the worse side traded, fen."""
    spec = instrument.spec
    return max(max(0, position + buy) * spec.margin_long_fen, max(0, sell - position) * spec.margin_short_fen)


def requirement(market: Market, account: int, orders: Iterable[Order]) -> int:
    """Clause 3.36: what an account with these open orders must have, fen."""
    total = 0
    buys: dict[int, int] = {}
    sells: dict[int, int] = {}
    for order in orders:
        total += loss_to_settlement(market.instruments[order.instrument], order)
        side = buys if order.side == Side.BUY else sells
        side[order.instrument] = side.get(order.instrument, 0) + order.remaining
    held = (index for _, index in market.positions.irange((account,), (account + 1,)))
    for index in {*held, *buys, *sells}:
        total += worst_case_margin(
            market.instruments[index],
            market.position(account, index),
            buys.get(index, 0),
            sells.get(index, 0),
        )
    return total


def current_requirement(market: Market, account: Account) -> int:
    """Return the requirement of an account as it stands, fen."""
    return requirement(market, account.index, account.orders.values())


def over_rate(account: Account, time_ns: int) -> RejectCode:
    """Clause 3.38: of the commands that reach this check within one whole second, the first ones pass."""
    second = time_ns // NS_PER_SECOND
    if second != account.rate_second:
        account.rate_second, account.rate_count = second, 0
    account.rate_count += 1
    most = account.spec.max_orders_per_second
    return RejectCode.ORDER_RATE if most and account.rate_count > most else RejectCode.NONE


def over_notional(market: Market, draft: Order) -> RejectCode:
    """Clause 3.37: exposure price × quantity × multiplier of one order."""
    instrument = market.instruments[draft.instrument]
    most = market.accounts[draft.account].spec.max_order_notional_fen
    notional = exposure_price(instrument, draft) * draft.remaining * instrument.spec.multiplier
    return RejectCode.ORDER_NOTIONAL if most and notional > most else RejectCode.NONE


def over_open_orders(market: Market, draft: Order) -> RejectCode:
    """Clause 3.37: the number of open orders of the account, this one included."""
    account = market.accounts[draft.account]
    most = account.spec.max_open_orders
    return RejectCode.OPEN_ORDER_LIMIT if most and len(account.orders) + 1 > most else RejectCode.NONE


def over_position(market: Market, draft: Order, replaced: Order | None = None) -> RejectCode:
    """Clause 3.37: the worst-case position on the order's side, unless the order doesn't raise it."""
    most = market.instruments[draft.instrument].spec.position_limit
    orders = market.accounts[draft.account].orders.values()
    before = open_lots(orders, draft.instrument, draft.side)
    after = before + draft.remaining - (replaced.remaining if replaced else 0)
    position = market.position(draft.account, draft.instrument)
    held = position if draft.side == Side.BUY else -position
    raises = after > before
    over = held + after > min(most or MOST_WORST_CASE, MOST_WORST_CASE)
    return RejectCode.POSITION_LIMIT if raises and over else RejectCode.NONE


def over_margin(market: Market, draft: Order, replaced: Order | None = None) -> RejectCode:
    """Clause 3.36: admitted iff the requirement is covered, or isn't greater than before."""
    account = market.accounts[draft.account]
    others = (order for order in account.orders.values() if order is not replaced)
    after = requirement(market, account.index, chain(others, (draft,)))
    covered = after <= account.equity_fen + account.offset_fen
    if covered or after <= current_requirement(market, account):
        return RejectCode.NONE
    return RejectCode.MARGIN


def settle_trade(market: Market, buy: Order, sell: Order, price: int, lots: int) -> None:
    """Move the lots, and mark the trade to the settlement price at once (clause 3.36)."""
    instrument = market.instruments[buy.instrument]
    instrument.last_price = price
    market.positions[buy.account, buy.instrument] += lots
    market.positions[sell.account, sell.instrument] -= lots
    gain_fen = (instrument.spec.reference_price - price) * instrument.spec.multiplier * lots
    market.accounts[buy.account].equity_fen += gain_fen
    market.accounts[sell.account].equity_fen -= gain_fen
    for order in (buy, sell):
        order.remaining -= lots
        order.executed += lots
