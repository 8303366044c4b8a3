"""Orders, what became of them, and their fills."""

from typing import Literal

from exchange.api.answers import Answer, Problem
from exchange.api.requests import OrderType, PostOnly, SelfTradePrevention, TimeInForce

Liquidity = Literal["maker", "taker", "auction"]


class Fill(Answer, frozen=True, kw_only=True):
    """One execution of the account's own order, with the fee that it paid."""

    fill_id: str
    order_id: str
    symbol: str
    side: Literal["buy", "sell"]
    price: str
    quantity: int
    liquidity: Liquidity
    fee_fen: int
    time: str


class Fills(Answer, frozen=True, kw_only=True):
    """The account's latest fills, newest first."""

    fills: list[Fill]
    as_of_seq: int


class Order(Answer, frozen=True, kw_only=True):
    """An open order of the account: in a book, a stop that waits, or parked for the closing auction.

    `trigger_price` of a trailing stop is where it stands now.
    """

    order_id: str
    client_order_id: str | None
    symbol: str
    side: Literal["buy", "sell"]
    type: OrderType
    price: str | None
    trigger_price: str | None
    trailing_offset: str | None
    quantity: int
    open_quantity: int
    shown_quantity: int
    display_quantity: int | None
    time_in_force: TimeInForce
    expiry_day: str | None
    post_only: PostOnly | None
    reduce_only: bool
    self_trade_prevention: SelfTradePrevention
    group: int


class Orders(Answer, frozen=True, kw_only=True):
    """The account's open orders."""

    orders: list[Order]
    as_of_seq: int
    next_cursor: str | None = None


class Execution(Answer, frozen=True, kw_only=True, gc=False):
    """One trade of an order command, with the fee that the order's account paid."""

    price: str
    quantity: int
    liquidity: Liquidity
    fee_fen: int


class OrderResult(Answer, frozen=True, kw_only=True, gc=False):
    """What became of a new order, a cancel or an amend, once it was durable.

    `status`: "resting" (in the book, perhaps partly filled), "filled", "cancelled" (with `reason`, e.g. what
    an IOC could not fill). `fills` are those that this very command caused. `price` is that at which the
    order was accepted or amended, which post-only may have slid; null for a type without one.
    """

    order_id: str
    client_order_id: str | None
    status: Literal["resting", "filled", "cancelled"]
    open_quantity: int
    filled_quantity: int
    fills: list[Execution]
    reason: str | None = None
    price: str | None = None


class OrderAnswer(Answer, frozen=True, kw_only=True):
    """The result of one order command."""

    order: OrderResult
    as_of_seq: int


class MassCancelAnswer(Answer, frozen=True, kw_only=True):
    """How many orders a mass cancel ended."""

    cancelled: int
    as_of_seq: int


class BatchResult(Answer, frozen=True, kw_only=True, gc=False):
    """The result of one item: exactly one of `order` and `error`."""

    order: OrderResult | None = None
    error: Problem | None = None


class BatchAnswer(Answer, frozen=True, kw_only=True):
    """Results in the order of the items."""

    results: list[BatchResult]
    as_of_seq: int
