"""Delivery over HTTP beside readings: nominations, disputes, the operator's overview (chapter 7)."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from exchange.api import delivering as api
from exchange.api import resale, uses
from exchange.api.answers import Done


class DeliveryClient:
    """A buyer's nominations and resale, both sides' disputes, and the operator's decisions."""

    def __init__(self, get: Callable[..., Awaitable[Any]], send: Callable[..., Awaitable[Any]]) -> None:
        self._get, self._send = get, send

    async def nominate(self, reservation_id: str, body: api.Nominate) -> str:
        """Says what will run on reserved cards; gives the nomination's id."""
        path = f"/v1/reservations/{_segment(reservation_id)}/nominations"
        answer: api.NominationMade = await self._send("POST", path, api.NominationMade, body)
        return answer.nomination_id

    async def nominations(self) -> list[api.Nomination]:
        """The account's nominations that stand."""
        answer: api.Nominations = await self._get("/v1/nominations", api.Nominations, signed=True)
        return answer.nominations

    async def withdraw_nomination(self, nomination_id: str) -> Done:
        """Takes a nomination back."""
        path = f"/v1/nominations/{_segment(nomination_id)}"
        answer: Done = await self._send("DELETE", path, Done)
        return answer

    async def dispute(self, reservation_id: str, card_hours: int, reason: str) -> str:
        """Contests a finished reservation; gives the dispute's id."""
        body = api.OpenDispute(reservation_id=reservation_id, card_hours=card_hours, reason=reason)
        answer: api.DisputeMade = await self._send("POST", "/v1/disputes", api.DisputeMade, body)
        return answer.dispute_id

    async def disputes(self) -> list[api.Dispute]:
        """Disputes about the account's reservations."""
        answer: api.Disputes = await self._get("/v1/disputes", api.Disputes, signed=True)
        return answer.disputes

    async def buy_ins(self) -> list[api.BuyIn]:
        """Shortfalls of the account's deliveries, on either side, and what was bought in for them."""
        answer: api.BuyIns = await self._get("/v1/buy-ins", api.BuyIns, signed=True)
        return answer.buy_ins

    async def offer(
        self, reservation_id: str, quantity: int, price: str, to_member: str | None = None
    ) -> str:
        """Offers lots of a reservation for resale, to one member or to any; gives the offer's id."""
        path = f"/v1/reservations/{_segment(reservation_id)}/offers"
        body = resale.NewOffer(quantity=quantity, price=price, to_member=to_member)
        answer: resale.OfferMade = await self._send("POST", path, resale.OfferMade, body)
        return answer.offer_id

    async def offers(self) -> list[resale.Offer]:
        """Open offers of reservations that the account made or may take."""
        answer: resale.Offers = await self._get("/v1/offers", resale.Offers, signed=True)
        return answer.offers

    async def take_offer(self, offer_id: str, quantity: int) -> str:
        """Takes lots of an offered reservation over; gives the new reservation's id."""
        path = f"/v1/offers/{_segment(offer_id)}/acceptances"
        body = resale.TakeOffer(quantity=quantity)
        answer: resale.OfferTaken = await self._send("POST", path, resale.OfferTaken, body)
        return answer.reservation_id

    async def withdraw_offer(self, offer_id: str) -> Done:
        """Takes an offer back."""
        path = f"/v1/offers/{_segment(offer_id)}"
        answer: Done = await self._send("DELETE", path, Done)
        return answer

    async def refused_uses(self) -> list[uses.RefusedUse]:
        """What workloads may not be declared for, by hub."""
        answer: uses.RefusedUses = await self._get("/v1/refused-uses", uses.RefusedUses)
        return answer.refused

    # the operator's side

    async def set_refused_uses(self, refused: list[uses.RefusedUse]) -> Done:
        """Sets what hubs refuse, instead of all that was refused before."""
        body = uses.SetRefusedUses(refused=refused)
        answer: Done = await self._send("POST", "/v1/operator/refused-uses", Done, body)
        return answer

    async def all_disputes(self) -> list[api.Dispute]:
        """All disputes."""
        answer: api.Disputes = await self._get("/v1/operator/disputes", api.Disputes, signed=True)
        return answer.disputes

    async def decide(self, dispute_id: str, card_hours: int, reason: str) -> Done:
        """Decides a dispute."""
        body = api.DecideDispute(card_hours=card_hours, reason=reason)
        path = f"/v1/operator/disputes/{_segment(dispute_id)}"
        answer: Done = await self._send("POST", path, Done, body)
        return answer

    async def overview(self) -> api.Deliveries:
        """The insurance fund, claims and reliability."""
        answer: api.Deliveries = await self._get("/v1/operator/deliveries", api.Deliveries, signed=True)
        return answer


def _segment(text: str) -> str:
    return quote(text, safe="")
