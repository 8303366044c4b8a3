"""Brokers over HTTP: commission, a give-up between brokers, and the shares of fees (clauses 8.13 to 8.15)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from exchange_server import DEPOSIT_FEN, FRIDAY, serving

from exchange.api.requests import NewOrder
from exchange.client import ExchangeClient, ExchangeError

MONDAY = FRIDAY + timedelta(days=3)
SYMBOL = "H100.GUIAN.2702"


async def test_a_client_pays_its_broker_and_gives_a_fill_up(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        acme = await served.admit("acme", "provider")
        north, south = [await served.admit(name, "broker") for name in ("north", "south")]
        async with (
            served.client(served.operator) as operator,
            served.client(acme) as sells,
            served.client(north) as northern,
            served.client(south) as southern,
            ExchangeClient(served.base_url, north, client="liu", retries=0) as liu,
            ExchangeClient(served.base_url, south, client="wang", retries=0) as wang,
        ):
            for broker, client in ((northern, "liu"), (southern, "wang")):
                await broker.add_client(client)
            for name in ("north/liu", "south/wang"):
                await operator.deposit(name, DEPOSIT_FEN)
            with pytest.raises(ExchangeError, match="NOT_A_BROKER"):
                await sells.set_commission("liu", basis_points=1)
            await northern.set_commission("liu", basis_points=2)
            (agreed,) = await northern.commissions()
            assert (agreed.client, agreed.basis_points, agreed.next_basis_points) == ("liu", 0, 2)
            assert agreed.next_from == "2026-12-05"
            fees = await sells.fees()
            assert (fees.provider_weight, fees.broker_weight, fees.platform_weight) == (4, 3, 3)
            with pytest.raises(ExchangeError, match="SCOPE_REQUIRED"):
                await northern.set_revenue_split(1, 1, 1)
            await operator.set_revenue_split(5, 3, 2)
            await served.at(9, 30)
            await served.at(9, 30, MONDAY)
            contract = await sells.contract(SYMBOL)
            price = contract.reference_price
            await sells.place(NewOrder(symbol=SYMBOL, side="sell", price=price, quantity=10))
            await liu.place(NewOrder(symbol=SYMBOL, side="buy", price=price, quantity=10))
            (fill,) = await liu.fills()
            with pytest.raises(ExchangeError, match="UNKNOWN_FILL"):
                await wang.offer_give_up(fill.fill_id, 6, "north/liu")
            offered = await liu.offer_give_up(fill.fill_id, 6, "south/wang", fee_fen=300)
            assert (offered.state, offered.giver, offered.price) == ("offered", "north/liu", price)
            with pytest.raises(ExchangeError, match="UNKNOWN_GIVE_UP"):
                await sells.answer_give_up(offered.give_up_id, accept=True)
            taken = await wang.answer_give_up(offered.give_up_id, accept=True)
            assert await liu.give_ups() == [taken]
            assert [(p.symbol, p.quantity) for p in await wang.positions()] == [(SYMBOL, 6)]
            await served.at(16, 0, MONDAY)
            shares = {name: await lines(of) for name, of in (("acme", sells), ("north", northern))}
            fee = fill.fee_fen
            assert shares["acme"]["revenue share"] in (fee // 2, fee // 2 + 1)
            hours = contract.hours
            assert shares["north"]["commission"] == round(ticks(price) * hours * 4 * 2 / 10_000)
            assert shares["north"]["give up fee"] == 300


def ticks(price: str) -> int:
    return int(price.replace(".", ""))


async def lines(of: ExchangeClient) -> dict[str, int]:
    """What an account's statement of Monday says, by kind."""
    statement = await of.statement(MONDAY.isoformat())
    return {line.kind: line.amount_fen for line in statement.lines}
