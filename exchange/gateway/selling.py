"""Endpoints of standing sales (clause 10.8)."""

from __future__ import annotations

from exchange.api import primary as api
from exchange.api.formats import parse_price_ticks, price_text
from exchange.domain import primary
from exchange.gateway.call import Call, Route


async def set_sale(call: Call) -> api.StandingSales:
    """Put what is free on sale in contracts of one kind, or end that (clause 10.8)."""
    wanted: api.SetSale = call.body
    message = primary.SetStandingSale(
        account=call.caller.account,
        grade=wanted.grade,
        hub=wanted.hub,
        kind=wanted.kind,
        profile=wanted.profile,
        price_ticks=parse_price_ticks(wanted.price),
    )
    await call.submit(message)
    return await sales(call)


async def sales(call: Call) -> api.StandingSales:
    """Answer the account's standing sales (clause 10.8)."""
    views = call.exchange.views
    mine = [
        api.StandingSale(
            grade=sale.grade,
            hub=sale.hub,
            kind=sale.kind,
            profile=sale.profile,
            price=price_text(sale.price_ticks),
        )
        for sale in views.primary.standing
        if sale.account == call.caller.account
    ]
    return api.StandingSales(sales=mine, as_of_seq=views.seq)


ROUTES = (
    Route(
        method="POST",
        path="/v1/sales",
        handler=set_sale,
        answer=api.StandingSales,
        summary="Keep free capacity on sale at a price, or stop",
        tag="provider",
        scope="provide",
        body=api.SetSale,
    ),
    Route(
        method="GET",
        path="/v1/sales",
        handler=sales,
        answer=api.StandingSales,
        summary="The account's standing sales",
        tag="provider",
        scope="read",
    ),
)
