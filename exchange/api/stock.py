"""What an account can plan with: cards that it owns by the hour, and what the books offer."""

from typing import Annotated

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.plans import HORIZON_DAYS_MAX
from exchange.api.requests import Day, Request


class StockQuery(Request, frozen=True, kw_only=True):
    """The delivery days: so many from the first on."""

    first_day: Day
    days: Annotated[int, Meta(ge=1, le=HORIZON_DAYS_MAX)] = 1


class OwnCards(Answer, frozen=True, kw_only=True):
    """Cards that the account owns from `start` to `end`, hours in a row of one day: free cards of a
    reservation, or (`reservation_id` null) what its positions will deliver, net of what it sold. `price` is
    per lot-hour.
    """

    reservation_id: str | None
    symbol: str
    hub: str
    grade: str
    cards: int
    cards_per_lot: int
    start: str
    end: str
    price: str


class OfferedLots(Answer, frozen=True, kw_only=True):
    """One level of the asks of a contract that delivers on these days, and perhaps beyond: from `start` to
    `end`, in the hours that its month's mask has (12, January's first, bit h being h:00 to h + 1:00; [] is
    every hour).
    """

    symbol: str
    hub: str
    grade: str
    cards_per_lot: int
    start: str
    end: str
    lots: int
    price: str
    masks: list[int]


class Stock(Answer, frozen=True, kw_only=True):
    """What a plan of these days may use, each book's best level first."""

    own: list[OwnCards]
    offered: list[OfferedLots]
    as_of_seq: int
