"""Chapter 3 of the rulebook on both engines: what an order is refused for, and the margin gate."""

from __future__ import annotations

from typing import Any

import pytest
from desk import BUY, LIMITS, SECOND_NS, Desk

from matching.records import (
    OrderFlag,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    new_order,
)
from matching.spec import AccountSpec, InstrumentSpec


class TestRefusals:
    @pytest.mark.parametrize(
        ("terms", "code"),
        [
            ({"account": 7}, "UNKNOWN_ACCOUNT"),
            ({"account": 99}, "UNKNOWN_ACCOUNT"),
            ({"account": -1}, "UNKNOWN_ACCOUNT"),
            ({"instrument": 3}, "UNKNOWN_INSTRUMENT"),
            ({"instrument": -1}, "UNKNOWN_INSTRUMENT"),
            ({"side": Side.ANY}, "INVALID_SIDE"),
            ({"order_type": 6}, "INVALID_TYPE"),
            ({"tif": 7}, "INVALID_TIME_IN_FORCE"),
            ({"stp": 5}, "INVALID_STP_MODE"),
            ({"flags": 3}, "INVALID_FLAGS"),
            ({"flags": 8}, "INVALID_FLAGS"),
            ({"quantity": 0}, "INVALID_QUANTITY"),
            ({"quantity": -5}, "INVALID_QUANTITY"),
            ({"quantity": (1 << 20) + 1}, "ORDER_TOO_LARGE"),
            ({"display": 6}, "INVALID_DISPLAY"),
            ({"display": -1}, "INVALID_DISPLAY"),
            ({"min_quantity": 6}, "INVALID_MIN_QUANTITY"),
            ({"min_quantity": -1}, "INVALID_MIN_QUANTITY"),
            ({"price": 89}, "PRICE_OUTSIDE_LIMITS"),
            ({"price": 111}, "PRICE_OUTSIDE_LIMITS"),
            ({"price": 0}, "PRICE_OUTSIDE_LIMITS"),
            ({"order_type": OrderType.MARKET}, "PRICE_NOT_ALLOWED"),
            ({"order_type": OrderType.STOP_LIMIT, "trigger": 111}, "TRIGGER_OUTSIDE_LIMITS"),
            ({"order_type": OrderType.STOP, "price": 0, "trigger": 0}, "TRIGGER_OUTSIDE_LIMITS"),
            ({"order_type": OrderType.TRAILING_STOP, "price": 0}, "INVALID_OFFSET"),
            ({"tif": TimeInForce.GTD}, "INVALID_EXPIRY"),
            ({"tif": TimeInForce.AT_OPEN}, "NOT_IN_THIS_PHASE"),
        ],
    )
    def test_each_check_has_its_code(self, desk: Desk, terms: dict[str, int], code: str) -> None:
        """Clause 3.11."""
        before = desk.engine.state_hash()
        plain = {"account": 1, "instrument": 0, "side": BUY, "quantity": 5, "price": 99}
        assert desk.send(new_order(**(plain | terms))) == [code]
        if code in ("UNKNOWN_ACCOUNT", "UNKNOWN_INSTRUMENT") or code.startswith("INVALID_S"):
            assert desk.engine.state_hash() == before

    @pytest.mark.parametrize(
        "terms",
        [
            {"order_type": OrderType.STOP, "tif": TimeInForce.IOC},
            {"order_type": OrderType.TRAILING_STOP, "tif": TimeInForce.AT_CLOSE},
            {"order_type": OrderType.MARKET, "display": 1},
            {"display": 1, "tif": TimeInForce.FOK},
            {"min_quantity": 1, "order_type": OrderType.STOP_LIMIT},
            {"min_quantity": 1, "tif": TimeInForce.FOK},
            {"min_quantity": 1, "tif": TimeInForce.AT_OPEN},
            {"min_quantity": 1, "flags": OrderFlag.POST_ONLY},
            {"min_quantity": 1, "flags": OrderFlag.REDUCE_ONLY, "tif": TimeInForce.IOC},
            {"flags": OrderFlag.POST_ONLY, "order_type": OrderType.MARKET},
            {"flags": OrderFlag.POST_ONLY_SLIDE, "tif": TimeInForce.IOC},
            {"order_type": OrderType.MARKET_TO_LIMIT, "tif": TimeInForce.FOK},
            {"flags": OrderFlag.REDUCE_ONLY},
            {"flags": OrderFlag.REDUCE_ONLY, "order_type": OrderType.STOP_LIMIT},
            {"flags": OrderFlag.REDUCE_ONLY, "order_type": OrderType.MARKET, "tif": TimeInForce.AT_CLOSE},
        ],
    )
    def test_these_combinations_are_refused(self, desk: Desk, terms: dict[str, int]) -> None:
        """Clause 3.12."""
        assert desk.buy(5, 99, **terms) == ["INVALID_COMBINATION"]

    @pytest.mark.parametrize(
        "terms",
        [
            {"tif": TimeInForce.IOC},
            {"tif": TimeInForce.FOK},
            {"min_quantity": 1},
            {"flags": OrderFlag.POST_ONLY},
            {"flags": OrderFlag.REDUCE_ONLY, "order_type": OrderType.MARKET, "price": 0},
        ],
    )
    def test_a_call_refuses_what_must_trade_at_once(self, desk: Desk, terms: dict[str, Any]) -> None:
        """Clause 3.13."""
        desk.phase(Phase.CLOSING_CALL)
        assert desk.buy(5, **({"price": 99} | terms)) == ["NOT_IN_THIS_PHASE"]

    def test_a_disabled_account_may_cancel_but_not_send(self, desk: Desk) -> None:
        """Clauses 3.11 (3), 3.20, 3.21."""
        desk.buy(5, 99)
        desk.do("set_account", 1, AccountSpec(enabled=False, equity_fen=10**9))
        assert desk.buy(5, 99) == ["ACCOUNT_DISABLED"]
        assert desk.amend(1, quantity=1) == ["ACCOUNT_DISABLED"]
        assert desk.cancel(1)[0] == "#1 loses 5, left 0: REQUESTED"

    def test_the_engine_is_full(self, desk: Desk) -> None:
        """Clause 3.11 (9)."""
        for _ in range(LIMITS.max_orders):
            desk.buy(1, 99)
        assert desk.buy(1, 99) == ["ENGINE_FULL"]
        desk.cancel(7)
        assert desk.buy(1, 99)[0] == "#41 accepted 1 @ 99"

    def test_holdings_are_bounded(self, desk: Desk) -> None:
        """Clauses 3.11 (9), 3.35."""
        for index in (1, 2):
            desk.do("add_instrument", index, InstrumentSpec(90, 110, 100))
            desk.do("set_phase", index, Phase.CONTINUOUS)
        for index in range(3):
            for account in (1, 2, 3):
                desk.buy(1, 99, instrument=index, account=account)
        assert desk.buy(1, 99, account=4) == ["TOO_MANY_HOLDINGS"]
        assert desk.do("set_position", 4, 0, 1) == ["TOO_MANY_HOLDINGS"]
        assert desk.buy(1, 99, account=3)[0] == "#10 accepted 1 @ 99"


class TestExposure:
    def test_requirement_and_equity(self, desk: Desk) -> None:
        """Clause 3.36."""
        desk.do("remove_instrument", 0)
        spec = InstrumentSpec(90, 110, 100, multiplier=10, margin_long_fen=70, margin_short_fen=50)
        desk.do("add_instrument", 0, spec)
        desk.phase(Phase.CONTINUOUS)
        desk.buy(4, 103)
        assert desk.engine.exposure(1).requirement_fen == 4 * 70 + 4 * 10 * 3
        desk.sell(9, 99, account=1)
        # the buyer's own lots traded with itself; 5 remain for sale at 99, one tick below the reference
        assert desk.engine.exposure(1).requirement_fen == 5 * 50 + 5 * 10 * 1
        desk.buy(5, 99, account=3)
        assert desk.engine.exposure(1).requirement_fen == 5 * 50
        assert desk.engine.exposure(3).equity_fen == 10**9 + 5 * 10 * 1
        assert desk.engine.exposure(1).equity_fen == 10**9 - 5 * 10 * 1

    def test_market_orders_count_at_the_worst_price(self, desk: Desk) -> None:
        """Clause 3.35."""
        desk.phase(Phase.OPENING_CALL)
        desk.buy(2, order_type=OrderType.MARKET)
        desk.sell(3, account=1, order_type=OrderType.STOP, trigger=95)
        assert desk.engine.exposure(1).requirement_fen == 2 * 10 + 3 * 10

    def test_margin_is_checked_before_the_trade(self, desk: Desk) -> None:
        """Clause 3.36."""
        desk.do("set_margins", 0, 10, 10)
        desk.do("set_account", 1, AccountSpec(equity_fen=40, offset_fen=10))
        assert desk.buy(6, 100) == ["MARGIN"]
        desk.buy(5, 100)
        assert desk.buy(1, 95) == ["MARGIN"]
        assert desk.sell(5, 101, account=1)[0] == "#2 accepted 5 @ 101"
        desk.do("adjust_equity", 1, -30)
        assert desk.amend(1, quantity=4)[0] == "#1 amended 4 @ 100"
        assert desk.amend(1, quantity=6) == ["MARGIN"]
        assert desk.amend(1, price=101) == ["MARGIN"]
        desk.do("set_offset", 1, 1000)
        assert desk.amend(1, quantity=6)[0] == "#1 amended 6 @ 100"

    def test_the_other_limits(self, desk: Desk) -> None:
        """Clause 3.37."""
        spec = AccountSpec(equity_fen=10**9, max_order_notional_fen=1000, max_open_orders=2)
        desk.do("set_account", 1, spec)
        assert desk.buy(11, 91) == ["ORDER_NOTIONAL"]
        assert desk.buy(10, order_type=OrderType.MARKET) == ["ORDER_NOTIONAL"]  # counted at 110
        desk.buy(10, 100)
        desk.buy(1, 99)
        assert desk.buy(1, 99) == ["OPEN_ORDER_LIMIT"]
        assert desk.amend(1, quantity=11) == ["ORDER_NOTIONAL"]

    def test_the_position_limit(self, desk: Desk) -> None:
        """Clause 3.37."""
        desk.do("remove_instrument", 0)
        desk.do("add_instrument", 0, InstrumentSpec(90, 110, 100, position_limit=5, max_order_size=9))
        desk.phase(Phase.CONTINUOUS)
        assert desk.buy(10, 99) == ["ORDER_TOO_LARGE"]
        assert desk.buy(6, 99) == ["POSITION_LIMIT"]
        desk.buy(5, 99)
        assert desk.buy(1, 99) == ["POSITION_LIMIT"]
        assert desk.amend(1, quantity=6) == ["POSITION_LIMIT"]
        desk.do("set_position", 1, 0, 3)
        assert desk.amend(1, quantity=4)[0] == "#1 amended 4 @ 99"
        assert desk.sell(8, 101, account=1)[0] == "#2 accepted 8 @ 101"
        assert desk.sell(1, 101, account=1) == ["POSITION_LIMIT"]

    def test_a_new_position_limit_binds_orders_and_leaves_what_stands(self, desk: Desk) -> None:
        """Clause 3.37."""
        desk.phase(Phase.CONTINUOUS)
        desk.buy(5, 99)
        desk.do("set_position_limit", 0, 4)
        assert desk.buy(1, 98) == ["POSITION_LIMIT"]
        assert desk.engine.instrument(0).position_limit == 4
        assert [int(order["remaining"]) for order in desk.engine.open_orders(1)] == [5]
        desk.do("set_position_limit", 0, 6)
        assert desk.buy(1, 98)[0] == "#2 accepted 1 @ 98"
        desk.do("set_position_limit", 0, 0)
        assert desk.buy(100, 98)[0] == "#3 accepted 100 @ 98"

    def test_reduce_only_is_exempt_from_margin_and_position_limit(self, desk: Desk) -> None:
        """Clause 3.17."""
        desk.do("set_position", 1, 0, 5)
        desk.do("set_margins", 0, 10, 10)
        desk.do("set_account", 1, AccountSpec(equity_fen=-(10**6)))
        desk.buy(9, 99, account=2)
        ioc = {"tif": TimeInForce.IOC, "account": 1}
        assert desk.sell(9, 95, **ioc) == ["MARGIN"]
        assert desk.sell(5, 99, flags=OrderFlag.REDUCE_ONLY, **ioc)[0] == "#2 accepted 5 @ 99"

    def test_the_order_rate_counts_whole_seconds(self, desk: Desk) -> None:
        """Clause 3.38."""
        desk.do("set_account", 1, AccountSpec(equity_fen=10**9, max_orders_per_second=3))
        desk.time_ns = 5 * SECOND_NS
        desk.buy(1, 99)
        assert desk.buy(0, 99) == ["INVALID_QUANTITY"]
        desk.time_ns = 6 * SECOND_NS - 1
        assert desk.amend(1, quantity=2)[0] == "#1 amended 2 @ 99"
        assert desk.buy(1, 99) == ["ORDER_RATE"]
        assert desk.amend(1, quantity=1) == ["ORDER_RATE"]
        desk.time_ns = 6 * SECOND_NS
        assert desk.buy(1, 99)[0] == "#2 accepted 1 @ 99"

    def test_limit_lock(self, desk: Desk) -> None:
        """Clause 3.39."""
        assert desk.engine.l1(0).limit_lock == 0
        desk.buy(1, 110)
        assert desk.engine.l1(0).limit_lock == 1
        desk.sell(1, 110)
        desk.sell(1, 90)
        assert desk.engine.l1(0).limit_lock == -1
        desk.buy(1, 89 + 2)
        assert desk.engine.l1(0).limit_lock == 0
