"""Messages of the WebSocket feed `/v1/feed`: one JSON object a text frame, told apart by `type`.

A reader subscribes to channels of contracts. Books come as a snapshot and deltas with a checksum
(`exchange.api.checksum`); everything else says how things are now. Messages of one connection come in order
of `seq`; a delta whose seq isn't above the book's is in it already.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from exchange.api.requests import BATCH_ITEMS_MAX, INT64_MAX, Amend, Cancel, NewOrder, Symbol
from exchange.api.trading import BatchResult

SYMBOLS_MAX = 2_000

Channel = Literal[
    "trades",
    "l1",
    "l2",
    "l3",
    "indicative",
    "candles_1m",
    "candles_5m",
    "candles_1h",
    "candles_1d",
    "status",
]
Channels = Annotated[list[Channel], Meta(min_length=1, max_length=10)]


class Subscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="subscribe"):
    """Starts channels for the named symbols; `"*"` is all, present and future. `status` needs no symbols.

    With `after_seq` it goes on after that seq, as far as that is held; `subscribed` says whether it is.
    """

    channels: Channels
    symbols: Annotated[list[Symbol], Meta(max_length=SYMBOLS_MAX)] = []
    after_seq: Annotated[int, Meta(ge=0, le=INT64_MAX)] | None = None


class Unsubscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="unsubscribe"):
    """Ends channels for the named symbols; `"*"` ends them for all."""

    channels: Channels
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


class LogonSession(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="logon_session"
):
    """Opens the account's own channel for a page of the exchange, which came with its session's cookie and
    names the session's `csrf_token`. It shows, and takes no orders: a page sends those over HTTP.
    """

    csrf_token: Annotated[str, Meta(max_length=64)]
    after_seq: Annotated[int, Meta(ge=0, le=INT64_MAX)] | None = None


class Orders(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="orders"):
    """Order commands, applied in this order; the answer, of type `results`, carries the same `id`."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    items: Annotated[list[NewOrder | Cancel | Amend], Meta(min_length=1, max_length=BATCH_ITEMS_MAX)]


FeedRequest = Subscribe | Unsubscribe | Ping | Logon | LogonSession | Orders
"""What a reader may send."""

LevelRow = tuple[str, int, int]
"""Price, quantity in lots, number of orders."""

OrderRow = tuple[str, str, int]
"""Order id, price, quantity shown in lots."""


class FeedSubscribed(msgspec.Struct, frozen=True, tag_field="type", tag="subscribed"):
    """The channels are open as of `seq`. `resumed`: what came after `after_seq` follows. Otherwise what they
    show follows as it is now; trades of before are in `/v1/history/trades`.
    """

    seq: int
    channels: list[Channel]
    symbols: list[str]
    resumed: bool


class FeedTop(msgspec.Struct, frozen=True, tag_field="type", tag="l1"):
    """Best bid and best ask (price, quantity in lots) and the last price, as they are now; null: none."""

    seq: int
    symbol: str
    bid: tuple[str, int] | None
    ask: tuple[str, int] | None
    last: str | None


class FeedBook(msgspec.Struct, frozen=True, tag_field="type", tag="l2"):
    """The whole book by price as of `seq`, best price first."""

    seq: int
    symbol: str
    bids: list[LevelRow]
    asks: list[LevelRow]
    checksum: int


class FeedDelta(msgspec.Struct, frozen=True, tag_field="type", tag="l2_delta"):
    """Levels that changed, each with its new quantity and number of orders; quantity 0 removes the level.
    `checksum` is that of the book afterwards.
    """

    seq: int
    symbol: str
    bids: list[LevelRow]
    asks: list[LevelRow]
    checksum: int


class FeedOrders(msgspec.Struct, frozen=True, tag_field="type", tag="l3"):
    """The whole book by order as of `seq`, the next order to trade first."""

    seq: int
    symbol: str
    bids: list[OrderRow]
    asks: list[OrderRow]
    checksum: int


class FeedOrdersDelta(msgspec.Struct, frozen=True, tag_field="type", tag="l3_delta"):
    """Orders that changed, to be taken in turn: quantity 0 removes an order; one that is in the book keeps
    its place with the new quantity; any other goes to the end of its price's queue. `checksum` is that of the
    book afterwards.
    """

    seq: int
    symbol: str
    bids: list[OrderRow]
    asks: list[OrderRow]
    checksum: int


class FeedTrade(msgspec.Struct, frozen=True, tag_field="type", tag="trade"):
    """One trade; `aggressor` is the side that took, or "auction"."""

    seq: int
    trade_id: str
    symbol: str
    price: str
    quantity: int
    aggressor: Literal["buy", "sell", "auction"]
    time: str


class FeedIndicative(msgspec.Struct, frozen=True, tag_field="type", tag="indicative"):
    """What the call auction would do now: price (null if nothing would trade), lots, and how many lots more
    would buy than sell at that price. `in_call` is false once the call has ended.
    """

    seq: int
    symbol: str
    in_call: bool
    price: str | None
    quantity: int
    surplus: int


class FeedCandle(msgspec.Struct, frozen=True, tag_field="type", tag="candle"):
    """The latest candle as it is now; a later `start` ends the one before. As in `/v1/history/candles`."""

    seq: int
    symbol: str
    interval: Literal["1m", "5m", "1h", "1d"]
    start: str
    open: str
    high: str
    low: str
    close: str
    volume_lots: int
    value_fen: int
    trades: int


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


class OrderNews(msgspec.Struct, frozen=True, gc=False):
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


class FillNews(msgspec.Struct, frozen=True, gc=False):
    """One of the account's orders traded, with the fee that the account paid."""

    seq: int
    order_id: str
    symbol: str
    side: Literal["buy", "sell"]
    price: str
    quantity: int
    open_quantity: int
    liquidity: Literal["maker", "taker", "auction"]
    fee_fen: int


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
    FeedSubscribed
    | FeedTop
    | FeedBook
    | FeedDelta
    | FeedOrders
    | FeedOrdersDelta
    | FeedTrade
    | FeedIndicative
    | FeedCandle
    | FeedStatus
    | FeedHeartbeat
    | FeedPong
    | FeedError
    | FeedWelcome
    | FeedResults
    | FeedAccount
)
"""What a reader gets."""
