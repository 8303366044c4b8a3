"""Kill switches over HTTP: a member's own, a broker's for a client, the operator's for any and for all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from exchange_server import Served, serving

from exchange.api.requests import NewOrder
from exchange.client import ExchangeClient, ExchangeError, Profile

pytestmark = pytest.mark.asyncio
SYMBOL = "H100.GUIAN.2701"


def order() -> NewOrder:
    return NewOrder(symbol=SYMBOL, side="buy", quantity=1, price="11.90")


async def with_scopes(served: Served, profile: Profile, *scopes: Any) -> Profile:
    """Another key of the member."""
    async with served.client(served.operator) as operator:
        made = await operator.add_key(profile.member, scopes)
    return msgspec.structs.replace(profile, key_id=made.key_id, secret=made.secret)


async def refusal(client: ExchangeClient) -> str | None:
    """The code with which an order is refused; None if it is taken."""
    try:
        await client.place(order())
    except ExchangeError as refused:
        return refused.code
    return None


async def test_a_member_stops_itself_and_the_operator_lets_it_trade_again(tmp_path: Path) -> None:
    """Clause 5.4."""
    async with serving(tmp_path) as served:
        blue = await served.admit("blue", "enterprise")
        await served.at(9, 30)
        risk = await with_scopes(served, blue, "risk")
        async with served.client(blue) as trading, served.client(risk) as stopping:
            await trading.place(order())
            with pytest.raises(ExchangeError, match="SCOPE_REQUIRED"):
                await trading.kill()
            assert (await stopping.kill()).cancelled == 1
            assert await trading.orders() == []
            assert await refusal(trading) == "ACCOUNT_DISABLED"
            assert (await stopping.kill()).cancelled == 0
            with pytest.raises(ExchangeError, match="ROLE_REQUIRED"):
                await stopping.set_member_state("blue", "approved")
        second = await served.add_operator("second", "risk")
        async with (
            served.client(served.operator) as operator,
            served.client(second) as other,
            served.client(blue) as trading,
        ):
            await other.decide(await operator.propose_restore("blue"), True)  # clause 8.11
            assert await refusal(trading) is None


async def test_a_broker_stops_one_client(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        bank = await served.admit("bank", "broker")
        await served.at(9, 30)
        risk = await with_scopes(served, bank, "risk")
        async with served.client(bank) as own, served.client(served.operator) as operator:
            for name in ("one", "two"):
                await own.add_client(name)
                await operator.deposit(f"bank/{name}", 10**9)
        async with (
            ExchangeClient(served.base_url, risk, client="one") as stopping,
            ExchangeClient(served.base_url, bank, client="one") as one,
            ExchangeClient(served.base_url, bank, client="two") as two,
        ):
            await one.place(order())
            assert (await stopping.kill()).cancelled == 1
            assert (await refusal(one), await refusal(two)) == ("ACCOUNT_DISABLED", None)
            second = await served.add_operator("second", "risk")
            async with served.client(served.operator) as operator, served.client(second) as other:
                await other.decide(await operator.propose_restore("bank/one"), True)
            assert await refusal(one) is None


async def test_halts_and_the_markets_kill_switch(tmp_path: Path) -> None:
    """Clauses 4.7 and 4.8."""
    async with serving(tmp_path) as served:
        blue = await served.admit("blue", "enterprise")
        await served.at(9, 30)
        async with served.client(blue) as trading, served.client(served.operator) as operator:
            assert (await operator.halt(True, symbol=SYMBOL)).contracts == 1
            assert (await trading.contract(SYMBOL)).halted
            assert await refusal(trading) == "HALTED"
            assert (await operator.halt(True, hub="GUIAN")).contracts > 1
            assert (await operator.halt(False, hub="GUIAN")).contracts > 1
            assert await refusal(trading) is None
            everything = len(await trading.contracts())
            killed = await operator.kill_market(cancel_orders=True)
            assert (killed.contracts, killed.cancelled) == (everything, 1)
            assert (await operator.halt(False)).contracts == everything
            assert await refusal(trading) is None
            for wrong, code in (
                ({"symbol": SYMBOL, "hub": "GUIAN"}, "INVALID_FIELD"),
                ({"hub": "MOON"}, "UNKNOWN_HUB"),
                ({"symbol": "H100.GUIAN.991231"}, "UNKNOWN_CONTRACT"),
            ):
                with pytest.raises(ExchangeError) as refused:
                    await operator.halt(True, **wrong)
                assert refused.value.code == code
        every_scope = await with_scopes(served, blue, "read", "trade", "risk", "operate")
        async with served.client(every_scope) as member:
            for forbidden in (member.kill_market(), member.halt(True), member.members()):
                with pytest.raises(ExchangeError, match="ROLE_REQUIRED"):
                    await forbidden
