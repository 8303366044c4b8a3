"""A provider's side: posted capacity and meter readings."""

from __future__ import annotations

from exchange.api import requests
from exchange.api.answers import Done
from exchange.api.codes import RequestRefused
from exchange.api.delivering import ReadingsAnswer
from exchange.api.formats import parse_day, parse_id, parse_price_ticks, parse_time_ns
from exchange.api.primary import Capacity, CapacityAnswer
from exchange.domain import messages, primary
from exchange.domain.rejects import RejectCode
from exchange.gateway import translate
from exchange.gateway.call import BATCH_BYTES_MAX, Call, Route

ID_MAX = 2**62


async def post_capacity(call: Call) -> CapacityAnswer:
    """Register capacity that the provider holds ready (clause 7.1)."""
    post: requests.PostCapacity = call.body
    message = primary.PostCapacity(
        account=call.caller.account,
        grade=post.grade,
        hub=post.hub,
        cards=post.cards,
        first_day=parse_day(post.first_day, "first_day"),
        last_day=parse_day(post.last_day, "last_day"),
        reserve_price_ticks=parse_price_ticks(post.reserve_price, "reserve_price"),
        sell_in=tuple(post.sell_in),
        site_id=0 if post.site_id is None else parse_id(post.site_id, "site_id", ID_MAX),
        availability_basis_points=post.availability_basis_points,
        maintenance=tuple(
            primary.Maintenance(
                first_day=parse_day(window.first_day, f"maintenance[{at}].first_day"),
                last_day=parse_day(window.last_day, f"maintenance[{at}].last_day"),
                cards=window.cards,
            )
            for at, window in enumerate(post.maintenance)
        ),
        attributes=tuple(
            primary.Attribute(name=name, value=value) for name, value in sorted(post.attributes.items())
        ),
    )
    result = await call.submit(message)
    capacity_id = (result.data or {})["capacity_id"]
    (view,) = (
        view for view in call.exchange.views.capacity(call.caller.account) if view.capacity_id == capacity_id
    )
    return CapacityAnswer(capacity=translate.capacity(view), as_of_seq=call.exchange.views.seq)


async def capacity(call: Call) -> Capacity:
    """Answer the account's posted capacity that isn't withdrawn."""
    views = call.exchange.views
    return Capacity(
        capacity=[
            translate.capacity(view) for view in views.capacity(call.caller.account) if not view.withdrawn
        ],
        as_of_seq=views.seq,
    )


async def withdraw_capacity(call: Call) -> Done:
    """Take posted capacity back; what was sold against it stays owed (clause 7.1)."""
    capacity_id = parse_id(call.path["capacity_id"], "capacity_id", ID_MAX)
    message = primary.WithdrawCapacity(account=call.caller.account, capacity_id=capacity_id)
    return await call.done(message)


async def readings(call: Call) -> ReadingsAnswer:
    """Take in meter readings, all or none (clause 7.4)."""
    if call.caller.kind != "provider":
        code = RejectCode.NOT_A_PROVIDER
        raise RequestRefused(code.name, code.status, code.sentence)
    taken = tuple(
        messages.Reading(
            parse_id(reading.reservation_id, f"readings[{at}].reservation_id", ID_MAX),
            parse_time_ns(reading.hour_start, f"readings[{at}].hour_start"),
            reading.cards_delivered,
        )
        for at, reading in enumerate(call.body.readings)
    )
    signed: requests.SignedBy | None = call.body.signed
    message = messages.MeterReadings(
        account=call.caller.account,
        readings=taken,
        site_id=0 if signed is None else parse_id(signed.site_id, "signed.site_id", ID_MAX),
        sequence=0 if signed is None else signed.sequence,
        signature=b"" if signed is None else bytes.fromhex(signed.signature),
    )
    await call.submit(message)
    return ReadingsAnswer(accepted=len(taken), as_of_seq=call.exchange.views.seq)


ROUTES = (
    Route(
        method="POST",
        path="/v1/capacity",
        handler=post_capacity,
        answer=CapacityAnswer,
        summary="Post capacity",
        tag="provider",
        scope="provide",
        body=requests.PostCapacity,
    ),
    Route(
        method="GET",
        path="/v1/capacity",
        handler=capacity,
        answer=Capacity,
        summary="The account's posted capacity",
        tag="provider",
        scope="read",
    ),
    Route(
        method="DELETE",
        path="/v1/capacity/{capacity_id}",
        handler=withdraw_capacity,
        answer=Done,
        summary="Withdraw posted capacity",
        tag="provider",
        scope="provide",
        path_help={"capacity_id": "id of the capacity post"},
    ),
    Route(
        method="POST",
        path="/v1/deliveries/readings",
        handler=readings,
        answer=ReadingsAnswer,
        summary="Send meter readings",
        tag="provider",
        scope="provide",
        body=requests.Readings,
        body_bytes_max=BATCH_BYTES_MAX,
    ),
)
