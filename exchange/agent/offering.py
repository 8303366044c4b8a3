"""What a site puts up for sale: capacity is posted as its file says, and benchmarked whoever posted it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from exchange.agent.clock import HOUR_NS, NS_PER_S
from exchange.agent.config import AgentConfig, Cards, Offer
from exchange.agent.measure import gflops, memory_gb, serving_cards
from exchange.api import requests
from exchange.api.attest import AgentKey
from exchange.api.formats import SHANGHAI
from exchange.api.primary import CapacityPost, Site
from exchange.client import ExchangeClient, ExchangeError

PASSING = frozenset({401, 429, 503})
"""Statuses of refusals that say nothing of what was sent: the same may be taken later."""
POST_FIELDS = ("grade", "cards", "first_day", "last_day")


def out_of_touch(error: ExchangeError) -> bool:
    """Whether an error says nothing of what was sent."""
    return error.outcome_unknown or not error.sent or error.status in PASSING


class Offering:
    """The offers of one site. What is refused, or waits for the operator, is tried again in another hour of
    the market, or when something else is offered.
    """

    def __init__(self, client: ExchangeClient, key: AgentKey, say: Callable[[str], None]) -> None:
        self._client = client
        self._key = key
        self._say = say
        self._tried: list[tuple[int, Offer | str]] = []
        """Hour of the market, and an offer or the id of posted capacity."""

    async def put_up(self, config: AgentConfig, site: Site, now_ns: int) -> bool:
        """Post what isn't posted, and attest what of the site isn't certified; no other message of the agent
        may be under way. Returns whether the site's numbers moved on.
        """
        hour, now = now_ns // HOUR_NS, datetime.fromtimestamp(now_ns // NS_PER_S, SHANGHAI)
        self._tried = [(at, what) for at, what in self._tried if at == hour]
        posted = [one for one in await self._client.capacity() if one.site_id == site.site_id]
        for offer in config.offers:
            if not any(_is(one, offer) for one in posted) and (hour, offer) not in self._tried:
                posted += await self._post(offer, config.hub, site, hour)
        known = {one.capacity_id for one in (await self._client.primary.certificates()).certificates}
        for one in posted:
            cards = next((own for own in config.inventory if own.grade == one.grade), None)
            waits = one.capacity_id not in known and (hour, one.capacity_id) not in self._tried
            over = one.last_day < now.date().isoformat()
            if cards is not None and waits and not over:
                taken = await self._attest(one, cards, site, now)
                self._tried.append((hour, one.capacity_id))
                if taken:
                    return True  # the next one has another number
        return False

    async def _post(self, offer: Offer, hub: str, site: Site, hour: int) -> list[CapacityPost]:
        post = requests.PostCapacity(
            grade=offer.grade,
            hub=hub,
            cards=offer.cards,
            first_day=offer.first_day,
            last_day=offer.last_day,
            reserve_price=offer.price,
            site_id=site.site_id,
            availability_basis_points=offer.availability_basis_points,
            maintenance=offer.maintenance,
        )
        try:
            posted = await self._client.post_capacity(post)
        except ExchangeError as error:
            self._refused(error, f"{offer.cards} {offer.grade} from {offer.first_day} aren't put up")
            self._tried.append((hour, offer))
            return []
        self._say(f"posted {posted.cards} {posted.grade} as capacity {posted.capacity_id}")
        return [posted]

    async def _attest(self, posted: CapacityPost, cards: Cards, site: Site, now: datetime) -> bool:
        """Run the benchmark, sign it and send it; return whether it was taken."""
        try:
            certificate = await self._client.primary.attest(
                site,
                self._key,
                posted.capacity_id,
                now,
                serving_cards(cards),
                await asyncio.to_thread(gflops, cards),
                memory_gb(cards),
            )
        except ExchangeError as error:
            self._refused(error, f"capacity {posted.capacity_id} isn't attested")
            taken = False
        else:
            told = certificate or "awaits the operator"
            self._say(f"attested capacity {posted.capacity_id}; certificate {told}")
            taken = True
        return taken

    def _refused(self, error: ExchangeError, what: str) -> None:
        if out_of_touch(error):
            raise error
        self._say(f"{what}: {error}")


def _is(posted: CapacityPost, offer: Offer) -> bool:
    return all(getattr(posted, name) == getattr(offer, name) for name in POST_FIELDS)
