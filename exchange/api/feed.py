"""Messages of the WebSocket feed `/v1/feed`: one JSON object a text frame, told apart by `type`.

A reader subscribes; for each book it gets one `book` (the whole L2 book) and then `delta`s. A delta says what
a level is now, not by how much it changed: quantity 0 removes it. Messages of one connection come in order of
`seq`; a `delta` whose seq is not above the book's is already in it.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from exchange.api.answers import BatchResult
from exchange.api.requests import BATCH_ITEMS_MAX, INT64_MAX, Amend, Cancel, NewOrder, Symbol

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


class Logon(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="logon"):
    """Opens the account's own channel, signed as a request `LOGON /v1/feed` without query and body.

    With `after_seq` what concerns the account after that seq is sent again, as far as it is held.
    """

    key: Annotated[str, Meta(min_length=1, max_length=64)]
    timestamp: Annotated[str, Meta(max_length=13)]
    nonce: Annotated[str, Meta(max_length=64)]
    signature: Annotated[str, Meta(max_length=64)]
    cancel_on_disconnect: bool = False
    after_seq: Annotated[int, Meta(ge=0, le=INT64_MAX)] | None = None


class Orders(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="orders"):
    """Order commands, applied in this order; the answer, of type `results`, carries the same `id`."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    items: Annotated[list[NewOrder | Cancel | Amend], Meta(min_length=1, max_length=BATCH_ITEMS_MAX)]


FeedRequest = Subscribe | Unsubscribe | Ping | Logon | Orders
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
    """A message was refused and changed nothing; `id` is that of refused `orders`."""

    code: str
    message: str
    id: str | None = None


class FeedWelcome(msgspec.Struct, frozen=True, tag_field="type", tag="welcome"):
    """The logon was accepted; what concerns the account after `seq` follows. `resync` says that what was
    asked for again isn't held any more: look the account up.
    """

    seq: int
    account: str
    resync: bool


class FeedResults(msgspec.Struct, frozen=True, tag_field="type", tag="results"):
    """What became of the items of `orders`, in order, once they were durable."""

    id: str
    seq: int
    results: list[BatchResult]


class OrderNews(msgspec.Struct, frozen=True):
    """One of the account's orders changed, whoever or whatever changed it."""

    seq: int
    order_id: str
    client_order_id: str | None
    symbol: str
    side: Literal["buy", "sell"]
    event: Literal["accepted", "amended", "triggered", "cancelled"]
    price: str
    open_quantity: int
    reason: str | None


class FillNews(msgspec.Struct, frozen=True):
    """One of the account's orders traded."""

    seq: int
    order_id: str
    symbol: str
    side: Literal["buy", "sell"]
    price: str
    quantity: int
    open_quantity: int
    liquidity: Literal["maker", "taker"]


class FeedAccount(msgspec.Struct, frozen=True, tag_field="type", tag="account"):
    """What concerns the account in what was journaled together: orders and fills in order, and as of `seq`
    the positions that changed and the money.
    """

    seq: int
    orders: list[OrderNews]
    fills: list[FillNews]
    cash_fen: int
    margin_fen: int
    available_fen: int
    positions: dict[str, int]


FeedMessage = (
    FeedBook
    | FeedDelta
    | FeedTrade
    | FeedStatus
    | FeedHeartbeat
    | FeedPong
    | FeedError
    | FeedWelcome
    | FeedResults
    | FeedAccount
)
"""What a reader gets."""
