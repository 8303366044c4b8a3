"""Endpoints of the resale of reservations (clause 7.14)."""

from __future__ import annotations

from typing import Final

from exchange.api import resale as api
from exchange.api.answers import Done
from exchange.api.formats import parse_id, parse_price_ticks, price_text, time_text
from exchange.domain import delivering
from exchange.gateway.call import Call, Route
from exchange.service.deliverystate import Offer
from exchange.service.views import Views

ID_MAX = 2**62


async def make_offer(call: Call) -> api.OfferMade:
    """Offer lots of one's reservation for resale."""
    message = delivering.OfferReservation(
        account=call.caller.account,
        reservation_id=parse_id(call.path["reservation_id"], "reservation_id", ID_MAX),
        lots=call.body.quantity,
        price_ticks=parse_price_ticks(call.body.price),
        to_member=call.body.to_member,
    )
    result = await call.submit(message)
    made = str((result.data or {})["offer_id"])
    return api.OfferMade(offer_id=made, as_of_seq=call.exchange.views.seq)


async def offers(call: Call) -> api.Offers:
    """Answer the open offers that the account made or may take."""
    views, account = call.exchange.views, call.caller.account
    found = [
        _offer(views, number, offer)
        for number, offer in enumerate(views.delivering.offers, start=1)
        if offer.lots and (offer.seller == account or offer.to_account in (0, account))
    ]
    return api.Offers(offers=found, as_of_seq=views.seq)


def _offer(views: Views, number: int, offer: Offer) -> api.Offer:
    reservation = views.reservation(offer.reservation_id)
    return api.Offer(
        offer_id=str(number),
        seller=str(offer.seller),
        reservation_id=str(offer.reservation_id),
        symbol=reservation.symbol,
        start=time_text(reservation.start_ns),
        quantity=offer.lots,
        price=price_text(offer.price_ticks),
        settlement_price=price_text(reservation.price),
        to_account=str(offer.to_account) if offer.to_account else None,
    )


async def take_offer(call: Call) -> api.OfferTaken:
    """Take lots of an offered reservation over."""
    message = delivering.TakeOffer(
        account=call.caller.account, offer_id=_offer_id(call), lots=call.body.quantity
    )
    result = await call.submit(message)
    made = str((result.data or {})["reservation_id"])
    return api.OfferTaken(reservation_id=made, as_of_seq=call.exchange.views.seq)


async def withdraw_offer(call: Call) -> Done:
    """Take back what of an offer nobody has taken."""
    message = delivering.WithdrawOffer(account=call.caller.account, offer_id=_offer_id(call))
    return await call.done(message)


def _offer_id(call: Call) -> int:
    return parse_id(call.path["offer_id"], "offer_id", ID_MAX)


_OFFER: Final = {"offer_id": "id of the offer"}

ROUTES = (
    Route(
        method="POST",
        path="/v1/reservations/{reservation_id}/offers",
        handler=make_offer,
        answer=api.OfferMade,
        summary="Offer lots of a reservation for resale",
        tag="delivery",
        scope="trade",
        body=api.NewOffer,
        path_help={"reservation_id": "id of the reservation"},
    ),
    Route(
        method="GET",
        path="/v1/offers",
        handler=offers,
        answer=api.Offers,
        summary="Reservations for resale",
        tag="delivery",
        scope="read",
    ),
    Route(
        method="POST",
        path="/v1/offers/{offer_id}/acceptances",
        handler=take_offer,
        answer=api.OfferTaken,
        summary="Take lots of an offered reservation over",
        tag="delivery",
        scope="trade",
        body=api.TakeOffer,
        path_help=_OFFER,
    ),
    Route(
        method="DELETE",
        path="/v1/offers/{offer_id}",
        handler=withdraw_offer,
        answer=Done,
        summary="Withdraw an offer",
        tag="delivery",
        scope="trade",
        path_help=_OFFER,
    ),
)
