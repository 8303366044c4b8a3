"""`dongxi health`, `large-positions`, `position-limits`: how the market does, and who may hold how much."""

from __future__ import annotations

from typing import Annotated

import typer

from exchange.api.health import HealthHistory, HubHealth, MarketHealth
from exchange.api.positions import ContractLimit, LargePositions, SetPositionRules
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
    show(f"Limits in cards, 0 none: {_limits(found)}.")


def _limits(of: LargePositions | SetPositionRules) -> str:
    kinds = (
        f"day {of.day_cards:,}, week {of.week_cards:,}, month {of.month_cards:,}, "
        f"quarter {of.quarter_cards:,}"
    )
    return "; ".join([kinds, *(f"{own.symbol} {own.cards:,}" for own in of.contracts)])


Cards = Annotated[int | None, typer.Option(min=0, help="Cards of one account in one contract; 0: none.")]


def position_limits(
    day: Cards = None,
    week: Cards = None,
    month: Cards = None,
    quarter: Cards = None,
    contract: Annotated[
        list[str] | None,
        typer.Option(help="A limit of its own, SYMBOL=CARDS; SYMBOL= ends it; again for more."),
    ] = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Set position limits: an operator's with the role risk. What isn't named stays as it is (clause 5.13).

    Contracts that trade have them from the next settlement on.

        dongxi position-limits --month 50000 --contract H100.GUIAN.2701=20000
    """
    kinds = {"day_cards": day, "week_cards": week, "month_cards": month, "quarter_cards": quarter}
    named = {name: cards for name, cards in kinds.items() if cards is not None}
    own = [_own_limit(text) for text in contract or ()]
    if not named and not own:
        raise typer.BadParameter("name a limit; `dongxi large-positions` shows those that hold")

    async def change(client: ExchangeClient) -> SetPositionRules:
        now = await client.large_positions()
        contracts = {one.symbol: one.cards for one in now.contracts} | dict(own)
        rules = SetPositionRules(
            contracts=[ContractLimit(symbol=s, cards=n) for s, n in contracts.items() if n is not None],
            **{name: getattr(now, name) for name in (*kinds, *_REPORTED)} | named,
        )
        await client.set_position_rules(rules)
        return rules

    rules = run("position-limits", change, profile, base_url)
    if as_json:
        print_json(rules)
        return
    show(f"Limits in cards from the next settlement on, 0 none: {_limits(rules)}.")


_REPORTED = ("report_limit_basis_points", "report_share_basis_points", "report_cards")


def _own_limit(text: str) -> tuple[str, int | None]:
    symbol, sign, cards = text.partition("=")
    if not (symbol and sign and (cards.isdecimal() or not cards)):
        raise typer.BadParameter(f"{text!r} is not SYMBOL=CARDS, such as H100.GUIAN.2701=20000")
    return symbol.upper(), int(cards) if cards else None
