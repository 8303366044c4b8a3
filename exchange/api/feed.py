"""Messages of the WebSocket feed `/v1/feed`: one JSON object a text frame, told apart by `type`.

A reader subscribes; for each book it gets one `book` (the whole L2 book) and then `delta`s. A delta says what
a level is now, not by how much it changed: quantity 0 removes it. Messages of one connection come in order of
`seq`; a `delta` whose seq is not above the book's is already in it.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from exchange.api.requests import Symbol

SYMBOLS_MAX = 2_000

Channel = Literal["book", "trades", "status"]


class Subscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="subscribe"):
    """Starts channels for the named symbols; `"*"` is all, present and future. `status` needs no symbols."""

    channels: Annotated[list[Channel], Meta(min_length=1, max_length=3)]
    symbols: Annotated[list[Symbol], Meta(max_length=SYMBOLS_MAX)] = []


class Unsubscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="unsubscribe"):
    """Ends channels for the named symbols."""

    channels: Annotated[list[Channel], Meta(min_length=1, max_length=3)]
    symbols: Annotated[list[Symbol], Meta(max_length=SYMBOLS_MAX)] = []


class Ping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="ping"):
    """Asks for a `pong`."""


FeedRequest = Subscribe | Unsubscribe | Ping
"""What a reader may send."""

LevelRow = tuple[str, int, int]
"""Price, quantity in lots, number of orders."""


class FeedBook(msgspec.Struct, frozen=True, tag_field="type", tag="book"):
    """The whole book of a symbol as of `seq`, best price first."""

    seq: int
    symbol: str
    bids: list[LevelRow]
    asks: list[LevelRow]


class FeedDelta(msgspec.Struct, frozen=True, tag_field="type", tag="delta"):
    """Levels that changed, each with its new quantity and number of orders; quantity 0 removes the level."""

    seq: int
    symbol: str
    bids: list[LevelRow]
    asks: list[LevelRow]


class FeedTrade(msgspec.Struct, frozen=True, tag_field="type", tag="trade"):
    """One trade; `aggressor` is the side that took, or "auction"."""

    seq: int
    symbol: str
    price: str
    quantity: int
    aggressor: Literal["buy", "sell", "auction"]
    time: str


class FeedStatus(msgspec.Struct, frozen=True, tag_field="type", tag="status"):
    """The market's phase changed, or the channel was just subscribed."""

    seq: int
    market_time: str
    trading_day: str
    phase: str


class FeedHeartbeat(msgspec.Struct, frozen=True, tag_field="type", tag="heartbeat"):
    """Sent every few seconds, whatever the market does."""

    seq: int
    market_time: str


class FeedPong(msgspec.Struct, frozen=True, tag_field="type", tag="pong"):
    """The answer to `ping`."""

    seq: int


class FeedError(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """The last message was refused; the subscriptions are as before."""

    code: str
    message: str


FeedMessage = FeedBook | FeedDelta | FeedTrade | FeedStatus | FeedHeartbeat | FeedPong | FeedError
"""What a reader gets."""
