"""`dongxi capacity`: a provider posts what it holds ready, sees it certified, takes it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from exchange.api import primary as primary_api
from exchange.api import requests
from exchange.api.answers import Done
from exchange.api.primary import CapacityPost
from exchange.client import ExchangeClient
from exchange.commands.member.looking import complete_hub
from exchange.commands.member.session import AsJson, BaseUrl, ProfileName, print_json, run, tell
from exchange.commands.member.shown import PRICE, show, table

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Post capacity, see what is certified, take it back."
)


@app.command()
def post(
    grade: Annotated[str, typer.Option(help="Grade of the cards, such as H100.")],
    hub: Annotated[str, typer.Option(help="Where they stand, such as GUIAN.", autocompletion=complete_hub)],
    cards: Annotated[int, typer.Option(min=1, help="How many.")],
    first_day: Annotated[str, typer.Option("--from", help="First delivery day, such as 2027-01-01.")],
    last_day: Annotated[str, typer.Option("--to", help="Last delivery day, included.")],
    price: Annotated[str, typer.Option(help=f"Lowest price you mean to sell at, {PRICE}.")] = "0.00",
    site: Annotated[
        str | None, typer.Option(help="The site's id; without one it can't be certified.")
    ] = None,
    availability: Annotated[
        float, typer.Option(min=0.01, max=100, help="Percent of the cards that you answer for.")
    ] = 100.0,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Post capacity. It sells nothing yet: `dongxi sell` does, backed by what is certified.

    dongxi capacity post --grade H100 --hub GUIAN --cards 16 --from 2027-01-01 --to 2027-01-31 --price 11.50
    """
    posted = requests.PostCapacity(
        grade=grade.upper(),
        hub=hub.upper(),
        cards=cards,
        first_day=first_day,
        last_day=last_day,
        reserve_price=price,
        site_id=site,
        availability_basis_points=round(availability * 100),
    )

    async def ask(client: ExchangeClient) -> CapacityPost:
        return await client.post_capacity(posted)

    made = run("capacity post", ask, profile, base_url)
    tell(
        made,
        f"Posted as capacity {made.capacity_id}: {made.cards} {made.grade} at {made.hub}, "
        f"{made.first_day} … {made.last_day}, from {made.reserve_price} {PRICE}.",
        as_json=as_json,
    )


@app.command("list")
def list_(profile: ProfileName = None, base_url: BaseUrl = None, as_json: AsJson = False) -> None:
    """Show what is posted, and what of it is certified and used."""

    async def ask(
        client: ExchangeClient,
    ) -> tuple[list[CapacityPost], primary_api.Certificates]:
        return await client.capacity(), await client.primary.certificates()

    posted, certified = run("capacity list", ask, profile, base_url)
    if as_json:
        print_json({"capacity": posted, "certificates": certified.certificates})
        return
    columns = ("id", "grade", "hub", "cards", "from", "to", "price")
    rows = [
        (one.capacity_id, one.grade, one.hub, one.cards, one.first_day, one.last_day, one.reserve_price)
        for one in posted
    ]
    show(table(f"Posted capacity; prices in {PRICE}", columns, rows, right=("cards", "price")))
    if certified.certificates:
        show(certificates_table(certified.certificates))


def certificates_table(found: Sequence[primary_api.Certificate]) -> object:
    """Each certificate with what is free of it on all of its days."""
    rows = []
    for one in found:
        free = [day.free for day in one.days] or [0]
        cards = [day.cards for day in one.days] or [0]
        days = f"{one.days[0].day} … {one.days[-1].day}" if one.days else "–"
        state = f"revoked: {one.revoked}" if one.revoked else ""
        rows.append(
            (one.certificate_id, one.capacity_id, one.grade, one.hub, max(cards), min(free), days, state)
        )
    columns = ("certificate", "capacity", "grade", "hub", "cards", "free on all days", "days", "")
    return table("Certificates", columns, rows, right=("cards", "free on all days"))


@app.command()
def withdraw(
    capacity_id: Annotated[str, typer.Argument(help="The post, as `dongxi capacity list` names it.")],
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take a capacity post back; its certificates end with it, unless something uses them."""

    async def ask(client: ExchangeClient) -> Done:
        return await client.withdraw_capacity(capacity_id)

    done = run("capacity withdraw", ask, profile, base_url)
    tell(done, f"The capacity {capacity_id} is withdrawn.", as_json=as_json)
