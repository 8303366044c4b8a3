"""The market-data feed: typed messages, and a local copy of every subscribed book kept in step."""

from collections.abc import AsyncIterator, Sequence
from typing import Self

import aiohttp
import msgspec
from sortedcontainers import SortedDict

from exchange.api.feed import (
    Channel,
    FeedBook,
    FeedDelta,
    FeedMessage,
    FeedRequest,
    LevelRow,
    Logon,
    Orders,
    Ping,
    Subscribe,
    Unsubscribe,
)
from exchange.api.formats import parse_price_ticks, price_text
from exchange.api.requests import Amend, Cancel, NewOrder
from exchange.api.signing import (
    KEY_HEADER,
    NONCE_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    signed_headers,
)
from exchange.client.errors import FeedClosed
from exchange.client.profiles import Profile

_DECODER: msgspec.json.Decoder[FeedMessage] = msgspec.json.Decoder(FeedMessage)


class LocalBook:
    """One symbol's book, price (ticks) → (quantity in lots, number of orders), by snapshot and deltas."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.seq = -1
        self.bids: SortedDict[int, tuple[int, int]] = SortedDict()
        self.asks: SortedDict[int, tuple[int, int]] = SortedDict()

    def apply(self, message: FeedBook | FeedDelta) -> None:
        """Takes over a whole book, or a delta's levels; a delta already contained is passed over."""
        if isinstance(message, FeedBook):
            self.bids.clear()
            self.asks.clear()
        elif message.seq <= self.seq:
            return
        _write(self.bids, message.bids)
        _write(self.asks, message.asks)
        self.seq = message.seq

    def best_bid(self) -> tuple[int, int] | None:
        """Highest bid as (price in ticks, quantity in lots), or None."""
        return _top(self.bids, -1)

    def best_ask(self) -> tuple[int, int] | None:
        """Lowest ask as (price in ticks, quantity in lots), or None."""
        return _top(self.asks, 0)

    def levels(self) -> tuple[list[LevelRow], list[LevelRow]]:
        """Bids and asks, best first, in the feed's own form."""
        bids = [(price_text(price), *row) for price, row in reversed(self.bids.items())]
        asks = [(price_text(price), *row) for price, row in self.asks.items()]
        return bids, asks


def _write(side: "SortedDict[int, tuple[int, int]]", rows: Sequence[LevelRow]) -> None:
    for price, quantity, orders in rows:
        price_ticks = parse_price_ticks(price)
        if quantity:
            side[price_ticks] = (quantity, orders)
        else:
            side.pop(price_ticks, None)


def _top(side: "SortedDict[int, tuple[int, int]]", index: int) -> tuple[int, int] | None:
    if not side:
        return None
    price_ticks, (quantity, _) = side.peekitem(index)
    return int(price_ticks), int(quantity)


class Feed:
    """An open feed: iterate over it for messages; `books` holds what the messages so far amount to.

    Made by `ExchangeClient.feed()`. Iteration ends when this side closes; it raises FeedClosed when the
    server does (a reader that falls behind is closed with code 1013 and should connect again).
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, profile: Profile | None = None) -> None:
        self._socket = socket
        self._profile = profile
        self._closing = False
        self.books: dict[str, LocalBook] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def subscribe(self, channels: Sequence[Channel], symbols: Sequence[str] = ()) -> None:
        """Starts channels for symbols; "*" means all."""
        await self._send(Subscribe(list(channels), list(symbols)))

    async def unsubscribe(self, channels: Sequence[Channel], symbols: Sequence[str] = ()) -> None:
        """Ends channels for symbols; their local books are dropped."""
        await self._send(Unsubscribe(list(channels), list(symbols)))
        if "book" in channels:
            for symbol in list(self.books) if "*" in symbols else symbols:
                self.books.pop(symbol, None)

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
                self._follow(message)
                yield message
            elif frame.type is aiohttp.WSMsgType.CLOSE:
                raise FeedClosed(int(frame.data or 1005), str(frame.extra or ""))
            elif frame.type is aiohttp.WSMsgType.ERROR:
                raise FeedClosed(1006, str(frame.data))
            elif self._closing:
                return
            else:
                raise FeedClosed(1006, "the connection broke")

    def _follow(self, message: FeedMessage) -> None:
        if isinstance(message, FeedBook):
            self.books.setdefault(message.symbol, LocalBook(message.symbol)).apply(message)
        elif isinstance(message, FeedDelta) and message.symbol in self.books:
            self.books[message.symbol].apply(message)

    async def _send(self, request: FeedRequest) -> None:
        await self._socket.send_str(msgspec.json.encode(request).decode())
