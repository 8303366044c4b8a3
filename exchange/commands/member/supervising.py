"""`dongxi health` and `dongxi large-positions`: how the market does, and who holds much of it."""

from __future__ import annotations

from typing import Annotated

import typer

from exchange.api.health import HealthHistory, HubHealth, MarketHealth
from exchange.api.positions import LargePositions
from exchange.client import ExchangeClient
from exchange.commands.member.session import AsJson, BaseUrl, ProfileName, print_json, run
from exchange.commands.member.shown import ZONE, moment, show, table


def health(
    hub: Annotated[
        str | None, typer.Argument(help="A hub's code, or overall: over time. Else all hubs now.")
    ] = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the market health index, 0 to 100: all hubs as last measured, or one hub over time."""

    async def now(client: ExchangeClient) -> MarketHealth:
        return await client.health()

    async def over_time(client: ExchangeClient) -> HealthHistory:
        return await client.health_of((hub or "").upper() if hub != "overall" else hub)

    if hub is None:
        found = run("health", now, None, base_url, public=True)
        measured = [one for one in (found.overall, *found.hubs) if one is not None]
        answer: MarketHealth | HealthHistory = found
    else:
        answer = run("health", over_time, None, base_url, public=True)
        measured = answer.measurements
    if as_json:
        print_json(answer)
        return
    columns = ("hub", "time", "index", "circulation", "safety", "value")
    rows = [(one.hub, moment(one.time), f"{one.index:.2f}", *_groups(one)) for one in measured]
    show(table(f"Market health, 0 to 100; times are {ZONE}", columns, rows, right=columns[2:]))


def _groups(one: HubHealth) -> list[str | None]:
    """The groups' scores; none where nothing could be measured."""
    scores = {group.name: f"{group.score:.2f}" for group in one.groups}
    return [scores.get(name) for name in ("circulation efficiency", "safety", "value creation")]


def large_positions(profile: ProfileName = None, base_url: BaseUrl = None, as_json: AsJson = False) -> None:
    """Show operators the positions that are large by the rules, and the limits (clauses 5.13, 5.14)."""

    async def ask(client: ExchangeClient) -> LargePositions:
        return await client.large_positions()

    found = run("large-positions", ask, profile, base_url)
    if as_json:
        print_json(found)
        return
    columns = ("member", "contract", "lots", "limit", "open interest")
    rows = [
        (one.member, one.symbol, f"{one.quantity:,}", one.limit, f"{one.open_interest_lots:,}")
        for one in found.positions
    ]
    show(table("Large positions, long positive", columns, rows, right=columns[2:]))
    limits = (
        f"day {found.day_cards:,}, week {found.week_cards:,}, month {found.month_cards:,}, "
        f"quarter {found.quarter_cards:,}"
    )
    show(f"Limits in cards, 0 none: {limits}.")
