"""One instrument's orders in their places, and the order in which they stand (clauses 3.6 to 3.8)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from sortedcontainers import SortedDict

from matching.records import Side
from matching.reference.orders import UNPRICED_IN_BOOK, Order
from matching.state import Place

MARKET_PRICE = 0
"""The price under which the queue of market orders is published (clause 3.6)."""


class Queue:
    """Orders at one price, trigger or in one parking queue: the longest-standing first."""

    def __init__(self, price: int) -> None:
        self.price = price
        self._orders: OrderedDict[int, Order] = OrderedDict()

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders.values())

    def __len__(self) -> int:
        return len(self._orders)

    @property
    def head(self) -> Order:
        """The order whose turn it is."""
        return next(iter(self._orders.values()))

    @property
    def displayed(self) -> tuple[int, int]:
        """Shown lots and number of orders: what a LEVEL event says (clause 3.10)."""
        return sum(order.visible for order in self), len(self)

    def join(self, order: Order) -> None:
        """Stand at the tail."""
        self._orders[order.order_id] = order

    def leave(self, order: Order) -> None:
        """Stand here no longer."""
        del self._orders[order.order_id]

    def to_tail(self, order: Order) -> None:
        """Go behind everyone else (clause 3.15)."""
        self._orders.move_to_end(order.order_id)


class Ladder:
    """Queues sorted by price, the one whose turn is first at the front."""

    def __init__(self, *, highest_first: bool) -> None:
        self._sign = -1 if highest_first else 1
        self._queues: SortedDict[int, Queue] = SortedDict()

    def __iter__(self) -> Iterator[Queue]:
        return iter(self._queues.values())

    @property
    def best(self) -> Queue | None:
        """The queue whose turn is first, if there is any order."""
        return self._queues.peekitem(0)[1] if self._queues else None

    def at(self, price: int) -> Queue:
        """Return the queue at a price; an empty one if nobody stands there."""
        queue: Queue = self._queues.get(self._sign * price, Queue(price))
        return queue

    def join(self, order: Order, price: int) -> None:
        """Stand at the tail of the queue of this price."""
        self._queues.setdefault(self._sign * price, Queue(price)).join(order)

    def leave(self, order: Order, price: int) -> None:
        """Leave the queue of this price."""
        queue = self._queues[self._sign * price]
        queue.leave(order)
        if not queue:
            del self._queues[self._sign * price]


class Book:
    """The places of one instrument: the displayed book, the stops, the parked orders."""

    def __init__(self) -> None:
        self.priced = {Side.BUY: Ladder(highest_first=True), Side.SELL: Ladder(highest_first=False)}
        self.market = {Side.BUY: Queue(MARKET_PRICE), Side.SELL: Queue(MARKET_PRICE)}
        self.stops = {Side.BUY: Ladder(highest_first=False), Side.SELL: Ladder(highest_first=True)}
        self.parked = Queue(MARKET_PRICE)

    def stand(self, order: Order, place: Place) -> None:
        """Put an order at the tail of its queue; an iceberg shows its first slice, or would show it there."""
        order.place = place
        order.show()
        if place == Place.STOP:
            self.stops[order.side].join(order, order.trigger)
        elif place == Place.PARKED:
            self.parked.join(order)
        else:
            self._join_book(order)

    def _join_book(self, order: Order) -> None:
        if order.type in UNPRICED_IN_BOOK:
            self.market[order.side].join(order)
        else:
            self.priced[order.side].join(order, order.price)

    def take_out(self, order: Order) -> None:
        """Take an order out of the queue in which it stands; it stands nowhere then."""
        if order.place == Place.STOP:
            self.stops[order.side].leave(order, order.trigger)
        elif order.place == Place.PARKED:
            self.parked.leave(order)
        elif order.type in UNPRICED_IN_BOOK:
            self.market[order.side].leave(order)
        else:
            self.priced[order.side].leave(order, order.price)
        order.place = None

    def level_of(self, order: Order) -> Queue:
        """Return the level of a book order (it may have left it): the market queue or that of its price."""
        if order.type in UNPRICED_IN_BOOK:
            return self.market[order.side]
        return self.priced[order.side].at(order.price)

    def levels(self, side: Side) -> Iterator[Queue]:
        """Yield the levels of a side that hold orders, best first: market orders first (3.6)."""
        if self.market[side]:
            yield self.market[side]
        yield from self.priced[side]

    def best_level(self, side: Side) -> Queue | None:
        """Return the level of a side whose turn is first, market orders included."""
        return next(self.levels(side), None)

    def best_price(self, side: Side) -> int:
        """Return the best limit price of a side in ticks, 0 if there is none."""
        best = self.priced[side].best
        return best.price if best else 0

    def displayed_orders(self, side: Side) -> Iterator[Order]:
        """Yield the orders of a side of the book, first in turn first."""
        for level in self.levels(side):
            yield from level

    def stop_orders(self, side: Side) -> Iterator[Order]:
        """Yield the standing stops of a side, first to be elected first (clause 3.7)."""
        for queue in self.stops[side]:
            yield from queue

    def in_book_order(self) -> list[Order]:
        """Return every order as clause 3.8 orders them."""
        return [
            *self.displayed_orders(Side.BUY),
            *self.displayed_orders(Side.SELL),
            *self.stop_orders(Side.SELL),
            *self.stop_orders(Side.BUY),
            *self.parked,
        ]
