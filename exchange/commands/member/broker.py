"""`dongxi broker`: clients and their money, what they pay, and fills that go to another account."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from exchange.api.access import Client
from exchange.api.brokerage import Commission, GiveUp
from exchange.api.money import Statement
from exchange.client import ExchangeClient
from exchange.commands.member.session import AsJson, BaseUrl, ForClient, ProfileName, print_json, run, tell
from exchange.commands.member.shown import PRICE, ZONE, cny, fen_of, show, table

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="A broker's clients, their statements and commissions; give-ups, which any account may make.",
)
GiveUpId = Annotated[str, typer.Argument(help="As `dongxi broker give-ups` names it.")]
COLUMNS = ("variation margin", "fee", "commission", "revenue share")
"""Kinds of movements with a column of their own."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name of the client.")],
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Open a sub-account for a client; `--client NAME` of buy, sell, orders and others trades on it."""

    async def ask(exchange: ExchangeClient) -> Client:
        return await exchange.add_client(name)

    made = run("broker add", ask, profile, base_url)
    tell(made, f"{made.name} has account {made.account}. The operator pays its cash in.", as_json=as_json)


@app.command()
def clients(profile: ProfileName = None, base_url: BaseUrl = None, as_json: AsJson = False) -> None:
    """Show the clients and their cash."""

    async def ask(exchange: ExchangeClient) -> list[Client]:
        return await exchange.clients()

    found = run("broker clients", ask, profile, base_url)
    if as_json:
        print_json(found)
        return
    rows = [(one.name, one.account, cny(one.cash_fen)) for one in found]
    show(table("Clients", ("client", "account", "cash CNY"), rows, right=("cash CNY",)))


@app.command()
def statements(
    day: Annotated[str | None, typer.Option(help="Which day; the current one if absent.")] = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show a day's money of every client, a line each; `dongxi statement --client NAME` has every movement.

    dongxi broker statements --day 2026-12-04
    """

    async def ask(exchange: ExchangeClient) -> dict[str, Statement]:
        found = {}
        for one in await exchange.clients():
            async with ExchangeClient(exchange.base_url, exchange.profile, client=one.name) as theirs:
                found[one.name] = await theirs.statement(day)
        return found

    found = run("broker statements", ask, profile, base_url)
    if as_json:
        print_json(found)
        return
    rows = [(name, *_moved(theirs)) for name, theirs in found.items()]
    columns = ("client", "opening", *COLUMNS, "other", "closing")
    days = ", ".join(sorted({theirs.day for theirs in found.values()}))
    show(table(f"Clients' money {days} ({ZONE}), CNY", columns, rows, right=columns[1:]))


def _moved(of: Statement) -> list[str]:
    """Opening cash, what moved by kind, the rest, closing cash."""
    sums: Counter[str] = Counter()
    for line in of.lines:
        sums[line.kind if line.kind in COLUMNS else "other"] += line.amount_fen
    amounts = (of.opening_cash_fen, *(sums[kind] for kind in (*COLUMNS, "other")), of.closing_cash_fen)
    return [cny(fen) for fen in amounts]


@app.command()
def commission(
    client: Annotated[str, typer.Argument(help="As `dongxi broker clients` names it.")],
    basis_points: Annotated[
        int, typer.Option(min=0, help="Of the value of what it trades, hundredths of a percent.")
    ] = 0,
    per_lot: Annotated[str, typer.Option(help="A lot, CNY.")] = "0",
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Set what a client pays on what it trades from tomorrow on; nothing is named, nothing is paid.

    dongxi broker commission liu --basis-points 3 --per-lot 0.50
    """
    fen = fen_of(per_lot)

    async def ask(exchange: ExchangeClient) -> list[Commission]:
        await exchange.set_commission(client, basis_points=basis_points, fen_per_lot=fen)
        return [agreed for agreed in await exchange.commissions() if agreed.client == client]

    (agreed,) = run("broker commission", ask, profile, base_url)
    rate = _rate(agreed.next_basis_points, agreed.next_fen_per_lot)
    tell(agreed, f"{agreed.client} pays {rate} from {agreed.next_from} on.", as_json=as_json)


@app.command()
def commissions(profile: ProfileName = None, base_url: BaseUrl = None, as_json: AsJson = False) -> None:
    """Show what the clients pay, and what they will."""

    async def ask(exchange: ExchangeClient) -> list[Commission]:
        return await exchange.commissions()

    found = run("broker commissions", ask, profile, base_url)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one.client,
            _rate(one.basis_points, one.fen_per_lot),
            _rate(one.next_basis_points, one.next_fen_per_lot),
            one.next_from,
        )
        for one in found
    ]
    show(table("Commissions", ("client", "today", "agreed", "from"), rows))


def _rate(basis_points: int, fen_per_lot: int) -> str:
    parts = [f"{basis_points} basis points"] if basis_points else []
    parts += [f"{cny(fen_per_lot)} CNY a lot"] if fen_per_lot else []
    return " and ".join(parts) or "nothing"


@app.command()
def offer(
    fill_id: Annotated[str, typer.Argument(help="As `dongxi fills` names it.")],
    lots: Annotated[int, typer.Argument(min=1, help="How many lots of it.")],
    to: Annotated[str, typer.Argument(help="A member, or a broker's client: BROKER/CLIENT.")],
    fee: Annotated[str, typer.Option(help="What the taker pays, CNY.")] = "0",
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Offer lots of one of today's fills to another account, at the price of the trade (clause 8.15).

    dongxi broker offer 17-buy 6 south/wang --fee 3.00 --client liu
    """
    fee_fen = fen_of(fee)

    async def ask(exchange: ExchangeClient) -> GiveUp:
        return await exchange.offer_give_up(fill_id, lots, to, fee_fen=fee_fen)

    made = run("broker offer", ask, profile, base_url, client=for_client)
    _tell(made, as_json=as_json)


@app.command("give-ups")
def give_ups(
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the account's give-ups on either side, latest first."""

    async def ask(exchange: ExchangeClient) -> list[GiveUp]:
        return await exchange.give_ups()

    found = run("broker give-ups", ask, profile, base_url, client=for_client)
    if as_json:
        print_json(found)
        return
    columns = ("give-up", "day", "from", "to", "fill", "contract", "lots", "price", "fee CNY", "state")
    rows = [
        (
            one.give_up_id,
            one.day,
            one.giver,
            one.taker,
            one.fill_id,
            one.symbol,
            one.lots if one.side == "buy" else -one.lots,
            one.price,
            cny(one.fee_fen),
            one.state,
        )
        for one in found
    ]
    title = f"Give-ups, bought lots positive; prices in {PRICE}"
    show(table(title, columns, rows, right=("lots", "price", "fee CNY")))


@app.command()
def accept(
    give_up_id: GiveUpId,
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take the lots that another account offers, at the price of its trade."""
    _answer("accept", give_up_id, for_client, profile, base_url, as_json=as_json)


@app.command()
def decline(
    give_up_id: GiveUpId,
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Decline what is offered, or withdraw one's own offer."""
    _answer("decline", give_up_id, for_client, profile, base_url, as_json=as_json)


def _answer(
    verb: str,
    give_up_id: str,
    client: str | None,
    profile: str | None,
    base_url: str | None,
    *,
    as_json: bool,
) -> None:
    async def ask(exchange: ExchangeClient) -> GiveUp:
        return await exchange.answer_give_up(give_up_id, accept=verb == "accept")

    _tell(run(f"broker {verb}", ask, profile, base_url, client=client), as_json=as_json)


def _tell(one: GiveUp, *, as_json: bool) -> None:
    tell(
        one,
        f"Give-up {one.give_up_id}, {one.lots} lots of {one.symbol} at {one.price} {PRICE} from {one.giver} "
        f"to {one.taker} for {cny(one.fee_fen)} CNY, is {one.state}.",
        as_json=as_json,
    )
