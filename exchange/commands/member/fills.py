"""`dongxi fills`: the account's latest trades."""

from __future__ import annotations

from typing import Annotated

import typer

from exchange.api.trading import Fill
from exchange.client import ExchangeClient
from exchange.commands.member.looking import complete_symbol
from exchange.commands.member.session import AsJson, BaseUrl, ForClient, ProfileName, print_json, run
from exchange.commands.member.shown import PRICE, ZONE, cny, moment, show, table


def fills(
    symbol: Annotated[
        str | None, typer.Option(help="Only this contract.", autocompletion=complete_symbol)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the latest fills, newest first; `dongxi broker offer` gives lots of one to another account."""

    async def ask(client: ExchangeClient) -> list[Fill]:
        return await client.fills(symbol.upper() if symbol else None, limit)

    found = run("fills", ask, profile, base_url, client=for_client)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one.fill_id,
            moment(one.time),
            one.symbol,
            one.side,
            f"{one.quantity:,}",
            one.price,
            cny(one.fee_fen),
        )
        for one in found
    ]
    columns = ("fill", f"time ({ZONE})", "contract", "side", "lots", "price", "fee CNY")
    show(table(f"Latest fills; prices in {PRICE}", columns, rows, right=("lots", "price", "fee CNY")))
