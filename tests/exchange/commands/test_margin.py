"""`dongxi margin explain` on a real server: a table and JSON whose lines sum to the margin."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import orjson
from exchange_server import serving

from exchange.api.requests import NewOrder
from exchange.client.profiles import save_profile
from exchange.domain import messages as m

DONGXI = Path(sys.executable).parent / "dongxi"


async def ran(*arguments: str) -> tuple[int, str, str]:
    """Run the program; return exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        DONGXI,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "160"},
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_every_fen_has_a_line(tmp_path: Path) -> None:
    async with serving(tmp_path / "exchange") as served:
        seller, buyer = await served.admit("blue", "enterprise"), await served.admit("coral", "enterprise")
        save_profile(tmp_path / "keys", seller)
        await served.at(9, 30)
        near, far = "H100.GUIAN.2702", "H100.GUIAN.2703"
        async with served.client(seller) as one, served.client(buyer) as other:
            for symbol, sides in ((near, ("sell", "buy")), (far, ("buy", "sell"))):
                price = (await one.contract(symbol)).reference_price
                for client, side in zip((one, other), sides, strict=True):
                    await client.place(NewOrder(symbol=symbol, side=side, price=price, quantity=5))
            assert (await served.exchange.submit_rare(m.RunMargin())).ok
            balance = await one.balances()
        explain = ("margin", "explain", "blue", "--keys", str(tmp_path / "keys"))
        code, out, _ = await ran(*explain, "--json")
        assert code == 0
        answer = orjson.loads(out)
        assert sum(line["amount_fen"] for line in answer["portfolio"]) == answer["portfolio_fen"]
        assert sum(line["amount_fen"] for line in answer["gate"]) == answer["margin_fen"]
        assert answer["margin_fen"] == answer["portfolio_fen"] == balance.margin_fen
        assert answer["available_fen"] == balance.available_fen
        assert {line["clause"] for line in answer["portfolio"]} == {"5.6", "5.7", "5.8", "5.9"}
        code, out, _ = await ran(*explain)
        assert code == 0
        assert f"{answer['margin_fen']:,}" in out
        assert "GUIAN fails whole" in out
        code, _, err = await ran("margin", "explain", "nobody", "--keys", str(tmp_path / "keys"))
        assert (code, "--keys" in err) == (2, True)
    code, _, err = await ran(*explain)
    assert (code, err.startswith("dongxi margin: "), "Traceback" in err) == (1, True, False)
