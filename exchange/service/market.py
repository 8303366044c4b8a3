"""What the public channels show of a contract, as arrays. Call it from the event loop, by contract index."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.service.state import State
from exchange.service.tape import Tape
from matching.api import Indicative, TopOfBook
from matching.records import Phase, Records, Side
from matching.state import LEVEL_VIEW, Place

BOOK_ORDER: Final = np.dtype([("order_id", "<i8"), ("price", "<i4"), ("quantity", "<i4")])
"""One order as the public sees it: ticks, and the lots that it shows."""

_NO_LEVELS: Final = np.zeros(0, LEVEL_VIEW)
_NO_ORDERS: Final = np.zeros(0, BOOK_ORDER)
_CALLS: Final = (Phase.OPENING_CALL, Phase.VOLATILITY_CALL, Phase.CLOSING_CALL)


class MarketData:
    """Reads the state. A contract that ended has an empty book and no top."""

    def __init__(self, state: State, tape: Tape) -> None:
        self._state = state
        self._tape = tape

    def active(self, contract: int) -> bool:
        """Return whether the contract still trades."""
        return bool(self._state.contract_row(contract)["active"])

    def levels(self, contract: int, side: Side, count: int) -> Records:
        """Return at most `count` levels (LEVEL_VIEW) of a side, best first, all if 0; market orders of a call
        have no price and are left out.
        """
        if not self.active(contract):
            return _NO_LEVELS
        rows = self._state.engine.depth(contract, side, count + 1 if count else 0)
        priced = rows[1:] if len(rows) and rows[0]["price"] == 0 else rows
        return priced[:count] if count else priced

    def orders(self, contract: int) -> tuple[Records, Records]:
        """Return the bids and the asks (BOOK_ORDER), the next to trade first; no market orders of a call."""
        if not self.active(contract):
            return _NO_ORDERS, _NO_ORDERS
        rows: NDArray[Any] = self._state.engine.orders(contract)
        rows = rows[(rows["place"] == Place.BOOK) & (rows["price"] > 0)]
        shown = np.empty(len(rows), BOOK_ORDER)
        shown["order_id"], shown["price"] = rows["order_id"], rows["price"]
        shown["quantity"] = rows["visible"]
        buys = rows["side"] == Side.BUY
        return shown[buys], shown[~buys]

    def top(self, contract: int) -> TopOfBook | None:
        """Return best bid, best ask, last price and phase; None once the contract has ended."""
        return self._state.engine.l1(contract) if self.active(contract) else None

    def indicative(self, contract: int) -> Indicative | None:
        """Return what the contract's call auction would do now; None outside a call."""
        top = self.top(contract)
        if top is None or top.phase not in _CALLS:
            return None
        return self._state.engine.indicative(contract)

    def candles(self, contract: int) -> NDArray[Any]:
        """Return the latest candle (LIVE_CANDLE) of each of `INTERVALS_S`; `trades` 0: there was none."""
        return self._tape.candles.of(contract)

    def hours(self, contract: int) -> int:
        """Return the delivery hours of a contract: the factor from price × lots to its value."""
        return int(self._state.contract_row(contract)["hours"])

    @property
    def trades(self) -> int:
        """How many trades there ever were: the id of the latest one."""
        return self._tape.trades
