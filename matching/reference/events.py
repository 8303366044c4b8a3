"""The events that a command caused, row by row in the layout of ``EVENT`` (matching/records.py)."""

from __future__ import annotations

import numpy as np

from matching.records import (
    EVENT,
    CancelReason,
    EventFlag,
    EventKind,
    Phase,
    Records,
    RejectCode,
    Side,
)
from matching.reference.book import Queue
from matching.reference.orders import Order
from matching.spec import InstrumentSpec

MOST_SHOWN = (1 << 31) - 1
"""More lots than this are shown as this many (clause 3.10)."""

Row = tuple[int, int, int, int, int, int, int, int, int, int, int, int, int, int, int]


class EventLog:
    """Collects events; all of a command carry its `seq`."""

    def __init__(self) -> None:
        self.seq = 0
        self._rows: list[Row] = []

    def drain(self) -> Records:
        """Return the events since the last drain (dtype ``EVENT``) and forget them."""
        rows = np.array(self._rows, dtype=EVENT)
        self._rows = []
        return rows

    def add(
        self,
        kind: EventKind,
        *,
        order_id: int = 0,
        contra_id: int = 0,
        client_id: int = 0,
        price: int = 0,
        quantity: int = 0,
        remaining: int = 0,
        contra_remaining: int = 0,
        account: int = -1,
        contra_account: int = -1,
        instrument: int = -1,
        side: int = 0,
        code: int = 0,
        flags: int = 0,
    ) -> None:
        """Add one event; what isn't given has the value that stands for "none"."""
        self._rows.append(
            (
                self.seq,
                order_id,
                contra_id,
                client_id,
                price,
                quantity,
                remaining,
                contra_remaining,
                account,
                contra_account,
                instrument,
                kind,
                side,
                code,
                flags,
            )
        )

    def of_order(
        self, kind: EventKind, order: Order, quantity: int, *, price: int | None = None, code: int = 0
    ) -> None:
        """Add an event that concerns one order; `price` is its limit price unless another is given."""
        self.add(
            kind,
            order_id=order.order_id,
            client_id=order.client_id,
            price=order.price if price is None else price,
            quantity=quantity,
            remaining=order.remaining,
            account=order.account,
            instrument=order.instrument,
            side=order.side,
            code=code,
        )

    def accepted(self, order: Order) -> None:
        """ACCEPTED (clause 3.14)."""
        self.of_order(EventKind.ACCEPTED, order, order.remaining)

    def cancelled(self, order: Order, lots: int, reason: CancelReason) -> None:
        """CANCELLED: `lots` have left without trading, and the order's open lots are already reduced."""
        self.of_order(EventKind.CANCELLED, order, lots, code=reason)

    def amended(self, order: Order) -> None:
        """AMENDED (clause 3.20)."""
        self.of_order(EventKind.AMENDED, order, order.remaining)

    def triggered(self, order: Order) -> None:
        """TRIGGERED, while the order still has its trigger (clauses 3.13, 3.26)."""
        self.of_order(EventKind.TRIGGERED, order, order.remaining, price=order.trigger)

    def trade(
        self, order: Order, contra: Order, price: int, lots: int, flags: EventFlag = EventFlag.NONE
    ) -> None:
        """TRADE, after both orders' open lots are reduced."""
        self.add(
            EventKind.TRADE,
            order_id=order.order_id,
            contra_id=contra.order_id,
            client_id=order.client_id,
            price=price,
            quantity=lots,
            remaining=order.remaining,
            contra_remaining=contra.remaining,
            account=order.account,
            contra_account=contra.account,
            instrument=order.instrument,
            side=order.side,
            flags=flags,
        )

    def level(self, instrument: int, side: Side, level: Queue) -> None:
        """LEVEL: what a level shows now (clause 3.10)."""
        shown, orders = level.displayed
        self.add(
            EventKind.LEVEL,
            price=level.price,
            quantity=min(shown, MOST_SHOWN),
            remaining=orders,
            instrument=instrument,
            side=side,
        )

    def phase(self, instrument: int, phase: Phase) -> None:
        """PHASE (clause 3.3)."""
        self.add(EventKind.PHASE, instrument=instrument, code=phase)

    def auction(self, kind: EventKind, instrument: int, price: int, lots: int, surplus: int) -> None:
        """AUCTION or INDICATIVE (clauses 3.29, 3.32)."""
        self.add(kind, instrument=instrument, price=price, quantity=lots, remaining=surplus)

    def instrument(self, index: int, spec: InstrumentSpec, code: int) -> None:
        """INSTRUMENT: 0 removed, 1 listed, 2 changed."""
        self.add(
            EventKind.INSTRUMENT,
            price=spec.reference_price,
            quantity=spec.price_low,
            remaining=spec.price_high,
            instrument=index,
            code=code,
        )

    def refused(self, code: RejectCode, *, account: int = -1, instrument: int = -1) -> None:
        """REJECTED: a control operation can't be done."""
        self.add(EventKind.REJECTED, account=account, instrument=instrument, code=code)
