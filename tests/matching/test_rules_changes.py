"""Chapter 3 of the rulebook on both engines: amendments, cancels, mass cancels, kill switches."""

from __future__ import annotations

from desk import BUY, SELL, Desk

from matching.records import (
    ANY_HUB,
    ANY_INSTRUMENT,
    OrderFlag,
    OrderType,
    Phase,
    cancel,
    mass_cancel,
)
from matching.spec import InstrumentSpec


class TestAmending:
    def test_down_keeps_the_place_and_up_loses_it(self, desk: Desk) -> None:
        """Clause 3.20."""
        desk.buy(5, 99)
        desk.buy(5, 99, account=3)
        assert desk.amend(1, quantity=4) == ["#1 amended 4 @ 99", "BUY 99: 9 in 2"]
        assert desk.sell(1, 99)[1] == "#3 x #1 1 @ 99, left 0 and 3"
        assert desk.amend(1, quantity=6) == ["#1 amended 5 @ 99", "BUY 99: 5 in 1", "BUY 99: 10 in 2"]
        assert desk.sell(1, 99)[1] == "#4 x #2 1 @ 99, left 0 and 4"

    def test_below_the_executed_quantity_cancels(self, desk: Desk) -> None:
        """Clause 3.20."""
        desk.buy(5, 99)
        desk.sell(2, 99)
        assert desk.amend(1, quantity=2) == ["#1 loses 3, left 0: AMENDED_AWAY", "BUY 99: 0 in 0"]

    def test_a_new_price_may_trade(self, desk: Desk) -> None:
        """Clause 3.20."""
        desk.sell(2, 101)
        desk.buy(5, 99)
        assert desk.amend(2, price=101) == [
            "#2 amended 5 @ 101",
            "BUY 99: 0 in 0",
            "#2 x #1 2 @ 101, left 3 and 0",
            "SELL 101: 0 in 0",
            "BUY 101: 3 in 1",
        ]

    def test_an_icebergs_reserve_is_reduced_first(self, desk: Desk) -> None:
        """Clause 3.20."""
        desk.buy(9, 99, display=4)
        assert desk.amend(1, quantity=5) == ["#1 amended 5 @ 99", "BUY 99: 4 in 1"]
        assert desk.amend(1, quantity=2) == ["#1 amended 2 @ 99", "BUY 99: 2 in 1"]

    def test_post_only_is_judged_again(self, desk: Desk) -> None:
        """Clause 3.20."""
        desk.sell(1, 101)
        desk.buy(5, 99, flags=OrderFlag.POST_ONLY)
        desk.buy(5, 98, flags=OrderFlag.POST_ONLY_SLIDE)
        assert desk.amend(2, price=101) == ["POST_ONLY_WOULD_TRADE"]
        assert desk.amend(3, price=103) == ["#3 amended 5 @ 100", "BUY 98: 0 in 0", "BUY 100: 5 in 1"]

    def test_what_cannot_be_amended(self, desk: Desk) -> None:
        """Clause 3.20."""
        desk.buy(5, 99)
        desk.buy(5, order_type=OrderType.STOP, trigger=105)
        desk.buy(5, order_type=OrderType.TRAILING_STOP, trigger=3)
        assert desk.amend(1, quantity=-1) == ["INVALID_QUANTITY"]
        assert desk.amend(1, quantity=(1 << 20) + 1) == ["ORDER_TOO_LARGE"]
        assert desk.amend(1, price=111) == ["PRICE_OUTSIDE_LIMITS"]
        assert desk.amend(1, trigger=100) == ["INVALID_COMBINATION"]
        assert desk.amend(2, price=100) == ["PRICE_NOT_ALLOWED"]
        assert desk.amend(2, trigger=111) == ["TRIGGER_OUTSIDE_LIMITS"]
        assert desk.amend(3, trigger=4) == ["INVALID_COMBINATION"]
        assert desk.amend(1, account=2, quantity=1) == ["UNKNOWN_ORDER"]
        assert desk.amend(1, account=7, quantity=1) == ["UNKNOWN_ACCOUNT"]
        assert desk.amend(2, trigger=106) == ["#2 amended 5 @ 0"]

    def test_nobody_elses_order_can_be_cancelled(self, desk: Desk) -> None:
        """Clause 3.21."""
        desk.buy(5, 99)
        assert desk.cancel(1, account=2) == ["UNKNOWN_ORDER"]
        assert desk.send(cancel(account=1, order_id=99)) == ["UNKNOWN_ORDER"]
        assert desk.send(cancel(account=1, order_id=-1)) == ["UNKNOWN_ORDER"]


class TestMassCancelAndKillSwitch:
    def test_filters(self, desk: Desk) -> None:
        """Clause 3.27."""
        desk.do("add_instrument", 1, InstrumentSpec(90, 110, 100, hub=5))
        desk.do("set_phase", 1, Phase.CONTINUOUS)
        orders = [(0, BUY, 99, 1), (1, BUY, 99, 2), (0, SELL, 101, 1), (1, SELL, 101, 1)]
        chosen = [
            ({}, [1, 2, 3, 4]),
            ({"instrument": 1}, [2, 4]),
            ({"hub": 5, "side": BUY}, [2]),
            ({"group": 1}, [1, 3, 4]),
            ({"side": SELL, "instrument": ANY_INSTRUMENT, "hub": ANY_HUB}, [3, 4]),
        ]
        for filters, expected in chosen:
            desk.ids.clear()
            for instrument, side, price, group in orders:
                desk.order(side, 1, price, instrument=instrument, group=group)
            said = desk.send(mass_cancel(account=1, **filters))
            assert said[-1] == f"mass-cancelled {len(expected)}"
            assert said[:-1:2] == [f"#{number} loses 1, left 0: MASS_CANCEL" for number in expected]
            desk.send(mass_cancel(account=1))

    def test_refusals(self, desk: Desk) -> None:
        """Clause 3.27."""
        assert desk.send(mass_cancel(account=7)) == ["UNKNOWN_ACCOUNT"]
        assert desk.send(mass_cancel(account=1, instrument=2)) == ["UNKNOWN_INSTRUMENT"]
        assert desk.send(mass_cancel(account=1, side=3)) == ["INVALID_SIDE"]  # type: ignore[arg-type]

    def test_killing_an_account(self, desk: Desk) -> None:
        """Clause 3.28."""
        desk.buy(1, 99)
        desk.buy(2, 99, account=3)
        desk.buy(3, order_type=OrderType.STOP, trigger=105)
        assert desk.do("kill_account", 1) == [
            "account 1 off",
            "#1 loses 1, left 0: KILL_SWITCH",
            "BUY 99: 2 in 1",
            "#3 loses 3, left 0: KILL_SWITCH",
            "mass-cancelled 2",
        ]
        assert desk.buy(1, 99) == ["ACCOUNT_DISABLED"]
        assert desk.do("kill_account", 7) == ["UNKNOWN_ACCOUNT"]

    def test_killing_the_market(self, desk: Desk) -> None:
        """Clause 3.28."""
        desk.do("add_instrument", 1, InstrumentSpec(90, 110, 100))
        desk.buy(1, 99)
        assert desk.do("kill_market") == ["phase HALTED"]
        said = desk.do("kill_market", cancel_orders=True)
        assert said == ["#1 loses 1, left 0: KILL_SWITCH", "BUY 99: 0 in 0"]
