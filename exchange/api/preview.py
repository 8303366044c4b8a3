"""What orders would do if they were entered now."""

from typing import Literal

from exchange.api.answers import Answer, Problem
from exchange.api.money import MarginFigures
from exchange.api.trading import Execution


class Preview(Answer, frozen=True, kw_only=True):
    """What an order command would do now; `status`, `fills`, `reason` and `price` as in its result.

    `average_price` is that of the fills, halves up to 0.0001 CNY; `value_fen` and `fee_fen` are their sums.
    What stays open is valued at the order's own price, with the fee if it rests until someone takes it
    (maker) and if it takes, as a stop does once it is triggered; null for an order without a price.
    """

    status: Literal["resting", "filled", "cancelled"]
    open_quantity: int
    filled_quantity: int
    fills: list[Execution]
    reason: str | None
    price: str | None
    average_price: str | None
    value_fen: int
    fee_fen: int
    open_value_fen: int | None
    open_maker_fee_fen: int | None
    open_taker_fee_fen: int | None


class PreviewResult(Answer, frozen=True, kw_only=True):
    """The preview of one item: exactly one of `order` and `error`."""

    order: Preview | None = None
    error: Problem | None = None


class PreviewAnswer(Answer, frozen=True, kw_only=True):
    """What the items would do now, one after the other, and the account before and after all of them."""

    results: list[PreviewResult]
    before: MarginFigures
    after: MarginFigures
    as_of_seq: int
