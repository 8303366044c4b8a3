"""A trader's day at the terminal, against a real server that is killed in the middle of an order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from proxy import proxied
from server_process import ServerProcess
from terminal_screen import see, told, until

from exchange.api.requests import NewOrder
from exchange.client import ExchangeClient
from exchange.terminal.app import TradingApp, Wishes
from exchange.terminal.state.connection import State

SYMBOL = "H100.GUIAN.261205"
SMALL, WIDE = (80, 24), (200, 50)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("exchange")) as running:
        yield running


def limit(side: str, lots: int, price: str) -> NewOrder:
    return NewOrder(symbol=SYMBOL, side=side, quantity=lots, price=price)  # type: ignore[arg-type]


async def test_a_day_at_the_terminal(server: ServerProcess) -> None:
    blue, acme = await server.admit("blue"), await server.admit("acme", "provider")
    async with (
        proxied(server.base_url) as proxy,
        ExchangeClient(proxy.base_url, blue, retries=1) as client,
        ExchangeClient(server.base_url, acme) as other,
    ):
        await other.place(limit("sell", 4, "11.90"))
        await other.place(limit("buy", 3, "11.80"))
        app = TradingApp(client, Wishes(confirm_above=20))
        async with app.run_test(size=SMALL) as pilot:
            # open, and choose the contract by search
            await see(pilot, "LIVE", "blue", "contracts", "continuous")
            await pilot.press("slash", *"h100 guian 261205", "enter")
            await see(pilot, "11.80", "11.90")
            await pilot.press("enter")
            await see(pilot, SYMBOL, "limits 10.")
            await until(pilot, lambda: app.model.book is not None)
            # one key places behind what is there; the marker has own lots and lots ahead
            assert app.model.ticket.price == 1180, "the best bid is selected"
            await pilot.press("2", "b")
            await see(pilot, "5/3 ▸")
            # the counterparty fills two of five, after the three that were first
            await other.place(limit("sell", 5, "11.80"))
            await see(pilot, "3/0 ▸")
            assert told(app, "Bought 2 H100.GUIAN.261205 @ 11.80, 3 lots still open")
            assert app.model.account.positions == {SYMBOL: 2}
            # a trade at another price moves the day's profit: 2 lots × 24 h × 0.10 less the fee
            await other.place(limit("sell", 1, "11.90"))
            await pilot.press("right", "1", "B")
            await until(pilot, lambda: told(app, "Bought 1 H100.GUIAN.261205 @ 11.90, all done"))
            fees = sum(fill.fee_fen for fill in app.model.account.fills)
            quote = app.model.quotes.by_symbol[SYMBOL]
            await until(pilot, lambda: quote.last == 1190)
            assert app.model.account.profit_fen(SYMBOL, quote) == 2 * 24 * 10 - fees
            await pilot.press("p")
            await see(pilot, f"{SYMBOL}", "+3", f"{(480 - fees) / 100:+.2f}")
            # cancel at the price
            await pilot.press("l", "down", "x")
            await pilot.press(*["down"] * 9, "x")
            await until(pilot, lambda: not app.model.account.orders)
            # the server takes an order and is killed before anybody hears of it
            proxy.damage = lambda _: b""
            await pilot.press("b")
            while not (await other.book(SYMBOL)).bids:
                await pilot.pause()
            server.kill()
            await see(pilot, "STALE", "UNKNOWN", "?1")
            assert len(app.in_doubt()) == 1
            await pilot.press("b")
            await until(pilot, lambda: told(app, "Not sent: there is no live connection"))
            server.start()
            proxy.move(server.base_url)
            proxy.mend()
            await see(pilot, "LIVE", "1/0 ▸")
            assert not app.in_doubt()
            assert not app.model.outgoing
            assert told(app, "Cleared up. The order")
            assert [one.open_lots for one in app.model.account.orders.values()] == [1], "taken once"
            # everything at once on a wide screen
            await pilot.resize_terminal(*WIDE)
            await see(pilot, "Markets", "Ladder", "Chart", "Time & sales", "Orders", "Positions", "working")
            await pilot.press("X")
            await until(pilot, lambda: not app.model.account.orders)
            assert app.model.connection.state is State.LIVE
