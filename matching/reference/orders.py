"""An open order and what its terms mean (clauses 3.6, 3.7, 3.15, 3.35)."""

from __future__ import annotations

from dataclasses import dataclass

from matching.records import OrderType, Side, StpMode, TimeInForce
from matching.state import Place

STOPS = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)
"""Types that wait for their trigger."""
UNPRICED_IN_BOOK = (OrderType.MARKET, OrderType.MARKET_TO_LIMIT)
"""Types that stand ahead of every price in a call (clause 3.6)."""
PRICED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
"""Types that have a limit price."""
MOST_LOTS = 1 << 20
"""No order is larger (clause 3.11 (5))."""


@dataclass(slots=True, eq=False)
class Order:
    """One order from its acceptance to its end; columns as in ``ORDER_STATE``."""

    account: int
    instrument: int
    side: Side
    type: OrderType
    tif: TimeInForce
    flags: int
    stp: StpMode
    client_id: int
    price: int
    trigger: int
    offset: int
    remaining: int
    display: int
    group: int
    expiry_day: int
    executed: int = 0
    visible: int = 0
    order_id: int = 0
    arrival: int = 0
    place: Place | None = None

    @property
    def is_stop(self) -> bool:
        """Whether it still waits for its trigger."""
        return self.type in STOPS

    @property
    def opposite(self) -> Side:
        """The side that it trades with."""
        return Side.SELL if self.side == Side.BUY else Side.BUY

    @property
    def refreshes(self) -> int:
        """⌈reserve ÷ display⌉ of an iceberg: the slices that it will yet show (clause 3.15)."""
        reserve = self.remaining - self.visible
        return -(-reserve // self.display) if self.display else 0

    def show(self) -> None:
        """Show the next slice, or all that remains (clause 3.15)."""
        self.visible = min(self.display, self.remaining) if self.display else self.remaining

    def lose(self, lots: int) -> None:
        """Take lots off without a trade, the reserve first (clauses 3.20, 3.22)."""
        self.remaining -= lots
        self.visible = min(self.visible, self.remaining)
