"""`dongxi watch`: prices, trades and the account's own fills as they come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer

from exchange.api.feed import FeedAccount, FeedStatus, FeedTop, FeedTrade
from exchange.api.formats import SHANGHAI
from exchange.client import ExchangeClient, Interrupted, Stream
from exchange.commands.member.looking import complete_symbol
from exchange.commands.member.session import AsJson, BaseUrl, ProfileName, run
from exchange.commands.member.shown import PRICE, ZONE, cny, moment


def watch(
    symbols: Annotated[
        list[str] | None, typer.Argument(help="Contracts; all if none.", autocompletion=complete_symbol)
    ] = None,
    count: Annotated[int, typer.Option(min=0, help="Stop after so many lines; 0 goes on.")] = 0,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Print prices, trades and, with a key, your own fills as they come, until Ctrl-C.

    It comes back by itself when the connection or the exchange was gone, and says so. --json prints one
    message of the feed a line.

        dongxi watch H100.GUIAN.2701

        dongxi watch --json | jq -c 'select(.type == "trade")'
    """
    names = [symbol.upper() for symbol in symbols or ["*"]]

    async def follow(client: ExchangeClient) -> None:
        left = count
        own = client.profile is not None
        with contextlib.suppress(asyncio.CancelledError):  # Ctrl-C
            async with Stream(client, ["l1", "trades", "status"], names, own=own) as stream:
                async for line in _lines(stream, as_json=as_json):
                    typer.echo(line)
                    left -= 1
                    if left == 0:
                        return

    if not as_json:
        typer.echo(f"Prices in {PRICE}, times in {ZONE}; Ctrl-C ends it.", err=True)
    run("watch", follow, profile, base_url, public=True)


async def _lines(stream: Stream, *, as_json: bool) -> AsyncIterator[str]:
    async for message in stream:
        if isinstance(message, Interrupted):
            missed = "nothing was missed" if message.complete else "trades of the meantime are in the history"
            typer.echo(f"The connection is back ({message.why}); {missed}.", err=True)
        elif as_json:
            yield msgspec.json.encode(message).decode()
        else:
            for text in _said(message):
                yield text


def _said(message: Any) -> list[str]:
    now = datetime.now(SHANGHAI).strftime("%H:%M:%S")
    if isinstance(message, FeedTop):
        bid = f"{message.bid[0]} × {message.bid[1]}" if message.bid else "–"
        ask = f"{message.ask[0]} × {message.ask[1]}" if message.ask else "–"
        return [f"{now}  {message.symbol:<24} {bid:>16} | {ask:<16} last {message.last or '–'}"]
    if isinstance(message, FeedTrade):
        when = moment(message.time)[11:]
        return [
            f"{when}  {message.symbol:<24} trade {message.quantity} at {message.price} ({message.aggressor})"
        ]
    if isinstance(message, FeedStatus):
        return [f"{moment(message.market_time)}  market {message.phase}, trading day {message.trading_day}"]
    if isinstance(message, FeedAccount):
        return [
            f"{now}  {fill.symbol:<24} YOUR {fill.side} of {fill.quantity} at {fill.price}, "
            f"fee {cny(fill.fee_fen)} CNY, free {cny(message.available_fen)} CNY"
            for fill in message.fills
        ]
    return []
