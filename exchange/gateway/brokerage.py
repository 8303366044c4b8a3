"""Endpoints of brokers beside their clients' accounts: commissions, give-ups, how fees are shared."""

from __future__ import annotations

from typing import Final

from exchange.api import brokerage as api
from exchange.api.answers import Done
from exchange.api.codes import RequestCode, refuse
from exchange.api.formats import day_text, parse_id, price_text
from exchange.domain import brokerage
from exchange.domain.calendar import date_of, day_of, epoch_day
from exchange.gateway.call import Call, Route
from exchange.service.brokerstate import Commission, GiveUp
from exchange.service.viewtypes import FillView

SHOWN_MAX: Final = 1_000
ID_MAX: Final = 2**62


async def set_commission(call: Call) -> Done:
    """Set what a client of the broker pays from tomorrow on (clause 8.13)."""
    wanted: api.SetCommission = call.body
    message = brokerage.SetCommission(
        broker=call.caller.account,
        client=wanted.client,
        basis_points=wanted.basis_points,
        fen_per_lot=wanted.fen_per_lot,
    )
    return await call.done(message)


async def commissions(call: Call) -> api.Commissions:
    """Answer what the broker's clients pay."""
    views = call.exchange.views
    own = {view.account: view.name for view in views.members() if view.broker == call.caller.member}
    today = epoch_day(day_of(call.exchange.status().market_time_ns))
    found = [
        _commission(own[agreed.account], agreed, today)
        for agreed in views.brokerage.commissions
        if agreed.account in own
    ]
    return api.Commissions(commissions=found, as_of_seq=views.seq)


def _commission(name: str, agreed: Commission, today: int) -> api.Commission:
    now = agreed.on(today)
    return api.Commission(
        client=name.partition("/")[2],
        basis_points=now.basis_points,
        fen_per_lot=now.fen_per_lot,
        next_basis_points=agreed.rate.basis_points,
        next_fen_per_lot=agreed.rate.fen_per_lot,
        next_from=day_text(date_of(agreed.from_day)),
    )


async def fees(call: Call) -> api.Fees:
    """Answer what a trade pays, and how that is shared (clauses 8.1, 8.14)."""
    views = call.exchange.views
    split = views.brokerage.split
    return api.Fees(
        maker_basis_points=views.rules.maker_basis_points,
        taker_basis_points=views.rules.taker_basis_points,
        provider_weight=split.provider,
        broker_weight=split.broker,
        platform_weight=split.platform,
        as_of_seq=views.seq,
    )


async def set_revenue_split(call: Call) -> Done:
    """Set in which proportion fees are shared from the next settlement on (clause 8.14)."""
    wanted: api.SetRevenueSplit = call.body
    message = brokerage.SetRevenueSplit(
        provider=wanted.provider, broker=wanted.broker, platform=wanted.platform
    )
    return await call.done(message)


async def offer_give_up(call: Call) -> api.GiveUpAnswer:
    """Offer lots of one of today's fills to another account (clause 8.15)."""
    wanted: api.OfferGiveUp = call.body
    fill = _fill(call, wanted)
    message = brokerage.OfferGiveUp(
        account=call.caller.account,
        trade_id=fill.trade_id,
        symbol=fill.symbol,
        side=fill.side,
        price_ticks=fill.price,
        trade_lots=fill.lots,
        lots=wanted.lots,
        to_member=wanted.to,
        fee_fen=wanted.fee_fen,
    )
    data = (await call.submit(message)).data or {}
    return _one(call, int(data["give_up_id"]))


def _fill(call: Call, wanted: api.OfferGiveUp) -> FillView:
    """Return one of the account's fills of the open day. Raises RequestRefused UNKNOWN_FILL."""
    trade_id, _, side = wanted.fill_id.partition("-")
    today = call.exchange.status().trading_day
    for fill in call.exchange.views.sides_of(int(trade_id), call.caller.account):
        if fill.side == side and day_of(fill.time_ns) == today:
            return fill
    raise refuse(
        RequestCode.UNKNOWN_FILL,
        f"The account has no fill {wanted.fill_id} today; GET /v1/fills lists them.",
        "fill_id",
    )


async def answer_give_up(call: Call) -> api.GiveUpAnswer:
    """Take what is offered, decline it, or withdraw one's own offer (clause 8.15)."""
    number = parse_id(call.path["give_up_id"], "give_up_id", ID_MAX)
    message = brokerage.AnswerGiveUp(account=call.caller.account, give_up_id=number, accept=call.body.accept)
    await call.submit(message)
    return _one(call, number)


async def give_ups(call: Call) -> api.GiveUps:
    """Answer the account's give-ups on either side, latest first."""
    views, account = call.exchange.views, call.caller.account
    numbered = list(enumerate(views.brokerage.give_ups, start=1))
    mine = [(number, of) for number, of in numbered if account in (of.offer.account, of.taker)]
    shown = [_give_up(call, number, of) for number, of in mine[::-1][:SHOWN_MAX]]
    return api.GiveUps(give_ups=shown, as_of_seq=views.seq)


def _one(call: Call, number: int) -> api.GiveUpAnswer:
    views = call.exchange.views
    give_up = _give_up(call, number, views.brokerage.give_ups[number - 1])
    return api.GiveUpAnswer(give_up=give_up, as_of_seq=views.seq)


def _give_up(call: Call, number: int, of: GiveUp) -> api.GiveUp:
    giver, offer = call.exchange.views.member_of(of.offer.account), of.offer
    return api.GiveUp(
        give_up_id=str(number),
        day=day_text(date_of(of.day)),
        giver="" if giver is None else giver.name,
        taker=offer.to_member,
        fill_id=f"{offer.trade_id}-{offer.side}",
        symbol=offer.symbol,
        side=offer.side,
        price=price_text(offer.price_ticks),
        lots=offer.lots,
        fee_fen=offer.fee_fen,
        state=of.state,
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/fees",
        handler=fees,
        answer=api.Fees,
        summary="What a trade pays, and how that is shared",
        tag="market",
    ),
    Route(
        method="POST",
        path="/v1/operator/revenue-split",
        handler=set_revenue_split,
        answer=Done,
        summary="Set how fees are shared",
        tag="operator",
        scope="operate",
        roles=("admin",),
        body=api.SetRevenueSplit,
    ),
    Route(
        method="GET",
        path="/v1/commissions",
        handler=commissions,
        answer=api.Commissions,
        summary="What the broker's clients pay",
        tag="broker",
        scope="read",
    ),
    Route(
        method="POST",
        path="/v1/commissions",
        handler=set_commission,
        answer=Done,
        summary="Set a client's commission",
        tag="broker",
        scope="trade",
        body=api.SetCommission,
    ),
    Route(
        method="GET",
        path="/v1/give-ups",
        handler=give_ups,
        answer=api.GiveUps,
        summary="The account's give-ups",
        tag="account",
        scope="read",
    ),
    Route(
        method="POST",
        path="/v1/give-ups",
        handler=offer_give_up,
        answer=api.GiveUpAnswer,
        summary="Offer a fill to another account",
        tag="account",
        scope="trade",
        body=api.OfferGiveUp,
    ),
    Route(
        method="POST",
        path="/v1/give-ups/{give_up_id}",
        handler=answer_give_up,
        answer=api.GiveUpAnswer,
        summary="Take, decline or withdraw a give-up",
        tag="account",
        scope="trade",
        body=api.AnswerGiveUp,
        path_help={"give_up_id": "id of the give-up"},
    ),
)
