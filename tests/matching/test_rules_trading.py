"""Chapter 3 of the rulebook on both engines: resting, trading, self-trade prevention, stops."""

from __future__ import annotations

import pytest
from desk import Desk

from matching.records import (
    OrderFlag,
    OrderType,
    StpMode,
    TimeInForce,
)


class TestRestingAndTrading:
    def test_what_remains_of_each_kind(self, desk: Desk) -> None:
        """Clauses 3.14, 3.18."""
        for _ in range(4):
            desk.sell(1, 100)
        assert desk.buy(2, 100, tif=TimeInForce.IOC)[3:] == ["SELL 100: 2 in 2"]
        assert desk.buy(3, 100, tif=TimeInForce.IOC)[-1] == "#6 loses 1, left 0: IMMEDIATE_OR_CANCEL"
        desk.sell(1, 100)
        market = {"order_type": OrderType.MARKET}
        assert desk.buy(2, **market)[-2:] == ["SELL 100: 0 in 0", "#8 loses 1, left 0: UNFILLED"]
        desk.sell(1, 100)
        assert desk.buy(2, tif=TimeInForce.IOC, **market)[-1] == "#10 loses 1, left 0: IMMEDIATE_OR_CANCEL"
        desk.sell(1, 100)
        assert desk.buy(2, 102)[-2:] == ["SELL 100: 0 in 0", "BUY 102: 1 in 1"]

    def test_market_to_limit_takes_the_best_price_and_rests_there(self, desk: Desk) -> None:
        """Clause 3.18."""
        kind = {"order_type": OrderType.MARKET_TO_LIMIT}
        assert desk.buy(5, **kind) == ["#1 accepted 5 @ 0", "#1 loses 5, left 0: UNFILLED"]
        desk.sell(2, 101)
        desk.sell(2, 102)
        assert desk.buy(5, **kind) == [
            "#4 accepted 5 @ 0",
            "#4 x #2 2 @ 101, left 3 and 0",
            "SELL 101: 0 in 0",
            "BUY 101: 3 in 1",
        ]
        assert desk.engine.orders(0)[0]["type"] == OrderType.LIMIT

    def test_an_iceberg_refreshes_at_the_tail(self, desk: Desk) -> None:
        """Clause 3.15."""
        assert desk.sell(7, 100, display=3)[-1] == "SELL 100: 3 in 1"
        desk.sell(2, 100, account=3)
        assert desk.buy(6, 100) == [
            "#3 accepted 6 @ 100",
            "#3 x #1 3 @ 100, left 3 and 4",
            "#3 x #2 2 @ 100, left 1 and 0",
            "#3 x #1 1 @ 100, left 0 and 3",
            "SELL 100: 2 in 1",
        ]

    def test_an_incoming_iceberg_trades_whole(self, desk: Desk) -> None:
        """Clause 3.15."""
        desk.sell(6, 100)
        assert desk.buy(10, 100, display=3)[1:] == [
            "#2 x #1 6 @ 100, left 4 and 0",
            "SELL 100: 0 in 0",
            "BUY 100: 3 in 1",
        ]

    def test_iceberg_slices_are_bounded(self, desk: Desk) -> None:
        """Clause 3.15."""
        desk.sell(13, 100, display=1)
        assert desk.sell(2, 100, display=1) == ["TOO_MANY_REFRESHES"]
        assert desk.amend(1, account=2, quantity=14) == ["TOO_MANY_REFRESHES"]
        desk.buy(1, 100)
        assert desk.sell(2, 100, display=1)[0] == "#3 accepted 2 @ 100"

    def test_post_only_is_refused_or_slides(self, desk: Desk) -> None:
        """Clause 3.16."""
        desk.sell(1, 100)
        assert desk.buy(1, 100, flags=OrderFlag.POST_ONLY) == ["POST_ONLY_WOULD_TRADE"]
        assert desk.buy(1, 99, flags=OrderFlag.POST_ONLY)[0] == "#2 accepted 1 @ 99"
        assert desk.buy(1, 105, flags=OrderFlag.POST_ONLY_SLIDE)[0] == "#3 accepted 1 @ 99"
        assert desk.sell(1, 95, flags=OrderFlag.POST_ONLY_SLIDE)[0] == "#4 accepted 1 @ 100"

    def test_post_only_cannot_slide_beyond_the_limits(self, desk: Desk) -> None:
        """Clause 3.16."""
        desk.sell(1, 90)
        assert desk.buy(1, 95, flags=OrderFlag.POST_ONLY_SLIDE) == ["POST_ONLY_WOULD_TRADE"]

    def test_reduce_only_cuts_to_the_position(self, desk: Desk) -> None:
        """Clause 3.17."""
        reduce = {"flags": OrderFlag.REDUCE_ONLY, "order_type": OrderType.MARKET}
        assert desk.sell(5, account=1, **reduce) == ["NOTHING_TO_REDUCE"]
        desk.do("set_position", 1, 0, 3)
        desk.buy(9, 100, account=2)
        assert desk.buy(5, **reduce) == ["NOTHING_TO_REDUCE"]
        assert desk.sell(5, account=1, **reduce) == [
            "#2 accepted 5 @ 0",
            "#2 loses 2, left 3: REDUCE_ONLY",
            "#2 x #1 3 @ 100, left 0 and 6",
            "BUY 100: 6 in 1",
        ]
        assert desk.engine.position(1, 0) == 0

    def test_fill_or_kill_counts_reserves(self, desk: Desk) -> None:
        """Clause 3.19."""
        desk.sell(5, 100, display=1)
        desk.sell(2, 101)
        fok = {"tif": TimeInForce.FOK}
        assert desk.buy(6, 100, **fok) == ["#3 accepted 6 @ 100", "#3 loses 6, left 0: FILL_OR_KILL"]
        assert desk.buy(7, 101, **fok)[-1] == "SELL 101: 0 in 0"

    def test_a_minimum_quantity_must_trade_at_once(self, desk: Desk) -> None:
        """Clause 3.19."""
        desk.sell(3, 100)
        assert desk.buy(9, 100, min_quantity=4)[-1] == "#2 loses 9, left 0: MIN_QUANTITY"
        assert desk.buy(9, 100, min_quantity=3)[-1] == "BUY 100: 6 in 1"

    @pytest.mark.parametrize(
        ("mode", "fills"),
        [
            (StpMode.NONE, True),
            (StpMode.CANCEL_RESTING, False),
            (StpMode.CANCEL_TAKING, False),
            (StpMode.CANCEL_BOTH, False),
            (StpMode.DECREMENT, False),
        ],
    )
    def test_own_orders_do_not_make_a_fill(self, desk: Desk, mode: StpMode, fills: bool) -> None:
        """Clause 3.19."""
        desk.sell(3, 100)
        desk.sell(2, 100, account=1)
        desk.sell(1, 100)
        ended = desk.buy(5, 100, tif=TimeInForce.FOK, stp=mode)[-1]
        assert (ended != "#4 loses 5, left 0: FILL_OR_KILL") == fills

    def test_cancel_resting_reaches_beyond_own_orders(self, desk: Desk) -> None:
        """Clause 3.19."""
        desk.sell(3, 100)
        desk.sell(2, 100, account=1)
        desk.sell(2, 101)
        resting, taking = StpMode.CANCEL_RESTING, StpMode.CANCEL_TAKING
        fok = {"tif": TimeInForce.FOK}
        assert desk.buy(4, 101, stp=taking, **fok)[-1] == "#4 loses 4, left 0: FILL_OR_KILL"
        assert desk.buy(5, 101, stp=resting, **fok)[-1] == "SELL 101: 0 in 0"


class TestSelfTradePrevention:
    @pytest.fixture
    def book(self, desk: Desk) -> Desk:
        """#1 of account 2, #2 an iceberg of account 1, #3 of account 2: all for sale at 100."""
        desk.sell(1, 100)
        desk.sell(5, 100, account=1, display=2)
        desk.sell(4, 100)
        return desk

    @pytest.mark.parametrize(
        ("mode", "expected"),
        [
            (
                StpMode.NONE,
                [
                    "#4 x #2 2 @ 100, left 5 and 3",
                    "#4 x #3 4 @ 100, left 1 and 0",
                    "#4 x #2 1 @ 100, left 0 and 2",
                    "SELL 100: 1 in 1",
                ],
            ),
            (
                StpMode.CANCEL_RESTING,
                [
                    "#2 loses 5, left 0: SELF_TRADE",
                    "#4 x #3 4 @ 100, left 3 and 0",
                    "SELL 100: 0 in 0",
                    "BUY 100: 3 in 1",
                ],
            ),
            (StpMode.CANCEL_TAKING, ["#4 loses 7, left 0: SELF_TRADE", "SELL 100: 6 in 2"]),
            (
                StpMode.CANCEL_BOTH,
                ["#2 loses 5, left 0: SELF_TRADE", "#4 loses 7, left 0: SELF_TRADE", "SELL 100: 4 in 1"],
            ),
            (
                StpMode.DECREMENT,
                [
                    "#2 loses 5, left 0: SELF_TRADE",
                    "#4 loses 5, left 2: SELF_TRADE",
                    "#4 x #3 2 @ 100, left 0 and 2",
                    "SELL 100: 2 in 1",
                ],
            ),
        ],
    )
    def test_each_mode(self, book: Desk, mode: StpMode, expected: list[str]) -> None:
        """Clause 3.22."""
        accepted = ["#4 accepted 8 @ 100", "#4 x #1 1 @ 100, left 7 and 0"]
        assert book.buy(8, 100, stp=mode) == accepted + expected

    def test_decrement_leaves_the_rest_in_its_place_reserve_first(self, desk: Desk) -> None:
        """Clause 3.22."""
        desk.sell(5, 100, account=1, display=2)
        desk.sell(4, 100)
        assert desk.buy(2, 100, stp=StpMode.DECREMENT) == [
            "#3 accepted 2 @ 100",
            "#1 loses 2, left 3: SELF_TRADE",
            "#3 loses 2, left 0: SELF_TRADE",
            "SELL 100: 6 in 2",
        ]
        assert desk.buy(1, 100, account=3)[1] == "#4 x #1 1 @ 100, left 0 and 2"

    def test_cancel_taking_changes_no_level_that_it_only_looked_at(self, desk: Desk) -> None:
        """Clauses 3.10, 3.22."""
        desk.sell(5, 100, account=1)
        assert desk.buy(2, 100, stp=StpMode.CANCEL_TAKING) == [
            "#2 accepted 2 @ 100",
            "#2 loses 2, left 0: SELF_TRADE",
        ]


class TestStops:
    def trade_at(self, desk: Desk, price: int) -> list[str]:
        """Let accounts 3 and 4 trade one lot; return what follows the trade's own events."""
        desk.sell(1, price, account=3)
        return desk.buy(1, price, account=4)[3:]

    def test_stops_are_elected_in_their_order_and_activated_one_by_one(self, desk: Desk) -> None:
        """Clauses 3.7, 3.24, 3.26."""
        desk.buy(1, order_type=OrderType.STOP, trigger=102)
        desk.buy(2, 103, order_type=OrderType.STOP_LIMIT, trigger=101)
        desk.buy(3, order_type=OrderType.STOP, trigger=103)
        assert self.trade_at(desk, 102) == [
            "#2 triggered 2 @ 101",
            "BUY 103: 2 in 1",
            "#1 triggered 1 @ 102",
            "#1 loses 1, left 0: UNFILLED",
        ]

    def test_an_activated_stop_can_elect_others(self, desk: Desk) -> None:
        """Clause 3.26."""
        desk.sell(5, 104)
        desk.buy(1, order_type=OrderType.STOP, trigger=102)
        desk.buy(1, order_type=OrderType.STOP, trigger=104)
        assert self.trade_at(desk, 102) == [
            "#2 triggered 1 @ 102",
            "#2 x #1 1 @ 104, left 0 and 4",
            "SELL 104: 4 in 1",
            "#3 triggered 1 @ 104",
            "#3 x #1 1 @ 104, left 0 and 3",
            "SELL 104: 3 in 1",
        ]

    def test_a_stop_that_is_due_goes_off_at_once(self, desk: Desk) -> None:
        """Clause 3.24."""
        self.trade_at(desk, 100)
        said = desk.sell(1, order_type=OrderType.STOP, trigger=101)
        assert said == ["#3 accepted 1 @ 0", "#3 triggered 1 @ 101", "#3 loses 1, left 0: UNFILLED"]

    def test_a_trailing_stop_follows_the_price_one_way(self, desk: Desk) -> None:
        """Clauses 3.24, 3.25."""
        desk.sell(1, order_type=OrderType.TRAILING_STOP, trigger=3)
        triggers = []
        for price in (100, 104, 103):
            self.trade_at(desk, price)
            triggers.append(int(desk.engine.open_orders(2)["trigger"][0]))
        assert triggers == [97, 101, 101]
        assert self.trade_at(desk, 101)[0] == "#1 triggered 1 @ 101"

    def test_a_trailing_stop_starts_within_the_limits(self, desk: Desk) -> None:
        """Clause 3.25."""
        desk.sell(1, order_type=OrderType.TRAILING_STOP, trigger=50)
        desk.buy(1, order_type=OrderType.TRAILING_STOP, trigger=50)
        assert desk.engine.open_orders(2)["trigger"].tolist() == [90]
        assert desk.engine.open_orders(1)["trigger"].tolist() == [110]

    def test_a_reduce_only_stop_is_cut_when_it_goes_off(self, desk: Desk) -> None:
        """Clauses 3.17, 3.26."""
        desk.do("set_position", 1, 0, 2)
        reduce = {"account": 1, "order_type": OrderType.STOP, "flags": OrderFlag.REDUCE_ONLY}
        desk.sell(5, trigger=99, **reduce)
        desk.sell(5, trigger=98, **reduce)
        desk.buy(2, 96, account=3)
        assert self.trade_at(desk, 98) == [
            "#1 triggered 5 @ 99",
            "#1 loses 3, left 2: REDUCE_ONLY",
            "#1 x #3 2 @ 96, left 0 and 0",
            "BUY 96: 0 in 0",
            "#2 triggered 5 @ 98",
            "#2 loses 5, left 0: REDUCE_ONLY",
        ]

    def test_a_stop_iceberg_shows_its_slice_when_it_enters_the_book(self, desk: Desk) -> None:
        """Clauses 3.15, 3.26."""
        desk.buy(5, 103, order_type=OrderType.STOP_LIMIT, trigger=101, display=2)
        assert self.trade_at(desk, 101) == ["#1 triggered 5 @ 101", "BUY 103: 2 in 1"]
