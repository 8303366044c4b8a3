"""Members, orders, settlements and defaults in any order: after every step money and positions conserve, and
nobody owes without a margin call or a claim (clauses 6.6 to 6.10; `Core.check` verifies both).
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from scenario import Scenario

from exchange.domain.phases import MarketPhase

SYMBOLS = ("H100.GUIAN.2702", "H100.HORINGER.2702", "H100.GUIAN.261208")
NAMES = ("acme", "blue", "coral", "broker", "broker/liu")
RULES = {
    "calendar_basis_points": 3_000,
    "inter_hub_basis_points": 4_000,
    "buy_in_basis_points": 500,
    "damages_basis_points": 300,
    "lock_limit_basis_points": 300,
    "lock_margin_basis_points": 200,
    "model_neighbours": 1,
}
MEMBERS = {
    "acme": ("provider", 6_000_000),
    "blue": ("enterprise", 700_000),
    "coral": ("market-maker", 2_000_000),
    "broker": ("broker", 200_000),
}
names = st.sampled_from(NAMES)


class Clearing(RuleBasedStateMachine):
    """Steps in any order; what isn't possible now is refused and changes nothing but the sequence."""

    def __init__(self) -> None:
        super().__init__()
        told = {"rules": RULES, "members": MEMBERS, "contracts": dict.fromkeys(SYMBOLS, 1_200)}
        self.market = Scenario(told)
        self.market.do("client", ["broker", "liu", 350_000])
        self.market.do("contribution", ["house", 30_000])
        self.market.do("contribution", ["coral", 50_000])
        self.market.do("open", True)
        for buyer in ("blue", "broker/liu"):
            self.market.do("trade", ["acme", buyer, 8, SYMBOLS[0], 1_200])
        self.market.do("trade", ["blue", "coral", 2, SYMBOLS[1], 1_200])

    @property
    def _phase(self) -> MarketPhase:
        return self.market.core.state.day.phase

    @precondition(lambda self: self._phase is MarketPhase.CONTINUOUS)
    @rule(
        name=names,
        side=st.sampled_from(("buy", "sell")),
        lots=st.integers(1, 9),
        symbol=st.sampled_from(SYMBOLS),
        where=st.sampled_from(("low", "reference", "reference", "high")),
    )
    def order(self, name: str, side: str, lots: int, symbol: str, where: str) -> None:
        """Enter a limit order at a limit or at the reference price."""
        view = self.market.views.contract(symbol)
        assert view is not None
        if view.active:
            price = {"low": view.price_low, "reference": view.reference_price, "high": view.price_high}[where]
            self.market.do("order", [name, side, lots, symbol, price])

    @rule(minutes=st.sampled_from((0, 1, 60)))
    def run(self, minutes: int) -> None:
        """Run margin, and call at present prices."""
        self.market.do("run", minutes)

    @rule()
    def enforce(self) -> None:
        """End the time for margin calls that are due."""
        self.market.do("enforce", True)

    @rule(action=st.sampled_from(("close_out", "auction", "cover")), name=names)
    def treat(self, action: str, name: str) -> None:
        """Close out, auction or share the loss of anyone."""
        self.market.do(action, name)

    @rule(
        bidder=names,
        name=names,
        lots=st.integers(1, 9),
        symbol=st.sampled_from(SYMBOLS),
        price=st.integers(900, 1_500),
    )
    def bid(self, bidder: str, name: str, lots: int, symbol: str, price: int) -> None:
        """Bid for positions of anyone."""
        self.market.do("bid", [bidder, name, lots, symbol, price])

    @rule(
        action=st.sampled_from(("deposit", "withdraw", "contribution")),
        name=names,
        fen=st.integers(0, 200_000),
    )
    def pay(self, action: str, name: str, fen: int) -> None:
        """Move money."""
        self.market.do(action, [name, fen])

    @rule()
    def next(self) -> None:
        """Settle the open day, or open the next one."""
        self.market.do("settle" if self._phase is MarketPhase.CONTINUOUS else "open", True)

    @precondition(lambda self: self._phase is MarketPhase.CONTINUOUS)
    @rule(limit=st.sampled_from(("price_low", "price_high")), symbol=st.sampled_from(SYMBOLS[:2]))
    def shock(self, limit: str, symbol: str) -> None:
        """Let a month trade at a limit, settle, and end the time for margin calls."""
        price = getattr(self.market.views.contract(symbol), limit)
        self.market.do("at", "14:30")
        self.market.do("order", ["acme", "sell", 1, symbol, price])
        self.market.do("order", ["coral", "buy", 1, symbol, price])
        self.market.do("settle", True)
        self.market.do("open", True)
        self.market.do("enforce", True)

    @precondition(lambda self: self._phase is MarketPhase.CONTINUOUS)
    @rule(taker=st.sampled_from(("acme", "coral")), market=st.booleans())
    def resolve(self, taker: str, market: bool) -> None:
        """Close out who is restricted, into bids or into nothing; auction the rest; share losses."""
        calls = self.market.views.margin_calls()
        restricted = [NAMES[call.account - 1] for call in calls if call.restricted]
        for name in restricted:
            for place in SYMBOLS[:2]:
                price = self.market.views.contract(place).price_low  # type: ignore[union-attr]
                if market:
                    self.market.do("order", [taker, "buy", 9, place, price])
            self.market.do("close_out", name)
            for place in SYMBOLS:
                self.market.do("bid", [taker, name, 1, place, 1_100])
                self.market.do("bid", ["acme", name, 2, place, 1_200])
            self.market.do("auction", name)
            self.market.core.check()
        self.market.do("settle", True)
        self.market.core.check()
        for name in restricted:
            self.market.do("cover", name)
        self.market.do("open", True)

    @invariant()
    def conserved(self) -> None:
        """Verify every invariant."""
        self.market.core.check()


Clearing.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestClearing = Clearing.TestCase
