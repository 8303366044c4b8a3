"""One instrument on the matching engine in which everybody quotes single units: the laboratory's market."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from matching.engine import Engine
from matching.records import COMMAND, CommandKind, EventKind, Phase, Records, Side, TimeInForce
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec

EQUITY_FEN: Final = 10**12
"""Enough for any order: nobody's budget is part of these experiments."""
_TRADE: Final = int(EventKind.TRADE)
_ACCEPTED: Final = int(EventKind.ACCEPTED)


class Deal(NamedTuple):
    """A unit that changed hands at the earlier quote, ticks."""

    taker: int
    maker: int
    price: int


class UnitMarket:
    """A book of single units. A trader has one quote at most: a new one takes the place of the old."""

    def __init__(self, traders: int, price_low: int, price_high: int) -> None:
        self._engine = Engine(
            EngineLimits(
                max_instruments=1,
                max_accounts=traders,
                max_orders=4 * traders,
                max_levels=price_high - price_low + 1,
                max_holdings=4 * traders,
                max_refreshes=1,
            )
        )
        self._engine.add_instrument(0, InstrumentSpec(price_low, price_high, (price_low + price_high) // 2))
        for trader in range(traders):
            self._engine.set_account(trader, AccountSpec(equity_fen=EQUITY_FEN))
        self._engine.set_phase(0, Phase.CONTINUOUS)
        self._quotes: dict[int, int] = {}
        self._command = np.zeros(1, COMMAND)
        self._seq = 0

    def quote(self, trader: int, side: Side, price: int, *, stays: bool = True) -> Deal | None:
        """Quote one unit; return the deal that it makes, if it makes one."""
        earlier = self._quotes.pop(trader, None)
        if earlier is not None:
            self._send(CommandKind.CANCEL, trader, order_id=earlier)
        tif = TimeInForce.DAY if stays else TimeInForce.IOC
        events = self._send(CommandKind.NEW, trader, side=side, price=price, quantity=1, tif=tif)
        for event in events:
            if event["kind"] == _TRADE:
                maker = int(event["contra_account"])
                self._quotes.pop(maker, None)
                return Deal(trader, maker, int(event["price"]))
        if stays:
            self._quotes[trader] = int(events[events["kind"] == _ACCEPTED]["order_id"][0])
        return None

    def clear(self) -> None:
        """Cancel every quote."""
        for trader, order_id in self._quotes.items():
            self._send(CommandKind.CANCEL, trader, order_id=order_id)
        self._quotes.clear()

    def _send(self, kind: CommandKind, trader: int, **columns: int) -> Records:
        self._seq += 1
        command = self._command
        command[0] = np.zeros((), COMMAND)
        command["kind"], command["account"], command["seq"] = kind, trader, self._seq
        for name, value in columns.items():
            command[name] = value
        return self._engine.apply(command)
