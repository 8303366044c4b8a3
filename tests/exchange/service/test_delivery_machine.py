"""Members, orders, settlements, defaults, certificates and deliveries in any order: after every step money,
positions, certificates and reservations conserve, and nobody owes without a call or a claim.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from scenario import Scenario

from exchange.domain.calendar import day_of
from exchange.domain.phases import MarketPhase

PRODUCT = "H100.GUIAN"
DAYS = [date(2026, 12, 5) + timedelta(days=n) for n in range(8)]
PARTS = ("261208-PEAK", "261208-VALLEY", "261208H11", "261209H00", "2701-PEAK")
SYMBOLS = (
    *(f"{PRODUCT}.{day:%y%m%d}" for day in DAYS),
    *(f"{PRODUCT}.{part}" for part in PARTS),
    f"{PRODUCT}.2701",
)
NAMES = ("acme", "blue", "coral", "dove")
SUPPLIERS = ("acme", "dove")
TOLD = {
    "rules": {
        "calendar_basis_points": 3_000,
        "buy_in_basis_points": 500,
        "damages_basis_points": 300,
        "lock_limit_basis_points": 300,
        "model_neighbours": 1,
        "assessment_basis_points": 5_000,
    },
    "delivery": {
        "premiums": [
            {"score_basis_points": 9_500, "premium_basis_points": 20},
            {"score_basis_points": 0, "premium_basis_points": 200},
        ],
        "refused_uses": [{"hub": "GUIAN", "use": "mining"}],
    },
    "members": {
        "acme": ("provider", 1_200_000),
        "blue": ("enterprise", 600_000),
        "coral": ("market-maker", 1_500_000),
        "dove": ("provider", 120_000),
    },
    "profiles": {"GUIAN": ((10, 11, 12, 17, 18, 19, 20, 21), (0, 1, 2, 3, 4, 5, 6, 7))},
    "contracts": dict.fromkeys(SYMBOLS, 1_200),
}
names, suppliers = st.sampled_from(NAMES), st.sampled_from(SUPPLIERS)
numbers = st.integers(1, 4)
small = st.integers(1, 5)
prices = st.sampled_from((0, 1_200, 2_000))
payments = st.sampled_from(("deposit", "withdraw", "contribution"))


class Delivery(RuleBasedStateMachine):
    """Steps in any order; what isn't possible now is refused and changes nothing but the sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.market = Scenario(TOLD)
        self.state = self.market.core.state
        self.reserved: Counter[int] = Counter()
        self.market.do("contribution", ["coral", 30_000])
        for name, cards in (("acme", 6), ("dove", 3)):
            self.market.do("certify", [name, PRODUCT, cards, DAYS[0], DAYS[-1]])
        self.market.do("open", True)
        self.market.do("trade", ["acme", "blue", 4, SYMBOLS[0], 1_200])
        self.market.do("trade", ["acme", "blue", 8, SYMBOLS[-1], 1_200])
        self.market.do("trade", ["dove", "coral", 3, SYMBOLS[4], 1_200])
        for part in PARTS:
            self.market.do("trade", ["acme", "coral", 2, f"{PRODUCT}.{part}", 1_200])
        self.settle()

    @property
    def phase(self) -> MarketPhase:
        """Where the day stands."""
        return self.state.day.phase

    @precondition(lambda self: self.phase is MarketPhase.CONTINUOUS)
    @rule(
        name=names,
        side=st.sampled_from(("buy", "sell")),
        lots=small,
        symbol=st.sampled_from(SYMBOLS),
        up=st.integers(-1, 1),
    )
    def order(self, name: str, side: str, lots: int, symbol: str, up: int) -> None:
        """Enter a limit order at the reference price or at a limit."""
        view = self.market.views.contract(symbol)
        assert view is not None
        if view.active:
            price = (view.reference_price, view.price_high, view.price_low)[up]
            self.market.do("order", [name, side, lots, symbol, price])

    @rule(name=suppliers, cards=small, first=st.integers(0, 7), more=st.integers(0, 3))
    def certify(self, name: str, cards: int, first: int, more: int) -> None:
        """Have more capacity certified, in days that are still to come."""
        begin, end = DAYS[first], DAYS[min(7, first + more)]
        if begin > day_of(self.market.now_ns):
            self.market.do("certify", [name, PRODUCT, cards, begin, end])

    @rule(number=numbers)
    def revoke(self, number: int) -> None:
        """Revoke a certificate, whatever it backs or delivers."""
        self.market.do("revoke", number)

    @rule(name=suppliers, number=numbers, cards=st.integers(0, 4))
    def pledge(self, name: str, number: int, cards: int) -> None:
        """Pledge cards, or release them."""
        self.market.do("pledge", [name, number, cards])

    @rule(name=suppliers, number=numbers, to=names, cards=small)
    def hand_on(self, name: str, number: int, to: str, cards: int) -> None:
        """Transfer a certificate, be it to oneself."""
        self.market.do("hand_on", [name, number, to, cards])

    @rule(name=suppliers, kind=st.sampled_from(("day", "month")), price=st.sampled_from((0, 1_190, 1_210)))
    def sell(self, name: str, kind: str, price: int) -> None:
        """Set or end a standing sale."""
        self.market.do("sell", [name, PRODUCT, kind, price])

    def _reservation(self, number: int) -> tuple[str, int]:
        """Return the buyer and the id of an open reservation, if there is one; else of none."""
        rows = self.state.reservations.rows
        found = np.flatnonzero((rows["finished"] == 0) & (rows["lots"] > 0)).tolist()
        at = found[number % len(found)] if found else -1
        return (NAMES[int(rows["buyer"][at]) - 1], at + 1) if found else ("blue", 99)

    @rule(number=numbers, cards=small, use=st.sampled_from(("training", "training", "mining")))
    def nominate(self, number: int, cards: int, use: str) -> None:
        """Nominate a workload on a reservation."""
        buyer, reservation = self._reservation(number)
        self.market.do("nominate", [buyer, reservation, cards, use])

    @rule(taker=names, number=numbers, lots=small, taken=small, price=prices)
    def resell(self, taker: str, number: int, lots: int, taken: int, price: int) -> None:
        """Offer lots of a reservation, and let someone take some."""
        seller, reservation = self._reservation(number)
        self.market.do("offer", [seller, reservation, lots, price])
        self.market.do("take", [taker, len(self.state.delivering.offers), taken])

    @rule(
        action=st.sampled_from(("deposit", "withdraw", "contribution")),
        name=names,
        fen=st.integers(0, 150_000),
    )
    def pay(self, action: str, name: str, fen: int) -> None:
        """Move money."""
        self.market.do(action, [name, fen])

    @rule(action=st.sampled_from(("buy_in", "place", "enforce")), minutes=st.sampled_from((0, 30)))
    def clock(self, action: str, minutes: int) -> None:
        """Do what the clock does within the day."""
        self.market.do("run", minutes)
        self.market.do(action, True)

    @rule(action=st.sampled_from(("close_out", "auction", "cover")), name=names)
    def treat(self, action: str, name: str) -> None:
        """Close out, auction or share the loss of anyone."""
        self.market.do(action, name)

    @precondition(lambda self: self.phase is MarketPhase.CONTINUOUS)
    @rule()
    def settle(self) -> None:
        """Settle the day; what expires becomes reservations of the longs' lots."""
        self.market.do("settle", True)
        rows = self.state.reservations.rows
        for contract in set(rows["contract"].tolist()) - set(self.reserved):
            self.reserved[contract] = int(rows["lots"][rows["contract"] == contract].sum())
        for name in NAMES:
            self.market.do("cover", name)

    @precondition(lambda self: self.phase is MarketPhase.SETTLED)
    @rule(shares=st.lists(st.integers(0, 4), min_size=8, max_size=8), hours=st.integers(1, 24))
    def next_day(self, shares: list[int], hours: int) -> None:
        """Deliver what is due, some or all of it, and go to the next trading day."""
        target = self.state.next_day()
        while (due := self.state.day.delivered_day + timedelta(days=1)) < target:
            rows = self.state.reservations.rows
            for at in np.flatnonzero((rows["finished"] == 0) & (rows["lots"] > 0)).tolist():
                cards = int(rows["lots"][at]) * shares[at % 8] // 4
                provider = NAMES[int(rows["provider"][at]) - 1]
                self.market.do("meter", [provider, due, {str(at + 1): cards}, hours])
            self.market.do("finish", due)
            self.conserved()
        self.market.do("open", True)

    @precondition(lambda self: self.phase is MarketPhase.CONTINUOUS)
    @rule(limit=st.sampled_from(("price_low", "price_high")), days=st.integers(1, 3))
    def crash(self, limit: str, days: int) -> None:
        """Let the month trade at a limit for some days, close out who is called, and share what is lost."""
        for _ in range(days):
            view = self.market.views.contract(SYMBOLS[-1])
            assert view is not None
            self.market.do("at", "14:30")
            for name, side in (("acme", "sell"), ("coral", "buy")):
                self.market.do("order", [name, side, 1, view.contract.symbol, getattr(view, limit)])
            self.settle()
            self.next_day([3] * 8, 24)
            self.market.do("enforce", True)
        for symbol in SYMBOLS:
            view = self.market.views.contract(symbol)
            if view is not None and view.active:
                self.market.do("order", ["coral", "buy", 5, symbol, view.price_low])
                self.market.do("order", ["coral", "sell", 5, symbol, view.price_high])
        for name in NAMES:
            self.market.do("close_out", name)
            self.market.core.check()

    @invariant()
    def conserved(self) -> None:
        """Verify every invariant, and that resale neither makes nor loses reserved lots."""
        self.market.core.check()
        rows = self.state.reservations.rows
        for contract, lots in self.reserved.items():
            assert int(rows["lots"][rows["contract"] == contract].sum()) == lots
        assert (rows["lots"] >= 0).all()
        assert (
            self.state.cash.sum() + self.state.fund.sum()
            == self.state.deposits_fen - self.state.withdrawals_fen
        )


Delivery.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestDelivery = Delivery.TestCase


class LongDelivery(Delivery):
    """The same for long."""


LongDelivery.TestCase.settings = settings(max_examples=1_000, stateful_step_count=60, deadline=None)
TestLongDelivery = pytest.mark.soak(LongDelivery.TestCase)
