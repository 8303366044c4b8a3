"""`dongxi orders` and `dongxi cancel`: what stands in the books, and what became of an order."""

from __future__ import annotations

from typing import Annotated

import typer

from exchange.api.history import HistoryOrder
from exchange.api.trading import MassCancelAnswer, Order, OrderResult
from exchange.client import ExchangeClient, ExchangeError
from exchange.commands.member.looking import complete_symbol
from exchange.commands.member.session import (
    EXIT_REFUSED,
    EXIT_UNKNOWN,
    AsJson,
    BaseUrl,
    ForClient,
    ProfileName,
    print_json,
    run,
)
from exchange.commands.member.shown import PRICE, ZONE, moment, show, table

LOOKED_BACK = 2_000
"""Latest orders of the history that are gone through."""


def orders(
    symbol: Annotated[
        str | None, typer.Option(help="Only this contract.", autocompletion=complete_symbol)
    ] = None,
    client_order_id: Annotated[
        str | None,
        typer.Option("--id", help="Look an order up by its client order id, also an ended one."),
    ] = None,
    past: Annotated[int, typer.Option(min=0, help="Show so many of the latest orders, ended or not.")] = 0,
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show open orders, or with --past or --id what became of earlier ones.

    dongxi orders

    dongxi orders --id 4611686018427387904
    """
    symbol = symbol.upper() if symbol else None

    async def standing(client: ExchangeClient) -> list[Order]:
        return await client.orders(symbol)

    async def ended(client: ExchangeClient) -> list[HistoryOrder]:
        found: list[HistoryOrder] = []
        looked = 0
        async for order in client.history.each_order():
            looked += 1
            named = client_order_id in (None, order.client_order_id) and symbol in (None, order.symbol)
            found += [order] if named else []
            if looked >= LOOKED_BACK or (found and client_order_id) or (past and len(found) >= past):
                break
        return found

    if not past and client_order_id is None:
        _show_standing(run("orders", standing, profile, base_url, client=for_client), as_json=as_json)
        return
    if client_order_id is not None:
        known = [
            one
            for one in run("orders", standing, profile, base_url, client=for_client)
            if one.client_order_id == client_order_id
        ]
        if known:
            _show_standing(known, as_json=as_json)
            return
    found = run("orders", ended, profile, base_url, client=for_client)
    _show_ended(found, as_json=as_json)
    if not found and client_order_id is not None:
        typer.echo(
            f"Neither the book nor the history has an order {client_order_id}. If it was sent within "
            "the last minute it may still arrive.",
            err=True,
        )
        raise typer.Exit(EXIT_UNKNOWN)


def _show_standing(found: list[Order], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one.order_id,
            one.client_order_id,
            one.symbol,
            one.side,
            one.type,
            one.price or one.trigger_price,
            f"{one.open_quantity} of {one.quantity}",
            one.time_in_force,
        )
        for one in found
    ]
    columns = ("order", "client id", "contract", "side", "type", "price", "open lots", "for")
    show(table(f"Open orders; prices in {PRICE}", columns, rows, right=("price", "open lots")))


def _show_ended(found: list[HistoryOrder], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    rows = [
        (
            moment(one.accepted),
            one.order_id,
            one.client_order_id,
            one.symbol,
            one.side,
            one.price,
            f"{one.filled_quantity} of {one.quantity}",
            one.status,
            one.reason,
        )
        for one in found
    ]
    columns = (
        f"accepted ({ZONE})",
        "order",
        "client id",
        "contract",
        "side",
        "price",
        "traded",
        "status",
        "",
    )
    show(table(f"Latest orders; prices in {PRICE}", columns, rows, right=("price", "traded")))


def cancel(
    order_ids: Annotated[list[str] | None, typer.Argument(help="Orders; `dongxi orders` names them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All open orders, or those of …")] = False,
    symbol: Annotated[str | None, typer.Option(help="… this contract,")] = None,
    hub: Annotated[str | None, typer.Option(help="… this hub.")] = None,
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Cancel open orders.

    dongxi cancel 4294967297

    dongxi cancel --all --hub GUIAN
    """
    if every == bool(order_ids):
        raise typer.BadParameter("name orders, or give --all")
    if (symbol or hub) and not every:
        raise typer.BadParameter("--symbol and --hub go with --all")

    async def cancel_all(client: ExchangeClient) -> MassCancelAnswer:
        return await client.cancel_all(
            symbol=symbol.upper() if symbol else None, hub=hub.upper() if hub else None
        )

    async def cancel_each(client: ExchangeClient) -> list[OrderResult | ExchangeError]:
        return [await _cancelled(client, order_id) for order_id in order_ids or ()]

    if every:
        ended = run("cancel", cancel_all, profile, base_url, client=for_client)
        if as_json:
            print_json(ended)
        else:
            typer.echo(f"{ended.cancelled} orders were cancelled.")
        return
    results = run("cancel", cancel_each, profile, base_url, client=for_client)
    failed = [result for result in results if isinstance(result, ExchangeError)]
    done = [result for result in results if not isinstance(result, ExchangeError)]
    if as_json:
        print_json(done)
    else:
        for one in done:
            typer.echo(
                f"The order {one.order_id} was cancelled; {one.filled_quantity} lots of it had traded."
            )
    for error in failed:
        typer.echo(f"dongxi cancel: {error}", err=True)
    if failed:
        unknown = any(error.outcome_unknown for error in failed)
        raise typer.Exit(EXIT_UNKNOWN if unknown else EXIT_REFUSED)


async def _cancelled(client: ExchangeClient, order_id: str) -> OrderResult | ExchangeError:
    try:
        return (await client.cancel(order_id)).order
    except ExchangeError as error:
        return error
