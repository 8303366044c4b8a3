"""Order commands: protocol structs to kernel records, and the kernel's events to what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np

from exchange.api import requests
from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.api.formats import parse_day, parse_id, parse_price_ticks, price_text
from exchange.api.trading import Execution, OrderResult
from exchange.domain.calendar import NS_PER_DAY, day_of, epoch_day
from exchange.domain.rejects import KERNEL_REJECTS
from exchange.service.exchange import Exchange
from exchange.service.results import columns
from matching.records import (
    ANY_HUB,
    ANY_INSTRUMENT,
    COMMAND,
    EVENT,
    CancelReason,
    CommandKind,
    EventKind,
    OrderFlag,
    OrderType,
    Records,
    RejectCode,
    Side,
    StpMode,
    TimeInForce,
    mass_cancel,
)

INT32_MAX: Final = 2**31 - 1
ORDER_ID_MAX: Final = 2**63 - 1

CANCEL_REASONS: Final = {int(one): one.name for one in CancelReason}
"""Names of reasons by their numbers."""

_SIDES: Final = {"buy": int(Side.BUY), "sell": int(Side.SELL)}
_TYPES: Final = {one.name.lower(): int(one) for one in OrderType}
_TIMES: Final = {one.name.lower(): int(one) for one in TimeInForce}
_STP_MODES: Final = {one.name.lower(): int(one) for one in StpMode}
_NEW, _CANCEL, _AMEND = int(CommandKind.NEW), int(CommandKind.CANCEL), int(CommandKind.AMEND)
_REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
_REJECTED, _ACCEPTED, _TRADE = int(EventKind.REJECTED), int(EventKind.ACCEPTED), int(EventKind.TRADE)
_AMENDED, _CANCELLED = int(EventKind.AMENDED), int(EventKind.CANCELLED)
_ASKED: Final = columns(COMMAND, "order_id", "client_id", "quantity")
_READ: Final = columns(
    EVENT,
    "seq",
    "kind",
    "order_id",
    "contra_id",
    "client_id",
    "price",
    "quantity",
    "remaining",
    "contra_remaining",
    "instrument",
    "code",
)
_POST_ONLY: Final = {
    None: int(OrderFlag.NONE),
    "reject": int(OrderFlag.POST_ONLY),
    "slide": int(OrderFlag.POST_ONLY_SLIDE),
}
_STOPS: Final = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)
_AT_ONCE: Final = (TimeInForce.IOC, TimeInForce.FOK)
_NEVER_STOPS: Final = (*_AT_ONCE, TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
_EPOCH_DAY_MAX: Final = 2**16 - 1

Command = requests.NewOrder | requests.Cancel | requests.Amend


def records_of(
    exchange: Exchange, account: int, items: Sequence[Command]
) -> tuple[Records, list[int], dict[int, Outcome]]:
    """Return the records (dtype COMMAND) of what is well formed, the place of each among the items, and the
    refusals of the rest by place: UNKNOWN_SYMBOL, INVALID_FIELD, MISSING_FIELD, PRICE_OFF_TICK.
    """
    rows: list[Row] = []
    places: list[int] = []
    refused: dict[int, Outcome] = {}
    contracts: dict[str, int] = {}
    for at, item in enumerate(items):
        try:
            rows.append(row_of(exchange, account, item, contracts))
            places.append(at)
        except RequestRefused as refusal_of_item:
            refused[at] = refusal_of_item
    return np.array(rows, COMMAND), places, refused


def row_of(exchange: Exchange, account: int, command: Command, contracts: dict[str, int]) -> Row:
    """Return the columns of COMMAND of what is well formed. `contracts` remembers indices of symbols for as
    long as nothing else is submitted.

    Raises RequestRefused: UNKNOWN_SYMBOL, INVALID_FIELD, MISSING_FIELD, PRICE_OFF_TICK.
    """
    if not isinstance(command, requests.NewOrder):
        return _change(account, command)
    contract = contracts.get(command.symbol)
    if contract is None:
        contract = contracts[command.symbol] = _contract(exchange, command.symbol)
    return _new(account, contract, command)


def mass_cancel_of(exchange: Exchange, account: int, asked: requests.MassCancel) -> Records:
    """Return a mass cancel as a record, shape (1,), dtype COMMAND.

    Raises RequestRefused: UNKNOWN_SYMBOL, UNKNOWN_HUB.
    """
    hub = ANY_HUB if asked.hub is None else exchange.views.hub_index(asked.hub)
    if hub is None:
        raise refuse(
            RequestCode.UNKNOWN_HUB, f"There is no hub {asked.hub!r}; GET /v1/hubs lists them.", "hub"
        )
    return mass_cancel(
        account=account,
        instrument=ANY_INSTRUMENT if asked.symbol is None else _contract(exchange, asked.symbol),
        hub=hub,
        side=Side.ANY if asked.side is None else Side(_SIDES[asked.side]),
        group=asked.group,
    )


def results_of(exchange: Exchange, commands: Records, first_seq: int, events: Records) -> list[Outcome]:
    """Return what became of each command, in order; `events` are all events that they caused."""
    rows = events.view(_READ).tolist()
    begins = np.searchsorted(events["seq"], np.arange(first_seq, first_seq + len(commands) + 1)).tolist()
    asked = commands.view(_ASKED).tolist()
    return [
        _outcome(exchange, commands, at, asked[at], rows[begins[at] : begins[at + 1]])
        for at in range(len(commands))
    ]


Outcome = OrderResult | RequestRefused
"""The result of one order command, or its refusal."""
Row = tuple[int, ...]
"""A record's columns in order."""


def _new(account: int, contract: int, order: requests.NewOrder) -> Row:
    """Return a NEW command (the columns of COMMAND)."""
    client_id = 0
    if order.client_order_id is not None:
        client_id = parse_id(order.client_order_id, "client_order_id")
    price = _price_of(order, order.price, "price", ("limit", "stop_limit"))
    trigger = _price_of(order, order.trigger_price, "trigger_price", ("stop", "stop_limit"))
    trigger = trigger or _price_of(order, order.trailing_offset, "trailing_offset", ("trailing_stop",))
    return (
        0,
        0,
        0,
        client_id,
        price,
        trigger,
        order.quantity,
        order.display_quantity or 0,
        order.minimum_quantity or 0,
        account,
        contract,
        _expiry_day(order),
        order.group,
        0,
        _NEW,
        _SIDES[order.side],
        _TYPES[order.type],
        _TIMES[order.time_in_force],
        _POST_ONLY[order.post_only] | (_REDUCE_ONLY if order.reduce_only else 0),
        _STP_MODES[order.self_trade_prevention],
    )


def _change(account: int, command: requests.Cancel | requests.Amend) -> Row:
    """Return a CANCEL or an AMEND command (the columns of COMMAND)."""
    order_id = parse_id(command.order_id, "order_id", ORDER_ID_MAX)
    if isinstance(command, requests.Cancel):
        return (0, 0, order_id, 0, 0, 0, 0, 0, 0, account, 0, 0, 0, 0, _CANCEL, 0, 0, 0, 0, 0)
    if command.price is None and command.quantity is None and command.trigger_price is None:
        raise refuse(RequestCode.MISSING_FIELD, "Give a new price, quantity or trigger price.", "price")
    price = _changed(command.price, "price", RejectCode.PRICE_OUTSIDE_LIMITS)
    trigger = _changed(command.trigger_price, "trigger_price", RejectCode.TRIGGER_OUTSIDE_LIMITS)
    quantity = command.quantity or 0
    return (
        *(0, 0, order_id, 0, price, trigger, quantity),
        *(0, 0, account, 0, 0, 0, 0, _AMEND, 0, 0, 0, 0, 0),
    )


def _contract(exchange: Exchange, symbol: str) -> int:
    index = exchange.views.index(symbol)
    if index is None:
        raise refuse(
            RequestCode.UNKNOWN_SYMBOL,
            f"There is no contract {symbol!r}; GET /v1/contracts lists those that trade.",
            "symbol",
        )
    return index


def _price_of(order: requests.NewOrder, text: str | None, field: str, types: tuple[str, ...]) -> int:
    """Return a price field in ticks: required for `types`, 0 and refused for others."""
    if order.type not in types:
        if text is not None:
            raise refuse(
                RequestCode.INVALID_FIELD, f"A {order.type} order takes no {field}; leave it out.", field
            )
        return 0
    if text is None:
        raise refuse(
            RequestCode.MISSING_FIELD, f'A {order.type} order needs a {field}, such as "15.20".', field
        )
    return _price(text, field)


def _expiry_day(order: requests.NewOrder) -> int:
    if order.time_in_force != "gtd":
        if order.expiry_day is not None:
            raise refuse(
                RequestCode.INVALID_FIELD, "Only a gtd order takes an expiry_day; leave it out.", "expiry_day"
            )
        return 0
    if order.expiry_day is None:
        raise refuse(
            RequestCode.MISSING_FIELD, "A gtd order needs an expiry_day, such as 2026-12-04.", "expiry_day"
        )
    day = epoch_day(parse_day(order.expiry_day, "expiry_day"))
    if not 0 <= day <= _EPOCH_DAY_MAX:
        raise refuse(
            RequestCode.INVALID_FIELD,
            f"The expiry_day must be from 1970-01-01 to {day_of(_EPOCH_DAY_MAX * NS_PER_DAY)}.",
            "expiry_day",
        )
    return day


def _changed(text: str | None, field: str, outside: RejectCode) -> int:
    """Return an amend's new price in ticks, or 0, which in a record says that it stays."""
    if text is None:
        return 0
    price = _price(text, field)
    if price == 0:
        status, sentence = KERNEL_REJECTS[outside]
        raise RequestRefused(outside.name, status, sentence, field)
    return price


def _price(text: str, field: str) -> int:
    # beyond int32 no price is within any limits: the kernel refuses the largest record value just so
    return min(parse_price_ticks(text, field), INT32_MAX)


def _outcome(exchange: Exchange, commands: Records, at: int, asked: Row, events: list[Row]) -> Outcome:
    """Read the events (`_READ`) of one command (`_ASKED`) from its own order's point of view."""
    order_id, client_id, open_lots = asked
    fills: list[Execution] = []
    reason: str | None = None
    accepted_price = 0
    for seq, kind, own_id, contra_id, own_client, price, lots, left, contra_left, contract, code in events:
        if kind == _REJECTED:
            return refusal(exchange, commands[at], RejectCode(code))
        if kind == _ACCEPTED:
            order_id = own_id
        if kind == _TRADE and contra_id == order_id:
            # what was left of it rested, and a stop that it elected traded with it
            open_lots = contra_left
            fills.append(_execution(exchange, seq, contract, price, lots, "maker"))
        if own_id != order_id:
            continue
        client_id = own_client
        if kind in (_ACCEPTED, _AMENDED):
            accepted_price = price
        if kind in (_ACCEPTED, _AMENDED, _CANCELLED, _TRADE):
            open_lots = left
        if kind == _TRADE:
            fills.append(_execution(exchange, seq, contract, price, lots, "taker"))
        if kind == _CANCELLED:
            reason = CANCEL_REASONS[code]
    return OrderResult(
        order_id=str(order_id),
        client_order_id=str(client_id) if client_id else None,
        status="resting" if open_lots else "cancelled" if reason else "filled",
        open_quantity=open_lots,
        filled_quantity=sum([fill.quantity for fill in fills]) if fills else 0,
        fills=fills,
        reason=reason,
        price=price_text(accepted_price) if accepted_price else None,
    )


def _execution(
    exchange: Exchange, seq: int, contract: int, price: int, lots: int, role: Literal["maker", "taker"]
) -> Execution:
    fee_fen = exchange.views.fee_fen(seq, contract, price * lots, role)
    return Execution(price=price_text(price), quantity=lots, liquidity=role, fee_fen=fee_fen)


def refusal(exchange: Exchange, command: Any, code: RejectCode) -> RequestRefused:
    """Return the kernel's reject code with its HTTP status, a sentence, and the field at fault."""
    status, sentence = KERNEL_REJECTS[code]
    field = _FIELD_AT_FAULT.get(code)
    if code in (RejectCode.INVALID_COMBINATION, RejectCode.NOT_IN_THIS_PHASE):
        field = _attribute_at_fault(command)
    if code is RejectCode.PRICE_OUTSIDE_LIMITS:
        contract = exchange.views.contract(exchange.views.symbol(int(command["instrument"])))
        if contract is not None and command["kind"] == CommandKind.NEW:
            sentence = (
                f"The price {price_text(int(command['price']))} is outside today's limits of "
                f"{contract.contract.symbol}, {price_text(contract.price_low)} to "
                f"{price_text(contract.price_high)}; choose a price within them."
            )
    return RequestRefused(code.name, status, sentence, field)


_FIELD_AT_FAULT: Final = {
    RejectCode.PRICE_OUTSIDE_LIMITS: "price",
    RejectCode.PRICE_NOT_ALLOWED: "price",
    RejectCode.TRIGGER_OUTSIDE_LIMITS: "trigger_price",
    RejectCode.INVALID_OFFSET: "trailing_offset",
    RejectCode.INVALID_EXPIRY: "expiry_day",
    RejectCode.INVALID_DISPLAY: "display_quantity",
    RejectCode.TOO_MANY_REFRESHES: "display_quantity",
    RejectCode.INVALID_MIN_QUANTITY: "minimum_quantity",
    RejectCode.POST_ONLY_WOULD_TRADE: "post_only",
    RejectCode.NOTHING_TO_REDUCE: "reduce_only",
    RejectCode.ORDER_NOTIONAL: "quantity",
    RejectCode.POSITION_LIMIT: "quantity",
    RejectCode.INVALID_QUANTITY: "quantity",
    RejectCode.ORDER_TOO_LARGE: "quantity",
    RejectCode.UNKNOWN_INSTRUMENT: "symbol",
    RejectCode.UNKNOWN_ORDER: "order_id",
}


def _attribute_at_fault(command: Any) -> str:
    """Name the attribute that a refused combination could do without (clauses 3.12 and 3.13)."""
    if command["kind"] == CommandKind.AMEND:
        return "trigger_price"
    if command["type"] in _STOPS and command["tif"] in _NEVER_STOPS:
        return "time_in_force"
    if command["min_quantity"]:
        return "minimum_quantity"
    if command["flags"] & (OrderFlag.POST_ONLY | OrderFlag.POST_ONLY_SLIDE):
        return "post_only"
    if command["flags"] & OrderFlag.REDUCE_ONLY:
        return "reduce_only"
    return "display_quantity" if command["display"] else "time_in_force"
