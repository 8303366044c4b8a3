"""Dry run: what orders would do now (clause 3.40)."""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np

from exchange.api import requests
from exchange.api.answers import Problem
from exchange.api.codes import RequestRefused
from exchange.api.formats import parse_price_ticks
from exchange.api.money import MarginFigures
from exchange.api.preview import Preview, PreviewAnswer, PreviewResult
from exchange.api.trading import OrderResult
from exchange.domain.money import half_up
from exchange.domain.rejects import RejectCode
from exchange.gateway.call import BATCH_BYTES_MAX, Call, Route
from exchange.gateway.orders import Outcome, records_of, results_of
from exchange.gateway.repeats import held_outcomes
from exchange.service.exchange import Exchange
from exchange.service.whatif import Trial, WhatIf
from matching.records import CommandKind, EventKind, Records

PREVIEWS_MAX: Final = 4
"""Previews under way at once; more are refused with BUSY."""

_under_way: WeakKeyDictionary[Exchange, int] = WeakKeyDictionary()
_PARTS_PER_CNY: Final = 10_000
_PARTS_PER_TICK: Final = 100


async def preview(call: Call) -> PreviewAnswer:
    """Say what up to 500 order commands would do now, one after the other: refused or not, fills, fees,
    margin. Nothing changes.
    """
    exchange, account = call.exchange, call.caller.account
    commands, places, outcomes = records_of(exchange, account, call.body.items)
    held = held_outcomes(exchange, account, commands)
    outcomes |= {places[at]: outcome for at, outcome in held.items()}
    fresh = [at for at in range(len(commands)) if at not in held]
    seq, before = exchange.views.seq, _figures(exchange, account)
    tried = await _tried(exchange, exchange.views.trial(account, commands[fresh]))
    found = results_of(exchange, tried.commands, seq + 1, tried.events)
    outcomes |= {places[at]: outcome for at, outcome in zip(fresh, found, strict=True)}
    contracts = _contracts(commands, places, tried, fresh)
    return PreviewAnswer(
        results=[_result(exchange, outcomes[at], contracts.get(at)) for at in range(len(call.body.items))],
        before=before,
        after=_moved(before, tried),
        as_of_seq=seq,
    )


async def _tried(exchange: Exchange, trial: Trial) -> WhatIf:
    """Run a trial beside the event loop. Refused: BUSY, if as many are under way as may be."""
    if _under_way.get(exchange, 0) >= PREVIEWS_MAX:
        raise RequestRefused(RejectCode.BUSY.name, RejectCode.BUSY.status, RejectCode.BUSY.sentence)
    _under_way[exchange] = _under_way.get(exchange, 0) + 1
    try:
        return await asyncio.to_thread(trial.run)
    finally:
        _under_way[exchange] -= 1


def _contracts(commands: Records, places: list[int], tried: WhatIf, fresh: list[int]) -> dict[int, int]:
    """Return the contract of each item that has one: a new order's own, another's from its events."""
    found = {
        places[at]: int(commands["instrument"][at])
        for at in np.flatnonzero(commands["kind"] == CommandKind.NEW).tolist()
    }
    about_orders = tried.events[np.isin(tried.events["kind"], (EventKind.AMENDED, EventKind.CANCELLED))]
    for at, command in zip(fresh, tried.commands, strict=True):
        own = about_orders[about_orders["seq"] == command["seq"]]
        if len(own):
            found.setdefault(places[at], int(own["instrument"][0]))
    return found


def _figures(exchange: Exchange, account: int) -> MarginFigures:
    balance = exchange.views.balance(account)
    if balance is None:
        raise AssertionError(f"account {account} signed and has no balance")
    return MarginFigures(
        equity_fen=balance.equity_fen, margin_fen=balance.margin_fen, available_fen=balance.available_fen
    )


def _moved(before: MarginFigures, tried: WhatIf) -> MarginFigures:
    """Return the balance moved by what the trial moved."""
    equity = tried.after.equity_fen - tried.before.equity_fen - tried.fees_fen
    margin = tried.after.requirement_fen - tried.before.requirement_fen
    return MarginFigures(
        equity_fen=before.equity_fen + equity,
        margin_fen=before.margin_fen + margin,
        available_fen=before.available_fen + equity - margin,
    )


def _result(exchange: Exchange, outcome: Outcome, contract: int | None) -> PreviewResult:
    if isinstance(outcome, RequestRefused):
        problem = Problem(code=outcome.code, message=outcome.message, field=outcome.field)
        return PreviewResult(error=problem)
    if contract is None:
        raise AssertionError("a command was applied without naming a contract")
    return PreviewResult(order=_order(exchange, outcome, contract))


def _order(exchange: Exchange, order: OrderResult, contract: int) -> Preview:
    traded = sum(parse_price_ticks(fill.price) * fill.quantity for fill in order.fills)
    hours = exchange.views.hours(contract)
    open_fees = _open_fees(exchange, order, contract)
    return Preview(
        status=order.status,
        open_quantity=order.open_quantity,
        filled_quantity=order.filled_quantity,
        fills=order.fills,
        reason=order.reason,
        price=order.price,
        average_price=_average(traded, order.filled_quantity) if order.fills else None,
        value_fen=traded * hours,
        fee_fen=sum(fill.fee_fen for fill in order.fills),
        open_value_fen=open_fees[0],
        open_maker_fee_fen=open_fees[1],
        open_taker_fee_fen=open_fees[2],
    )


def _open_fees(
    exchange: Exchange, order: OrderResult, contract: int
) -> tuple[int, int, int] | tuple[None, None, None]:
    """Return value, maker's and taker's fee of what stays open, fen."""
    if order.price is None:
        return None, None, None
    views = exchange.views
    tick_lots = parse_price_ticks(order.price) * order.open_quantity
    return (
        tick_lots * views.hours(contract),
        views.fee_fen(views.seq, contract, tick_lots, "maker"),
        views.fee_fen(views.seq, contract, tick_lots, "taker"),
    )


def _average(tick_lots: int, lots: int) -> str:
    """Return tick-lots by lots in CNY, halves up to four decimals."""
    parts = half_up(tick_lots * _PARTS_PER_TICK, lots)
    return f"{parts // _PARTS_PER_CNY}.{parts % _PARTS_PER_CNY:04d}"


ROUTES = (
    Route(
        method="POST",
        path="/v1/orders/preview",
        handler=preview,
        answer=PreviewAnswer,
        summary="What orders would do now",
        tag="orders",
        scope="read",
        body=requests.Batch,
        body_bytes_max=BATCH_BYTES_MAX,
    ),
)
