"""`ExchangeClient`: the HTTP API as typed coroutines, signed where the endpoint asks for it."""

from collections.abc import Sequence

import aiohttp

from exchange.api.feed import Channel
from exchange.client.account import AccountCalls
from exchange.client.broker import BrokerCalls
from exchange.client.delivering import DeliveryClient
from exchange.client.feed import Feed, Market
from exchange.client.history import HistoryClient
from exchange.client.market import MarketCalls
from exchange.client.operating import OperatorCalls
from exchange.client.orders import OrderCalls
from exchange.client.planning import PlanCalls
from exchange.client.primary import PrimaryClient
from exchange.client.profiles import Profile
from exchange.client.providing import ProviderCalls
from exchange.client.transport import connection_failed, refused_error
from exchange.client.vouchers import VoucherClient

FEED_MESSAGE_BYTES_MAX = 16 * 1024 * 1024


class ExchangeClient(
    MarketCalls, OrderCalls, AccountCalls, PlanCalls, ProviderCalls, BrokerCalls, OperatorCalls
):
    """One member's (or, without a profile, the public's) view of an exchange.

    Use as `async with ExchangeClient(url, profile) as client:`. Every call raises ExchangeError when refused;
    what is tried again, and what never is, says `Transport`.

    A broker names one of its clients as `client`: orders, positions, balances and history are then those of
    that client's sub-account.
    """

    def __init__(
        self,
        base_url: str,
        profile: Profile | None = None,
        *,
        client: str | None = None,
        timeout_s: float = 30.0,
        retries: int = 5,
    ) -> None:
        super().__init__(base_url, profile, client=client, timeout_s=timeout_s, retries=retries)
        self.delivery = DeliveryClient(self.get, self.send)
        """Nominations, disputes, insurance."""
        self.primary = PrimaryClient(self.get, self.send)
        """Sites, attestations and certificates."""
        self.vouchers = VoucherClient(self.get, self.send)
        """Compute vouchers."""
        self.history = HistoryClient(self.get)
        """Orders, fills, trades, ledger and candles of any age."""

    async def feed(
        self, channels: Sequence[Channel] = (), symbols: Sequence[str] = (), *, resume: Market | None = None
    ) -> Feed:
        """Opens the feed and subscribes, if channels are named; with the `market` of an earlier feed of the
        same channels and symbols it goes on from there. `Stream` does that by itself.
        """
        url = "ws" + self.base_url.removeprefix("http") + "/v1/feed"
        try:
            socket = await self.session().ws_connect(url, max_msg_size=FEED_MESSAGE_BYTES_MAX)
        except aiohttp.WSServerHandshakeError as error:
            raise refused_error(error.status, error.message.encode()) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise connection_failed("GET", "/v1/feed", error) from error
        feed = Feed(socket, self.profile, resume)
        if channels:
            await feed.subscribe(channels, symbols, None if resume is None else resume.seq)
        return feed
