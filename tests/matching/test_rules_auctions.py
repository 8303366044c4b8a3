"""Chapter 3 of the rulebook on both engines: calls, uncrosses, and the dynamic band that begins one."""

from __future__ import annotations

from typing import Any

import pytest
from desk import Desk, depth_is

from matching.api import Indicative
from matching.records import (
    OrderType,
    Phase,
    StpMode,
    TimeInForce,
    publish_indicative,
)
from matching.spec import InstrumentSpec


class TestDynamicBand:
    @pytest.fixture
    def banded(self, desk: Desk) -> Desk:
        """Instrument 0 with a band of 3 ticks, sellers at 102 and 104; nothing has traded."""
        desk.do("remove_instrument", 0)
        desk.do("add_instrument", 0, InstrumentSpec(90, 110, 100, band_ticks=3))
        desk.phase(Phase.CONTINUOUS)
        desk.sell(1, 102)
        desk.sell(1, 104)
        return desk

    def test_a_level_outside_the_band_stops_the_market(self, banded: Desk) -> None:
        """Clause 3.23: around the reference price, as nothing has traded."""
        assert banded.buy(2, 105) == [
            "#3 accepted 2 @ 105",
            "#3 x #1 1 @ 102, left 1 and 0",
            "SELL 102: 0 in 0",
            "phase VOLATILITY_CALL",
            "BUY 105: 1 in 1",
        ]
        assert banded.phase(Phase.CONTINUOUS)[:2] == [
            "auction 1 @ 104, surplus 0",
            "#3 = #2 1 @ 104, left 0 and 0",
        ]

    def test_the_band_lies_around_the_last_price_before_the_order(self, banded: Desk) -> None:
        """Clause 3.23."""
        banded.buy(1, 102)
        assert banded.buy(1, 105)[-2] == "#4 x #2 1 @ 104, left 0 and 0"

    @pytest.mark.parametrize(
        "terms", [{"order_type": OrderType.MARKET}, {"price": 105, "tif": TimeInForce.IOC}]
    )
    def test_what_cannot_rest_is_cancelled(self, banded: Desk, terms: dict[str, Any]) -> None:
        """Clause 3.23."""
        said = banded.buy(2, **terms)
        assert said[-2:] == ["phase VOLATILITY_CALL", "#3 loses 1, left 0: VOLATILITY"]

    def test_fill_or_kill_does_not_count_beyond_the_band(self, banded: Desk) -> None:
        """Clause 3.19."""
        assert banded.buy(2, 105, tif=TimeInForce.FOK)[-1] == "#3 loses 2, left 0: FILL_OR_KILL"
        assert banded.engine.l1(0).phase == Phase.CONTINUOUS


class TestAuctions:
    @pytest.fixture
    def call(self, desk: Desk) -> Desk:
        """Instrument 0 in its opening call."""
        desk.phase(Phase.OPENING_CALL)
        return desk

    def open(self, desk: Desk) -> list[str]:
        """Open the market; the indicative result must be the actual one (clause 3.29)."""
        announced = desk.send(publish_indicative(instrument=0))
        said = desk.phase(Phase.CONTINUOUS)
        assert announced == [said[0].replace("auction", "indicative")]
        return said

    @pytest.mark.parametrize(
        ("buys", "sells", "expected"),
        [
            ([(5, 101)], [(5, 99)], "auction 5 @ 100, surplus 0"),  # nearest to the reference
            ([(5, 104)], [(5, 102)], "auction 5 @ 102, surplus 0"),
            ([(9, 103)], [(5, 99)], "auction 5 @ 103, surplus 4"),  # buyers press
            ([(5, 103)], [(9, 98)], "auction 5 @ 98, surplus -4"),  # sellers press
            ([(5, 102), (5, 101)], [(5, 101), (2, 102)], "auction 5 @ 102, surplus -2"),  # least surplus
            ([(5, 105)], [(5, 95)], "auction 5 @ 100, surplus 0"),
            ([(3, 99)], [(3, 101)], "auction 0 @ 0, surplus 0"),
            ([], [], "auction 0 @ 0, surplus 0"),
            ([(4, 0)], [(3, 0)], "auction 3 @ 100, surplus 1"),  # market orders alone
        ],
    )
    def test_the_auction_price(
        self, call: Desk, buys: list[tuple[int, int]], sells: list[tuple[int, int]], expected: str
    ) -> None:
        """Clause 3.31."""
        for quantity, price in buys:
            call.buy(quantity, price, order_type=OrderType.LIMIT if price else OrderType.MARKET)
        for quantity, price in sells:
            call.sell(quantity, price, order_type=OrderType.LIMIT if price else OrderType.MARKET)
        assert self.open(call)[0] == expected

    def test_market_orders_first_then_prices_and_icebergs_by_turn(self, call: Desk) -> None:
        """Clauses 3.6, 3.30, 3.32."""
        assert call.sell(6, 99, display=2)[-1] == "SELL 99: 2 in 1"
        call.sell(2, 99, account=3)
        assert call.buy(3, order_type=OrderType.MARKET)[-1] == "BUY 0: 3 in 1"
        call.buy(4, 101)
        assert self.open(call) == [
            "auction 7 @ 99, surplus -1",
            "#3 = #1 2 @ 99, left 1 and 4",
            "#3 = #2 1 @ 99, left 0 and 1",
            "BUY 0: 0 in 0",
            "#4 = #2 1 @ 99, left 3 and 0",
            "#4 = #1 2 @ 99, left 1 and 2",
            "#4 = #1 1 @ 99, left 0 and 1",
            "BUY 101: 0 in 0",
            "SELL 99: 1 in 1",
            "phase CONTINUOUS",
        ]

    def test_the_buyer_frees_its_slot_before_the_seller(self, call: Desk) -> None:
        """Clause 3.34: the slot that was freed last is used first (3.9)."""
        call.sell(1, 100)
        call.buy(1, 100)
        self.open(call)
        call.buy(1, 90)
        call.buy(1, 90)
        assert call.ids[2:] == [(2 << 32) + 1, (2 << 32) + 2]

    def test_what_is_left_of_market_orders(self, call: Desk) -> None:
        """Clause 3.33."""
        call.buy(3, order_type=OrderType.MARKET)
        call.buy(4, order_type=OrderType.MARKET_TO_LIMIT)
        call.sell(2, 98)
        assert self.open(call)[4:] == [
            "#1 loses 1, left 0: UNFILLED",
            "BUY 0: 4 in 1",
            "BUY 0: 0 in 0",
            "BUY 100: 4 in 1",
            "phase CONTINUOUS",
        ]

    def test_at_open_orders_end_with_the_auction(self, call: Desk) -> None:
        """Clause 3.33."""
        call.buy(3, 99, tif=TimeInForce.AT_OPEN)
        call.sell(3, 101, tif=TimeInForce.AT_OPEN)
        call.sell(1, 99)
        assert self.open(call)[3:] == [
            "BUY 99: 2 in 1",
            "#1 loses 2, left 0: AUCTION_ENDED",
            "BUY 99: 0 in 0",
            "#2 loses 3, left 0: AUCTION_ENDED",
            "SELL 101: 0 in 0",
            "phase CONTINUOUS",
        ]

    def test_at_close_orders_wait_parked_for_the_closing_call(self, desk: Desk) -> None:
        """Clauses 3.3, 3.13."""
        assert desk.buy(3, 99, tif=TimeInForce.AT_CLOSE) == ["#1 accepted 3 @ 99"]
        assert desk.sell(2, tif=TimeInForce.AT_CLOSE, order_type=OrderType.MARKET) == ["#2 accepted 2 @ 0"]
        assert depth_is(desk, [], [])
        assert desk.phase(Phase.CLOSING_CALL) == [
            "phase CLOSING_CALL",
            "#1 triggered 3 @ 0",
            "BUY 99: 3 in 1",
            "#2 triggered 2 @ 0",
            "SELL 0: 2 in 1",
        ]
        assert desk.phase(Phase.CLOSED) == [
            "auction 2 @ 99, surplus 1",
            "#1 = #2 2 @ 99, left 1 and 0",
            "SELL 0: 0 in 0",
            "BUY 99: 1 in 1",
            "#1 loses 1, left 0: AUCTION_ENDED",
            "BUY 99: 0 in 0",
            "phase CLOSED",
        ]

    def test_there_is_no_self_trade_prevention_in_an_uncross(self, call: Desk) -> None:
        """Clause 3.22."""
        call.buy(1, 100, stp=StpMode.CANCEL_BOTH)
        call.sell(1, 100, account=1, stp=StpMode.CANCEL_BOTH)
        assert self.open(call)[1] == "#1 = #2 1 @ 100, left 0 and 0"

    def test_an_auction_elects_stops(self, call: Desk) -> None:
        """Clauses 3.3, 3.24."""
        call.buy(1, 105, order_type=OrderType.STOP_LIMIT, trigger=100)
        call.buy(1, 100)
        call.sell(1, 100)
        assert self.open(call)[-2:] == ["#1 triggered 1 @ 100", "BUY 105: 1 in 1"]

    def test_nothing_is_indicated_outside_a_call(self, desk: Desk) -> None:
        """Clause 3.29."""
        desk.buy(5, 100)
        assert desk.send(publish_indicative(instrument=0)) == ["indicative 0 @ 0, surplus 0"]
        assert desk.send(publish_indicative(instrument=3)) == ["UNKNOWN_INSTRUMENT"]
        assert desk.engine.indicative(0) == Indicative(price=0, quantity=0, surplus=0)
