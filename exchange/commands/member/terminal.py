"""`dongxi trade`: the terminal trading client."""

from __future__ import annotations

from typing import Annotated

import typer

from exchange.client import ExchangeClient
from exchange.commands.member.looking import complete_symbol
from exchange.commands.member.session import EXIT_REFUSED, EXIT_UNKNOWN, BaseUrl, ProfileName, run
from exchange.terminal.words import Language, Say, language_of


def trade(
    symbol: Annotated[
        str | None, typer.Argument(help="Contract to begin with.", autocompletion=complete_symbol)
    ] = None,
    lots: Annotated[
        str, typer.Option(help="Preset quantities on the keys 1 … 9, with commas.", metavar="N,N,…")
    ] = "1,5,10,25,50",
    confirm_above: Annotated[
        int, typer.Option(min=0, help="Ask before an order of more lots than this goes out.")
    ] = 50,
    green_up: Annotated[
        bool, typer.Option("--green-up", help="Green is up and red is down; in China it is the other way.")
    ] = False,
    bell: Annotated[bool, typer.Option(help="Ring the terminal's bell for fills and alerts.")] = True,
    language: Annotated[
        Language | None,
        typer.Option(envvar="DONGXI_LANGUAGE", help="en or zh; else the terminal's locale says it."),
    ] = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
) -> None:
    """Trade from the terminal: markets, ladder with one-key orders, chart, orders, fills, positions, alerts.

    `?` shows the keys. Works in 80 × 24 and over ssh; from 150 × 40 on everything is there at once. Without a
    key one looks on. Orders that stand when you leave stay.

    Exit codes: 0, 1 the exchange refused, 2 usage, 3 the outcome of an order is unknown.

        dongxi trade

        dongxi trade H100.GUIAN.2701 --lots 1,10,100 --confirm-above 100
    """
    from exchange.terminal.app import TradingApp, Wishes  # Textual takes a moment that no other command waits

    say = Say(language or language_of())
    wishes = Wishes(
        language=say.language,
        symbol=symbol.upper() if symbol else None,
        presets=_presets(lots),
        confirm_above=confirm_above,
        red_up=not green_up,
        bell=bell,
    )

    async def screen(client: ExchangeClient) -> TradingApp:
        app = TradingApp(client, wishes)
        await app.run_async()
        return app

    left = run("trade", screen, profile, base_url, public=True)
    refused, in_doubt = left.model.connection.ended, left.in_doubt()
    if refused:
        typer.echo(f"dongxi trade: {left.model.how_it_stands}", err=True)
    if in_doubt:
        typer.echo(say("unknown_left"), err=True)
        for ticket in in_doubt:
            typer.echo(f"  {ticket.client_order_id}  {ticket.order.side} {ticket.order.quantity} "
                       f"{ticket.order.symbol}: {ticket.certain}", err=True)  # fmt: skip
        raise typer.Exit(EXIT_UNKNOWN)
    if refused:
        raise typer.Exit(EXIT_REFUSED)


def _presets(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not 1 <= len(found) <= 9 or min(found) < 1:
        raise typer.BadParameter(f"{text!r} isn't 1 to 9 quantities such as 1,5,10", param_hint="--lots")
    return found
