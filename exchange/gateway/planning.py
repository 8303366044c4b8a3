"""Planning: an enterprise posts workloads, watches the search, and accepts the plan in whole or in part."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import cast

import msgspec
from aiohttp import web

from exchange.api import requests
from exchange.api import stock as api
from exchange.api.answers import Problem
from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.api.delivering import Nominate
from exchange.api.formats import parse_day, price_text
from exchange.api.plans import (
    Acceptance,
    AcceptPlan,
    NewPlan,
    NominatePlan,
    NominationResult,
    PlanAnswer,
    PlanEvent,
    PlannedNomination,
    PlanNominations,
    PlanResult,
    Plans,
)
from exchange.api.trading import BatchResult
from exchange.domain.calendar import day_start_ns
from exchange.gateway import delivering, trading
from exchange.gateway.call import BATCH_BYTES_MAX, Call, Route
from exchange.gateway.identify import Doors, by_session
from exchange.gateway.orders import Command
from exchange.gateway.screens import browser_of
from exchange.planning.again import begun_by
from exchange.planning.jobs import Job, PlanJobs
from exchange.planning.stock import moment_of, stock_of
from exchange.planning.task import Task
from scheduler.horizon.types import CarbonRule
from scheduler.io.workloads import Span
from scheduler.types import micro_cny

_HELP = {"plan_id": "id of the plan job"}
EVENTS_PATH = "/v1/plans/{plan_id}/events"
G_PER_KG = 1000
STREAMS_MAX = 64
"""Streams of events at a time; beyond it one is refused, and polling still works."""


async def new_plan(call: Call) -> PlanAnswer:
    """Plan workloads on the account's reservations and the asks of day contracts, in a process of its own."""
    body: NewPlan = call.body
    day = parse_day(body.first_day, "first_day")
    span = Span(moment_of(day_start_ns(day)), 24 * body.days)
    before = None if body.after is None else call.plans.find(call.caller.account, body.after)
    task = Task(
        zero=span.start if before is None else before.zero,
        begun=None if before is None else begun_by(before, span.start),
        moves_max=body.moves_max,
        migration_cny=body.migration_cny,
        failed=body.failed or [],
        forecast=body.forecast or [],
        carbon=CarbonRule(micro_cny(body.carbon_price_cny_per_kg), _grams(body.carbon_cap_kg)),
        explain=body.explain,
        pareto=body.pareto,
        advise=body.advise,
        workloads=body.workloads,
        start=span.start,
        hours=span.hours,
        stock=stock_of(call.exchange.views, call.caller.account, day, day + timedelta(body.days)),
        time_limit_s=body.time_limit_s,
        skip_faulty=body.skip_faulty,
    )
    return _answer(call.plans.submit(call.caller.account, task, body.first_day, body.days))


def _grams(kg: float | None) -> int | None:
    return None if kg is None else int(kg * G_PER_KG)


async def stock(call: Call) -> api.Stock:
    """Answer what a plan of these days would be made of."""
    first = parse_day(call.query.first_day, "first_day", RequestCode.INVALID_PARAMETER)
    end = first + timedelta(call.query.days)
    found = stock_of(call.exchange.views, call.caller.account, first, end)
    return api.Stock(
        own=[
            api.OwnCards(
                reservation_id=held.id if held.reserved else None,
                symbol=held.symbol,
                hub=held.site,
                grade=held.grade,
                cards=held.cards,
                cards_per_lot=held.cards_per_lot,
                start=held.start.isoformat(),
                end=held.end.isoformat(),
                price=price_text(held.price_ticks),
            )
            for held in found.holdings
        ],
        offered=[
            api.OfferedLots(
                symbol=level.symbol,
                hub=level.site,
                grade=level.grade,
                cards_per_lot=level.cards_per_lot,
                start=level.start.isoformat(),
                end=level.end.isoformat(),
                lots=level.lots,
                price=price_text(level.price_ticks),
                masks=list(level.masks),
            )
            for level in found.levels
        ],
        as_of_seq=call.exchange.views.seq,
    )


async def plans(call: Call) -> Plans:
    """Answer the account's plan jobs."""
    return Plans(plans=[job.shown() for job in call.plans.of(call.caller.account)])


async def plan(call: Call) -> PlanAnswer:
    """Answer one plan job, with the best plan so far."""
    return _answer(_job(call))


async def cancel_plan(call: Call) -> PlanAnswer:
    """End a plan job; the best plan so far stays its result."""
    job = _job(call)
    call.plans.cancel(job)
    return _answer(job)


async def accept_plan(call: Call) -> Acceptance:
    """Place the orders of a plan that are named, each once, by the member's own rights as any other order."""
    body: AcceptPlan = call.body
    job = _job(call)
    orders = job.orders()
    left = _wanted(job, body.orders, len(orders), job.accepted, "order")
    wanted = left[: requests.BATCH_ITEMS_MAX]
    items: list[Command] = [
        requests.NewOrder(symbol=o.symbol, side="buy", quantity=o.quantity, price=o.price)
        for o in (orders[at] for at in wanted)
    ]
    job.accepted.update(wanted)
    try:
        placed = await trading.batch(replace(call, body=requests.Batch(items=items)))
    except RequestRefused:  # all of them, such as with BUSY
        job.accepted.difference_update(wanted)
        raise
    job.accepted -= _refused(wanted, placed.results)
    job.touch()
    return Acceptance(orders=wanted, results=placed.results, as_of_seq=placed.as_of_seq)


async def nominate_plan(call: Call) -> PlanNominations:
    """Nominate what the plan runs on the account's reservations, all or those named (clause 7.11)."""
    body: NominatePlan = call.body
    job = _job(call)
    nominations = job.nominations()
    wanted = _wanted(job, body.nominations, len(nominations), job.nominated, "nomination")
    job.nominated.update(wanted)  # before anything is awaited: a request beside this one finds them taken
    results = [await _nominated(call, nominations[at]) for at in wanted]
    job.nominated -= _refused(wanted, results)
    job.touch()
    return PlanNominations(nominations=wanted, results=results, as_of_seq=call.exchange.views.seq)


async def _nominated(call: Call, planned: PlannedNomination) -> NominationResult:
    body = Nominate(
        workload=planned.workload,
        use=planned.use,
        cards=planned.cards,
        first_hour=planned.first_hour,
        hours=planned.hours,
    )
    one = replace(call, body=body, path={"reservation_id": planned.reservation_id})
    try:
        return NominationResult(nomination_id=(await delivering.nominate(one)).nomination_id)
    except RequestRefused as error:
        return NominationResult(error=Problem(code=error.code, message=error.message, field=error.field))


def _refused(wanted: list[int], results: Sequence[BatchResult | NominationResult]) -> set[int]:
    """Return the positions that may be accepted again."""
    return {at for at, result in zip(wanted, results, strict=True) if result.error is not None}


def _wanted(job: Job, named: list[int] | None, count: int, done: set[int], what: str) -> list[int]:
    """The positions to accept: those named, or all that are left. Raises RequestRefused."""
    left = [at for at in range(count) if at not in done]
    wanted = left if named is None else named
    wrong = [at for at in wanted if at not in left]
    if job.open:
        why = "The plan is still being made; wait for it or cancel it to keep the best so far."
    elif wrong:
        why = f"No {what} {wrong[0]} is left: it is made already or isn't one of {count}, counted from 0."
    elif len(set(wanted)) < len(wanted):
        why = f"A {what} is named twice."
    elif not wanted:
        why = f"The plan has no {what} that isn't made already."
    else:
        return wanted
    raise refuse(RequestCode.NOTHING_TO_ACCEPT, why)


def _job(call: Call) -> Job:
    return call.plans.find(call.caller.account, call.path["plan_id"])


def _answer(job: Job) -> PlanAnswer:
    # the result is passed on as the bytes that the search wrote, which are the JSON of a PlanResult
    return PlanAnswer(plan=job.shown(), result=cast("PlanResult | None", job.result))


def events(jobs: PlanJobs, doors: Doors) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The endpoint of Server-Sent Events: the job now and after each change, until it ends, or the session of
    the page that reads it.
    """
    streams = 0

    async def serve(request: web.Request) -> web.StreamResponse:
        nonlocal streams
        browser = browser_of(request)
        caller = doors.caller(request, browser, b"", "read")
        watching = by_session(request, browser)
        job = jobs.find(caller.account, request.match_info["plan_id"])
        if streams >= STREAMS_MAX:
            raise refuse(RequestCode.TOO_MANY_READERS, f"At most {STREAMS_MAX} plans are watched at a time.")
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        streams += 1
        try:
            await response.prepare(request)
            async for shown in jobs.watch(job):
                if watching and not doors.screens.is_open(browser):
                    break
                data = msgspec.json.encode(PlanEvent(plan=shown))
                await response.write(b"event: " + shown.state.encode() + b"\ndata: " + data + b"\n\n")
        finally:
            streams -= 1
        return response

    return serve


ROUTES = (
    Route(
        method="GET",
        path="/v1/stock",
        handler=stock,
        answer=api.Stock,
        summary="What a plan can use: reservations, open positions, asks",
        tag="planning",
        scope="read",
        query=api.StockQuery,
    ),
    Route(
        method="POST",
        path="/v1/plans",
        handler=new_plan,
        answer=PlanAnswer,
        summary="Plan workloads on reservations and the book",
        tag="planning",
        scope="trade",
        body=NewPlan,
        body_bytes_max=BATCH_BYTES_MAX,
    ),
    Route(
        method="GET",
        path="/v1/plans",
        handler=plans,
        answer=Plans,
        summary="The account's plan jobs",
        tag="planning",
        scope="read",
    ),
    Route(
        method="GET",
        path="/v1/plans/{plan_id}",
        handler=plan,
        answer=PlanAnswer,
        summary="A plan job and its result",
        tag="planning",
        scope="read",
        path_help=_HELP,
    ),
    Route(
        method="DELETE",
        path="/v1/plans/{plan_id}",
        handler=cancel_plan,
        answer=PlanAnswer,
        summary="End a plan job, keep the best plan so far",
        tag="planning",
        scope="trade",
        path_help=_HELP,
    ),
    Route(
        method="POST",
        path="/v1/plans/{plan_id}/accept",
        handler=accept_plan,
        answer=Acceptance,
        summary="Place a plan's orders, all or those named",
        tag="planning",
        scope="trade",
        body=AcceptPlan,
        path_help=_HELP,
    ),
    Route(
        method="POST",
        path="/v1/plans/{plan_id}/nominate",
        handler=nominate_plan,
        answer=PlanNominations,
        summary="Nominate a plan's work on reservations, all or those named",
        tag="planning",
        scope="trade",
        body=NominatePlan,
        path_help=_HELP,
    ),
)
