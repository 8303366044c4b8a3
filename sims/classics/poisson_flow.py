"""The spread of a book with random orders: J. D. Farmer, P. Patelli and I. I. Zovko, "The predictive power of
zero intelligence in financial markets", PNAS 102 (2005); the formula is from E. Smith, J. D. Farmer,
L. Gillemot and S. Krishnamurthy, Quantitative Finance 3 (2003).

Limit orders come at rate α for each tick beyond the best opposite price, market orders at rate μ, each order
in the book is cancelled at rate δ; all are for σ = 1 lot, and buy or sell with equal chance. The mean spread
should be (μ/α) · (0.28 + 1.86 · ε^¾) with ε = δσ/μ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from matching.engine import Engine
from matching.records import COMMAND, CommandKind, Phase, Records, Side, TimeInForce
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec

LEVELS: Final = 1 << 14
MIDDLE: Final = LEVELS // 2
REACH: Final = 10
"""Limit orders come up to so many times μ/α beyond the best opposite price; further ones hardly trade."""
LIVES: Final = 3
"""The book fills for so many mean lives of an order before the spread is looked at."""
ACCOUNTS: Final = 64
BLOCK: Final = 4096
"""Events whose random numbers are drawn at once."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Events per unit of time; μ is 1."""

    scale: float
    """μ/α, ticks."""
    epsilon: float
    """δσ/μ."""

    @property
    def predicted_spread(self) -> float:
        """Mean spread by the formula, ticks."""
        return float(self.scale * (0.28 + 1.86 * self.epsilon**0.75))


class _Book:
    """The engine with a list of what rests in it."""

    def __init__(self) -> None:
        limits = EngineLimits(1, ACCOUNTS, 1 << 18, LEVELS, 4 * ACCOUNTS, 1)
        self._engine = Engine(limits)
        self._engine.add_instrument(0, InstrumentSpec(1, LEVELS, MIDDLE))
        for account in range(ACCOUNTS):
            self._engine.set_account(account, AccountSpec(equity_fen=10**15))
        self._engine.set_phase(0, Phase.CONTINUOUS)
        self._command = np.zeros(1, COMMAND)
        self._blank = np.zeros((), COMMAND)
        self._seq = 0
        self.resting: list[tuple[int, int]] = []
        """(order id, account); an order that was traded stays here until its cancel finds nothing."""

    def best(self) -> tuple[int, int]:
        """Return best bid and ask, as if far orders stood where a side is empty."""
        top = self._engine.l1(0)
        return top.bid_price or 1, top.ask_price or LEVELS

    def limit(self, account: int, side: Side, price: int) -> None:
        """Add a limit order."""
        events = self._send(CommandKind.NEW, account, side=side, price=price, quantity=1)
        self.resting.append((int(events[0]["order_id"]), account))

    def market(self, account: int, side: Side) -> None:
        """Take one lot at whatever price."""
        price = LEVELS if side == Side.BUY else 1
        self._send(CommandKind.NEW, account, side=side, price=price, quantity=1, tif=TimeInForce.IOC)

    def cancel(self, place: int) -> None:
        """Cancel what stands at a place of the list."""
        order_id, account = self.resting[place]
        self.resting[place] = self.resting[-1]
        self.resting.pop()
        self._send(CommandKind.CANCEL, account, order_id=order_id)

    def _send(self, kind: CommandKind, account: int, **columns: int) -> Records:
        self._seq += 1
        command = self._command
        command[0] = self._blank
        command["kind"], command["seq"], command["account"] = kind, self._seq, account
        for name, value in columns.items():
            command[name] = value
        return self._engine.apply(command)


def mean_spread(rates: Rates, events: int, random: np.random.Generator) -> float:
    """Return the mean spread over the time of `events` events, ticks, once the book has filled."""
    book = _Book()
    _run(book, rates, random, until=LIVES / rates.epsilon)
    length, area = _run(book, rates, random, events=events)
    return area / length


def _run(
    book: _Book,
    rates: Rates,
    random: np.random.Generator,
    *,
    until: float = math.inf,
    events: float = math.inf,
) -> tuple[float, float]:
    """Let orders come until a time or for a number of events; return the time and ∫ spread dt, ticks."""
    reach = round(REACH * rates.scale)
    limit_rate = reach / rates.scale
    now, area, count = 0.0, 0.0, 0
    while True:
        for chance, which, place, wait in random.random((BLOCK, 4)):
            if now >= until or count >= events:
                return now, area
            bid, ask = book.best()
            total = limit_rate + 1.0 + rates.epsilon * len(book.resting)
            span = -math.log1p(-wait) / total
            now, area, count = now + span, area + span * (ask - bid), count + 1
            draw = chance * total
            side = Side.BUY if which < 0.5 else Side.SELL
            account = int(place * ACCOUNTS)
            if draw < limit_rate:
                away = 1 + int(draw / limit_rate * reach)
                price = max(1, ask - away) if side == Side.BUY else min(LEVELS, bid + away)
                book.limit(account, side, price)
            elif draw < limit_rate + 1.0:
                book.market(account, side)
            else:
                book.cancel(int(place * len(book.resting)))
