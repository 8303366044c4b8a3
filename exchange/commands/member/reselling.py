"""`dongxi resell`: hand reserved cards on before their day, and take over what others offer (clause 7.14)."""

from __future__ import annotations

from typing import Annotated

import typer

from exchange.api.resale import Offer
from exchange.client import ExchangeClient
from exchange.commands.member.session import AsJson, BaseUrl, ProfileName, print_json, run, tell
from exchange.commands.member.shown import PRICE, ZONE, moment, show, table

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Offer reserved cards for resale, and take offers over."
)


@app.command()
def offer(
    reservation_id: Annotated[str, typer.Argument(help="As `dongxi reservations` names it.")],
    lots: Annotated[int, typer.Argument(min=1, help="How many lots of it.")],
    price: Annotated[str, typer.Option(help=f"What you ask, {PRICE}.")],
    to_member: Annotated[str | None, typer.Option("--to", help="To this member only.")] = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Offer lots of a reservation of yours.

    dongxi resell offer 12 4 --price 12.50
    """

    async def ask(client: ExchangeClient) -> str:
        return await client.delivery.offer(reservation_id, lots, price, to_member)

    made = run("resell offer", ask, profile, base_url)
    tell(
        {"offer_id": made},
        f"Offer {made} stands: {lots} lots of reservation {reservation_id} at {price} {PRICE}.",
        as_json=as_json,
    )


@app.command("list")
def list_(profile: ProfileName = None, base_url: BaseUrl = None, as_json: AsJson = False) -> None:
    """Show the offers that you made or may take."""

    async def ask(client: ExchangeClient) -> list[Offer]:
        return await client.delivery.offers()

    found = run("resell list", ask, profile, base_url)
    if as_json:
        print_json(found)
        return
    columns = ("offer", "reservation", "contract", "from", "lots", "price", "invoiced at")
    rows = [
        (
            one.offer_id,
            one.reservation_id,
            one.symbol,
            moment(one.start)[:16],
            one.quantity,
            one.price,
            one.settlement_price,
        )
        for one in found
    ]
    show(table(f"Offers; {ZONE}, prices in {PRICE}", columns, rows, right=columns[4:]))


@app.command()
def take(
    offer_id: Annotated[str, typer.Argument(help="As `dongxi resell list` names it.")],
    lots: Annotated[int, typer.Argument(min=1, help="How many of the offered lots.")],
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take offered lots over; they become a reservation of yours."""

    async def ask(client: ExchangeClient) -> str:
        return await client.delivery.take_offer(offer_id, lots)

    made = run("resell take", ask, profile, base_url)
    tell({"reservation_id": made}, f"Yours as reservation {made}.", as_json=as_json)


@app.command()
def withdraw(
    offer_id: Annotated[str, typer.Argument(help="As `dongxi resell list` names it.")],
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take an offer of yours back."""

    async def ask(client: ExchangeClient) -> None:
        await client.delivery.withdraw_offer(offer_id)

    run("resell withdraw", ask, profile, base_url)
    tell({"offer_id": offer_id}, f"The offer {offer_id} is withdrawn.", as_json=as_json)
