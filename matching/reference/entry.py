"""NEW commands: the checks of clause 3.11 in their order, and what an accepted order does first."""

from __future__ import annotations

from typing import Any, NamedTuple

from matching.records import (
    OrderFlag,
    OrderType,
    Phase,
    RejectCode,
    Side,
    StpMode,
    TimeInForce,
)
from matching.reference import risk
from matching.reference.market import CALLS, Account, Instrument, Market
from matching.reference.orders import MOST_LOTS, PRICED, STOPS, Order
from matching.reference.stops import cut_to_position, first_trigger, reducible, run_stops
from matching.reference.taking import proceed
from matching.state import Place

IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)
AUCTION_ONLY = (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
POST_ONLY = OrderFlag.POST_ONLY | OrderFlag.POST_ONLY_SLIDE
EVERY_FLAG = int(POST_ONLY | OrderFlag.REDUCE_ONLY)


class Command(NamedTuple):
    """One row of ``COMMAND`` (matching/records.py) as Python integers, in the order of its columns."""

    seq: int
    time_ns: int
    order_id: int
    client_id: int
    price: int
    trigger: int
    quantity: int
    display: int
    min_quantity: int
    account: int
    instrument: int
    expiry_day: int
    group: int
    hub: int
    kind: int
    side: int
    type: int
    tif: int
    flags: int
    stp: int


def new_order(market: Market, command: Command) -> RejectCode:
    """Clauses 3.11 and 3.14: accept a NEW command and let its order proceed, or return why not."""
    if code := names_unknown(market, command) or form_fault(command):
        return code
    account = market.accounts[command.account]
    instrument = market.instruments[command.instrument]
    draft = draft_order(instrument, command)
    code = (
        closed_to(account, instrument, draft, command.min_quantity)
        or risk.over_rate(account, command.time_ns)
        or quantity_fault(instrument, command)
        or price_fault(market, instrument, command)
        or post_only_fault(instrument, draft)
        or reduce_only_fault(market, draft)
        or risk_fault(market, draft)
        or capacity_fault(market, draft)
    )
    if not code:
        accept(market, instrument, draft, command.min_quantity)
    return code


def accept(market: Market, instrument: Instrument, order: Order, min_quantity: int) -> None:
    """Clause 3.14: emits ACCEPTED; reduce-only is cut (3.17); the order proceeds; stops run."""
    if order.type == OrderType.TRAILING_STOP:
        order.trigger = first_trigger(instrument, order)
    market.open_order(order)
    market.events.accepted(order)
    if reduces_at_entry(order):
        order.flags &= ~OrderFlag.REDUCE_ONLY
        cut_to_position(market, order)
    if order.tif == TimeInForce.AT_CLOSE and instrument.phase != Phase.CLOSING_CALL:
        instrument.book.stand(order, Place.PARKED)  # clause 3.13
    else:
        proceed(market, order, min_quantity)
    run_stops(market, instrument)


def draft_order(instrument: Instrument, command: Command) -> Order:
    """Return the order as it would be accepted; what 3.11 ignores is 0."""
    order_type = OrderType(command.type)
    trailing = order_type == OrderType.TRAILING_STOP
    triggered = order_type in (OrderType.STOP, OrderType.STOP_LIMIT)
    draft = Order(
        account=command.account,
        instrument=instrument.index,
        side=Side(command.side),
        type=order_type,
        tif=TimeInForce(command.tif),
        flags=command.flags,
        stp=StpMode(command.stp),
        client_id=command.client_id,
        price=command.price,
        trigger=command.trigger if triggered else 0,
        offset=command.trigger if trailing else 0,
        remaining=command.quantity,
        display=command.display if command.display != command.quantity else 0,
        group=command.group,
        expiry_day=command.expiry_day if command.tif == TimeInForce.GTD else 0,
    )
    draft.show()
    return draft


def unknown_account(market: Market, command: Command) -> RejectCode:
    """Clause 3.11 (1): the account is within range and set up."""
    return RejectCode.NONE if command.account in market.accounts else RejectCode.UNKNOWN_ACCOUNT


def names_unknown(market: Market, command: Command) -> RejectCode:
    """Clause 3.11 (1): account, then instrument."""
    if code := unknown_account(market, command):
        return code
    listed = command.instrument in market.instruments
    return RejectCode.NONE if listed else RejectCode.UNKNOWN_INSTRUMENT


def form_fault(command: Command) -> RejectCode:
    """Clause 3.11 (2): every enumeration has one of its values, and the combination is allowed."""
    if command.side not in (Side.BUY, Side.SELL):
        return RejectCode.INVALID_SIDE
    if command.type not in list(OrderType):
        return RejectCode.INVALID_TYPE
    if command.tif not in list(TimeInForce):
        return RejectCode.INVALID_TIME_IN_FORCE
    if command.stp not in list(StpMode):
        return RejectCode.INVALID_STP_MODE
    if command.flags & ~EVERY_FLAG or command.flags & POST_ONLY == POST_ONLY:
        return RejectCode.INVALID_FLAGS
    return RejectCode.INVALID_COMBINATION if forbidden_combination(command) else RejectCode.NONE


def forbidden_combination(command: Command) -> bool:
    """Clause 3.12, sentence by sentence."""
    stop = command.type in STOPS
    immediate, auction_only = command.tif in IMMEDIATE, command.tif in AUCTION_ONLY
    post_only = command.flags & POST_ONLY
    return bool(
        (stop and (immediate or auction_only))
        or (command.display != 0 and (command.type not in PRICED or immediate))
        or (command.min_quantity != 0 and forbids_min_quantity(command))
        or (post_only and (command.type != OrderType.LIMIT or immediate or auction_only))
        or (command.type == OrderType.MARKET_TO_LIMIT and command.tif == TimeInForce.FOK)
        or (command.flags & OrderFlag.REDUCE_ONLY and forbids_reduce_only(command))
    )


def forbids_min_quantity(command: Command) -> bool:
    """Clause 3.12: no minimum quantity with a stop, FOK, AT_OPEN, AT_CLOSE, post-only or reduce-only."""
    return bool(
        command.type in STOPS
        or command.tif == TimeInForce.FOK
        or command.tif in AUCTION_ONLY
        or command.flags & (POST_ONLY | OrderFlag.REDUCE_ONLY)
    )


def forbids_reduce_only(command: Command) -> bool:
    """Clause 3.12: reduce-only is for what trades at once or waits as a stop for the market."""
    at_once = command.type == OrderType.LIMIT and command.tif in IMMEDIATE
    plain = command.type in (OrderType.MARKET, OrderType.STOP, OrderType.TRAILING_STOP)
    return not (plain or at_once) or command.tif in AUCTION_ONLY


def closed_phase(instrument: Instrument) -> RejectCode:
    """Clause 3.2: in CLOSED and HALTED new orders and amendments are refused."""
    if instrument.phase == Phase.CLOSED:
        return RejectCode.MARKET_CLOSED
    return RejectCode.HALTED if instrument.phase == Phase.HALTED else RejectCode.NONE


def closed_to(account: Account, instrument: Instrument, draft: Order, min_quantity: int) -> RejectCode:
    """Clause 3.11 (3): the account is enabled, and the phase takes this order."""
    if not account.enabled:
        return RejectCode.ACCOUNT_DISABLED
    if code := closed_phase(instrument):
        return code
    refused = not_in_phase(instrument.phase, draft, min_quantity)
    return RejectCode.NOT_IN_THIS_PHASE if refused else RejectCode.NONE


def not_in_phase(phase: Phase, draft: Order, min_quantity: int) -> bool:
    """Clause 3.13: what a phase doesn't take."""
    if draft.tif == TimeInForce.AT_OPEN and phase != Phase.OPENING_CALL:
        return True
    at_once = draft.tif in IMMEDIATE or min_quantity != 0 or draft.flags & POST_ONLY
    return phase in CALLS and bool(at_once or reduces_at_entry(draft))


def quantity_fault(instrument: Instrument, command: Command) -> RejectCode:
    """Clause 3.11 (5)."""
    if command.quantity < 1:
        return RejectCode.INVALID_QUANTITY
    if too_large(instrument, command.quantity):
        return RejectCode.ORDER_TOO_LARGE
    if not 0 <= command.display <= command.quantity:
        return RejectCode.INVALID_DISPLAY
    valid_minimum = 0 <= command.min_quantity <= command.quantity
    return RejectCode.NONE if valid_minimum else RejectCode.INVALID_MIN_QUANTITY


def too_large(instrument: Instrument, quantity: int) -> bool:
    """Clause 3.11 (5): whether an order exceeds the instrument's or the engine's largest size."""
    return quantity > (instrument.spec.max_order_size or MOST_LOTS) or quantity > MOST_LOTS


def price_fault(market: Market, instrument: Instrument, command: Command) -> RejectCode:
    """Clause 3.11 (6): price, trigger or offset, expiry day."""
    if command.type in PRICED and not instrument.within_limits(command.price):
        return RejectCode.PRICE_OUTSIDE_LIMITS
    if command.type not in PRICED and command.price != 0:
        return RejectCode.PRICE_NOT_ALLOWED
    stop = command.type in (OrderType.STOP, OrderType.STOP_LIMIT)
    if stop and not instrument.within_limits(command.trigger):
        return RejectCode.TRIGGER_OUTSIDE_LIMITS
    if command.type == OrderType.TRAILING_STOP and command.trigger < 1:
        return RejectCode.INVALID_OFFSET
    expired = command.tif == TimeInForce.GTD and command.expiry_day <= market.trading_day
    return RejectCode.INVALID_EXPIRY if expired else RejectCode.NONE


def post_only_fault(instrument: Instrument, order: Order) -> RejectCode:
    """Clause 3.16: in CONTINUOUS a post-only order that would trade is refused, or slides one tick away."""
    best = instrument.book.best_price(order.opposite)
    if instrument.phase != Phase.CONTINUOUS or not order.flags & POST_ONLY or not best:
        return RejectCode.NONE
    crosses = order.price >= best if order.side == Side.BUY else order.price <= best
    if not crosses:
        return RejectCode.NONE
    beside = best - 1 if order.side == Side.BUY else best + 1
    if order.flags & OrderFlag.POST_ONLY or not instrument.within_limits(beside):
        return RejectCode.POST_ONLY_WOULD_TRADE
    order.price = beside
    return RejectCode.NONE


def reduces_at_entry(order: Order) -> bool:
    """Clause 3.17: reduce-only orders other than stops are cut when they come in."""
    return bool(order.flags & OrderFlag.REDUCE_ONLY) and not order.is_stop


def reduce_only_fault(market: Market, draft: Order) -> RejectCode:
    """Clause 3.17: refused if there is no position on the other side."""
    nothing = reduces_at_entry(draft) and reducible(market, draft) == 0
    return RejectCode.NOTHING_TO_REDUCE if nothing else RejectCode.NONE


def risk_fault(market: Market, draft: Order) -> RejectCode:
    """Clause 3.11 (8); reduce-only at entry is exempt from position limit and margin (3.17)."""
    if code := risk.over_notional(market, draft) or risk.over_open_orders(market, draft):
        return code
    if reduces_at_entry(draft):
        return RejectCode.NONE
    return risk.over_position(market, draft) or risk.over_margin(market, draft)


def capacity_fault(market: Market, draft: Order) -> RejectCode:
    """Clause 3.11 (9): a slot, a holding, iceberg refreshes."""
    if market.slots.full:
        return RejectCode.ENGINE_FULL
    held = (draft.account, draft.instrument) in market.positions
    if not held and len(market.positions) >= market.limits.max_holdings:
        return RejectCode.TOO_MANY_HOLDINGS
    return refresh_fault(market, draft)


def refresh_fault(market: Market, draft: Order, replaced: Order | None = None) -> RejectCode:
    """Clause 3.15: the reserve slices of all open icebergs together are bounded."""
    more = draft.refreshes - (replaced.refreshes if replaced else 0)
    over = draft.display and market.refreshes() + more > market.limits.max_refreshes
    return RejectCode.TOO_MANY_REFRESHES if over else RejectCode.NONE


def rows(commands: Any) -> list[Command]:
    """Return the rows of a ``COMMAND`` array as Python integers."""
    return [Command(*row) for row in commands.tolist()]
