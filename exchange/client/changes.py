"""What commands did to the account's orders, put together from its news."""

from __future__ import annotations

from typing import NamedTuple

from exchange.api.feed import FeedAccount, FillNews, OrderNews


class OrderChange(NamedTuple):
    """What one command, of whomever, did to one order of the account. Quantities in lots."""

    seq: int
    order_id: str
    news: list[OrderNews]
    fills: list[FillNews]

    @property
    def open_quantity(self) -> int:
        """What is open after it. Trades and cancels of parts (self-trade prevention, reduce-only) come in any
        order among each other, and each leaves less; only what comes first, an amendment, can open more.
        """
        every: list[OrderNews | FillNews] = [*self.news, *self.fills]
        return min(one.open_quantity for one in every)

    @property
    def traded(self) -> int:
        """How much of it traded."""
        return sum(fill.quantity for fill in self.fills)

    def told(self, event: str) -> OrderNews | None:
        """The latest news of an event ("cancelled"), if it is among them."""
        return next((one for one in reversed(self.news) if one.event == event), None)


def changes(message: FeedAccount) -> list[OrderChange]:
    """The changes that a message tells, in the order of the commands."""
    found: dict[tuple[int, str], OrderChange] = {}
    every: list[OrderNews | FillNews] = [*message.orders, *message.fills]
    for one in every:
        key = one.seq, one.order_id
        change = found.setdefault(key, OrderChange(*key, [], []))
        if isinstance(one, FillNews):
            change.fills.append(one)
        else:
            change.news.append(one)
    return sorted(found.values(), key=lambda change: change.seq)
