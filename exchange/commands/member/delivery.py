"""`dongxi reservations` and `dongxi nominate`: what was bought becomes cards, and workloads go on them."""

from __future__ import annotations

from typing import Annotated

import typer

from exchange.api.delivering import Nominate, Reservation
from exchange.client import ExchangeClient
from exchange.commands.member.session import AsJson, BaseUrl, ProfileName, print_json, run, tell
from exchange.commands.member.shown import PRICE, ZONE, cny, moment, show, table


def reservations(
    day: Annotated[str | None, typer.Option(help="Only this delivery day, such as 2026-12-05.")] = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show reserved cards, as buyer and as provider, and what of them was delivered.

    dongxi reservations --day 2026-12-05
    """

    async def ask(client: ExchangeClient) -> list[Reservation]:
        return await client.reservations(day)

    found = run("reservations", ask, profile, base_url)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one.reservation_id,
            one.role,
            one.symbol,
            one.cards,
            moment(one.start)[:16],
            one.price,
            f"{one.delivered_card_hours} of {one.cards * len(one.hours)}",
            cny(one.invoiced_fen),
            "finished" if one.finished else f"{len(one.metered_hours)} h metered",
        )
        for one in found
    ]
    columns = ("id", "role", "contract", "cards", "from", "price", "card-hours", "invoiced CNY", "")
    figures = ("cards", "price", "card-hours", "invoiced CNY")
    show(table(f"Reservations; {ZONE}, prices in {PRICE}", columns, rows, right=figures))


def nominate(
    reservation_id: Annotated[str, typer.Argument(help="As `dongxi reservations` names it.")],
    workload: Annotated[str, typer.Option(help="What will run there, by your own name.")],
    cards: Annotated[int, typer.Option(min=1, help="On how many of the cards.")],
    use: Annotated[str, typer.Option(help="Declared use, such as training.")] = "training",
    first_hour: Annotated[int, typer.Option(min=0, max=23, help="From this hour of the day …")] = 0,
    hours: Annotated[int, typer.Option(min=1, max=24, help="… for so many hours.")] = 24,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Say what will run on reserved cards, until two hours before the delivery day.

    dongxi nominate 12 --workload llm-7b --cards 8 --use training
    """
    asked = Nominate(workload=workload, use=use, cards=cards, first_hour=first_hour, hours=hours)

    async def ask(client: ExchangeClient) -> str:
        return await client.delivery.nominate(reservation_id, asked)

    made = run("nominate", ask, profile, base_url)
    tell(
        {"nomination_id": made},
        f"Nomination {made}: {workload} on {cards} cards of reservation {reservation_id}, "
        f"from {first_hour:02d}:00 for {hours} h ({ZONE}).",
        as_json=as_json,
    )
