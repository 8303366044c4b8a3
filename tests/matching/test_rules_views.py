"""Chapter 3 of the rulebook on both engines: views of the book, snapshots, the state hash."""

from __future__ import annotations

import pytest
from desk import BUY, SELL, Desk, levels

from matching.records import (
    Side,
    new_order,
)


class TestViewsAndState:
    def test_the_level_changes_rebuild_the_book(self, desk: Desk) -> None:
        """Clause 3.10."""
        book: dict[tuple[str, str], str] = {}
        said: list[str] = []
        for turn in range(60):
            price = 95 + turn * 7 % 11
            said += desk.order(
                Side(turn % 2), 1 + turn % 5, price, account=1 + turn % 4, display=turn % 3 % 2
            )
        for line in said:
            if line.startswith(("BUY", "SELL")):
                side, price_text, lots, _, orders = line.replace(":", "").split()
                book[side, price_text] = f"{lots} in {orders}"
        shown = {
            (side.name, str(price)): f"{lots} in {orders}"
            for side in (BUY, SELL)
            for price, lots, orders in levels(desk, side)
        }
        assert {level: what for level, what in book.items() if what != "0 in 0"} == shown

    def test_top_of_book(self, desk: Desk) -> None:
        desk.buy(2, 99)
        desk.buy(1, 98)
        desk.sell(5, 102, display=3)
        top = desk.engine.l1(0)
        assert (top.bid_price, top.bid_quantity, top.ask_price, top.ask_quantity) == (99, 2, 102, 3)
        assert levels(desk, BUY) == [(99, 2, 1), (98, 1, 1)]
        assert desk.engine.depth(0, BUY, 1).tolist() == [(99, 2, 1)]

    def test_views_of_what_does_not_exist(self, desk: Desk) -> None:
        engine = desk.engine
        for view in (engine.l1, engine.orders, engine.indicative, engine.instrument, engine.positions):
            with pytest.raises(KeyError):
                view(3)
        with pytest.raises(KeyError):
            engine.position(1, 3)
        with pytest.raises(KeyError):
            desk.engine.exposure(7)

    def test_positions(self, desk: Desk) -> None:
        desk.buy(3, 100)
        desk.sell(3, 100)
        desk.buy(1, 90, account=3)
        assert desk.engine.positions(0).tolist() == [(1, 3), (2, -3)]
        assert desk.engine.position(3, 0) == 0

    def test_snapshots_that_do_not_fit_are_refused_and_change_nothing(self, desk: Desk) -> None:
        desk.buy(3, 100)
        good = desk.engine.snapshot()
        before = desk.engine.state_hash()
        for name, column, value in (
            ("orders", "remaining", 0),
            ("orders", "price", 111),
            ("accounts", "requirement_fen", 5),
            ("holdings", "open_buy", 4),
            ("engine", "used_slots", 7),
        ):
            spoilt = {table: rows.copy() for table, rows in good.items()}
            spoilt[name][column][0] = value
            with pytest.raises(ValueError, match=r"."):
                desk.engine.restore(spoilt)
            assert desk.engine.state_hash() == before
        desk.engine.restore(good)
        assert desk.engine.state_hash() == before

    def test_commands_of_another_layout_are_a_type_error(self, desk: Desk) -> None:
        with pytest.raises(TypeError):
            desk.engine.apply(desk.engine.snapshot()["orders"])

    def test_an_unknown_kind_of_command(self, desk: Desk) -> None:
        command = new_order(account=1, instrument=0, side=BUY, quantity=1, price=100)
        command["kind"] = 6
        assert desk.send(command) == ["UNKNOWN_COMMAND"]
