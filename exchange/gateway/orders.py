"""Order commands: protocol structs to kernel records, and the kernel's events to what became of each."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from exchange.api import answers, requests
from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.api.formats import parse_id, parse_price_ticks, price_text
from exchange.domain.rejects import KERNEL_REJECTS
from exchange.service.exchange import Exchange
from matching.records import (
    CancelReason,
    CommandKind,
    EventKind,
    OrderType,
    Records,
    RejectCode,
    Side,
    TimeInForce,
    amend,
    cancel,
    new_order,
)

INT32_MAX: Final = 2**31 - 1
ORDER_ID_MAX: Final = 2**63 - 1

_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
_TYPES: Final = {"limit": OrderType.LIMIT, "market": OrderType.MARKET}
_TIMES: Final = {
    "day": TimeInForce.DAY,
    "gtc": TimeInForce.GTC,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
}

Command = requests.NewOrder | requests.Cancel | requests.Amend


def record_of(exchange: Exchange, account: int, command: Command) -> Records:
    """Return one command as a record, shape (1,), dtype COMMAND.

    Raises RequestRefused: UNKNOWN_SYMBOL, INVALID_FIELD, MISSING_FIELD, PRICE_OFF_TICK.
    """
    if isinstance(command, requests.NewOrder):
        return _new(exchange, account, command)
    order_id = parse_id(command.order_id, "order_id", ORDER_ID_MAX)
    if isinstance(command, requests.Cancel):
        return cancel(account=account, order_id=order_id)
    if command.price is None and command.quantity is None:
        raise refuse(RequestCode.MISSING_FIELD, "Give a new price or a new quantity, or both.", "price")
    price = 0 if command.price is None else _price(command.price)
    if command.price is not None and price == 0:  # which in a record says that the price stays
        status, sentence = KERNEL_REJECTS[RejectCode.PRICE_OUTSIDE_LIMITS]
        raise RequestRefused(RejectCode.PRICE_OUTSIDE_LIMITS.name, status, sentence, "price")
    return amend(account=account, order_id=order_id, price=price, quantity=command.quantity or 0)


def results_of(exchange: Exchange, commands: Records, first_seq: int, events: Records) -> list[Outcome]:
    """Return what became of each command, in order; `events` are all events that they caused."""
    seqs = events["seq"]
    begins = np.searchsorted(seqs, np.arange(first_seq, first_seq + len(commands) + 1))
    return [
        _outcome(exchange, commands[at], events[begins[at] : begins[at + 1]]) for at in range(len(commands))
    ]


Outcome = answers.OrderResult | RequestRefused
"""The result of one order command, or its refusal."""


def _new(exchange: Exchange, account: int, order: requests.NewOrder) -> Records:
    index = exchange.views.index(order.symbol)
    if index is None:
        raise refuse(
            RequestCode.UNKNOWN_SYMBOL,
            f"There is no contract {order.symbol!r}; GET /v1/contracts lists those that trade.",
            "symbol",
        )
    return new_order(
        account=account,
        instrument=index,
        side=_SIDES[order.side],
        quantity=order.quantity,
        price=_limit_price(order),
        order_type=_TYPES[order.type],
        tif=_TIMES[order.time_in_force],
        client_id=0 if order.client_order_id is None else parse_id(order.client_order_id, "client_order_id"),
    )


def _limit_price(order: requests.NewOrder) -> int:
    if order.type == "market":
        if order.price is not None:
            raise refuse(RequestCode.INVALID_FIELD, "A market order takes no price; leave it out.", "price")
        return 0
    if order.price is None:
        raise refuse(RequestCode.MISSING_FIELD, 'A limit order needs a price, such as "15.20".', "price")
    return _price(order.price)


def _price(text: str) -> int:
    # beyond int32 no price is within any limits: the kernel refuses the largest record value just so
    return min(parse_price_ticks(text), INT32_MAX)


def _outcome(exchange: Exchange, command: Any, events: Records) -> Outcome:
    """Read the events of one command from its own order's point of view."""
    order_id, open_lots = int(command["order_id"]), int(command["quantity"])
    client_id = int(command["client_id"])
    fills: list[answers.Execution] = []
    reason: str | None = None
    for event in events:
        kind = int(event["kind"])
        if kind == EventKind.REJECTED:
            return refusal(exchange, command, RejectCode(int(event["code"])))
        if kind == EventKind.ACCEPTED:
            order_id = int(event["order_id"])
        if int(event["order_id"]) != order_id:
            continue
        client_id = int(event["client_id"])
        if kind in (EventKind.ACCEPTED, EventKind.AMENDED, EventKind.CANCELLED, EventKind.TRADE):
            open_lots = int(event["remaining"])
        if kind == EventKind.TRADE:
            price = price_text(int(event["price"]))
            fills.append(answers.Execution(price=price, quantity=int(event["quantity"])))
        if kind == EventKind.CANCELLED:
            reason = CancelReason(int(event["code"])).name
    return answers.OrderResult(
        order_id=str(order_id),
        client_order_id=str(client_id) if client_id else None,
        status="resting" if open_lots else "cancelled" if reason else "filled",
        open_quantity=open_lots,
        filled_quantity=sum(fill.quantity for fill in fills),
        fills=fills,
        reason=reason,
    )


def refusal(exchange: Exchange, command: Any, code: RejectCode) -> RequestRefused:
    """Return the kernel's reject code with its HTTP status, a sentence, and the field at fault."""
    status, sentence = KERNEL_REJECTS[code]
    field = _FIELD_AT_FAULT.get(code)
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
    RejectCode.INVALID_QUANTITY: "quantity",
    RejectCode.ORDER_TOO_LARGE: "quantity",
    RejectCode.UNKNOWN_INSTRUMENT: "symbol",
    RejectCode.UNKNOWN_ORDER: "order_id",
}
