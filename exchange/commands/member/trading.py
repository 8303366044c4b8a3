"""`dongxi buy` and `dongxi sell`: a preview, a yes, and orders whose outcome is cleared up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer

from exchange.api import requests
from exchange.api.formats import price_text
from exchange.api.preview import Preview, PreviewAnswer
from exchange.client import ExchangeClient, OrderDesk, OrderState, Ticket
from exchange.commands.member.looking import complete_hub, complete_symbol
from exchange.commands.member.session import (
    EXIT_REFUSED,
    EXIT_UNKNOWN,
    AsJson,
    BaseUrl,
    ForClient,
    ProfileName,
    Wrong,
    print_json,
    run,
)
from exchange.commands.member.shown import PRICE, cny, show, table
from exchange.commands.member.wanted import Found, Wanted, find, window_of, within_of

SymbolOrNone = Annotated[
    str | None,
    typer.Argument(help="Contract, such as H100.GUIAN.2701.", autocompletion=complete_symbol),
]
Lots = Annotated[int | None, typer.Argument(min=1, help="Lots of the contract.")]
Price = Annotated[str | None, typer.Option(help=f"Limit in {PRICE}, such as 11.90.")]
Market = Annotated[bool, typer.Option("--market", help="At the market, at whatever price within limits.")]
Lasting = Annotated[
    str, typer.Option("--for", help="day, gtc, ioc, fok, at_open or at_close: how long the order stands.")
]
PostOnly = Annotated[bool, typer.Option("--post-only", help="Refuse the order if it would trade at once.")]
Id = Annotated[
    str | None,
    typer.Option("--id", help="Client order id: the same order under the same id is done once a day."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the preview and stop.")]
Patience = Annotated[
    float, typer.Option(min=0, help="Seconds to go on asking when an order's answer is lost.")
]


def buy(
    symbol: SymbolOrNone = None,
    lots: Lots = None,
    price: Price = None,
    market: Market = False,
    lasting: Lasting = "day",
    post_only: PostOnly = False,
    client_order_id: Id = None,
    grade: Annotated[str, typer.Option(help="Without a contract: what to buy.")] = "H100",
    cards: Annotated[int | None, typer.Option(min=1, help="How many cards.")] = None,
    start: Annotated[str | None, typer.Option(help="First delivery day, such as 2027-01-01.")] = None,
    duration: Annotated[str, typer.Option(help='How long: 10d, 2w, "1 month", 1q.')] = "1 month",
    hub: Annotated[str | None, typer.Option(help="At this hub only.", autocompletion=complete_hub)] = None,
    within: Annotated[
        str | None, typer.Option("--any-hub-within", help="At any hub within this round trip, such as 20ms …")
    ] = None,
    city: Annotated[str | None, typer.Option("--of", help="… of this city: Shanghai or 上海.")] = None,
    one_hub: Annotated[bool, typer.Option("--one-hub", help="All cards at one hub throughout.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    patience: Patience = 30.0,
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Buy lots of a contract, or cards for some days wherever they are cheapest and near enough.

    Shows what the order would trade, cost and hold as margin now, and asks. If an answer is lost, it asks
    again until the outcome is known.

    Exit codes: 0, 1 it wasn't done or not all of it, 2 usage, 3 the outcome is unknown.

        dongxi buy H100.GUIAN.2701 2 --price 11.90

        dongxi buy --cards 8 --start 2027-01-01 --duration "1 month" --hub GUIAN

        dongxi buy --cards 8 --start 2026-12-05 --duration 3d --any-hub-within 20ms --of Shanghai
    """
    if symbol is not None:
        order = _order("buy", symbol, lots, price, market, lasting, post_only, client_order_id)
        _trade("buy", [order], yes, dry_run, patience, profile, base_url, as_json, for_client)
        return
    wanted = _wanted(grade, cards, start, duration, hub, within, city)

    async def look(client: ExchangeClient) -> Found:
        return await find(client, wanted, one_hub_only=one_hub)

    found = run("buy", look, profile, base_url, client=for_client)
    orders = [
        requests.NewOrder(
            symbol=leg.symbol,
            side="buy",
            quantity=leg.lots,
            price=price_text(leg.price_ticks),
            time_in_force="fok",
        )
        for leg in found.best.legs
    ]
    if not as_json:
        _show_found(wanted, found)
    _trade("buy", orders, yes, dry_run, patience, profile, base_url, as_json, for_client)


def sell(
    symbol: Annotated[str, typer.Argument(help="Contract.", autocompletion=complete_symbol)],
    lots: Annotated[int, typer.Argument(min=1, help="Lots of the contract.")],
    price: Price = None,
    market: Market = False,
    lasting: Lasting = "day",
    post_only: PostOnly = False,
    client_order_id: Id = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    patience: Patience = 30.0,
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Sell lots of a contract: capacity of one's own, or a position.

    Shows what the order would trade, cost and hold as margin now, and asks.

        dongxi sell H100.GUIAN.261205 4 --price 12.10

        dongxi sell H100.GUIAN.261205 4 --market --yes
    """
    order = _order("sell", symbol, lots, price, market, lasting, post_only, client_order_id)
    _trade("sell", [order], yes, dry_run, patience, profile, base_url, as_json, for_client)


def _order(
    side: str,
    symbol: str,
    lots: int | None,
    price: str | None,
    market: bool,
    lasting: str,
    post_only: bool,
    client_order_id: str | None,
) -> requests.NewOrder:
    if lots is None:
        raise typer.BadParameter(f"say how many lots: dongxi {side} {symbol} LOTS --price P")
    if market == (price is not None):
        raise typer.BadParameter("give either --price or --market")
    asked: dict[str, Any] = {
        "action": "new",
        "symbol": symbol.upper(),
        "side": side,
        "quantity": lots,
        "time_in_force": lasting,
        "client_order_id": client_order_id,
        "post_only": "reject" if post_only else None,
    }
    asked |= {"type": "market"} if market else {"price": price}
    try:
        return msgspec.convert(asked, requests.NewOrder)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error)) from None


def _wanted(
    grade: str,
    cards: int | None,
    start: str | None,
    duration: str,
    hub: str | None,
    within: str | None,
    city: str | None,
) -> Wanted:
    if cards is None or start is None:
        raise typer.BadParameter("name a contract and lots, or --cards and --start; see dongxi buy --help")
    if (within is None) != (city is None) and hub is None:
        raise typer.BadParameter("--any-hub-within and --of go together: --any-hub-within 20ms --of Shanghai")
    try:
        return Wanted(
            grade=grade.upper(),
            cards=cards,
            window=window_of(start, duration),
            within_ms=None if within is None else within_of(within),
            city=city,
            hub=hub.upper() if hub else None,
        )
    except Wrong as wrong:
        raise typer.BadParameter(str(wrong)) from None


def _show_found(wanted: Wanted, found: Found) -> None:
    first, end = wanted.window
    days = (end - first).days
    cards = found.lots * found.cards_per_lot
    rows = [
        (
            leg.symbol,
            "–" if (trip := found.round_trips_ms[leg.hub]) is None else f"{trip:.1f}",
            leg.lots,
            leg.lots * found.cards_per_lot,
            price_text(leg.price_ticks),
            cny(leg.value_fen),
        )
        for leg in found.best.legs
    ]
    columns = ("contract", "RTT ms", "lots", "cards", "at most", "CNY")
    per_hour = found.best.value_fen / 100 / (cards * days * 24)
    title = f"Cheapest: {cards} {wanted.grade} from {first} for {days} days; prices in {PRICE}"
    show(
        table(title, columns, rows, right=columns[1:]),
        f"Together {cny(found.best.value_fen)} CNY, {per_hour:.2f} CNY a card-hour.",
    )
    if found.one_hub is not None and found.one_hub != found.best:
        show(f"All at {found.one_hub.hubs[0]} it would be {cny(found.one_hub.value_fen)} CNY (--one-hub).")


def _trade(
    command: str,
    orders: Sequence[requests.NewOrder],
    yes: bool,
    dry_run: bool,
    patience_s: float,
    profile: str | None,
    base_url: str | None,
    as_json: bool,
    for_client: str | None,
) -> None:
    async def look(client: ExchangeClient) -> PreviewAnswer:
        return await client.preview(orders)

    preview = run(command, look, profile, base_url, client=for_client)
    refusals = [result.error for result in preview.results if result.error is not None]
    if as_json and (dry_run or refusals):
        print_json(preview)
    elif not as_json:
        _show_preview(orders, preview)
    if refusals:
        typer.echo(
            f"dongxi {command}: {refusals[0].code}: {refusals[0].message}\nNothing was done.", err=True
        )
        raise typer.Exit(EXIT_REFUSED)
    if dry_run:
        return
    if not (yes or typer.confirm("Place it?" if len(orders) == 1 else "Place them?", err=True)):
        typer.echo("Nothing was done.", err=True)
        raise typer.Exit(EXIT_REFUSED)

    async def place(client: ExchangeClient) -> list[Ticket]:
        desk = OrderDesk(client, patience_s=patience_s)
        try:
            return await asyncio.gather(*(desk.submit(order) for order in orders))
        except asyncio.CancelledError:  # Ctrl-C
            if not desk.tickets:
                raise
            return list(desk.tickets.values())

    _tell(run(command, place, profile, base_url, client=for_client), command, as_json=as_json)


def _left(one: Preview) -> str:
    """What becomes of the lots that don't trade at once."""
    if not one.open_quantity:
        return "–"
    return f"{one.open_quantity} {'rest' if one.status == 'resting' else 'lapse'}"


def _show_preview(orders: Sequence[requests.NewOrder], preview: PreviewAnswer) -> None:
    rows = []
    for order, result in zip(orders, preview.results, strict=True):
        if result.order is None:
            problem = result.error.code if result.error else ""
            rows.append((order.symbol, order.side, order.quantity, order.price, problem, "", "", ""))
            continue
        one = result.order
        rows.append(
            (
                order.symbol,
                order.side,
                order.quantity,
                order.price or "market",
                f"{one.filled_quantity} trade at {one.average_price or '–'}",
                _left(one),
                cny(one.value_fen + (one.open_value_fen or 0 if one.status == "resting" else 0)),
                cny(one.fee_fen),
            )
        )
    columns = ("contract", "side", "lots", "price", "now", "then", "worth CNY", "fee CNY")
    before, after = preview.before, preview.after
    show(
        table(f"Preview; prices in {PRICE}", columns, rows, right=("lots", "price", "worth CNY", "fee CNY")),
        f"Margin {cny(before.margin_fen)} → {cny(after.margin_fen)} CNY, "
        f"free {cny(before.available_fen)} → {cny(after.available_fen)} CNY.",
    )


def _tell(tickets: Sequence[Ticket], command: str, *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    "client_order_id": ticket.client_order_id,
                    "order_id": ticket.order_id,
                    "symbol": ticket.order.symbol,
                    "state": ticket.state.value,
                    "filled_quantity": ticket.filled,
                    "quantity": ticket.total,
                    "certain": ticket.certain,
                }
                for ticket in tickets
            ]
        )
    for ticket in tickets:
        well = ticket.state in (OrderState.RESTING, OrderState.FILLED, OrderState.CANCELLED)
        if not (as_json and well):
            typer.echo(f"{ticket.order.symbol}: {ticket.certain}", err=not well)
        if ticket.state is OrderState.UNKNOWN:
            typer.echo(
                f"To ask: dongxi orders --id {ticket.client_order_id}. To send it again, safely on the same "
                f"trading day: the same dongxi {command} with --id {ticket.client_order_id}.",
                err=True,
            )
    states = {ticket.state for ticket in tickets}
    if OrderState.UNKNOWN in states:
        raise typer.Exit(EXIT_UNKNOWN)
    if states & {OrderState.REFUSED, OrderState.NOT_TAKEN, OrderState.CANCELLED}:
        raise typer.Exit(EXIT_REFUSED)
