"""Local copies of a book, by price and by order, each verified by the exchange's checksum."""

from collections.abc import Iterator, Sequence
from itertools import islice, takewhile

from sortedcontainers import SortedDict

from exchange.api.checksum import CHECKED_ROWS, l2_checksum, l3_checksum
from exchange.api.feed import FeedBook, FeedDelta, FeedOrders, FeedOrdersDelta, LevelRow, OrderRow
from exchange.api.formats import parse_price_ticks, price_text
from exchange.client.errors import BookMismatch


class LocalBook:
    """One symbol's book, price (ticks) → (quantity in lots, number of orders), by snapshot and deltas."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.seq = -1
        self.bids: SortedDict[int, tuple[int, int]] = SortedDict()
        self.asks: SortedDict[int, tuple[int, int]] = SortedDict()

    def apply(self, message: FeedBook | FeedDelta) -> bool:
        """Takes over a whole book, or a delta's levels; a delta already contained is passed over (False).

        Raises BookMismatch if the result has another checksum than the exchange's book.
        """
        if isinstance(message, FeedBook):
            self.bids.clear()
            self.asks.clear()
        elif message.seq <= self.seq:
            return False
        _write(self.bids, message.bids)
        _write(self.asks, message.asks)
        self.seq = message.seq
        if message.checksum != self.checksum():
            raise BookMismatch(self.symbol, self.seq)
        return True

    def checksum(self) -> int:
        """The checksum of the book as it is here."""
        bids = ((price, *row) for price, row in _first(self.bids, highest=True))
        asks = ((price, *row) for price, row in _first(self.asks, highest=False))
        return l2_checksum(bids, asks)

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


class LocalOrders:
    """One symbol's book order by order, by snapshot and deltas."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.seq = -1
        self.bids = OrderSide()
        self.asks = OrderSide()

    def apply(self, message: FeedOrders | FeedOrdersDelta) -> bool:
        """As `LocalBook.apply`."""
        if isinstance(message, FeedOrders):
            self.bids, self.asks = OrderSide(), OrderSide()
        elif message.seq <= self.seq:
            return False
        self.bids.write(message.bids)
        self.asks.write(message.asks)
        self.seq = message.seq
        if message.checksum != self.checksum():
            raise BookMismatch(self.symbol, self.seq)
        return True

    def checksum(self) -> int:
        """The checksum of the book as it is here."""
        return l3_checksum(self.bids.rows(highest=True), self.asks.rows(highest=False))

    def orders(self) -> tuple[list[OrderRow], list[OrderRow]]:
        """Bids and asks, the next to trade first, in the feed's own form."""
        bids = [(str(order), price_text(price), lots) for order, price, lots in self.bids.rows(highest=True)]
        asks = [(str(order), price_text(price), lots) for order, price, lots in self.asks.rows(highest=False)]
        return bids, asks

    def levels(self) -> tuple[list[LevelRow], list[LevelRow]]:
        """Bids and asks by price, best first, in the feed's own form."""
        return self.bids.levels(highest=True), self.asks.levels(highest=False)


class OrderSide:
    """The orders of one side: price (ticks) → order id → lots, in the order in which they trade."""

    def __init__(self) -> None:
        self._queues: SortedDict[int, dict[int, int]] = SortedDict()
        self._prices: dict[int, int] = {}

    def write(self, rows: Sequence[OrderRow]) -> None:
        """Take in changed orders, in turn."""
        for name, price, quantity in rows:
            order, price_ticks = int(name), parse_price_ticks(price)
            if not quantity:
                self._remove(order)
                continue
            if self._prices.get(order, price_ticks) != price_ticks:
                self._remove(order)
            self._prices[order] = price_ticks
            self._queues.setdefault(price_ticks, {})[order] = quantity

    def rows(self, *, highest: bool) -> Iterator[tuple[int, int, int]]:
        """Order id, price and lots of each order, best price first, the highest or the lowest."""
        for price in reversed(self._queues) if highest else self._queues:
            for order, lots in self._queues[price].items():
                yield order, price, lots

    def best(self, *, highest: bool) -> int | None:
        """The price of the next order to trade, in ticks; None without orders."""
        if not self._queues:
            return None
        price: int = self._queues.peekitem(-1 if highest else 0)[0]
        return price

    def prices(self, low: int, high: int) -> Iterator[int]:
        """The prices from `low` to `high` (ticks) at which orders stand, ascending."""
        return iter(self._queues.irange(low, high))

    def at(self, price: int) -> tuple[int, int]:
        """Lots and number of orders at a price (ticks)."""
        queue = self._queues.get(price, {})
        return sum(queue.values()), len(queue)

    def ahead(self, order: int) -> int | None:
        """Lots that trade before an order at its price; None if it isn't shown in the book."""
        price = self._prices.get(order)
        if price is None:
            return None
        queue: dict[int, int] = self._queues[price]
        return sum(lots for _, lots in takewhile(lambda row: row[0] != order, queue.items()))

    def levels(self, *, highest: bool) -> list[LevelRow]:
        """Price, lots and number of orders of each price, best first."""
        prices = reversed(self._queues) if highest else iter(self._queues)
        queues = ((price, self._queues[price]) for price in prices)
        return [(price_text(price), sum(queue.values()), len(queue)) for price, queue in queues]

    def _remove(self, order: int) -> None:
        price = self._prices.pop(order, None)
        if price is not None:
            queue = self._queues[price]
            del queue[order]
            if not queue:
                del self._queues[price]


def _write(side: "SortedDict[int, tuple[int, int]]", rows: Sequence[LevelRow]) -> None:
    for price, quantity, orders in rows:
        price_ticks = parse_price_ticks(price)
        if quantity:
            side[price_ticks] = (quantity, orders)
        else:
            side.pop(price_ticks, None)


def _first(
    side: "SortedDict[int, tuple[int, int]]", *, highest: bool
) -> Iterator[tuple[int, tuple[int, int]]]:
    items = reversed(side.items()) if highest else iter(side.items())
    return islice(items, CHECKED_ROWS)


def _top(side: "SortedDict[int, tuple[int, int]]", index: int) -> tuple[int, int] | None:
    if not side:
        return None
    price_ticks, (quantity, _) = side.peekitem(index)
    return int(price_ticks), int(quantity)
