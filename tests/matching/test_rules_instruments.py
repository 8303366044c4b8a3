"""Chapter 3 of the rulebook on both engines: instruments, phases, places and ids of orders."""

from __future__ import annotations

import pytest
from desk import Desk, depth_is

from matching.records import (
    OrderType,
    Phase,
    TimeInForce,
)
from matching.spec import InstrumentSpec


class TestInstrumentsAndPhases:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"price_low": 0},
            {"price_high": 1 << 24},
            {"reference_price": 89},
            {"reference_price": 111},
            {"hub": 0xFFFF},
            {"multiplier": 0},
            {"position_limit": -1},
            {"margin_long_fen": 1 << 31},
        ],
    )
    def test_terms_out_of_range_are_not_listed(self, desk: Desk, wrong: dict[str, int]) -> None:
        """Clause 3.1."""
        terms = {"price_low": 90, "price_high": 110, "reference_price": 100} | wrong
        assert desk.do("add_instrument", 1, InstrumentSpec(**terms)) == ["INVALID_INSTRUMENT"]

    def test_a_new_instrument_is_closed_and_refuses_orders(self, desk: Desk) -> None:
        """Clause 3.2."""
        assert desk.do("add_instrument", 1, InstrumentSpec(90, 110, 100)) == ["instrument 1 listed"]
        assert desk.buy(1, 100, instrument=1) == ["MARKET_CLOSED"]
        assert desk.do("set_phase", 1, Phase.HALTED) == ["phase HALTED"]
        assert desk.buy(1, 100, instrument=1) == ["HALTED"]

    def test_cancelling_is_possible_in_every_phase_but_amending_is_not(self, desk: Desk) -> None:
        """Clauses 3.2, 3.20, 3.21."""
        for number, phase in enumerate((Phase.CLOSED, Phase.HALTED), 1):
            desk.phase(Phase.CONTINUOUS)
            desk.buy(5, 99)
            desk.phase(phase)
            assert desk.amend(number, quantity=3) == ["MARKET_CLOSED" if number == 1 else "HALTED"]
            assert desk.cancel(number) == [f"#{number} loses 5, left 0: REQUESTED", "BUY 99: 0 in 0"]

    def test_the_same_phase_again_says_nothing(self, desk: Desk) -> None:
        """Clause 3.3."""
        assert desk.phase(Phase.CONTINUOUS) == []
        assert desk.do("set_phase", 0, 77) == ["INVALID_PHASE"]
        assert desk.do("set_phase", (0, 3), Phase.HALTED) == ["UNKNOWN_INSTRUMENT"]
        assert desk.engine.l1(0).phase == Phase.CONTINUOUS

    def test_entering_continuous_uncrosses_even_an_empty_book(self, desk: Desk) -> None:
        """Clauses 3.3, 3.32."""
        desk.phase(Phase.HALTED)
        assert desk.phase(Phase.CONTINUOUS) == ["auction 0 @ 0, surplus 0", "phase CONTINUOUS"]

    def test_a_rebase_cancels_what_lies_outside_in_book_order(self, desk: Desk) -> None:
        """Clause 3.4."""
        desk.buy(1, 91)
        desk.buy(2, 95)
        desk.sell(3, 109)
        desk.buy(4, order_type=OrderType.STOP, trigger=108)
        assert desk.do("rebase", 0, 94, 106, 100) == [
            "#1 loses 1, left 0: PRICE_OUTSIDE_LIMITS",
            "BUY 91: 0 in 0",
            "#3 loses 3, left 0: PRICE_OUTSIDE_LIMITS",
            "SELL 109: 0 in 0",
            "#4 loses 4, left 0: PRICE_OUTSIDE_LIMITS",
            "instrument 0 changed",
        ]
        assert depth_is(desk, [(95, 2, 1)], [])
        assert desk.do("rebase", 0, 106, 94, 100) == ["INVALID_INSTRUMENT"]
        assert desk.do("rebase", 0, 94, 994, 100) == ["TOO_MANY_LEVELS"]

    def test_removing_an_instrument_forgets_its_holdings(self, desk: Desk) -> None:
        """Clause 3.4."""
        desk.buy(3, 100)
        desk.sell(2, 100)
        assert desk.engine.position(1, 0) == 2
        assert desk.do("remove_instrument", 0) == [
            "#1 loses 1, left 0: INSTRUMENT_REMOVED",
            "BUY 100: 0 in 0",
            "instrument 0 removed",
        ]
        assert desk.engine.instruments() == []
        assert desk.do("add_instrument", 0, InstrumentSpec(1, 2, 1)) == ["instrument 0 listed"]
        assert desk.do("add_instrument", 0, InstrumentSpec(1, 2, 1)) == ["INSTRUMENT_EXISTS"]
        assert desk.engine.position(1, 0) == 0
        assert desk.do("add_instrument", 4, InstrumentSpec(1, 2, 1)) == ["INVALID_INSTRUMENT"]

    def test_day_orders_and_due_gtd_orders_expire(self, desk: Desk) -> None:
        """Clause 3.5."""
        desk.buy(1, 99, tif=TimeInForce.GTC)
        desk.buy(1, 99, tif=TimeInForce.GTD, expiry_day=7)
        desk.buy(1, 99, tif=TimeInForce.GTD, expiry_day=8)
        desk.buy(1, 98)
        assert desk.do("end_of_day", 7) == [
            "#2 loses 1, left 0: EXPIRED",
            "BUY 99: 2 in 2",
            "#4 loses 1, left 0: EXPIRED",
            "BUY 98: 0 in 0",
        ]
        assert desk.buy(1, 99, tif=TimeInForce.GTD, expiry_day=7) == ["INVALID_EXPIRY"]


class TestPlacesAndIds:
    def test_better_price_then_longer_standing_goes_first(self, desk: Desk) -> None:
        """Clauses 3.6, 3.18."""
        desk.sell(2, 101)
        desk.sell(2, 100)
        desk.sell(2, 100, account=3)
        assert desk.buy(5, 101) == [
            "#4 accepted 5 @ 101",
            "#4 x #2 2 @ 100, left 3 and 0",
            "#4 x #3 2 @ 100, left 1 and 0",
            "SELL 100: 0 in 0",
            "#4 x #1 1 @ 101, left 0 and 1",
            "SELL 101: 1 in 1",
        ]

    def test_a_slot_is_used_again_with_a_new_generation(self, desk: Desk) -> None:
        """Clause 3.9."""
        desk.buy(1, 99)
        desk.buy(1, 98)
        desk.cancel(1)
        desk.buy(1, 97)
        assert desk.ids == [(1 << 32) + 1, (1 << 32) + 2, (2 << 32) + 1]
        assert desk.cancel(1) == ["UNKNOWN_ORDER"]
        assert desk.amend(1, quantity=2) == ["UNKNOWN_ORDER"]

    def test_an_incoming_order_frees_its_slot_after_the_resting_one(self, desk: Desk) -> None:
        """Clause 3.9."""
        desk.sell(1, 100)
        desk.buy(1, 100)
        desk.buy(1, 90)
        desk.buy(1, 90)
        assert desk.ids[2:] == [(2 << 32) + 2, (2 << 32) + 1]

    def test_book_order_and_acceptance_order(self, desk: Desk) -> None:
        """Clause 3.8."""
        desk.buy(1, order_type=OrderType.STOP, trigger=105)
        desk.sell(1, 103, account=1)
        desk.buy(1, 98)
        desk.buy(1, 98, tif=TimeInForce.AT_CLOSE)
        desk.buy(1, 99)
        desk.sell(1, account=1, order_type=OrderType.STOP, trigger=95)
        names = [desk.name(int(order_id)) for order_id in desk.engine.orders(0)["order_id"]]
        assert names == ["#5", "#3", "#2", "#6", "#1", "#4"]
        mine = [desk.name(int(order_id)) for order_id in desk.engine.open_orders(1)["order_id"]]
        assert mine == ["#1", "#2", "#3", "#4", "#5", "#6"]
