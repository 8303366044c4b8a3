"""Order entry: place, amend, cancel, one by one or in batches."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Final

from exchange.api import requests
from exchange.api.answers import Problem
from exchange.api.codes import RequestRefused
from exchange.api.trading import BatchAnswer, BatchResult, MassCancelAnswer, OrderAnswer, Orders
from exchange.gateway import translate
from exchange.gateway.call import BATCH_BYTES_MAX, Call, Route
from exchange.gateway.orders import Command, Outcome, mass_cancel_of, records_of, refusal
from exchange.gateway.paging import page
from exchange.gateway.repeats import submit_once
from exchange.service.exchange import Exchange
from matching.records import EventKind, RejectCode

_ORDER_HELP = {"order_id": "the exchange's order id"}


def placed(_: Mapping[str, str], body: requests.NewOrder) -> Command:
    """Return the command of a request that places an order."""
    return body


def amended(path: Mapping[str, str], body: requests.AmendOrder) -> Command:
    """Return the command of a request that amends an order."""
    return requests.Amend(
        order_id=path["order_id"],
        price=body.price,
        quantity=body.quantity,
        trigger_price=body.trigger_price,
    )


def cancelled(path: Mapping[str, str], _: None) -> Command:
    """Return the command of a request that cancels an order."""
    return requests.Cancel(order_id=path["order_id"])


async def place(call: Call) -> OrderAnswer:
    """Place an order; answers when it is durable, with the trades that it made."""
    return await _one(call, placed(call.path, call.body))


async def amend(call: Call) -> OrderAnswer:
    """Change price, total quantity or trigger price of an open order (clause 3.20)."""
    return await _one(call, amended(call.path, call.body))


async def cancel(call: Call) -> OrderAnswer:
    """Cancel an open order; possible in every phase."""
    return await _one(call, cancelled(call.path, call.body))


async def cancel_all(call: Call) -> MassCancelAnswer:
    """Cancel the account's orders that pass every filter, in every phase (clause 3.27)."""
    command = mass_cancel_of(call.exchange, call.caller.account, call.body)
    call.exchange.note_sender(call.caller.account, call.caller.key_id)
    result = await call.exchange.submit_hot(command, call.caller.account)
    if result.code is not None:
        raise RequestRefused(result.code.name, result.code.status, result.code.sentence)
    last = result.events[-1]
    if last["kind"] == EventKind.REJECTED:
        raise refusal(call.exchange, command[0], RejectCode(int(last["code"])))
    return MassCancelAnswer(cancelled=int(last["quantity"]), as_of_seq=call.exchange.views.seq)


async def batch(call: Call) -> BatchAnswer:
    """Apply up to 500 commands in this order, each with its own result; one refused doesn't stop the rest."""
    items: list[Command] = call.body.items
    outcomes = await _submit(call, items)
    return BatchAnswer(
        results=[_batch_result(outcome) for outcome in outcomes], as_of_seq=call.exchange.views.seq
    )


async def orders(call: Call) -> Orders:
    """Answer the account's open orders."""
    query: requests.OrdersQuery = call.query
    found = call.exchange.views.open_orders(call.caller.account, query.symbol)
    rows, following = page(found, query.cursor, query.limit, attrgetter("arrival"))
    return Orders(
        orders=[translate.order(row) for row in rows],
        as_of_seq=call.exchange.views.seq,
        next_cursor=following,
    )


async def _one(call: Call, command: Command) -> OrderAnswer:
    (outcome,) = await _submit(call, [command])
    return answer_of(call.exchange, outcome)


def answer_of(exchange: Exchange, outcome: Outcome) -> OrderAnswer:
    """Return the answer to a request with one command; raises its refusal."""
    if isinstance(outcome, RequestRefused):
        raise outcome
    return OrderAnswer(order=outcome, as_of_seq=exchange.views.seq)


async def _submit(call: Call, items: list[Command]) -> list[Outcome]:
    """Send what is well formed as one block; return each item's outcome in place."""
    commands, places, outcomes = records_of(call.exchange, call.caller.account, items)
    if len(commands):
        found = await submit_once(call.exchange, call.caller.account, call.caller.key_id, commands)
        outcomes.update(zip(places, found, strict=True))
    return [outcomes[at] for at in range(len(items))]


def _batch_result(outcome: Outcome) -> BatchResult:
    if isinstance(outcome, RequestRefused):
        return BatchResult(error=Problem(code=outcome.code, message=outcome.message, field=outcome.field))
    return BatchResult(order=outcome)


PLACE: Final = Route(
    method="POST",
    path="/v1/orders",
    handler=place,
    answer=OrderAnswer,
    summary="Place an order",
    tag="orders",
    scope="trade",
    body=requests.NewOrder,
)
AMEND: Final = Route(
    method="PATCH",
    path="/v1/orders/{order_id}",
    handler=amend,
    answer=OrderAnswer,
    summary="Amend an order",
    tag="orders",
    scope="trade",
    body=requests.AmendOrder,
    path_help=_ORDER_HELP,
)
CANCEL: Final = Route(
    method="DELETE",
    path="/v1/orders/{order_id}",
    handler=cancel,
    answer=OrderAnswer,
    summary="Cancel an order",
    tag="orders",
    scope="trade",
    path_help=_ORDER_HELP,
)

ROUTES = (
    PLACE,
    Route(
        method="POST",
        path="/v1/orders/batch",
        handler=batch,
        answer=BatchAnswer,
        summary="Many orders, amends and cancels",
        tag="orders",
        scope="trade",
        body=requests.Batch,
        body_bytes_max=BATCH_BYTES_MAX,
    ),
    Route(
        method="POST",
        path="/v1/orders/cancel",
        handler=cancel_all,
        answer=MassCancelAnswer,
        summary="Cancel many orders by contract, hub, side or group, or all",
        tag="orders",
        scope="trade",
        body=requests.MassCancel,
    ),
    AMEND,
    CANCEL,
    Route(
        method="GET",
        path="/v1/orders",
        handler=orders,
        answer=Orders,
        summary="The account's open orders",
        tag="orders",
        scope="read",
        query=requests.OrdersQuery,
    ),
)
