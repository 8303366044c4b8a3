"""The market-data feed: typed messages, and verified local copies of what was subscribed."""

from collections.abc import AsyncIterator, Sequence
from typing import Self

import aiohttp
import msgspec

from exchange.api.feed import (
    Channel,
    FeedBook,
    FeedCandle,
    FeedDelta,
    FeedHeartbeat,
    FeedIndicative,
    FeedMessage,
    FeedOrders,
    FeedOrdersDelta,
    FeedPong,
    FeedRequest,
    FeedTop,
    FeedTrade,
    Logon,
    Orders,
    Ping,
    Subscribe,
    Unsubscribe,
)
from exchange.api.requests import Amend, Cancel, NewOrder
from exchange.api.signing import (
    KEY_HEADER,
    NONCE_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    signed_headers,
)
from exchange.client.books import LocalBook, LocalOrders
from exchange.client.errors import FeedClosed
from exchange.client.profiles import Profile

_DECODER: msgspec.json.Decoder[FeedMessage] = msgspec.json.Decoder(FeedMessage)


class Market:
    """What the messages so far amount to, by symbol. It outlives a connection: give it to the next one."""

    def __init__(self) -> None:
        self.seq = 0
        """What was subscribed is known up to here: what to give as `after_seq`."""
        self.books: dict[str, LocalBook] = {}
        self.orders: dict[str, LocalOrders] = {}
        self.tops: dict[str, FeedTop] = {}
        self.indicatives: dict[str, FeedIndicative] = {}
        self.candles: dict[tuple[str, str], FeedCandle] = {}
        """By symbol and interval."""
        self._trade_ids: dict[str, int] = {}
        self._awaited: set[tuple[str, str]] = set()
        """Channel and symbol of books that are to be sent anew."""

    def follow(self, message: FeedMessage) -> bool:
        """Take in a message; False if it says nothing new: a resumed feed may tell the last frame again.

        Raises BookMismatch if a book isn't the exchange's.
        """
        if isinstance(message, FeedHeartbeat | FeedPong | FeedBook | FeedOrders):
            self.seq = max(self.seq, message.seq)
        if isinstance(message, FeedTrade):
            fresh = int(message.trade_id) > self._trade_ids.get(message.symbol, 0)
            if fresh:
                self._trade_ids[message.symbol] = int(message.trade_id)
        elif isinstance(message, FeedBook | FeedDelta):
            fresh = self._follow_book(message)
        elif isinstance(message, FeedOrders | FeedOrdersDelta):
            fresh = self._follow_orders(message)
        elif isinstance(message, FeedTop):
            fresh, self.tops[message.symbol] = True, message
        elif isinstance(message, FeedIndicative):
            fresh, self.indicatives[message.symbol] = True, message
        elif isinstance(message, FeedCandle):
            fresh, self.candles[message.symbol, message.interval] = True, message
        else:
            return True
        self.seq = max(self.seq, message.seq - 1)  # more of the same frame may follow
        return fresh

    def _follow_book(self, message: FeedBook | FeedDelta) -> bool:
        """A contract that is listed while one reads all begins with an empty book and no snapshot."""
        if isinstance(message, FeedBook):
            self._awaited.discard(("l2", message.symbol))
        elif ("l2", message.symbol) in self._awaited:
            return False
        return self.books.setdefault(message.symbol, LocalBook(message.symbol)).apply(message)

    def _follow_orders(self, message: FeedOrders | FeedOrdersDelta) -> bool:
        if isinstance(message, FeedOrders):
            self._awaited.discard(("l3", message.symbol))
        elif ("l3", message.symbol) in self._awaited:
            return False
        return self.orders.setdefault(message.symbol, LocalOrders(message.symbol)).apply(message)

    def renew(self, channels: Sequence[Channel], symbols: Sequence[str]) -> None:
        """Drop books that snapshots will replace; until these are there, changes are passed over."""
        for channel, books in (("l2", self.books), ("l3", self.orders)):
            if channel in channels:
                self._awaited.update((channel, symbol) for symbol in (books if "*" in symbols else symbols))
        self.forget(channels, symbols)

    def forget(self, channels: Sequence[Channel], symbols: Sequence[str]) -> None:
        """Drop the books of channels that end; "*" drops all."""
        held: tuple[tuple[Channel, dict[str, LocalBook] | dict[str, LocalOrders]], ...] = (
            ("l2", self.books),
            ("l3", self.orders),
        )
        for channel, books in held:
            if channel in channels:
                for symbol in list(books) if "*" in symbols else symbols:
                    books.pop(symbol, None)


class Feed:
    """An open feed: iterate over it for messages; `market` holds what the messages so far amount to.

    Made by `ExchangeClient.feed()`. Iteration ends when this side closes; it raises FeedClosed when the
    server does (a reader that falls behind is closed with code 1013), and BookMismatch when a local book
    isn't the exchange's. After either, connect again with `resume=feed.market`.
    """

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        profile: Profile | None = None,
        market: Market | None = None,
    ) -> None:
        self._socket = socket
        self._profile = profile
        self._closing = False
        self.market = market or Market()

    @property
    def books(self) -> dict[str, LocalBook]:
        """The books by price."""
        return self.market.books

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def subscribe(
        self, channels: Sequence[Channel], symbols: Sequence[str] = (), after_seq: int | None = None
    ) -> None:
        """Starts channels for symbols; "*" means all. With `after_seq` they go on from there if they can."""
        await self._send(Subscribe(list(channels), list(symbols), after_seq))

    async def unsubscribe(self, channels: Sequence[Channel], symbols: Sequence[str] = ()) -> None:
        """Ends channels for symbols; their local books are dropped."""
        await self._send(Unsubscribe(list(channels), list(symbols)))
        self.market.forget(channels, symbols)

    async def log_on(self, *, cancel_on_disconnect: bool = False, after_seq: int | None = None) -> None:
        """Opens the account's own channel: orders, fills, positions and money, and order entry.

        Raises ValueError without a profile.
        """
        if self._profile is None:
            raise ValueError("a logon needs a profile")
        signed = signed_headers(self._profile.key_id, self._profile.secret_bytes, "LOGON", "/v1/feed")
        await self._send(
            Logon(
                key=signed[KEY_HEADER],
                timestamp=signed[TIMESTAMP_HEADER],
                nonce=signed[NONCE_HEADER],
                signature=signed[SIGNATURE_HEADER],
                cancel_on_disconnect=cancel_on_disconnect,
                after_seq=after_seq,
            )
        )

    async def enter(self, name: str, items: Sequence[NewOrder | Cancel | Amend]) -> None:
        """Sends up to 500 order commands; the message `results` with this id answers them."""
        await self._send(Orders(name, list(items)))

    async def ping(self) -> None:
        """Asks the server for a `pong` message."""
        await self._send(Ping())

    async def close(self) -> None:
        """Closes the feed from this side."""
        self._closing = True
        await self._socket.close()

    def __aiter__(self) -> AsyncIterator[FeedMessage]:
        return self._messages()

    async def _messages(self) -> AsyncIterator[FeedMessage]:
        while True:
            frame = await self._socket.receive()
            if frame.type is aiohttp.WSMsgType.TEXT:
                message = _DECODER.decode(frame.data)
                if self.market.follow(message):
                    yield message
            elif frame.type is aiohttp.WSMsgType.CLOSE:
                raise FeedClosed(int(frame.data or 1005), str(frame.extra or ""))
            elif frame.type is aiohttp.WSMsgType.ERROR:
                raise FeedClosed(1006, str(frame.data))
            elif self._closing:
                return
            else:
                raise FeedClosed(1006, "the connection broke")

    async def _send(self, request: FeedRequest) -> None:
        await self._socket.send_str(msgspec.json.encode(request).decode())
