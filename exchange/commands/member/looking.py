"""`dongxi markets`, `book` and `quote`: what trades, and at which prices."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import typer

from exchange.api.market import Book, Contract
from exchange.api.status import Status
from exchange.client import ExchangeClient, ExchangeError
from exchange.commands.member.session import (
    DEFAULT_URL,
    AsJson,
    BaseUrl,
    ProfileName,
    Wrong,
    find_profile,
    print_json,
    run,
)
from exchange.commands.member.shown import PRICE, ZONE, cny, moment, or_dash, show, table
from nodes.catalogue import load_catalogue

SYMBOLS_SHOWN = 50


def complete_symbol(incomplete: str) -> list[str]:
    """Contracts that begin with what is typed, asked of the exchange; none if it doesn't answer at once."""

    async def quickly() -> list[str]:
        try:
            profile = find_profile(None)
            url = profile.base_url if profile else DEFAULT_URL
            async with ExchangeClient(url, retries=0, timeout_s=2.0) as client:
                listed = await client.contracts()
        except (ExchangeError, Wrong):
            return []
        return [found.symbol for found in listed if found.symbol.startswith(incomplete.upper())]

    return asyncio.run(quickly())[:SYMBOLS_SHOWN]


def complete_hub(incomplete: str) -> list[str]:
    """Hubs of the catalogue that begin with what is typed."""
    return [code for code in load_catalogue().hubs if code.startswith(incomplete.upper())]


Symbol = Annotated[
    str, typer.Argument(help="Contract, such as H100.GUIAN.2701.", autocompletion=complete_symbol)
]


def markets(
    grade: Annotated[str | None, typer.Option(help="Only this grade, such as H100.")] = None,
    hub: Annotated[
        str | None, typer.Option(help="Only this hub, such as GUIAN.", autocompletion=complete_hub)
    ] = None,
    kind: Annotated[
        Literal["hour", "day", "week", "month", "quarter"] | None, typer.Option(help="Only this period.")
    ] = None,
    load: Annotated[
        Literal["base", "peak", "valley"] | None,
        typer.Option(help="Only this load profile: all hours, or the hub's peak or valley hours."),
    ] = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the contracts that trade, with the best bid and ask. Needs no key.

    dongxi markets --grade H100 --hub GUIAN

    dongxi markets --hub GUIAN --kind day --load peak

    dongxi markets --kind month --json
    """

    async def ask(client: ExchangeClient) -> tuple[Status, list[Contract]]:
        found = await client.contracts(
            grade=grade.upper() if grade else None,
            hub=hub.upper() if hub else None,
            kind=kind,
            profile=load,
        )
        return await client.status(), found

    status, contracts = run("markets", ask, profile, base_url, public=True)
    if as_json:
        print_json(contracts)
        return
    rows = [
        (
            one.symbol,
            f"{moment(one.delivery_start)[:16]}, {one.hours:,} h",
            _at(one.bid, one.bid_lots),
            _at(one.ask, one.ask_lots),
            one.last_price,
            one.settlement_price,
            "halted" if one.halted else "",
        )
        for one in contracts
    ]
    columns = ("contract", "delivery from", "bid × lots", "ask × lots", "last", "settled", "")
    show(
        f"{status.phase}, trading day {status.trading_day}, {moment(status.market_time)} {ZONE}; "
        f"prices in {PRICE}",
        table("", columns, rows, right=columns[2:6]),
    )


def _at(price: str | None, lots: int) -> str:
    return "–" if price is None else f"{price} × {lots}"


def book(
    symbol: Symbol,
    depth: Annotated[int, typer.Option(min=1, max=100, help="Price levels a side.")] = 10,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show a contract's book, best prices in the middle. Needs no key.

    dongxi book H100.GUIAN.2701 --depth 5
    """

    async def ask(client: ExchangeClient) -> Book:
        return await client.book(symbol.upper(), depth)

    shown = run("book", ask, profile, base_url, public=True)
    if as_json:
        print_json(shown)
        return
    asks = [("", "", level.price, level.quantity, level.orders) for level in reversed(shown.asks)]
    bids = [(level.orders, level.quantity, level.price, "", "") for level in shown.bids]
    columns = ("orders", "bid lots", PRICE, "ask lots", "orders ")
    show(table(f"{shown.symbol}, {shown.phase}", columns, [*asks, *bids], right=columns))
    if shown.indicative is not None:
        show(
            f"The call auction would now match {shown.indicative.quantity} lots at {shown.indicative.price}."
        )


def quote(
    symbol: Symbol,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show all about one contract: prices, today's limits, what a lot is worth and holds as margin.

    Needs no key. What an order would cost you says `dongxi buy … --dry-run`.

        dongxi quote H100.GUIAN.2701
    """

    async def ask(client: ExchangeClient) -> Contract:
        return await client.contract(symbol.upper())

    one = run("quote", ask, profile, base_url, public=True)
    if as_json:
        print_json(one)
        return
    price = one.last_price or one.settlement_price or one.reference_price
    a_lot = round(float(price) * 100) * one.hours
    rows = [
        ("bid", _at(one.bid, one.bid_lots)),
        ("ask", _at(one.ask, one.ask_lots)),
        ("last", or_dash(one.last_price)),
        ("settlement price", or_dash(one.settlement_price)),
        ("limits of today", f"{one.price_low} … {one.price_high}"),
        ("delivery", f"{moment(one.delivery_start)} … {moment(one.delivery_end)} {ZONE}, {one.hours} h"),
        ("a lot", f"{one.cards_per_lot} × {one.grade} at {one.hub}"),
        ("worth of a lot", f"{cny(a_lot)} CNY at {price}"),
        ("margin of a lot", f"{cny(one.margin_long_fen)} CNY long, {cny(one.margin_short_fen)} CNY short"),
        ("trades until", one.last_trading_day),
        ("state", "halted" if one.halted else "trades" if one.active else "ended"),
    ]
    show(table(f"{one.symbol}; prices in {PRICE}", ("", ""), rows))
