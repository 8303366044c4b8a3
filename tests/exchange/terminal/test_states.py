"""What the terminal says of keys that are wrong, revoked or absent, and before a large order goes out."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import msgspec
from exchange_server import serving
from hypothesis import given
from hypothesis import strategies as st
from terminal_market import SYMBOL
from terminal_screen import see, told, until

from exchange.api.requests import NewOrder
from exchange.client import ExchangeClient
from exchange.terminal.app import TradingApp, Wishes
from exchange.terminal.state.alerts import Alerts
from exchange.terminal.state.connection import QUIET_S, Connection, State

SMALL = (80, 24)


async def test_keys_that_are_wrong_absent_and_revoked(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        blue = await served.admit("blue", "enterprise")
        await served.at(10)
        wrong = msgspec.structs.replace(blue, secret="0" * 64)
        async with served.client(wrong) as client:
            app = TradingApp(client, Wishes())
            async with app.run_test(size=SMALL) as pilot:
                await see(pilot, "WRONG KEY", "The exchange doesn't take this key")
                await pilot.press("a")
                await see(pilot, "`dongxi login` takes a new one")
        async with ExchangeClient(served.base_url) as client:
            app = TradingApp(client, Wishes(language="zh", symbol=SYMBOL))
            async with app.run_test(size=SMALL) as pilot:
                await see(pilot, "实时", "未登录:仅看行情", SYMBOL, "价格")
                await pilot.press("b")
                await until(pilot, lambda: told(app, "没有密钥"))
        async with served.client(blue) as client, served.client(served.operator) as operator:
            app = TradingApp(client, Wishes(symbol=SYMBOL, confirm_above=4, presets=(5, 1)))
            async with app.run_test(size=SMALL) as pilot:
                await see(pilot, "LIVE", SYMBOL)
                # five lots are more than four: asked about, and sent only on y
                await pilot.press("b", "n", "2", "b")
                await until(pilot, lambda: len(app.model.account.orders) == 1)
                assert [one.open_lots for one in app.model.account.orders.values()] == [1]
                await pilot.press("1", "b", "y")
                await until(pilot, lambda: len(app.model.account.orders) == 2)
                assert sorted(one.open_lots for one in app.model.account.orders.values()) == [1, 5]
                # a page is as long as the screen; the mark stays on its order when another comes on top
                before = app.actions.cursors["markets"]
                await pilot.press("w", "pageup")
                assert before - app.actions.cursors["markets"] == app.actions.page == 12
                await pilot.press("o", "down")
                await client.place(NewOrder(symbol=SYMBOL, side="buy", quantity=2, price="11.00"))
                await until(pilot, lambda: len(app.model.account.orders) == 3)
                await pilot.press("x")
                await until(pilot, lambda: len(app.model.account.orders) == 2)
                assert sorted(one.open_lots for one in app.model.account.orders.values()) == [2, 5]
                # keys under the map are the map's: the first closes it
                await pilot.press("question_mark", "X", "exclamation_mark")
                assert told(app, f"Watching {SYMBOL} for")
                assert len(app.model.account.orders) == 2
                await operator.revoke_key(blue.key_id)
                await see(pilot, "SESSION EXPIRED")
                assert told(app, "Orders that stand stay.")
                assert app.model.connection.ended


@given(
    st.lists(st.integers(1190, 1210), min_size=2, max_size=20), st.sets(st.integers(1190, 1210), max_size=6)
)
def test_a_watched_price_is_told_once_when_the_last_price_reaches_or_passes_it(
    lasts: list[int], levels: set[int]
) -> None:
    alerts = Alerts()
    for level in levels:
        assert alerts.toggle(SYMBOL, level)
    told_of: list[int] = []
    for before, now in pairwise(lasts):
        found = alerts.crossed(SYMBOL, before, now)
        way = range(before, now, 1 if now > before else -1)
        expected = [level for level in levels if level not in told_of and level in {*way, now} - {before}]
        assert found == sorted(expected)
        told_of += found


def test_a_connection_on_which_nothing_comes_is_no_longer_called_live() -> None:
    connection = Connection(0.0)
    assert not connection.looked("no route", 1.0)
    assert (connection.state, connection.why) == (State.CONNECTING, "no route")
    assert not connection.heard(1.5), "one of two connections is there"
    assert not connection.looked(None, 1.6)
    assert connection.heard(2.0)
    assert not connection.looked(None, 2.0 + QUIET_S)
    assert connection.may_send
    assert connection.looked(None, 2.1 + QUIET_S)
    assert (connection.state, connection.may_send) == (State.STALE, False)
    assert connection.heard(20.0)
    assert connection.looked("the connection broke", 20.1)
    assert not connection.heard(20.2), "what comes over the other doesn't make it live"
    assert connection.refused("BAD_SIGNATURE", "revoked", 21.0)
    assert not connection.looked(None, 50.0)
    assert connection.state is State.EXPIRED
