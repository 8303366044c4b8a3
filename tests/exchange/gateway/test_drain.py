"""While the exchange drains, reads go on, commands are refused, and /readyz says why."""

from __future__ import annotations

import asyncio
from pathlib import Path

from exchange_server import serving

from exchange.api.requests import NewOrder
from exchange.client import ExchangeError

BODY = b'{"symbol":"H100.GUIAN.261205","side":"buy","price":"11.85","quantity":2}'


async def test_what_came_is_answered_and_what_comes_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.at(9, 30)
        member = await served.admit("blue", "enterprise")
        async with served.client(member) as client:
            order = NewOrder(symbol="H100.GUIAN.261205", side="buy", price="11.85", quantity=2)
            placing = [asyncio.create_task(client.place(order)) for _ in range(50)]
            await placing[0]
            await served.exchange.drain()
            outcomes = await asyncio.gather(*placing, return_exceptions=True)
            assert served.exchange.waiting_commands == 0
            refusals = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
            assert all(isinstance(one, ExchangeError) and one.code == "STOPPING" for one in refusals)
            assert len(await client.orders()) == len(placing) - len(refusals)

            status, refused = await served.raw("POST", "/v1/orders", BODY, profile=member)
            assert (status, refused["error"]["code"]) == (503, "STOPPING")  # type: ignore[index]
            status, unready = await served.raw("GET", "/readyz")
            assert (status, unready["error"]["code"]) == (503, "NOT_READY")  # type: ignore[index]
            assert "stopping" in unready["error"]["message"]  # type: ignore[index]
